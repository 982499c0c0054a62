"""Play the token game of one scope: every state that the engine can come to, and how.

The rules are those of `nrm.engine.machine`: what needs nobody is taken at once, first come first served; a parallel
join takes one token from each flow; an inclusive join goes on when nothing else moves and no other token can still
come along a flow that has none; an end that terminates takes the other tokens of its scope away. A sub-process and a
call are one step of what holds them, with the ways in which they can end.

In a scope without circles, inclusive joins and ends that stop others, the order in which independent branches move
changes nothing; there only the earliest token is moved, and every run is still seen up to the order of its branches
(persistent sets; Valmari 1989, Godefroid 1996).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from nrm.engine.lint.choices import Choices, Event
from nrm.engine.lint.diagram import Diagram, Node
from nrm.engine.lint.structure import circles, reachable

MAX_STATES: Final = 4_000
MAX_HITS: Final = 30
OUTCOME: Final = "!"

State: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Tokens (a step that waits, with the boundary events that have fired after a blank; ">flow" before a join; `OUTCOME`
once an end with an outcome was passed), and the merging steps that were passed."""

_AUTO: Final = frozenset({"startEvent", "intermediateThrowEvent", "businessRuleTask"})
_SCOPES: Final = frozenset({"subProcess", "transaction", "adHocSubProcess"})
_EXTERNAL: Final = frozenset({"message", "timer", "signal", "conditional"})
AT_ONCE: Final = frozenset({"serviceTask", "sendTask", "businessRuleTask"})
"""Steps that the system does in the moment in which they are reached."""
_CALLED: Final = frozenset({"callActivity"})


class Ill(StrEnum):
    """What can be wrong with a state."""

    DEADLOCK = "soundness_deadlock"
    TWICE = "soundness_lack_of_synchronisation"
    NEVER = "soundness_never_ends"
    DEAD = "soundness_dead_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A defect that was met: which, where, and the events that lead there."""

    ill: Ill
    element: str
    events: tuple[Event, ...]


@dataclass(slots=True, kw_only=True)
class Summary:
    """How a scope can end, for what holds it.

    Attributes:
        completes: it can be left in the usual way, or nobody knows because of a defect in it.
        doubtful: nobody knows.
        at_once: a token may pass through without waiting; `always` when it never waits.
        named: every way through it has an outcome.
        errors: codes of errors that leave it; "" for one without a code.
        escalations: codes of escalations that leave it.
        works: people, checks or calls are in it, which may fail with any code.
        calls: calls are in it, which may escalate with any code.
    """

    completes: bool = False
    doubtful: bool = False
    at_once: bool = False
    always: bool = False
    named: bool = False
    errors: set[str] = field(default_factory=set)
    escalations: set[str] = field(default_factory=set)
    works: bool = False
    calls: bool = False


@dataclass(slots=True)
class _Move:
    """A state in the making: what is on the way, and what has happened."""

    tokens: list[str]
    passed: set[str]
    queue: deque[str]
    events: list[Event]
    over: str = ""

    def copy(self) -> _Move:
        return _Move(list(self.tokens), set(self.passed), deque(self.queue), list(self.events), self.over)


class Game:
    """The exploration of one scope."""

    def __init__(
        self, diagram: Diagram, choices: Choices, scope: str, inner: dict[str, Summary], named: frozenset[str]
    ) -> None:
        """Prepare the game.

        Args:
            diagram: the whole diagram.
            choices: of its gateways.
            scope: id of the process or sub-process.
            inner: the summaries of the sub-processes in it.
            named: ends and sub-processes after which the run has an outcome.
        """
        self.diagram, self.choices, self.scope, self.inner, self.named = diagram, choices, scope, inner, named
        self.nodes = diagram.scopes[scope]
        self.starts = self._starts()
        self.order = _order(diagram, self.nodes, [node.id for node in self.starts])
        edges = {node.id: _after(diagram, node.id) for node in self.nodes}
        self.circles = {name for circle in circles(edges) for name in circle}
        self.merges = {
            node.id
            for node in self.nodes
            if len(diagram.into(node.id)) > 1 and node.tag != "endEvent" and node.id not in self.circles
        }
        self.hits: dict[tuple[Ill, str], list[Hit]] = {}
        self.visited: set[str] = set()
        self.unnamed: dict[str, None] = {}
        self.ended: set[str] = set()
        self.states = 0
        self.whole = True
        self.simple = self._is_simple()
        self._reach: dict[tuple[str, str], set[str]] = {}
        self._parents: dict[State, tuple[State | None, tuple[Event, ...]]] = {}
        self._cut: set[State] = set()

    # ---- what the scope is made of -------------------------------------------------------------------------------

    def _starts(self) -> list[Node]:
        """Give where a run of the scope can begin; a foreign diagram may have several places, or none that is drawn."""
        starts = [node for node in self.nodes if node.tag == "startEvent"]
        return starts or [node for node in self.nodes if not self.diagram.into(node.id) and node.tag != "boundaryEvent"]

    def _is_simple(self) -> bool:
        """Tell whether the order of independent branches changes nothing."""
        joins = any(node.tag in {"inclusiveGateway", "complexGateway"} and self.joins(node) for node in self.nodes)
        stops = any(
            node.tag == "endEvent" and (node.event in {"terminate", "error"} or self._throws_out(node))
            for node in self.nodes
        )
        splits = any(
            (node.tag in {"parallelGateway", "inclusiveGateway"} or not node.tag.endswith("Gateway"))
            and len(self.diagram.out_of(node.id)) > 1
            for node in self.nodes
        )
        beside = any(node.tag == "boundaryEvent" and not node.interrupting for node in self.nodes)
        return not (joins or self.circles or (stops and (splits or beside)))

    def _throws_out(self, node: Node) -> bool:
        return node.event in {"escalation", "cancel"}

    def joins(self, node: Node) -> bool:
        """Tell whether a step waits for several tokens."""
        return node.tag in {"parallelGateway", "inclusiveGateway", "complexGateway"} and (
            len(self.diagram.into(node.id)) > 1
        )

    def waits(self, node: Node) -> bool:
        """Tell whether a token that comes to a step stays there until something happens."""
        if node.tag in _SCOPES:
            return not self.inner[node.id].always
        return node.tag not in _AUTO and (not node.tag.endswith("Gateway") or node.tag == "eventBasedGateway")

    # ---- exploring -----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Explore every state, or `MAX_STATES` of them; then the reduced game, which sees less and ends sooner."""
        self._explore()
        if not self.whole and not self.simple:
            self.simple = True
            self._explore()
            self.whole = False

    def _explore(self) -> None:
        self._parents, self._cut = {}, set()
        after: dict[State, set[State]] = {}
        good: set[State] = set()
        waiting: deque[State] = deque()
        for start in self.starts:
            self._arrive_all(None, _Move([], set(), deque([start.id]), []), after, good, waiting)
        while waiting:
            if len(self._parents) > MAX_STATES:
                self.whole = False
                break
            state = waiting.popleft()
            moves = list(self._moves(state))
            if not moves and state not in good:
                self._hit_never(state)
            for move in moves:
                self._arrive_all(state, move, after, good, waiting)
        self.states += len(self._parents)
        if self.whole:
            self._find_endless(after, good)

    def _arrive_all(
        self,
        before: State | None,
        move: _Move,
        after: dict[State, set[State]],
        good: set[State],
        waiting: deque[State],
    ) -> None:
        """Take every automatic step of a move, in every way, and note the states that come of it."""
        for done in self._settle(before, move):
            state = (tuple(sorted(done.tokens)), tuple(sorted(done.passed)))
            if before is not None:
                after.setdefault(before, set()).add(state)
            over = done.over or ("" if self._live(done.tokens) else "completed")
            if over:
                self.ended.add(over)
            if state not in self._parents:
                self._parents[state] = (before, tuple(done.events))
                if over:
                    good.add(state)
                elif all(token.startswith((">", OUTCOME)) for token in done.tokens):
                    good.add(state)
                    self._hit_stuck(before, done)
                else:
                    waiting.append(state)

    @staticmethod
    def _live(tokens: list[str]) -> bool:
        return any(token != OUTCOME for token in tokens)

    def _find_endless(self, after: dict[State, set[State]], good: set[State]) -> None:
        """Find the first state from which no end can be reached any more."""
        before: dict[State, set[State]] = {}
        for source, targets in after.items():
            for target in targets:
                before.setdefault(target, set()).add(source)
        # A state at which a defect was met counts as left: what comes after it was not explored.
        ending = good | self._cut
        todo = list(ending)
        while todo:
            for source in before.get(todo.pop(), ()):
                if source not in ending:
                    ending.add(source)
                    todo.append(source)
        lost = next((state for state in self._parents if state not in ending), None)
        if lost is not None:
            self._hit_never(lost)

    # ---- what is wrong -------------------------------------------------------------------------------------------

    def _hit(self, ill: Ill, element: str, before: State | None, events: list[Event]) -> None:
        found = self.hits.setdefault((ill, element), [])
        if before is not None:
            self._cut.add(before)
        if len(found) < MAX_HITS:
            found.append(Hit(ill=ill, element=element, events=(*self._way(before), *events)))

    def _hit_stuck(self, before: State | None, move: _Move) -> None:
        stuck = {self.diagram.flows[token[1:]].target for token in move.tokens if token.startswith(">")}
        told: list[str] = []
        for node in sorted(stuck, key=lambda name: self.order.get(name, 0)):
            # A join behind one that is stuck waits only because of it.
            if not any(node in reachable(self.diagram, [each]) for each in told):
                told.append(node)
                self._hit(Ill.DEADLOCK, node, before, move.events)

    def _hit_never(self, state: State) -> None:
        tokens = [token.split(" ")[0] for token in state[0] if not token.startswith((">", OUTCOME))]
        if tokens:
            first = min(tokens, key=lambda name: self.order.get(name, 0))
            self._hit(Ill.NEVER, first, state, [])

    def _way(self, state: State | None) -> list[Event]:
        """Give the events that lead to a state from the beginning."""
        parts: list[tuple[Event, ...]] = []
        while state is not None:
            state, events = self._parents[state]
            parts.append(events)
        return [event for part in reversed(parts) for event in part]

    # ---- moves ---------------------------------------------------------------------------------------------------

    def _moves(self, state: State) -> Iterator[_Move]:
        """Give what may happen next, before its automatic steps are taken."""
        tokens, passed = state
        waiting = sorted(
            {token for token in tokens if not token.startswith((">", OUTCOME))},
            key=lambda token: (self.order.get(token.split(" ")[0], 0), token),
        )
        for token in waiting:
            moved = False
            for move in self._of_token(list(tokens), set(passed), token):
                moved = True
                yield move
            if moved and self.simple:
                return

    def _of_token(self, tokens: list[str], passed: set[str], token: str) -> Iterator[_Move]:
        """Give what may happen to one waiting token."""
        name, *fired = token.split(" ")
        node = self.diagram.nodes[name]
        rest = list(tokens)
        rest.remove(token)
        if node.tag not in _SCOPES or self.inner[name].completes:
            extra = [OUTCOME] if name in self.named and OUTCOME not in rest else []
            for ways in self._ways_out(node):
                move = _Move([*rest, *extra], set(passed), deque(), [(name, ways if len(ways) > 1 else ())])
                self._take(move, node, ways)
                yield move
        for boundary in self.diagram.boundaries.get(name, ()):
            if boundary.id in fired or not self._may_fire(boundary, node):
                continue
            kept = [] if boundary.interrupting else [" ".join((name, *sorted([*fired, boundary.id])))]
            move = _Move([*rest, *kept], set(passed), deque(), [(boundary.id, ())])
            self.visited.add(boundary.id)
            self._take(move, boundary, tuple(flow.id for flow in self.diagram.out_of(boundary.id)))
            yield move

    def _may_fire(self, boundary: Node, host: Node) -> bool:
        """Tell whether a boundary event can happen while its step is open."""
        if boundary.event in _EXTERNAL:
            return host.tag not in AT_ONCE
        code = self.code(boundary)
        inside = self.inner.get(host.id)
        if boundary.event == "error":
            return inside is None or inside.works or bool(inside.errors if code is None else inside.errors & {code, ""})
        if boundary.event == "escalation":
            if inside is None:
                return host.tag in _CALLED
            return inside.calls or bool(inside.escalations if code is None else inside.escalations & {code, ""})
        return boundary.event == "none"

    def code(self, node: Node) -> str | None:
        """Give the code of an error or escalation event, None for one that takes any."""
        for part in node.element:
            reference = part.get("errorRef") or part.get("escalationRef")
            if reference:
                return next(
                    (
                        (each.get("errorCode") or each.get("escalationCode") or "").strip() or None
                        for each in self.diagram.root
                        if each.get("id") == reference
                    ),
                    None,
                )
        return None

    def _ways_out(self, node: Node) -> Iterator[tuple[str, ...]]:
        """Give the sets of flows that may be taken when a step is left."""
        flows = tuple(flow.id for flow in self.diagram.out_of(node.id))
        if node.tag == "eventBasedGateway":
            yield from ((flow,) for flow in flows)
        elif node.tag in {"exclusiveGateway", "inclusiveGateway", "complexGateway"} and len(flows) > 1:
            options, whole = self.choices.options(node)
            self.whole = self.whole and whole
            yield from options
        else:
            yield flows

    def _take(self, move: _Move, node: Node, ways: tuple[str, ...]) -> None:
        """Put tokens on flows."""
        if node.tag == "eventBasedGateway":
            # An arm has fired: the token goes on behind it.
            for way in ways:
                arm = self.diagram.flows[way].target
                self.visited |= {node.id, arm}
                move.events.append((arm, ()))
                if self.diagram.nodes[arm].tag == "endEvent":
                    move.queue.append(arm)
                else:
                    self._take(move, self.diagram.nodes[arm], tuple(each.id for each in self.diagram.out_of(arm)))
            return
        for way in ways:
            target = self.diagram.nodes[self.diagram.flows[way].target]
            if self.joins(target):
                move.tokens.append(f">{way}")
            move.queue.append(f">{way}" if self.joins(target) else target.id)

    # ---- automatic steps -----------------------------------------------------------------------------------------

    def _settle(self, before: State | None, move: _Move) -> Iterator[_Move]:
        """Take all automatic steps of a move; each choice makes one more."""
        todo, rounds = deque([move]), 0
        while todo:
            at = todo.popleft()
            rounds += 1
            if rounds > MAX_STATES:
                self.whole = False
                return
            if at.over:
                yield at
            elif at.queue:
                todo.extend(self._step(before, at))
            elif ready := self._inclusive_ready(at):
                todo.extend(each for node in ready for each in self._join(before, at.copy(), node))
            else:
                yield at

    def _step(self, before: State | None, move: _Move) -> list[_Move]:
        """Take the first automatic step; an empty list when a defect ends the way."""
        item = move.queue.popleft()
        if item.startswith(">"):
            node = self.diagram.nodes[self.diagram.flows[item[1:]].target]
            if move.tokens.count(item) > 1:
                self._hit(Ill.TWICE, node.id, before, move.events)
                return []
            if node.tag != "parallelGateway":
                return [move]
            arrived = {f">{flow.id}" for flow in self.diagram.into(node.id)} <= set(move.tokens)
            return self._join(before, move, node) if arrived else [move]
        return self._enter(before, move, self.diagram.nodes[item])

    def _join(self, before: State | None, move: _Move, node: Node) -> list[_Move]:
        for flow in self.diagram.into(node.id):
            if f">{flow.id}" in move.tokens:
                move.tokens.remove(f">{flow.id}")
        return self._pass(before, move, node)

    def _enter(self, before: State | None, move: _Move, node: Node) -> list[_Move]:
        """Let a token come to a step."""
        self.visited.add(node.id)
        if node.tag == "endEvent":
            return self._end(move, node)
        if not self.waits(node):
            return self._pass(before, move, node)
        if any(token.split(" ")[0] == node.id for token in move.tokens) or node.id in move.passed:
            self._hit(Ill.TWICE, node.id, before, [*move.events, (node.id, ())])
            return []
        if node.id in self.merges:
            move.passed.add(node.id)
        move.tokens.append(node.id)
        return [move]

    def _pass(self, before: State | None, move: _Move, node: Node) -> list[_Move]:
        """Go through a step that does not wait."""
        self.visited.add(node.id)
        if node.id in move.passed or node.id in move.queue:
            self._hit(Ill.TWICE, node.id, before, [*move.events, (node.id, ())])
            return []
        if node.id in self.merges:
            move.passed.add(node.id)
        if node.tag in _SCOPES and node.id in self.named and OUTCOME not in move.tokens:
            move.tokens.append(OUTCOME)
        made = []
        options = list(self._ways_out(node))
        for ways in options:
            each = move.copy()
            each.events.append((node.id, ways if len(options) > 1 else ()))
            self._take(each, node, ways)
            made.append(each)
        return made

    def _end(self, move: _Move, node: Node) -> list[_Move]:
        """Let a token end; an error or a terminating end takes the others with it."""
        move.events.append((node.id, ()))
        named = node.id in self.named or OUTCOME in move.tokens
        stops = node.event in {"terminate", "error"}
        if stops:
            move.tokens.clear()
            move.queue.clear()
            move.over = f"error {self.code(node) or ''}" if node.event == "error" else "completed"
        over = stops or not (self._live(move.tokens) or move.queue)
        if over and not named:
            self.unnamed[node.id] = None
        if named and OUTCOME not in move.tokens and not over:
            move.tokens.append(OUTCOME)
        return [move]

    def _inclusive_ready(self, move: _Move) -> list[Node]:
        """Give the inclusive joins that may go on now."""
        names = {self.diagram.flows[token[1:]].target for token in move.tokens if token.startswith(">")}
        joins = [self.diagram.nodes[name] for name in names if self.diagram.nodes[name].tag != "parallelGateway"]
        return [node for node in joins if not self._held(node, move.tokens)]

    def _held(self, node: Node, tokens: list[str]) -> bool:
        """Tell whether a token elsewhere can still come to an inclusive join along a flow that has none."""
        arrived = {flow.id for flow in self.diagram.into(node.id) if f">{flow.id}" in tokens}
        places = {
            self.diagram.flows[token[1:]].target if token.startswith(">") else token.split(" ")[0]
            for token in tokens
            if token != OUTCOME
        } - {node.id}
        for place in places:
            reaches = {flow.id for flow in self.diagram.into(node.id) if flow.source in self._reaches(place, node.id)}
            if reaches and not reaches & arrived:
                return True
        return False

    def _reaches(self, place: str, around: str) -> set[str]:
        if (place, around) not in self._reach:
            self._reach[place, around] = reachable(self.diagram, [place], without=frozenset({around})) - {around}
        return self._reach[place, around]


def _after(diagram: Diagram, node: str) -> list[str]:
    return [flow.target for flow in diagram.out_of(node)] + [at.id for at in diagram.boundaries.get(node, ())]


def _order(diagram: Diagram, nodes: list[Node], starts: list[str]) -> dict[str, int]:
    """Number the steps so that, loops apart, each stands before those that it leads to."""
    done: list[str] = []
    seen: set[str] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        work = [(start, iter(_after(diagram, start)))]
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in seen:
                    seen.add(to)
                    work.append((to, iter(_after(diagram, to))))
                    break
            else:
                done.append(node)
                work.pop()
    return {node: number for number, node in enumerate(reversed(done))} | {
        node.id: len(done) for node in nodes if node.id not in seen
    }
