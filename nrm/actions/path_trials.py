"""Try a draft: moves are played from its start on the real engine, in a process that can be killed; nothing stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from nrm import i18n
from nrm.actions.path_facts import installed
from nrm.actions.path_findings import FindingView, told
from nrm.actions.path_scenarios import scenario_problems, theatre_of
from nrm.actors import Actor
from nrm.countries import Json
from nrm.engine.finding_files import finding_from_json
from nrm.engine.rehearsals import try_diagram
from nrm.engine.steps import StepKind
from nrm.errors import BadPath, NotValid
from nrm.queries import packs, paths
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.queries.path_turns import turn
from nrm.rules.deadlines import due_at

Told = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStep:
    """A step: "done" when it was passed, "current" while something is open at it, else "ahead"."""

    id: str
    state: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTask:
    """A task that somebody would have now.

    Attributes:
        due: how long they would have, as in the diagram.
        due_at: when it would be due, by the country's first calendar; None where the clock begins at another date.
    """

    token: str
    step: str
    name: str
    item: str | None
    form: str | None
    role: str | None
    organisation: str | None
    opened_at: datetime
    due: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialChild:
    """Another path that would run below this one now.

    Attributes:
        takes: names of its values that the calling path keeps.
        outcomes: outcome codes with which its newest version can end.
        errors: codes of errors that are caught where it is called.
        escalations: codes of escalations that are caught there.
    """

    token: str
    step: str
    name: str
    item: str | None
    path: str
    values: Mapping[str, Json]
    takes: tuple[str, ...]
    outcomes: tuple[str, ...]
    errors: tuple[str, ...]
    escalations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTimer:
    """A timer that would wake the path."""

    token: str
    step: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMessage:
    """A message, or a signal ("signal:…"), that the path waits for.

    Attributes:
        takes: names of its values that the path keeps.
    """

    token: str
    step: str
    name: str
    message: str
    correlation: str
    takes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCheck:
    """A registered check whose answer the trial wants: give it under `checks`, as one more entry of its list.

    Attributes:
        item: entry of the list, in the rounds of a step.
        check: name of the check.
        values: names of the values that it answers with.
    """

    token: str
    step: str
    name: str
    item: str | None
    check: str
    params: Mapping[str, Json]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLine:
    """One thing that happened, in words."""

    at: datetime
    what: str
    step: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """How a draft stands after the moves.

    Attributes:
        clock: the virtual time.
        status: running, finished or failed.
        outcome: outcome code of the end, None before it.
        moves: how many moves were made.
        problem: why the next one was not; None when all were.
        ways: flow → how often it was taken.
        values: the decision values that the path keeps.
    """

    clock: datetime
    status: str
    outcome: str | None
    moves: int
    problem: FindingView | None
    steps: tuple[TrialStep, ...]
    ways: Mapping[str, int]
    tasks: tuple[TrialTask, ...]
    children: tuple[TrialChild, ...]
    timers: tuple[TrialTimer, ...]
    messages: tuple[TrialMessage, ...]
    checks: tuple[TrialCheck, ...]
    values: Mapping[str, Json]
    log: tuple[TrialLine, ...]


def try_draft(
    actor: Actor,
    draft_id: str,
    *,
    moves: Sequence[Mapping[str, Json]],
    language: str,
    start: Mapping[str, Json] | None = None,
    checks: Mapping[str, Json] | None = None,
    settings: Mapping[str, Json] | None = None,
    diagram: str | None = None,
    every_check: bool = False,
) -> TrialView:
    """Play moves on a draft from its start.

    Args:
        actor: who asks.
        draft_id: the draft.
        moves: what happens, in the words of scenario files.
        language: of the texts.
        start: values with which the path is started.
        checks: registered check → its answers, in order.
        settings: settings of the pack that are changed for the trial.
        diagram: the BPMN text; None for the saved one.
        every_check: stop at each asking of a check that has no answer of its own, as in the rounds of a list; else the
            last answer of a check is given again, as when a scenario is played.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
        NotValid: the moves are none.
        BadPath: the diagram cannot run, or took too long.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    view = queries.draft(actor, draft_id)
    scenario: dict[str, Json] = {
        "path": view.draft.path,
        "start": dict(start or {}),
        "settings": dict(settings or {}),
        "checks": dict(checks or {}),
        "steps": [dict(move) for move in moves],
    }
    problems = scenario_problems(scenario)
    if problems:
        raise NotValid(problems)
    text = view.diagram if diagram is None else diagram
    with turn(actor):
        findings, trial = try_diagram(text.encode(), scenario, theatre_of(view), every_check=every_check)
    if findings:
        raise BadPath(findings)
    return _Teller(trial, language).tell()


def start_names(view: DraftView) -> tuple[str, ...]:
    """Name the values with which a draft may be started: what calling paths pass, and what its scenarios begin with."""
    passed = installed().known.passed.get(view.draft.path, frozenset())
    begun: set[str] = set()
    for scenario in view.scenarios.values():
        start = scenario.get("start")
        begun |= set(start) if isinstance(start, Mapping) else set()
    return tuple(sorted({*passed, *begun}))


class _Teller:
    """Puts what a child process said into values and words."""

    def __init__(self, trial: Told, language: str) -> None:
        self.trial, self.language = trial, language
        self.names = cast(Mapping[str, Mapping[str, str]], trial["names"])
        self.entries = cast(Sequence[Told], trial["open"])

    def tell(self) -> TrialView:
        trial = self.trial
        problem = trial["problem"]
        return TrialView(
            clock=_moment(trial["clock"]),
            status=str(trial["status"]),
            outcome=_maybe(trial["outcome"]),
            moves=cast(int, trial["taken"]),
            problem=told([finding_from_json(cast(Told, problem))], self.language)[0] if problem else None,
            steps=tuple(self.steps()),
            ways=cast(Mapping[str, int], trial["ways"]),
            tasks=tuple(self.task(entry) for entry in self.of("task")),
            children=tuple(self.child(entry) for entry in self.of("child")),
            timers=tuple(
                TrialTimer(token=str(entry["token"]), step=step, name=self.name(step), at=_moment(entry["at"]))
                for entry in self.of("timer")
                for step in (str(entry["step"]),)
            ),
            messages=tuple(self.message(entry) for entry in self.of("message")),
            checks=tuple(self.check(entry) for entry in cast(Sequence[Told], trial["checks"])),
            values=cast(Mapping[str, Json], trial["values"]),
            log=tuple(self.line(line) for line in cast(Sequence[Told], trial["log"])),
        )

    def of(self, kind: str) -> list[Told]:
        return [entry for entry in self.entries if entry["kind"] == kind]

    def name(self, step: str) -> str:
        names = self.names.get(step, {})
        return names.get(self.language) or names.get("en") or step

    def steps(self) -> list[TrialStep]:
        visits = cast(Mapping[str, int], self.trial["visits"])
        waiting = cast(Sequence[Told], self.trial["checks"])
        current = {str(entry["step"]) for entry in (*self.entries, *waiting)}
        found = []
        for step in cast(Sequence[str], self.trial["steps"]):
            count = visits.get(step, 0)
            state = "current" if step in current else "done" if count else "ahead"
            found.append(TrialStep(id=step, state=state, count=count))
        return found

    def task(self, entry: Told) -> TrialTask:
        step, opened = str(entry["step"]), _moment(entry["since"])
        due = cast("Mapping[str, str] | None", entry["due"])
        until = None
        if due is not None and due["anchor"] == "opened":
            calendar = packs.pack().calendar_for(None)
            with suppress(NotValid):
                until = due_at(opened, due["time"], calendar=calendar, kind=due["calendar"])
        return TrialTask(
            token=str(entry["token"]),
            step=step,
            name=self.name(step),
            item=_maybe(entry["item"]),
            form=_maybe(entry["form"]),
            role=_maybe(entry["role"]),
            organisation=_maybe(entry["organisation"]),
            opened_at=opened,
            due=due["time"] if due is not None else None,
            due_at=until,
        )

    def child(self, entry: Told) -> TrialChild:
        step = str(entry["step"])
        return TrialChild(
            token=str(entry["token"]),
            step=step,
            name=self.name(step),
            item=_maybe(entry["item"]),
            path=str(entry["path"]),
            values=cast(Mapping[str, Json], entry["values"]),
            takes=_names(entry["takes"]),
            outcomes=_outcomes(str(entry["path"])),
            errors=_names(entry["errors"]),
            escalations=_names(entry["escalations"]),
        )

    def message(self, entry: Told) -> TrialMessage:
        step = str(entry["step"])
        return TrialMessage(
            token=str(entry["token"]),
            step=step,
            name=self.name(step),
            message=str(entry["message"]),
            correlation=str(entry["correlation"]),
            takes=_names(entry["takes"]),
        )

    def check(self, entry: Told) -> TrialCheck:
        step = str(entry["step"])
        return TrialCheck(
            token=str(entry["token"]),
            step=step,
            name=self.name(step),
            item=_maybe(entry["item"]),
            check=str(entry["name"]),
            params=cast(Mapping[str, Json], entry["params"]),
            values=tuple(cast(Sequence[str], entry["values"])),
        )

    def line(self, line: Told) -> TrialLine:
        step, what = str(line["step"]), str(line["what"])
        params = {**cast(Mapping[str, str], line["params"]), "step": self.name(step)}
        text = i18n.say("trials", what, self.language, params) or what
        return TrialLine(at=_moment(line["at"]), what=what, step=step, text=text)


def _outcomes(path: str) -> tuple[str, ...]:
    """Give the outcome codes with which the newest version of a path can end; none for a path without one."""
    version_id = paths.published(path)
    if version_id is None:
        return ()
    steps = paths.version(version_id).spec.steps.values()
    return tuple(sorted({step.outcome for step in steps if step.kind is StepKind.END and step.outcome}))


def _names(names: object) -> tuple[str, ...]:
    return tuple(cast("Sequence[str]", names))


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def _maybe(text: object) -> str | None:
    return None if text is None else str(text)
