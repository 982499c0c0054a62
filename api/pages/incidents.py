"""What failed and waits for help: in words, with what may be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from flask import Response

from api.pages.codes import names
from api.pages.decision_fields import KINDS, ValueField, changed, fields_of, fields_sent
from api.pages.forms.reading import read_answers
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.kit.words import NoText
from api.pages.tasks import questions_of
from api.transport import cursors
from api.transport.problems import explain_failure
from nrm.actions import incidents as actions
from nrm.errors import Conflict, IllegalMove, NotFound, NotValid, NrmError, Problem
from nrm.queries import incidents as queries
from nrm.queries import packs
from nrm.queries import tasks as task_queries
from nrm.queries.incidents import IncidentRow, IncidentView
from nrm.rules.forms import parse_form
from nrm.vocabulary import IncidentStatus

incidents = Pages("incidents")

_LIST: Final = "pages.incidents"
_ROWS: Final = 40
_KINDS: Final = ("step", "job", "delivery", "webhook", "verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """What is wrong with what was filled in.

    Attributes:
        verb: the form that it stands in.
        told: the field's name and words.
        values: the decision values as they were filled in.
        message: words about the whole.
    """

    verb: str
    told: tuple[tuple[str, str], ...] = ()
    values: tuple[ValueField, ...] = field(default=())
    message: str = ""


@incidents.get("/incidents")
def list_incidents(visit: Visit) -> Answer:
    """List what failed, the latest first."""
    asked = {name: visit.query.get(name, "") for name in ("status", "kind", "path")}
    asked["status"] = asked["status"] or str(IncidentStatus.OPEN)
    cursor = visit.query.get("after")
    page = queries.incidents(
        visit.actor,
        visit.now,
        status=IncidentStatus(asked["status"]) if asked["status"] in set(IncidentStatus) else None,
        kind=asked["kind"] if asked["kind"] in _KINDS else None,
        path=asked["path"] or None,
        after=cursors.read_cursor(_LIST, cursor) if cursor else None,
        limit=_ROWS,
    )
    following = None
    if page.next_key:
        following = "/incidents?" + urlencode({**asked, "after": cursors.write_cursor(_LIST, page.next_key)})
    return visit.show(
        "incidents/list.html",
        rows=[(row, _what(visit, row), _why(visit, row)) for row in page.items],
        asked=asked,
        statuses=tuple(IncidentStatus),
        kinds=_KINDS,
        paths=[(key, visit.words.name(named)) for key, named in queries.paths_of_incidents(visit.actor, visit.now)],
        next_page=following,
    )


def _what(visit: Visit, row: IncidentRow) -> str:
    """Name what failed: the step as the diagram calls it, or the kind of work."""
    if row.step_names:
        return visit.words.name(row.step_names)
    try:
        return visit.words.t(f"incidents.job_{row.job}") if row.job else visit.words.t(f"incidents.kind_{row.kind}")
    except NoText:
        return visit.words.t(f"incidents.kind_{row.kind}") if row.kind in _KINDS else row.kind


def _why(visit: Visit, row: IncidentRow) -> str:
    """Say the cause, with the role that is missing as the country calls it."""
    role = packs.pack().role_names.get(str(row.params.get("role", "")))
    params = {**row.params, "role": visit.words.name(role)} if role else row.params
    return explain_failure(row.code, params, words=visit.language)


@incidents.get("/incidents/<incident_id>")
def show(visit: Visit, incident_id: str) -> Answer:
    """Show an incident: what failed, why, and what may be done."""
    return _page(visit, queries.incident(visit.actor, visit.now, incident_id))


def _page(visit: Visit, found: IncidentView, trouble: _Trouble | None = None) -> Response:
    row = found.row
    return visit.show(
        "incidents/incident.html",
        status=422 if trouble else 200,
        incident=row,
        found=found,
        what=_what(visit, row),
        why=_why(visit, row),
        path_name=_path_name(visit, row.path),
        fields=trouble.values if trouble and trouble.values else fields_of(found.repairable, found.values),
        kinds=KINDS,
        answered=queries.answered_tasks(visit.actor, visit.now, row.id),
        ended_by=queries.ended_by(row.ended_by),
        trouble=trouble,
        done=visit.query.get("done") == "1",
        names=names(visit),
    )


def _path_name(visit: Visit, path: str | None) -> str:
    if path is None:
        return ""
    found = dict(queries.paths_of_incidents(visit.actor, visit.now))
    return visit.words.name(found.get(path)) or path


@incidents.post("/incidents/<incident_id>/retry")
def retry(visit: Visit, incident_id: str) -> Answer:
    """Try again what failed."""
    found = queries.incident(visit.actor, visit.now, incident_id)
    try:
        actions.retry_incident(visit.actor, incident_id, version=visit.version())
    except IllegalMove as error:
        return _page(visit, found, _failing(visit, "retry", error))
    return see(f"/incidents/{incident_id}?done=1")


def _failing(visit: Visit, verb: str, error: IllegalMove) -> _Trouble:
    """Say that it failed again, and over what.

    Raises:
        IllegalMove: the verb did not fit at all.
    """
    if error.code != "still_failing":
        raise error
    cause = explain_failure(str(error.params.get("cause", "")), words=visit.language)
    return _Trouble(verb=verb, message=visit.words.t("incidents.still_failing", cause=cause))


@incidents.post("/incidents/<incident_id>/repair")
def repair(visit: Visit, incident_id: str) -> Answer:
    """Change values by which the run decides, and try again with them."""
    found = queries.incident(visit.actor, visit.now, incident_id)
    sent = fields_sent(found.repairable, visit.form)
    try:
        values = changed(sent, found.values)
        actions.repair_incident(
            visit.actor, incident_id, values=values, reason=visit.text("reason"), version=visit.version()
        )
    except NotValid as error:
        return _page(visit, found, _Trouble(verb="repair", told=_told(visit, error), values=sent))
    except IllegalMove as error:
        failing = _failing(visit, "repair", error)
        return _page(visit, found, _Trouble(verb="repair", message=failing.message, values=sent))
    return see(f"/incidents/{incident_id}?done=1")


def _told(visit: Visit, error: NotValid) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one.pointer.strip("/").removeprefix("values/"), visit.problem(one.code, one.params)) for one in error.problems
    )


@incidents.post("/incidents/<incident_id>/cancel")
def give_up(visit: Visit, incident_id: str) -> Answer:
    """Give up what failed, with the reason."""
    found = queries.incident(visit.actor, visit.now, incident_id)
    try:
        actions.cancel_incident(visit.actor, incident_id, note=visit.text("note"), version=visit.version())
    except NotValid as error:
        return _page(visit, found, _Trouble(verb="cancel", told=_told(visit, error)))
    return see(f"/incidents/{incident_id}?done=1")


@incidents.get("/incidents/<incident_id>/answers/<task_id>")
def show_answers(visit: Visit, incident_id: str, task_id: str) -> Answer:
    """Show the answers of a task that the step may have failed over, to correct them."""
    found = _repairable(visit, incident_id, task_id)
    view = task_queries.task(visit.actor, visit.now, task_id)
    answers = view.answers if isinstance(view.answers, dict) else {}
    return _answers_page(visit, found, view, answers)


def _repairable(visit: Visit, incident_id: str, task_id: str) -> IncidentView:
    if task_id not in {one.id for one in queries.answered_tasks(visit.actor, visit.now, incident_id)}:
        raise NotFound
    return queries.incident(visit.actor, visit.now, incident_id)


def _answers_page(
    visit: Visit,
    found: IncidentView,
    view: task_queries.TaskView,
    answers: Mapping[str, object],
    *,
    problems: tuple[Problem, ...] = (),
    warning: tuple[str, ...] = (),
    message: str = "",
) -> Response:
    questions, wrongs = questions_of(visit, view, answers, problems)
    labels = {one.key: one.label for one in questions}
    wrong = any(problem.pointer == "/reason" for problem in problems)
    return visit.show(
        "incidents/answers.html",
        status=422 if problems or message else 409 if warning else 200,
        incident=found.row,
        task=view.task,
        questions=questions,
        wrongs=[one for one in wrongs if one.place] + [one for one in wrongs if not one.place and not wrong],
        reason=visit.text("reason"),
        reason_missing=wrong,
        changed=[labels.get(name, name) for name in warning],
        message=message,
        currency=packs.pack().answer_setting.currency or "",
    )


@incidents.post("/incidents/<incident_id>/answers/<task_id>")
def repair_answers(visit: Visit, incident_id: str, task_id: str) -> Answer:
    """Correct the answers: first it is said what would be replaced, then it is done."""
    found = _repairable(visit, incident_id, task_id)
    view = task_queries.task(visit.actor, visit.now, task_id)
    form = parse_form(view.form.content) if view.form else None
    answers: dict[str, object] = dict(read_answers(form, visit.form)) if form else {}
    try:
        actions.repair_answers(
            visit.actor,
            incident_id,
            task_id=task_id,
            answers=answers,
            reason=visit.text("reason"),
            confirmed=visit.form.get("confirmed") == "1",
            version=visit.version(),
        )
    except NrmError as error:
        return _refused(visit, found, view, answers, error)
    return see(f"/incidents/{incident_id}?done=1")


def _refused(
    visit: Visit, found: IncidentView, view: task_queries.TaskView, answers: Mapping[str, object], error: NrmError
) -> Response:
    """Show the page again with what stands in the way.

    Raises:
        NrmError: it is nothing that the page could say.
    """
    if isinstance(error, NotValid):
        return _answers_page(visit, found, view, answers, problems=error.problems)
    if isinstance(error, IllegalMove):
        return _answers_page(visit, found, view, answers, message=_failing(visit, "answers", error).message)
    if isinstance(error, Conflict) and error.code == "repair_not_confirmed":
        names_changed = tuple(filter(None, str(error.params.get("answers", "")).split(", ")))
        return _answers_page(visit, found, view, answers, warning=names_changed or ("",))
    raise error
