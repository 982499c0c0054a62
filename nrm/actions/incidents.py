"""What people do about a failure: try it again, repair the value that made it fail, or give it up.

Nobody is asked to look into a database: the incident says in words what failed and holds what is needed to go on.
A step's failure had taken back everything its input did, so trying again is giving the same input again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from sqlalchemy import select, update

from nrm.actions import runs
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case, review_access
from nrm.actions.inputs import Input, input_from_json, values_from_json
from nrm.actions.task_answers import check_answers, decisions_of
from nrm.actions.task_loading import LoadedTask, task_facts
from nrm.engine.effects import Value
from nrm.engine.waiting import waits_of
from nrm.errors import Conflict, IllegalMove, NotFound, NotValid, Problem, StaleVersion
from nrm.jobs import table
from nrm.models import Case, Delivery, Incident, Job, Run, Task, TaskAnswers
from nrm.queries import paths
from nrm.queries.incidents import REPAIR, WITHOUT_CASE, facts_of
from nrm.rules.incidents import IncidentFacts, incident_actions
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import IncidentStatus

_LONGEST_TEXT: Final = 200
_LONGEST_LIST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResult:
    """An incident after a verb.

    Attributes:
        id: the incident.
        status: how it stands now.
        version: its version now.
    """

    id: str
    status: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An incident with what it is about, locked."""

    incident: Incident
    case: Case | None
    run: Run | None
    job: Job | None
    facts: IncidentFacts

    def must(self, verb: str) -> None:
        """Stop unless the verb fits.

        Raises:
            IllegalMove: with the verbs that do.
        """
        allowed = incident_actions(self.facts)
        if verb not in allowed:
            raise IllegalMove(allowed, "incident_action_not_allowed", verb=verb)


@action("incident.retry")
def retry_incident(work: Work, incident_id: str, *, version: int | None) -> IncidentResult:
    """Try again what failed; when it fails again, nothing changes and the cause is told.

    Where the run has gone another way meanwhile, nothing is left to try, and the incident just ends.

    Args:
        work: the transaction.
        incident_id: the incident.
        version: the version that the actor saw.

    Raises:
        NotFound: there is no such incident, or it is not the actor's to know of.
        NotAllowed: the actor lacks the permission.
        StaleVersion: it changed since.
        IllegalMove: it has ended, there is nothing to try again, or it failed again ("still_failing").
    """
    held = _hold(work, incident_id, version)
    held.must("retry")
    if held.job is not None:
        table.revive(work.session, held.job.id, now=work.now)
        _deliver_again(work, held.job)
    else:
        _feed_again(work, held, {})
    return _end(work, held, IncidentStatus.RESOLVED, "retried", None)


@action("incident.repair")
def repair_incident(
    work: Work, incident_id: str, *, values: Mapping[str, Json], reason: str, version: int | None
) -> IncidentResult:
    """Change decision values of the run that failed, and try again with them.

    Args:
        work: the transaction.
        incident_id: the incident.
        values: name → new value; a date as {"date": "2031-05-04"}, a number with a fraction as {"decimal": "1.5"}.
        reason: why, in the actor's words; kept sealed.
        version: the version that the actor saw.

    Raises:
        NotFound: there is no such incident, or it is not the actor's to know of.
        NotAllowed: the actor lacks the permission.
        NotValid: a name that the path does not decide by, a value of a wrong type, or no reason.
        StaleVersion: it changed since.
        IllegalMove: it has ended, has no run to repair, or it failed again ("still_failing").
    """
    held = _hold(work, incident_id, version)
    held.must("repair")
    if held.run is None:
        raise NotFound
    repaired = _checked(values, paths.version(held.run.path_version_id).spec.decisions)
    if not reason.strip():
        raise NotValid([Problem(pointer="/reason", code="required")])
    _feed_again(work, held, repaired)
    work.record("run.repaired", stream=held.run.case_id, subject=("run", held.run.id), data={"names": sorted(values)})
    return _end(work, held, IncidentStatus.RESOLVED, "repaired", reason)


@action("incident.repair_answers")
def repair_answers(
    work: Work,
    incident_id: str,
    *,
    task_id: str,
    answers: object,
    reason: str,
    confirmed: bool,
    version: int | None,
) -> IncidentResult:
    """Correct the answers that a step failed over, in somebody else's place, and try again with them.

    Args:
        work: the transaction.
        incident_id: the incident.
        task_id: a completed task of the run that failed.
        answers: all answers of its form, as they should have been.
        reason: why, in the actor's words; kept sealed.
        confirmed: the actor was told that what somebody wrote is replaced, and means it.
        version: the version that the actor saw.

    Raises:
        NotFound: there is no such incident, not the actor's to know of, or no such task in its run.
        NotAllowed: the actor lacks the permission.
        NotValid: answers are missing or wrong, or there is no reason.
        Conflict: it was not confirmed; nothing is changed ("repair_not_confirmed").
        StaleVersion: it changed since.
        IllegalMove: it has ended, has no run to repair, or it failed again ("still_failing").
    """
    held = _hold(work, incident_id, version)
    held.must("repair")
    if not reason.strip():
        raise NotValid([Problem(pointer="/reason", code="required")])
    task, kept = work.session.get(Task, task_id), work.session.get(TaskAnswers, task_id)
    if held.case is None or held.run is None or task is None or kept is None or kept.run_id != held.run.id:
        raise NotFound
    facts = task_facts(work, task)
    loaded = LoadedTask(task=task, case=held.case, run=held.run, facts=facts, drafted=False)
    checked = check_answers(work, loaded, answers)
    before = unseal(kept.answers, row=task.id, column="task_answers.answers")
    old, new = before if isinstance(before, dict) else {}, cast("dict[str, Json]", dict(checked.clean))
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if not confirmed:
        raise Conflict("repair_not_confirmed", task=task.id, answers=", ".join(changed))
    kept.answers = seal(new, row=task.id, column="task_answers.answers")
    work.session.flush()
    _feed_again(work, held, decisions_of(work, task, held.run, checked))
    work.record("task.answers_repaired", stream=task.case_id, subject=("task", task.id), data={"names": changed})
    return _end(work, held, IncidentStatus.RESOLVED, "repaired", reason)


@action("incident.cancel")
def cancel_incident(work: Work, incident_id: str, *, note: str, version: int | None) -> IncidentResult:
    """Give up what failed: the run is cancelled, or the job is thrown away.

    A run that another run had called counts there as failed, so that the calling path decides how to go on.

    Args:
        work: the transaction.
        incident_id: the incident.
        note: why, in the actor's words; kept sealed.
        version: the version that the actor saw.

    Raises:
        NotFound: there is no such incident, or it is not the actor's to know of.
        NotAllowed: the actor lacks the permission.
        NotValid: no note.
        StaleVersion: it changed since.
        IllegalMove: it has ended, or somebody would wait for ever for the job.
    """
    held = _hold(work, incident_id, version)
    held.must("cancel")
    if not note.strip():
        raise NotValid([Problem(pointer="/note", code="required")])
    if held.job is not None:
        table.discard(work.session, held.job.id)
    elif held.case is not None and held.run is not None and _holds_up(held.run, held.incident.retry):
        runs.give_up(work, held.case, held.run.id)
    return _end(work, held, IncidentStatus.CANCELLED, "cancelled", note)


def _hold(work: Work, incident_id: str, version: int | None) -> Held:
    session = work.session
    place = session.execute(select(Incident.case_id).where(Incident.id == incident_id)).one_or_none()
    if place is None:
        raise NotFound
    case = None
    if place.case_id is not None:
        case = lock_visible_case(work, place.case_id, writing=True, permission=REPAIR)
    elif not work.actor.may(WITHOUT_CASE):
        raise NotFound
    incident = session.execute(
        select(Incident).where(Incident.id == incident_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()
    if version is not None and incident.version != version:
        raise StaleVersion(incident.version)
    run = session.get(Run, incident.run_id, populate_existing=True) if incident.run_id else None
    job = session.get(Job, incident.job_id, populate_existing=True) if incident.job_id is not None else None
    facts = facts_of(session, incident, run, job)
    return Held(incident=incident, case=case, run=run, job=job, facts=facts)


def _deliver_again(work: Work, job: Job) -> None:
    if job.kind == "delivery":
        values = {"state": "waiting", "error": None}
        work.session.execute(update(Delivery).where(Delivery.id == str(job.args["delivery"])).values(**values))


def _feed_again(work: Work, held: Held, repaired: Mapping[str, Value]) -> None:
    """Repair values where there are any, and give the input again; a new failure takes all of it back."""
    case, incident = held.case, held.incident
    if case is None:
        raise NotFound
    retry: Mapping[str, Json] = incident.retry
    if repaired and held.run is not None:
        runs.drive(work, case, held.run.id, Input(kind="repair", values=repaired))
        _stop_if_failing(work, incident)
    if retry.get("kind") == "send":
        values = retry.get("values")
        runs.send_message(
            work,
            case,
            str(retry["message"]),
            values=values_from_json(values if isinstance(values, dict) else {}),
            run_id=None if retry["run"] is None else str(retry["run"]),
            message_id=str(retry["message_id"]),
        )
    elif held.run is not None and not _is_overtaken(held.run, retry):
        given = input_from_json(retry)
        own = {name: repaired.get(name, value) for name, value in given.values.items()}
        again = Input(kind=given.kind, token=given.token, values=own, code=given.code, outcome=given.outcome)
        runs.drive(work, case, held.run.id, again)
    _stop_if_failing(work, incident)


def _holds_up(run: Run, retry: Mapping[str, Json]) -> bool:
    return run.status == "running" and not _is_overtaken(run, retry)


def _is_overtaken(run: Run, retry: Mapping[str, Json]) -> bool:
    """Say whether the run went another way since (a message, a timer): nobody waits for this input any more."""
    token = str(retry.get("token") or "")
    if not token or run.status != "running":
        return False
    waiting = waits_of(paths.version(run.path_version_id).spec, run.state)
    return all(wait.token != token for wait in waiting)


def _stop_if_failing(work: Work, incident: Incident) -> None:
    work.flush()
    new = work.session.execute(
        select(Incident.code, Incident.step).where(
            Incident.case_id == incident.case_id, Incident.opened_at == work.now, Incident.id != incident.id
        )
    ).first()
    if new is not None:
        raise IllegalMove(("retry", "repair", "cancel"), "still_failing", cause=new.code, step=new.step)


def _end(work: Work, held: Held, status: IncidentStatus, ending: str, note: str | None) -> IncidentResult:
    incident = held.incident
    sealed = None if note is None else seal(note, row=incident.id, column="incidents.note")
    work.change(
        Incident,
        incident.id,
        version=incident.version,
        status=str(status),
        ending=ending,
        note=sealed,
        ended_at=work.now,
        ended_by=work.actor.id,
    )
    kind = "incident.resolved" if status is IncidentStatus.RESOLVED else "incident.cancelled"
    if incident.case_id is not None:
        review_access(work, incident.case_id)
    subject = ("incident", incident.id)
    work.record(kind, stream=incident.case_id or "system", subject=subject, data={"ending": ending})
    return IncidentResult(id=incident.id, status=str(status), version=incident.version + 1)


def _checked(values: Mapping[str, Json], known: frozenset[str]) -> dict[str, Value]:
    """Read new decision values.

    Raises:
        NotValid: by pointer.
    """
    problems: list[Problem] = [] if values else [Problem(pointer="/values", code="required")]
    read: dict[str, Value] = {}
    for name, raw in values.items():
        pointer = f"/values/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known:
            problems.append(Problem(pointer=pointer, code="unknown_decision"))
            continue
        try:
            read[name] = _value(raw)
        except (ValueError, TypeError, InvalidOperation):
            problems.append(Problem(pointer=pointer, code="wrong_type", params={"expected": "decision value"}))
    if problems:
        raise NotValid(problems)
    return read


def _value(raw: Json) -> Value:
    if raw is None or isinstance(raw, bool | int):
        return raw
    if isinstance(raw, str) and len(raw) <= _LONGEST_TEXT:
        return raw
    if isinstance(raw, list) and len(raw) <= _LONGEST_LIST and all(isinstance(entry, str) for entry in raw):
        return tuple(str(entry) for entry in raw)
    if isinstance(raw, dict) and len(raw) == 1:
        ((kind, text),) = raw.items()
        if kind == "date":
            return date.fromisoformat(str(text))
        if kind == "decimal" and Decimal(str(text)).is_finite():
            return Decimal(str(text))
    raise TypeError(type(raw).__name__)
