"""Run a path on the real engine in every way that there is."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from nrm.engine import effects as e
from nrm.engine import runtime
from nrm.engine.parsing import PathSpec
from nrm.engine.runtime import StepFailed
from tests.engine.diagrams import NOW

MOST = 200
VALUES = (0, 1)


@dataclass
class Seen:
    """What all runs together showed.

    Attributes:
        whole: every state was seen.
        stuck: joins at which the engine gave up.
        failed: other codes with which it gave up.
        twice: steps that were open or passed more than once in a run, those in `again` apart.
        lost: whether there is a state from which no run ends.
        came: steps that some run came to.
    """

    whole: bool = True
    stuck: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    lost: bool = False
    came: set[str] = field(default_factory=set)


State = tuple[str, frozenset[tuple[str, str, str]], frozenset[str]]
"""Stored state, what is open (token, step, kind), and the steps that were passed."""


def run_all(spec: PathSpec, again: frozenset[str]) -> Seen:
    """Run a path in every way: any order, any event, any values 0 and 1 at every step, or none at first.

    Args:
        spec: the path.
        again: steps that may be passed more than once (they stand in a circle).
    """
    return _Runs(spec, again).all()


class _Runs:
    def __init__(self, spec: PathSpec, again: frozenset[str]) -> None:
        self.spec, self.again, self.seen = spec, again, Seen()
        self.names = sorted(spec.decisions)

    def values(self) -> Iterator[dict[str, int]]:
        for each in product(VALUES, repeat=len(self.names)):
            yield dict(zip(self.names, each, strict=True))

    def first_values(self) -> Iterator[dict[str, int]]:
        """Give the values with which a run may begin: any of them may be missing."""
        for each in product((None, *VALUES), repeat=len(self.names)):
            yield {name: value for name, value in zip(self.names, each, strict=True) if value is not None}

    def all(self) -> Seen:
        known: dict[object, State] = {}
        after: dict[object, set[object]] = {}
        good: set[object] = set()
        queue: deque[tuple[object, State]] = deque()

        def note(before: object, made: State | str | None) -> None:
            if made is None:
                return
            if isinstance(made, str):
                good.add(made)
                after.setdefault(before, set()).add(made)
                return
            key = self.key(made)
            after.setdefault(before, set()).add(key)
            if key not in known:
                known[key] = made
                queue.append((key, made))

        for values in self.first_values():
            note("start", self.advance(None, lambda v=values: runtime.start_run(self.spec, values=v, now=NOW)))
        while queue:
            if len(known) > MOST:
                self.seen.whole = False
                return self.seen
            key, state = queue.popleft()
            for move in self.moves(state):
                note(key, self.advance(state, move))
        self.seen.lost = self.has_lost(known, after, good)
        return self.seen

    @staticmethod
    def has_lost(known: dict[object, State], after: dict[object, set[object]], good: set[object]) -> bool:
        ending = set(good)
        moved = True
        while moved:
            new = {key for key, targets in after.items() if key not in ending and targets & ending}
            ending |= new
            moved = bool(new)
        return any(key not in ending for key in known)

    def key(self, state: State) -> object:
        text, _, passed = state
        data = json.loads(text)

        def bare(tokens: list[list[object]]) -> list[object]:
            return [[name, *rest[:2], bare(rest[2]) if len(rest) > 2 else []] for name, _, *rest in tokens]  # type: ignore[arg-type]

        return json.dumps([data["x"], bare(data["t"]), sorted(passed)], sort_keys=True)

    def moves(self, state: State) -> Iterator[object]:
        text, opened, _ = state
        for token, _, kind in sorted(opened):
            if kind == "timer":
                yield lambda t=token: runtime.fire_timer(self.spec, text, token=t, now=NOW)
            elif kind == "message":
                yield lambda t=token: runtime.receive_message(self.spec, text, token=t, values={}, now=NOW)
            else:
                for values in self.values():
                    yield lambda t=token, v=values: runtime.complete_step(self.spec, text, token=t, values=v, now=NOW)

    def advance(self, state: State | None, move: object) -> State | str | None:
        """Give the next state, the word for an end, or None where the engine gave up."""
        try:
            done = move()  # type: ignore[operator]
        except StepFailed as problem:
            if problem.code == "join_never_complete":
                self.seen.stuck.add(problem.element)
            else:
                self.seen.failed.add(problem.code)
            return "stuck"
        opened = set() if state is None else set(state[1])
        passed = set() if state is None else set(state[2])
        for effect in done.effects:
            self.note(effect, opened, passed)
        now = json.loads(done.state)
        alive = {f"{name}.{number}" for name, number in _tokens(now["t"])}
        opened = {each for each in opened if each[0] in alive}
        steps = [step for _, step, _ in opened]
        self.seen.twice |= {step for step in steps if steps.count(step) > 1}
        if done.status is not e.RunStatus.RUNNING:
            return "ended"
        return done.state, frozenset(opened), frozenset(passed)

    def note(self, effect: object, opened: set[tuple[str, str, str]], passed: set[str]) -> None:
        if isinstance(effect, e.OpenTask | e.RunCheck | e.StartChildRun):
            opened.add((effect.token, effect.step, "work"))
        elif isinstance(effect, e.SetTimer):
            opened.add((effect.token, effect.step, "timer"))
        elif isinstance(effect, e.Subscribe):
            opened.add((effect.token, effect.step, "message"))
        elif isinstance(effect, e.PassedStep):
            self.seen.came.add(effect.step)
            step = f"{effect.step} {effect.way or ''}"
            if step in passed and effect.step not in self.again:
                self.seen.twice.add(effect.step)
            passed.add(step)


def _tokens(tree: list[list[object]]) -> Iterator[tuple[object, object]]:
    for name, number, *rest in tree:
        yield name, number
        if len(rest) > 2:
            yield from _tokens(rest[2])  # type: ignore[arg-type]
