"""Scenarios of a draft: recorded, played on the real engine before anything is published, and tried move by move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from nrm.actions._action import Work, action
from nrm.actions.checks import CHECK_VALUES
from nrm.actions.path_drafts import DraftChanged, change_draft, lock_draft
from nrm.actions.path_facts import Installed, installed
from nrm.actions.path_findings import FindingView, told
from nrm.actions.path_rehearsals import keep, kept, mark_of
from nrm.actors import Actor
from nrm.countries import ItemKind, Json
from nrm.engine.findings import Finding, Severity
from nrm.engine.rehearsals import Rehearsal, Theatre, rehearse
from nrm.engine.scenario_files import read_scenario
from nrm.errors import NotFound, NotValid, Problem
from nrm.queries import packs
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.queries.path_turns import turn
from nrm.rules.drafts import EDIT
from nrm.rules.texts import WrongValue, clean_text, is_code

MOST_SCENARIOS: Final = 100
LARGEST: Final = 200_000
"""Most bytes of one scenario as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioView:
    """A scenario of a draft, played.

    Attributes:
        name: its name in the draft.
        title: what it tells, for people.
        passed: everything came as it says.
        findings: why it did not.
    """

    name: str
    title: str
    passed: bool
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The scenarios of a draft, played, and what they leave out.

    Attributes:
        findings: why nothing could be played; empty otherwise.
        gaps: steps and flows that no scenario that passed takes.
        steps: step → number of scenarios that pass it.
        ways: flow → number of scenarios that take it.
    """

    findings: tuple[FindingView, ...]
    scenarios: tuple[ScenarioView, ...]
    gaps: tuple[FindingView, ...]
    steps: Mapping[str, int]
    ways: Mapping[str, int]


@action("path_draft.save_scenario", permission=EDIT)
def save_scenario(
    work: Work,
    draft_id: str,
    *,
    name: str,
    moves: Sequence[Mapping[str, Json]],
    version: int,
    expect: str | None = None,
    title: str = "",
    start: Mapping[str, Json] | None = None,
    checks: Mapping[str, Json] | None = None,
    settings: Mapping[str, Json] | None = None,
) -> DraftChanged:
    """Keep a way through a draft as a scenario, under a new name or in the place of the one of this name.

    Args:
        work: the transaction.
        draft_id: the draft.
        name: a code.
        moves: what happens, in the words of scenario files.
        version: the version of the draft that was changed.
        expect: outcome code with which the path ends; None when it ends without one.
        title: what it tells; the name when it is empty.
        start: values with which the path is started.
        checks: registered check → its answers, in order.
        settings: settings of the pack that it changes.

    Raises:
        NotFound: there is no such draft.
        NotValid: it is no scenario, too large, or one too many.
        IllegalMove: the draft is not open for changes.
        StaleVersion: somebody changed it since.
    """
    row = lock_draft(work, draft_id, "save", version=version)
    content: dict[str, Json] = {
        "scenario": _title(title) or name,
        "path": row.path_key,
        "start": dict(start or {}),
        "settings": dict(settings or {}),
        "checks": dict(checks or {}),
        "steps": [dict(move) for move in moves],
        "ends": expect,
    }
    problems = [] if is_code(name) else [Problem(pointer="/name", code="not_a_code")]
    if name not in row.scenarios and len(row.scenarios) >= MOST_SCENARIOS:
        problems.append(Problem(pointer="", code="too_many_entries", params={"most": MOST_SCENARIOS}))
    problems += scenario_problems(content)
    if problems:
        raise NotValid(problems)
    return change_draft(work, row, scenarios={**row.scenarios, name: content})


def scenario_problems(content: Mapping[str, Json]) -> list[Problem]:
    """Say what is wrong with the shape of a scenario; playing says the rest."""
    if len(orjson.dumps(content)) > LARGEST:
        return [Problem(pointer="", code="scenario_too_large", params={"limit": LARGEST // 1000})]
    try:
        read_scenario(dict(content))
    except ValueError as problem:
        return [Problem(pointer="", code="not_a_scenario", params={"part": str(problem)[:100]})]
    return []


def _title(text: str) -> str:
    try:
        return clean_text(text, longest=200)
    except WrongValue as wrong:
        raise NotValid([Problem(pointer="/title", code=wrong.code, params=wrong.params)]) from None


@action("path_draft.drop_scenario", permission=EDIT)
def drop_scenario(work: Work, draft_id: str, *, name: str, version: int) -> DraftChanged:
    """Take a scenario out of a draft.

    Raises:
        NotFound: there is no such draft or scenario.
        IllegalMove: the draft is not open for changes.
        StaleVersion: somebody changed it since.
    """
    row = lock_draft(work, draft_id, "save", version=version)
    if name not in row.scenarios:
        raise NotFound
    return change_draft(work, row, scenarios={key: kept for key, kept in row.scenarios.items() if key != name})


def theatre_of(view: DraftView) -> Theatre:
    """Give what the scenarios of a draft are played with."""
    here = installed()
    return Theatre(
        resources=here.resources,
        forms={**here.pack.forms, **view.forms},
        setting=packs.pack().answer_setting,
        zone=_zone(here),
        check_values={name: tuple(values) for name, values in CHECK_VALUES.items()},
    )


def _zone(here: Installed) -> str | None:
    country = here.pack.contents(ItemKind.COUNTRY).get("country")
    zone = country.get("timezone") if isinstance(country, dict) else None
    return str(zone) if zone else None


def rehearse_draft(view: DraftView) -> Rehearsal:
    """Play all scenarios of a draft, whatever came of them before.

    Raises:
        Busy: too many diagrams are being worked on at this moment.
    """
    return rehearse(view.diagram.encode(), view.scenarios, theatre_of(view))


def _rehearsed(actor: Actor, view: DraftView) -> Rehearsal:
    """Give what came of the scenarios of a draft; the same content is not played twice in a row."""
    theatre = theatre_of(view)
    mark = mark_of([view.diagram, view.scenarios, theatre.to_json()])
    found = kept(mark)
    if found is None:
        with turn(actor):
            found = rehearse(view.diagram.encode(), view.scenarios, theatre)
        keep(mark, found)
    return found


def failures(rehearsal: Rehearsal) -> tuple[Finding, ...]:
    """Give an error for each scenario that does not pass, and one when there is none at all."""
    if rehearsal.findings:
        return rehearsal.findings
    if not rehearsal.played:
        return (Finding(code="scenario_wanted"),)
    return tuple(
        Finding(
            code="scenario_fails",
            element=finding.element,
            params={**finding.params, "scenario": played.name, "reason": finding.code},
        )
        for played in rehearsal.played
        for finding in played.findings
        if finding.severity is Severity.ERROR
    )


def draft_coverage(actor: Actor, draft_id: str, *, language: str) -> Coverage:
    """Say what comes of the scenarios of a draft, and which steps and flows none of them takes.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    view = queries.draft(actor, draft_id)
    rehearsal = _rehearsed(actor, view)
    passed = [played for played in rehearsal.played if not played.findings]
    return Coverage(
        findings=told(rehearsal.findings, language),
        scenarios=tuple(
            ScenarioView(
                name=played.name,
                title=str(view.scenarios[played.name].get("scenario") or played.name),
                passed=not played.findings,
                findings=told(played.findings, language),
            )
            for played in rehearsal.played
        ),
        gaps=told(rehearsal.gaps, language),
        steps=_counted([played.steps for played in passed]),
        ways=_counted([played.ways for played in passed]),
    )


def _counted(groups: Sequence[Sequence[str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for group in groups:
        for name in group:
            found[name] = found.get(name, 0) + 1
    return found
