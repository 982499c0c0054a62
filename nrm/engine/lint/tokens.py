"""Play the token game: find joins that wait for ever, merges that run a step twice, and paths without an outcome.

Each scope is a small Petri net; a sub-process counts as one step of its parent. The exploration always moves the token
that stands earliest in the diagram, and waits with the later ones. Choices of a free-choice net do not disturb each
other, so trying every choice of that one token is enough to see every dead end (persistent sets; Valmari 1989), and
tokens of parallel branches gather before the place where they meet, where a meeting without a join is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Final, TypeAlias

from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, extension, found, warn
from nrm.engine.lint.structure import reachable

Marking: TypeAlias = tuple[str, ...]
"""Flows (or boundary events and the start) with a token on them, sorted, one entry per token; `OUTCOME` once when an
end with an outcome has been passed."""

OUTCOME: Final = "!"

MAX_MARKINGS: Final = 3_000
MAX_SUBSETS: Final = 6


def check_tokens(diagram: Diagram, _pack: Pack) -> Iterator[Finding]:
    """Find deadlocks and unsynchronised merges in each scope, and ways through the path that have no outcome."""
    named = {node.id for node in diagram.of("endEvent") if extension(node.element, "outcome") or node.event == "error"}
    for scope, nodes in reversed(diagram.scopes.items()):  # what is inside is played before what holds it
        starts = [node for node in nodes if node.tag == "startEvent"]
        if len(starts) != 1:
            continue
        game = _Game(diagram, nodes, starts[0], frozenset(named))
        yield from game.play()
        if not game.unnamed:
            named.add(scope)
        elif scope == diagram.key:
            yield from (found(diagram.nodes[end].element, "end_without_outcome") for end in game.unnamed)


class _Game:
    """One exploration of one scope."""

    def __init__(self, diagram: Diagram, nodes: list[Node], start: Node, named: frozenset[str]) -> None:
        self.diagram = diagram
        self.named = named
        self.unnamed: dict[str, None] = {}
        self.start = start
        self.order = _order(diagram, nodes, start)
        self.reach: dict[str, set[str]] = {}
        self.stuck: dict[str, None] = {}
        self.met: dict[str, None] = {}

    def play(self) -> Iterator[Finding]:
        """Explore every marking, or `MAX_MARKINGS` of them."""
        first: Marking = (f"@{self.start.id}",)
        seen = {first}
        waiting = [first]
        while waiting:
            for after in self.moves(waiting.pop()):
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
            if len(seen) > MAX_MARKINGS:
                yield warn(self.start.element, "too_many_ways", limit=MAX_MARKINGS)
                break
        for node in self.met:
            yield found(self.diagram.nodes[node].element, "parallel_branches_meet")
        for node in self.stuck:
            yield found(self.diagram.nodes[node].element, "join_waits_for_ever")

    def place(self, token: str) -> str:
        """Give the step that a token stands before (or at)."""
        return token[1:] if token.startswith("@") else self.diagram.flows[token].target

    def moves(self, marking: Marking) -> Iterator[Marking]:
        """Give the markings after the earliest step that can move; remember what is stuck or met on the way."""
        places = Counter(self.place(token) for token in marking if token != OUTCOME)
        tokens = Counter(marking)
        for node in sorted(places, key=lambda name: self.order.get(name, 0)):
            if not self.enabled(node, tokens, places):
                continue
            if self.meets(node, tokens, places):
                self.met[node] = None
                return
            yield from self.fire(node, tokens)
            return
        for node in places:
            self.stuck[node] = None

    def joins(self, node: str) -> bool:
        """Tell whether a step waits for several tokens."""
        kind = self.diagram.nodes[node].tag
        return kind in {"parallelGateway", "inclusiveGateway"} and len(self.diagram.into(node)) > 1

    def meets(self, node: str, tokens: Counter[str], places: Counter[str]) -> bool:
        """Tell whether two tokens stand before a step that would run once for each."""
        if self.joins(node):
            return any(tokens[flow.id] > 1 for flow in self.diagram.into(node))
        return places[node] > 1 and self.diagram.nodes[node].tag != "endEvent"

    def enabled(self, node: str, tokens: Counter[str], places: Counter[str]) -> bool:
        """Tell whether a step has the tokens that it needs."""
        if not self.joins(node):
            return True
        lacking = [flow for flow in self.diagram.into(node) if not tokens[flow.id]]
        if self.diagram.nodes[node].tag == "parallelGateway":
            return not lacking
        # An inclusive join waits for as long as a token elsewhere can still come in by a way that lacks one.
        return not any(
            flow.source in self.reaches(place, around=node) for flow in lacking for place in places if place != node
        )

    def reaches(self, place: str, *, around: str) -> set[str]:
        """Give what can be reached from a place without passing through one step."""
        key = f"{place} {around}"
        if key not in self.reach:
            self.reach[key] = reachable(self.diagram, [place], without=frozenset({around}))
        return self.reach[key]

    def fire(self, node: str, tokens: Counter[str]) -> Iterator[Marking]:
        """Move the token(s) before one step in every way that the step allows."""
        rest = +tokens
        if self.joins(node):
            rest -= Counter({flow.id: 1 for flow in self.diagram.into(node)})
        else:
            taken = next(token for token in sorted(tokens) if token != OUTCOME and self.place(token) == node)
            rest -= Counter({taken: 1})
        step = self.diagram.nodes[node]
        if step.tag == "endEvent":
            yield self.end(step, rest)
            return
        for ways in self.ways(step):
            goes_on = step.tag != "subProcess" or any(not way.startswith("@") for way in ways)
            yield _marking(rest + Counter(ways), named=step.id in self.named and goes_on)

    def end(self, step: Node, rest: Counter[str]) -> Marking:
        """Give the marking after an end; remember an end that may be the last one and leaves the scope unnamed."""
        named = step.id in self.named or bool(rest[OUTCOME])
        over = step.event in {"terminate", "error"} or not rest - Counter({OUTCOME: 1})
        if over and not named:
            self.unnamed[step.id] = None
        return _marking(Counter() if over else rest, named=named)

    def ways(self, step: Node) -> Iterator[tuple[str, ...]]:
        """Give the sets of places that get a token when a step is left."""
        flows = tuple(flow.id for flow in self.diagram.out_of(step.id))
        if step.tag == "parallelGateway" or not flows:
            yield flows
        elif step.tag == "inclusiveGateway":
            most = len(flows) if len(flows) <= MAX_SUBSETS else 2
            for size in {*range(1, most + 1), len(flows)}:
                yield from combinations(flows, size)
        else:
            yield from ((flow,) for flow in flows)
        for boundary in self.diagram.boundaries.get(step.id, ()):
            if boundary.interrupting:
                yield (f"@{boundary.id}",)
            else:
                yield from ((f"@{boundary.id}", flow) for flow in flows)


def _marking(tokens: Counter[str], *, named: bool = False) -> Marking:
    marking = tuple(sorted(tokens.elements()))
    return (OUTCOME, *marking) if named and OUTCOME not in marking else marking


def _order(diagram: Diagram, nodes: list[Node], start: Node) -> dict[str, int]:
    """Number the steps so that, loops apart, each stands before those that it leads to."""
    done: list[str] = []
    seen = {start.id}
    work = [(start.id, iter(_after(diagram, start.id)))]
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


def _after(diagram: Diagram, node: str) -> list[str]:
    return [flow.target for flow in diagram.out_of(node)] + [at.id for at in diagram.boundaries.get(node, ())]
