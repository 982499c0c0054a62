"""Is a path sound: does every run end, and is every step done as often as it was drawn?

After W. M. P. van der Aalst, "The Application of Petri Nets to Workflow Management" (1998): from every state that can
be reached the end can be reached (no deadlock, no livelock), nothing is done twice by branches that were not joined,
and no step is dead. A defect is *definite* when some answers surely lead there, and *possible* when it hangs on
conditions that may exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from nrm.engine.findings import Finding, Severity
from nrm.engine.lint.choices import Choices, Event
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, extension, found, warn
from nrm.engine.lint.game import AT_ONCE, MAX_STATES, Game, Hit, Ill, Summary
from nrm.engine.lint.structure import circles, leads_to_end, reachable

_WORK: Final = frozenset({"userTask", "manualTask", "serviceTask", "sendTask", "callActivity"})


class Answer(StrEnum):
    """Whether a path is sound; unknown when not every state was seen, or a defect is only possible."""

    SOUND = "sound"
    UNSOUND = "unsound"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Something that is not sound.

    Attributes:
        code: `soundness_deadlock`, `soundness_lack_of_synchronisation`, `soundness_never_ends`, `soundness_dead_step`.
        severity: an error when it surely can happen, else a warning.
        element: id of the step.
        trace: ids of the steps and flows that lead there, the shortest that was found, the step
            itself last; empty for a dead step.
    """

    code: str
    severity: Severity
    element: str
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What the games of all scopes of a diagram showed.

    Attributes:
        answer: sound, unsound or unknown.
        states: how many states were seen.
        defects: what is not sound.
        cut: scopes of which not every state was seen.
        unnamed: ends at which a run may end without any outcome.
    """

    answer: Answer
    states: int
    defects: tuple[Defect, ...]
    cut: tuple[str, ...]
    unnamed: tuple[str, ...]


def soundness_of(diagram: Diagram, pack: Pack) -> Soundness:
    """Play the game of each scope, what is inside before what holds it."""
    choices = Choices(diagram, pack.known)
    named = {node.id for node in diagram.of("endEvent") if extension(node.element, "outcome") or node.event == "error"}
    signals = _throws_and_catches_signals(diagram)
    inner: dict[str, Summary] = {}
    met: dict[str, set[str]] = {}
    linked: dict[str, set[str]] = {}
    by_scope: dict[str, list[Defect]] = {}
    cut: list[str] = []
    unnamed: list[str] = []
    states = 0
    for scope, nodes in reversed(diagram.scopes.items()):
        game = Game(diagram, choices, scope, inner, frozenset(named))
        if not game.starts:
            inner[scope] = Summary(completes=True, doubtful=True)
            cut.append(scope)
            continue
        game.play()
        states += game.states
        loose = not game.simple and any(inner[node.id].at_once for node in nodes if node.id in inner)
        by_scope[scope] = list(_defects(game, choices, sure=not (signals or loose)))
        met[scope] = game.visited
        linked[scope] = reachable(diagram, [node.id for node in game.starts]) if game.hits or not game.whole else set()
        if not game.whole:
            cut.append(scope)
        if not game.unnamed:
            named.add(scope)
        elif scope == diagram.key:
            unnamed += game.unnamed
        inner[scope] = _summary(game, inner)
    defects: list[Defect] = []
    for scope, there in by_scope.items():
        if _is_met(diagram, scope, met):
            defects += there
        elif _is_met(diagram, scope, {name: met[name] | linked[name] for name in met}):
            # Something before it is not sound: it is only seen what would come then.
            defects += [replace(defect, severity=Severity.WARNING) for defect in there]
    errors = any(defect.severity is Severity.ERROR for defect in defects)
    answer = Answer.UNSOUND if errors else Answer.UNKNOWN if defects or cut else Answer.SOUND
    return Soundness(answer=answer, states=states, defects=tuple(defects), cut=tuple(cut), unnamed=tuple(unnamed))


def _is_met(diagram: Diagram, scope: str, met: dict[str, set[str]]) -> bool:
    """Tell whether some run comes into a scope: what stands in one that nobody enters never happens."""
    while scope != diagram.key:
        holder = diagram.nodes[scope].scope
        if scope not in met.get(holder, ()):
            return False
        scope = holder
    return True


def check_soundness_of(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find what is not sound, and ways through the path that have no outcome."""
    told = soundness_of(diagram, pack)
    ending = {name for nodes in diagram.scopes.values() for name in leads_to_end(diagram, nodes)}
    for defect in told.defects:
        if defect.code == Ill.NEVER and defect.element not in ending:
            continue  # "no way leads to an end" says it already
        yield _finding(diagram, defect)
    for scope in told.cut:
        nodes = [node for node in diagram.scopes[scope] if node.tag == "startEvent"]
        if nodes:
            yield warn(nodes[0].element, "soundness_unknown", limit=MAX_STATES)
    yield from (found(diagram.nodes[end].element, "end_without_outcome") for end in told.unnamed)


def _finding(diagram: Diagram, defect: Defect) -> Finding:
    at = found(diagram.nodes[defect.element].element, defect.code, defect.severity)
    params = {"trace": " ".join(defect.trace)} if defect.trace else {}
    return Finding(code=at.code, element=at.element, severity=at.severity, line=at.line, params=params)


def _defects(game: Game, choices: Choices, *, sure: bool) -> Iterator[Defect]:
    """Give the defects of one scope, each once, with a way that surely leads there when there is one."""
    met = False
    doubtful = {name for name, summary in game.inner.items() if summary.doubtful}
    for hits in game.hits.values():
        free = [hit for hit in hits if sure and doubtful.isdisjoint(step for step, _ in hit.events)]
        free = [hit for hit in free if hit.ill is not Ill.TWICE or not _in_rounds(hit)]
        certain = next((hit for hit in free if choices.together(hit.events)), None)
        hit = certain or hits[0]
        severity = Severity.WARNING if certain is None else Severity.ERROR
        met = True
        yield Defect(code=hit.ill.value, severity=severity, element=hit.element, trace=_trace(hit))
    if not met and game.whole:
        yield from _dead(game)
        yield from _fixed_loops(game, choices)


def _fixed_loops(game: Game, choices: Choices) -> Iterator[Defect]:
    """Give the gateways by which a circle is left, when nothing in it can change what they ask."""
    diagram = game.diagram
    edges = {node.id: [flow.target for flow in diagram.out_of(node.id)] for node in game.nodes}
    edges = {node: [*to, *(at.id for at in diagram.boundaries.get(node, ()))] for node, to in edges.items()}
    asked = {name for node in game.nodes for name in choices.asks(node) or ()}
    still = {node for node in edges if not _may_give(diagram, choices, node, asked)}
    for circle in circles({node: [to for to in edges[node] if to in still] for node in edges if node in still}):
        leaving = sorted(node for node in circle if not circle >= set(edges[node]) and _leaves(diagram, node, circle))
        chosen = all(choices.asks(diagram.nodes[node]) is not None for node in leaving)
        if chosen and circle <= game.visited:
            first = min(leaving or circle)
            yield Defect(code=Ill.NEVER.value, severity=Severity.WARNING, element=first, trace=(first,))


def _leaves(diagram: Diagram, step: str, circle: set[str]) -> bool:
    """Tell whether a token leaves a circle at a step, and not only one more that is made beside it."""
    if any(boundary.interrupting and boundary.id not in circle for boundary in diagram.boundaries.get(step, ())):
        return True
    flows = diagram.out_of(step)
    outside = [flow for flow in flows if flow.target not in circle]
    return bool(outside) and (len(flows) == len(outside) or diagram.nodes[step].tag != "parallelGateway")


def _may_give(diagram: Diagram, choices: Choices, step: str, names: set[str]) -> bool:
    """Tell whether a step, or something in it, may give one of some values."""
    for node in _inside(diagram, {step}):
        given = choices.gives(node)
        if given is None or given & names:
            return True
    return False


def _inside(diagram: Diagram, steps: set[str]) -> Iterator[Node]:
    """Give steps and everything in the sub-processes among them."""
    for name in steps:
        yield diagram.nodes[name]
        if name in diagram.scopes:
            yield from _inside(diagram, {node.id for node in diagram.scopes[name]})


def _in_rounds(hit: Hit) -> bool:
    """Tell whether a step is done twice because of what each round of a circle starts beside it: it may be meant."""
    steps = [step for step, _ in hit.events if step != hit.element]
    return len(set(steps)) < len(steps)


def _trace(hit: Hit) -> tuple[str, ...]:
    """Give the steps and flows that lead to a defect, its own element last."""
    way = tuple(name for event in hit.events for name in _names(event))
    return way if way[-1:] == (hit.element,) else (*way, hit.element)


def _names(event: Event) -> tuple[str, ...]:
    step, ways = event
    return (step, *ways)


def _dead(game: Game) -> Iterator[Defect]:
    """Give the first steps of every part that no run comes to, though flows lead there."""
    diagram = game.diagram
    linked = reachable(diagram, [node.id for node in game.starts])
    for node in game.nodes:
        host = diagram.nodes.get(node.host or "")
        if node.id in game.visited or node.id not in linked or (host is not None and host.tag in AT_ONCE):
            continue
        before = [flow.source for flow in diagram.into(node.id)] + ([node.host] if node.host else [])
        if any(name in game.visited for name in before):
            severity = Severity.WARNING if node.tag == "boundaryEvent" else Severity.ERROR
            yield Defect(code=Ill.DEAD.value, severity=severity, element=node.id, trace=())


def _summary(game: Game, inner: dict[str, Summary]) -> Summary:
    """Say how a scope can end."""
    nodes, diagram = game.nodes, game.diagram
    below = [inner[node.id] for node in nodes if node.id in inner]
    errors = {over.removeprefix("error ") for over in game.ended if over.startswith("error")}
    thrown = {game.code(node) or "" for node in nodes if node.event == "escalation" and node.tag != "boundaryEvent"}
    waits = any(game.waits(node) for node in nodes if node.id in game.visited)
    holder = None if game.scope == diagram.key else diagram.nodes[game.scope].element
    repeated = holder is not None and bool(children(holder, "multiInstanceLoopCharacteristics"))
    broken = bool(game.hits) or not game.whole
    return Summary(
        completes="completed" in game.ended or broken,
        doubtful="completed" not in game.ended and broken,
        at_once=repeated or not waits or _may_pass(game),
        always=not waits and not repeated,
        errors=errors | {code for each in below for code in each.errors},
        escalations=thrown | {code for each in below for code in each.escalations},
        works=any(node.tag in _WORK for node in nodes) or any(each.works for each in below),
        calls=any(node.tag == "callActivity" for node in nodes) or any(each.calls for each in below),
    )


def _may_pass(game: Game) -> bool:
    """Tell whether a token may go through the whole scope without waiting."""
    stops = frozenset(node.id for node in game.nodes if game.waits(node))
    there = reachable(game.diagram, [node.id for node in game.starts], without=stops)
    return any(node.tag == "endEvent" and node.id in there for node in game.nodes)


def _throws_and_catches_signals(diagram: Diagram) -> bool:
    """Tell whether the path hears signals of its own: when they come is then not free."""
    events = [node for node in diagram.nodes.values() if node.event == "signal"]
    throwing = {node.id for node in events if node.tag in {"endEvent", "intermediateThrowEvent"}}
    return bool(throwing) and len(throwing) < len(events)
