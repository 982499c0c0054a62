"""Needs and reintegration plan of a case: record and change, approve as the second person, add a service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Response

from api.pages.codes import governorates, labels, names, sayers
from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.pages.traces import note_strict
from nrm.actions import needs as need_actions
from nrm.actions import plans as actions
from nrm.actions.plans import MOST_SERVICES, WantedService
from nrm.errors import NotValid, Problem
from nrm.queries import cases, directory, proposals
from nrm.queries.cases import CaseView, PlanView
from nrm.queries.proposals import Proposal
from nrm.rules.texts import fold_digits
from nrm.vocabulary import NeedStatus, PlanStatus, Priority

plans = Pages("plans")

_CATEGORY: Final = "service_category"
_EMPTY_LINES: Final = 3
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DONE: Final = frozenset({"need", "changed", "recorded", "approved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the form of a plan, as it stands there."""

    category: str = ""
    priority: str = str(Priority.NORMAL)
    goal: str = ""
    organisation: str = ""
    due: str = ""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was filled in."""
        return not (self.category or self.goal or self.organisation or self.due)


@plans.get("/cases/<case_id>/plan", permission="case.read")
def show_plan(visit: Visit, case_id: str) -> Answer:
    """Show what a returnee needs and what was agreed."""
    return _page(visit, case_id)


def _page(visit: Visit, case_id: str, *, problems: Told = ()) -> Response:
    case = cases.case(visit.actor, visit.now, case_id)
    revisions = cases.plans(visit.actor, visit.now, case_id)
    note_strict(visit, case)
    works = "note" in case.allowed_actions and case.status == "open"
    latest = revisions[0] if revisions else None
    done = visit.query.get("done")
    return visit.show(
        "plans/plan.html",
        status=422 if problems else 200,
        case=case,
        needs=cases.needs(visit.actor, visit.now, case_id),
        plan=latest,
        earlier=revisions[1:],
        works=works,
        edits=works and visit.may("plan.edit"),
        approves=works and visit.may("plan.approve") and _waits(latest),
        waits=_waits(latest),
        adds=works and visit.may("run.start") and visit.may("directory.read"),
        categories=labels(visit, _CATEGORY),
        reasons=labels(visit, "unmet_reason"),
        need_states=tuple((str(one), visit.words.t(f"cases.need_{one}")) for one in NeedStatus),
        priorities=priorities(visit),
        given=visit.form,
        problems=problems,
        done=done if done in _DONE else None,
        names=names(visit),
        **sayers(visit),
    )


def _waits(plan: PlanView | None) -> bool:
    """Say whether a plan waits for a second person here; one that a path recorded is approved in that path."""
    return plan is not None and plan.status == PlanStatus.PROPOSED and not plan.of_path


def priorities(visit: Visit) -> tuple[tuple[str, str], ...]:
    """Give how pressing something can be, with words."""
    return tuple((str(one), visit.words.t(f"work.priority_{one}")) for one in reversed(Priority))


def _told(visit: Visit, error: NotValid, before: str = "") -> Told:
    fields = (before + one.pointer.strip("/").replace("/", "-") for one in error.problems)
    return tuple(zip(fields, (visit.problem(one.code, one.params) for one in error.problems), strict=True))


@plans.post("/cases/<case_id>/needs", permission="case.work")
def record_need(visit: Visit, case_id: str) -> Answer:
    """Record that a returnee needs something."""
    cases.must_read(visit.actor, visit.now, case_id)
    try:
        need_actions.record_need(
            visit.actor,
            case_id,
            category=visit.text("category"),
            priority=visit.text("priority") or str(Priority.NORMAL),
        )
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error))
    return see(f"/cases/{case_id}/plan?done=need")


@plans.post("/cases/<case_id>/needs/<need_id>", permission="case.work")
def change_need(visit: Visit, case_id: str, need_id: str) -> Answer:
    """Change how pressing a need is, or say that it was met or cannot be met."""
    cases.must_read(visit.actor, visit.now, case_id)
    status = visit.text("status")
    try:
        need_actions.change_need(
            visit.actor,
            need_id,
            version=visit.version(),
            status=status or None,
            priority=visit.text("priority") or None,
            reason=visit.text("reason") or None if status == NeedStatus.UNMET else None,
        )
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error, f"{need_id}-"))
    return see(f"/cases/{case_id}/plan?done=changed")


@plans.get("/cases/<case_id>/plan/new", permission="plan.edit")
def new_plan(visit: Visit, case_id: str) -> Answer:
    """Show the form of the next revision, with what the latest agreed."""
    latest = next(iter(cases.plans(visit.actor, visit.now, case_id)), None)
    return _form(visit, case_id, tuple(_lines(latest)))


def _lines(plan: PlanView | None) -> Iterator[Line]:
    for one in plan.services if plan else ():
        yield Line(
            category=one.category,
            priority=one.priority,
            goal=one.goal or "",
            organisation=one.preferred_organisation_id or "",
            due=one.due_on.isoformat() if one.due_on else "",
        )


def _form(visit: Visit, case_id: str, lines: tuple[Line, ...], *, problems: Told = ()) -> Response:
    case = cases.case(visit.actor, visit.now, case_id)
    cases.must_read(visit.actor, visit.now, case_id)
    note_strict(visit, case)
    free = 0 if problems else _EMPTY_LINES
    return visit.show(
        "plans/new.html",
        status=422 if problems else 200,
        case=case,
        lines=(*lines, *(Line() for _ in range(min(free, MOST_SERVICES - len(lines))))),
        most=MOST_SERVICES,
        categories=labels(visit, _CATEGORY),
        priorities=priorities(visit),
        organisations=_organisations(visit),
        agreed=visit.form.get("agreed", ""),
        problems=problems,
        **sayers(visit),
    )


def _organisations(visit: Visit) -> tuple[tuple[str, str], ...]:
    named = ((key, visit.words.name(value)) for key, value in directory.organisation_names().items())
    return tuple(sorted(named, key=lambda entry: entry[1]))


@plans.post("/cases/<case_id>/plan/new", permission="plan.edit")
def record_plan(visit: Visit, case_id: str) -> Answer:
    """Record the next revision, or show the form with more lines."""
    cases.must_read(visit.actor, visit.now, case_id)
    lines = tuple(line for line in _sent_lines(visit.form) if not line.is_empty)
    if visit.text("do") == "more":
        return _form(visit, case_id, lines)
    agreed = visit.form.get("agreed", "")
    try:
        if agreed not in {"yes", "no"}:
            raise NotValid([Problem(pointer="/agreed", code="required")])
        wanted = [_wanted(line, f"/services/{place}") for place, line in enumerate(lines)]
        actions.record_plan(visit.actor, case_id, services=wanted, agreed=agreed == "yes")
    except NotValid as error:
        return _form(visit, case_id, lines, problems=_told(visit, error))
    return see(f"/cases/{case_id}/plan?done=recorded")


def _sent_lines(sent: Mapping[str, str]) -> Iterator[Line]:
    rows = sent.get("rows", "")
    number = min(int(rows), MOST_SERVICES) if rows.isascii() and rows.isdigit() and len(rows) < 4 else 0
    for place in range(number):
        yield _line(sent, f"services-{place}-")


def _line(sent: Mapping[str, str], before: str = "") -> Line:
    def part(name: str) -> str:
        return sent.get(before + name, "").replace("\r\n", "\n").strip()

    return Line(
        category=part("category"),
        priority=part("priority") or str(Priority.NORMAL),
        goal=part("goal"),
        organisation=part("preferred_organisation_id"),
        due=part("due_on"),
    )


def _wanted(line: Line, at: str = "") -> WantedService:
    return WantedService(
        category=line.category,
        priority=line.priority,
        goal=line.goal or None,
        preferred_organisation_id=line.organisation or None,
        due_on=_day(line.due, f"{at}/due_on"),
    )


def _day(text: str, pointer: str) -> date | None:
    folded = fold_digits(text)
    if not folded:
        return None
    try:
        if _DAY.fullmatch(folded):
            return date.fromisoformat(folded)
    except ValueError:
        pass
    raise NotValid([Problem(pointer=pointer, code="not_a_date")])


@plans.post("/cases/<case_id>/plan/<plan_id>/approve", permission="plan.approve")
def approve_plan(visit: Visit, case_id: str, plan_id: str) -> Answer:
    """Approve a plan as the second person; its services start."""
    cases.must_read(visit.actor, visit.now, case_id)
    actions.approve_plan(visit.actor, plan_id, version=visit.version())
    return see(f"/cases/{case_id}/plan?done=approved")


@plans.get("/cases/<case_id>/service", permission="run.start")
def choose_service(visit: Visit, case_id: str) -> Answer:
    """Show who could serve a kind of need, and the form to start it."""
    return _service(visit, case_id)


def _service(visit: Visit, case_id: str, *, problems: Told = ()) -> Response:
    case = cases.case(visit.actor, visit.now, case_id)
    cases.must_read(visit.actor, visit.now, case_id)
    note_strict(visit, case)
    asked = visit.form if visit.form else visit.query
    category = asked.get("category", "")
    where = asked.get("place", case.governorate)
    known = {code for code, _ in labels(visit, _CATEGORY)}
    plan = _running_plan(visit, case)
    return visit.show(
        "plans/service.html",
        status=422 if problems else 200,
        case=case,
        plan=plan,
        category=category if category in known else "",
        where=where,
        offers=tuple(_offers(visit, case, category, where)) if category in known else (),
        categories=labels(visit, _CATEGORY),
        governorates=governorates(visit),
        priorities=priorities(visit),
        organisations=_organisations(visit),
        given=visit.form,
        problems=problems,
        names=names(visit),
        **sayers(visit),
    )


def _running_plan(visit: Visit, case: CaseView) -> PlanView | None:
    """Give the plan to which a service can be added: the latest, where it is approved or a path serves it."""
    latest = next(iter(cases.plans(visit.actor, visit.now, case.id)), None)
    if latest is None or not visit.may("plan.edit"):
        return None
    return latest if latest.status == PlanStatus.APPROVED or latest.of_path else None


def _offers(visit: Visit, case: CaseView, category: str, where: str) -> Iterator[Proposal]:
    """Give the services of a kind that are offered in a place, those that can take the referral first."""
    found = proposals.proposals(visit.actor, visit.now, case.id, category=category, language=visit.language)
    for one in found:
        if not where or not one.service.governorates or where in one.service.governorates:
            yield one


@plans.post("/cases/<case_id>/service", permission="run.start")
def add_service(visit: Visit, case_id: str) -> Answer:
    """Add a service to the plan and start it; where there is no approved plan, start it by itself."""
    case = cases.case(visit.actor, visit.now, case_id)
    cases.must_read(visit.actor, visit.now, case_id)
    plan = _running_plan(visit, case)
    try:
        line = _line(visit.form)
        if plan is None:
            run_id = actions.start_service(visit.actor, case_id, category=line.category)
        else:
            [run_id] = actions.add_service(visit.actor, plan.id, wanted=_wanted(line), version=visit.version()).runs
    except NotValid as error:
        return _service(visit, case_id, problems=_told(visit, error))
    return see(f"/cases/{case_id}?run={run_id}")
