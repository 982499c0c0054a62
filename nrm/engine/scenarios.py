"""Play scenario files on the real engine, with a virtual clock.

A scenario tells one way through a path: who answers what, which message comes, how much time passes, and how it ends.
Registered checks answer what the scenario says; forms check the answers as they do for a handler. What goes wrong is a
`Finding`, so that it reads in every language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from nrm.engine.durations import parse_duration
from nrm.engine.effects import (
    GIVEN_UP,
    Advance,
    CancelChildRun,
    CancelTimer,
    CloseTask,
    Effect,
    FinishRun,
    OpenTask,
    PassedStep,
    RunCheck,
    RunStatus,
    SetTimer,
    StartChildRun,
    Subscribe,
    Unsubscribe,
    Value,
)
from nrm.engine.failures import StepFailed
from nrm.engine.findings import Finding
from nrm.engine.parsing import PathSpec
from nrm.engine.runtime import (
    complete_step,
    escalate_child,
    fail_child,
    finish_child,
    fire_timer,
    receive_message,
    start_run,
)
from nrm.engine.scenario_files import Scenario, verb_of
from nrm.errors import NotValid
from nrm.rules.answer_types import Setting
from nrm.rules.answers import decision_values, validate_answers
from nrm.rules.forms import Form

BEGINNING: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""When every scenario starts: a Monday morning."""
LAST_YEAR: Final = 9000
"""How far the virtual clock goes: dates end with the year 9999, wherever on Earth one reads them."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a scenario.

    Attributes:
        findings: why it failed; empty when it passed.
        steps: ids of the steps that were passed.
        ways: ids of the flows that were taken.
    """

    scenario: Scenario
    findings: tuple[Finding, ...]
    steps: frozenset[str]
    ways: frozenset[str]

    @property
    def passed(self) -> bool:
        """Whether everything came as the scenario says."""
        return not self.findings


class MoveFailed(Exception):
    """The scenario does not hold; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def play(
    spec: PathSpec,
    scenario: Scenario,
    *,
    forms: Mapping[str, Form],
    setting: Setting,
    check_values: Mapping[str, Collection[str]],
) -> Played:
    """Play a scenario.

    Args:
        spec: the path, parsed with the scenario's settings.
        scenario: from `read_scenario`.
        forms: form key → form.
        setting: what reading an answer needs to know of the country.
        check_values: registered check → names of the values that it sets; one that sets none needs no answer.
    """
    player = Player(spec, scenario, forms, setting, check_values)
    findings: list[Finding] = []
    try:
        player.play()
    except MoveFailed as problem:
        findings.append(problem.finding)
    return Played(
        scenario=scenario, findings=tuple(findings), steps=frozenset(player.steps), ways=frozenset(player.ways)
    )


Open = OpenTask | StartChildRun | SetTimer | Subscribe


class Player:
    """One run, what it has open, and the clock."""

    def __init__(
        self,
        spec: PathSpec,
        scenario: Scenario,
        forms: Mapping[str, Form],
        setting: Setting,
        check_values: Mapping[str, Collection[str]],
    ) -> None:
        self.spec, self.scenario, self.forms, self.setting = spec, scenario, forms, setting
        self.check_values = check_values
        self.now = BEGINNING
        self.number = 0
        self.state = ""
        self.status = RunStatus.RUNNING
        self.values: Mapping[str, Value] = {}
        self.outcome: str | None = None
        self.open: dict[str, Open] = {}
        self.checks: dict[str, RunCheck] = {}
        self.asked: dict[str, int] = {}
        self.steps: set[str] = set()
        self.ways: set[str] = set()

    def play(self) -> None:
        """Make every move, then compare the end."""
        self.go("", lambda: start_run(self.spec, values=values_of(self.scenario.start), now=self.now))
        for move in self.scenario.moves:
            self.number += 1
            self.must_run()
            self.move(verb_of(move) or "", move)
        if self.status is RunStatus.RUNNING:
            raise MoveFailed(self.problem("scenario_not_ended", "", open=self.listed(self.open.values())))
        if self.outcome != self.scenario.ends:
            actual, expected = self.outcome or "–", self.scenario.ends or "–"
            raise MoveFailed(self.problem("scenario_wrong_end", "", actual=actual, expected=expected))

    def must_run(self) -> None:
        """Stop when the run has ended before its next move."""
        if self.status is not RunStatus.RUNNING:
            raise MoveFailed(self.problem("scenario_ended_early", ""))

    def move(self, verb: str, move: Mapping[str, object]) -> None:
        """Make one move."""
        subject = move[verb]
        if verb == "advance":
            self.advance(str(subject))
        elif verb == "expect_open":
            self.expect_open(subject)
        elif verb == "message":
            self.message(str(subject), _mapping(move.get("values")))
        elif verb == "complete":
            self.complete(str(subject), move.get("item"), move.get("answers", {}))
        else:
            self.child(verb, str(subject), move)

    def complete(self, step: str, item: object, answers: object) -> None:
        """Complete an open task with answers that its form accepts."""
        task = self.find(OpenTask, step, item)
        values: Mapping[str, object] = {}
        form = self.forms.get(self.spec.steps[step].form or "")
        if form is not None:
            zone = self.setting.zone
            today = (self.now.astimezone(zone) if zone else self.now).date()
            try:
                checked = validate_answers(
                    form, answers, today=today, setting=self.setting, values_from_earlier=self.values
                )
            except NotValid as problem:
                first = problem.problems[0]
                more = {name: value for name, value in first.params.items() if value is not None}
                params = {**more, "step": step, "field": first.pointer or "/", "reason": first.code}
                raise MoveFailed(self.problem("scenario_answer_refused", step, **params)) from None
            values = decision_values(form, checked.clean, self.spec.decisions)
        del self.open[task.token]
        self.go(step, self.completion(task.token, values))

    def child(self, verb: str, step: str, move: Mapping[str, object]) -> None:
        """End, fail, cancel or escalate an open child run."""
        token = self.find(StartChildRun, step, move.get("item")).token
        code = str(move.get("code", ""))
        outcome = move.get("outcome")
        values = values_of(_mapping(move.get("values")))
        verbs: dict[str, Callable[[], Advance]] = {
            "child": lambda: finish_child(
                self.spec,
                self.state,
                token=token,
                outcome=None if outcome is None else str(outcome),
                values=values,
                now=self.now,
            ),
            "child_error": lambda: fail_child(self.spec, self.state, token=token, code=code, now=self.now),
            # As in the product: whoever called a run that somebody cancels sees it fail.
            "child_cancel": lambda: fail_child(self.spec, self.state, token=token, code=GIVEN_UP, now=self.now),
            "child_escalation": lambda: escalate_child(self.spec, self.state, token=token, code=code, now=self.now),
        }
        if verb != "child_escalation":
            del self.open[token]
        self.go(step, verbs[verb])

    def message(self, name: str, values: Mapping[str, object]) -> None:
        """Give a message or signal to everything that waits for it now, the longest waiting first."""
        waiting = [each for each in self.open.values() if isinstance(each, Subscribe) and each.message == name]
        if not waiting:
            raise MoveFailed(self.problem("scenario_message_unheard", "", message=name))
        given = values_of(values)
        for each in waiting:
            # What one of them began may have ended the next.
            if each.token in self.open and self.status is RunStatus.RUNNING:
                self.go(each.step, self.delivery(each.token, given))

    def delivery(self, token: str, values: Mapping[str, object]) -> Callable[[], Advance]:
        """Give the verb that hands a message over."""
        return lambda: receive_message(self.spec, self.state, token=token, values=values, now=self.now)

    def advance(self, text: str) -> None:
        """Let time pass; every timer that comes due fires at its moment."""
        duration = parse_duration(text)
        if duration is None:
            raise MoveFailed(self.problem("bad_duration", "", text=text))
        try:
            until = duration.after(self.now)
        except OverflowError:
            until = None
        if until is None or until.year > LAST_YEAR:
            raise MoveFailed(self.problem("scenario_too_far", "", year=LAST_YEAR))
        while self.status is RunStatus.RUNNING:
            timers = [each for each in self.open.values() if isinstance(each, SetTimer) and each.due_at <= until]
            if not timers:
                break
            timer = min(timers, key=lambda each: each.due_at)
            self.now = max(self.now, timer.due_at)
            del self.open[timer.token]
            self.fire(timer)
        self.now = until

    def fire(self, timer: SetTimer) -> None:
        """Fire one timer."""
        token = timer.token
        self.go(timer.step, lambda: fire_timer(self.spec, self.state, token=token, now=self.now))

    def expect_open(self, expected: object) -> None:
        """Compare the open tasks (and child runs, when the scenario names one) with what is expected."""
        wanted = {str(step) for step in expected} if isinstance(expected, list) else set()
        tasks = {each.step for each in self.open.values() if isinstance(each, OpenTask)}
        children = {each.step for each in self.open.values() if isinstance(each, StartChildRun)}
        if wanted not in (tasks, tasks | children):
            listed = ", ".join(sorted(tasks)) or "–"
            raise MoveFailed(
                self.problem("scenario_open_differs", "", expected=", ".join(sorted(wanted)) or "–", open=listed)
            )

    def go(self, step: str, verb: Callable[[], Advance]) -> None:
        """Take an advance and its checks until nothing is to be done."""
        self.apply(step, verb)
        while self.checks:
            token = next(iter(self.checks))
            effect = self.checks.pop(token)
            values = self.answer(effect)
            self.apply(effect.step, self.completion(token, values))

    def completion(self, token: str, values: Mapping[str, object]) -> Callable[[], Advance]:
        """Give the verb that completes a step."""
        return lambda: complete_step(self.spec, self.state, token=token, values=values, now=self.now)

    def apply(self, step: str, verb: Callable[[], Advance]) -> None:
        """Take one advance and note its effects."""
        try:
            advance = verb()
        except StepFailed as problem:
            at = problem.element or step
            more = {name: value for name, value in problem.params.items() if value is not None}
            params = {**more, "step": at, "reason": problem.code}
            raise MoveFailed(self.problem("scenario_step_failed", at, **params)) from None
        self.state, self.values, self.status = advance.state, advance.values, advance.status
        for effect in advance.effects:
            self.take(effect)

    def answer(self, effect: RunCheck) -> dict[str, object]:
        """Give what a registered check answers, as the scenario says."""
        answers = self.scenario.checks.get(effect.name)
        if answers is None and self.check_values.get(effect.name):
            raise MoveFailed(self.problem("scenario_check_missing", effect.step, check=effect.name))
        count = self.asked.get(effect.name, 0)
        self.asked[effect.name] = count + 1
        return values_of(answers[min(count, len(answers) - 1)]) if answers else {}

    def take(self, effect: Effect) -> None:
        """Note what an effect opens, closes or passes."""
        if isinstance(effect, OpenTask | StartChildRun | SetTimer | Subscribe):
            self.open[effect.token] = effect
        elif isinstance(effect, RunCheck):
            self.checks[effect.token] = effect
        elif isinstance(effect, CloseTask | CancelChildRun | CancelTimer | Unsubscribe):
            self.open.pop(effect.token, None)
            self.checks.pop(effect.token, None)
        elif isinstance(effect, PassedStep):
            self.steps.add(effect.step)
            self.ways.update([effect.way] if effect.way else [])
        elif isinstance(effect, FinishRun):
            self.outcome = effect.outcome

    def find(self, kind: type[OpenTask] | type[StartChildRun], step: str, item: object) -> OpenTask | StartChildRun:
        """Find what is open at a step, for an item when one is named."""
        for each in self.open.values():
            if isinstance(each, kind) and each.step == step and item in (None, each.item):
                return each
        shown = step if item is None else f"{step} ({item})"
        raise MoveFailed(self.problem("scenario_step_not_open", step, step=shown, open=self.listed(self.open.values())))

    def listed(self, entries: Collection[Open]) -> str:
        """Name what is open."""
        names = sorted({f"{each.message}" if isinstance(each, Subscribe) else each.step for each in entries})
        return ", ".join(names) or "–"

    def problem(self, code: str, step: str, /, **params: str | int) -> Finding:
        """Build the finding that a move fails with."""
        return Finding(code=code, element=step, params={"number": self.number, **params})


def _mapping(data: object) -> Mapping[str, object]:
    return data if isinstance(data, dict) else {}


def values_of(data: Mapping[str, object]) -> dict[str, object]:
    """Give values as the engine takes them: JSON has no dates, exact numbers or tuples."""
    return {name: _value(value) for name, value in data.items()}


def _value(value: object) -> object:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, float):
        return Decimal(str(value))
    return tuple(map(str, value)) if isinstance(value, list) else value
