"""Try a path: make some moves on the real engine, with a virtual clock, and say how everything stands after them.

A trial keeps nothing: it is played from the start each time. Its moves are those of a scenario, so that what was tried
can be kept as one. Where a registered check has no answer yet, the trial stops and says which answer it wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nrm.engine.effects import (
    CancelChildRun,
    CancelTimer,
    CloseTask,
    Effect,
    EnterStage,
    Escalate,
    FailParent,
    FinishRun,
    OpenTask,
    PassedStep,
    RecordOutcome,
    RunCheck,
    SetTimer,
    StartChildRun,
    Subscribe,
    ThrowMessage,
    Unsubscribe,
    Value,
)
from nrm.engine.findings import Finding
from nrm.engine.parsing import PathSpec
from nrm.engine.runtime import start_run
from nrm.engine.scenario_files import Scenario, verb_of
from nrm.engine.scenarios import MoveFailed, Open, Player, values_of
from nrm.rules.answer_types import Setting
from nrm.rules.forms import Form

MAX_LOG: Final = 1_000
_TOLD: Final[Mapping[type[Effect], str]] = {
    OpenTask: "task_opened",
    CloseTask: "task_closed",
    StartChildRun: "child_started",
    CancelChildRun: "child_cancelled",
    SetTimer: "timer_set",
    CancelTimer: "timer_cancelled",
    Subscribe: "message_awaited",
    Unsubscribe: "message_over",
    ThrowMessage: "message_sent",
    Escalate: "escalated",
    EnterStage: "stage_entered",
    RecordOutcome: "outcome",
    FailParent: "failed",
    PassedStep: "passed",
    RunCheck: "check",
    FinishRun: "finished",
}
_NAMED: Final = ("item", "path", "due_at", "message", "code", "stage", "name", "outcome", "status")
"""Parts of effects that a text may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the log.

    Attributes:
        at: when, on the virtual clock.
        what: code of what happened ("task_opened").
        step: id of the step, "" for the run.
        params: values of the text.
    """

    at: datetime
    what: str
    step: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a path stands after some moves.

    Attributes:
        clock: the virtual time.
        status: how the run stands.
        outcome: outcome code of the end; None before it.
        taken: how many moves were made.
        problem: why the next one was not; None when all were.
        open: tasks, child runs, timers and subscriptions that are open, in the order of their opening.
        since: token → since when it is open.
        checks: registered checks that wait for an answer of the trial.
        visits: step → how often it was passed.
        ways: flow → how often it was taken.
        values: the run's decision values.
        log: what happened, in order, at most `MAX_LOG` lines.
    """

    clock: datetime
    status: str
    outcome: str | None
    taken: int
    problem: Finding | None
    open: tuple[Open, ...]
    since: Mapping[str, datetime]
    checks: tuple[RunCheck, ...]
    visits: Mapping[str, int]
    ways: Mapping[str, int]
    values: Mapping[str, Value]
    log: tuple[Happening, ...]


class _Paused(Exception):
    """A registered check wants an answer that the trial does not have."""


def try_path(
    spec: PathSpec,
    scenario: Scenario,
    *,
    forms: Mapping[str, Form],
    setting: Setting,
    check_values: Mapping[str, Collection[str]],
    every_check: bool = False,
) -> Trial:
    """Make the moves of a scenario, as far as they go; other arguments as for `nrm.engine.scenarios.play`.

    Args:
        spec: the path.
        scenario: its moves.
        forms: form key → form.
        setting: what reading an answer needs to know of the country.
        check_values: registered check → names of the values that it sets.
        every_check: stop at each asking of a check that has no answer of its own, as in the rounds of a list; else the
            last answer of a check is given again.
    """
    player = _Trial(spec, scenario, forms, setting, check_values)
    player.every_check = every_check
    problem = None
    try:
        player.make_moves()
    except _Paused:
        pass
    except MoveFailed as failed:
        problem = failed.finding
    return Trial(
        clock=player.now,
        status=str(player.status),
        outcome=player.outcome,
        taken=player.made,
        problem=problem,
        open=tuple(player.open.values()),
        since=player.since,
        checks=tuple(player.checks.values()),
        visits=player.visits,
        ways=player.taken_ways,
        values=player.values,
        log=tuple(player.log),
    )


class _Trial(Player):
    """A player that keeps a log and stops where it has no answer."""

    def __init__(
        self,
        spec: PathSpec,
        scenario: Scenario,
        forms: Mapping[str, Form],
        setting: Setting,
        check_values: Mapping[str, Collection[str]],
    ) -> None:
        super().__init__(spec, scenario, forms, setting, check_values)
        self.log: list[Happening] = []
        self.visits: Counter[str] = Counter()
        self.taken_ways: Counter[str] = Counter()
        self.since: dict[str, datetime] = {}
        self.made = 0
        self.every_check = False

    def make_moves(self) -> None:
        """Start the run and make every move."""
        self.go("", lambda: start_run(self.spec, values=values_of(self.scenario.start), now=self.now))
        for move in self.scenario.moves:
            self.number += 1
            self.must_run()
            self.move(verb_of(move) or "", move)
            self.made = self.number

    def take(self, effect: Effect) -> None:
        """Note an effect, in the log too."""
        if isinstance(effect, PassedStep):
            self.visits[effect.step] += 1
            self.taken_ways.update([effect.way] if effect.way else [])
        if isinstance(effect, OpenTask | StartChildRun | SetTimer | Subscribe):
            self.since[effect.token] = self.now
        if len(self.log) < MAX_LOG:
            params = {name: str(getattr(effect, name)) for name in _NAMED if getattr(effect, name, None)}
            step = getattr(effect, "step", "")
            self.log.append(Happening(at=self.now, what=_TOLD[type(effect)], step=step, params=params))
        super().take(effect)

    def answer(self, effect: RunCheck) -> dict[str, object]:
        """Give a check's answer, or stop when the trial has none."""
        answers = len(self.scenario.checks.get(effect.name, ()))
        asked = self.asked.get(effect.name, 0)
        if self.check_values.get(effect.name) and (not answers or (self.every_check and asked >= answers)):
            self.checks = {effect.token: effect, **self.checks}
            raise _Paused
        return super().answer(effect)
