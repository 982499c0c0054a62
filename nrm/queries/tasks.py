"""One task with all that is needed to work on it: its form, draft, earlier answers, comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import (
    Case,
    FormVersion,
    Membership,
    Person,
    Run,
    Task,
    TaskAnswers,
    TaskComment,
    TaskDraft,
    TaskUndo,
    User,
)
from nrm.queries import inbox, paths
from nrm.queries.inbox import TaskRow
from nrm.queries.paths import FormView
from nrm.queries.rows import read
from nrm.queries.scope import Standing, asker, seen_by, standing_of
from nrm.rules.forms import Field
from nrm.rules.statuses import task_actions
from nrm.sealing import Json, unseal
from nrm.vocabulary import APART, Level, TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Answers that the asker typed but has not given."""

    answers: object
    saved_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """Answers to the same form from an earlier round: a proposal, not an answer.

    Attributes:
        task_id: the task in which they were given.
        answered_at: when.
    """

    answers: object
    task_id: str
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a task."""

    id: str
    author: str
    author_name: str | None
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who may take over a task."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task, opened.

    Attributes:
        instructions: what to know before the first question, in each language.
        form: its questions; None where nothing is asked.
        draft: what the asker typed before.
        prefilled: answers of an earlier round of the same form.
        answers: the answers, once it is completed.
        undo_until: until when completing can be undone.
        service_category: kind of the planned service that its run is about, for those who may read the case.
        uses: values of the run that conditions of the form read, as they are stored.
    """

    id: str
    version: int
    task: TaskRow
    run_id: str
    item: str | None
    service_category: str | None
    instructions: Mapping[str, str]
    form: FormView | None
    draft: Draft | None
    prefilled: Prefilled | None
    answers: object
    comments: tuple[Comment, ...]
    undo_until: datetime | None
    allowed_actions: tuple[str, ...]
    uses: Mapping[str, Json] = field(default_factory=dict)


_TASK: Final = (
    select(
        Task,
        Case.number.label("case_number"),
        Case.governorate.label("case_governorate"),
        Case.person_id,
        Person.identity,
    )
    .join(Case, Case.id == Task.case_id)
    .join(Person, Person.id == Case.person_id)
    .where(Task.id == bindparam("task"))
)


def task(actor: Actor, now: datetime, task_id: str) -> TaskView:
    """Give a task.

    Args:
        actor: who asks.
        now: the present moment.
        task_id: the task.

    Raises:
        NotFound: there is no such task, or it is not the actor's to know of.
    """
    found = read(_TASK, {"task": task_id})
    if not found:
        raise NotFound
    (row,) = found
    if actor.is_program and row.level == Level.STRICT:
        raise NotFound
    facts = inbox.facts_of(row, actor, now)
    # Whoever gives out the work of a desk need not read what stands in a strict case.
    in_it = facts.mine or facts.at_desk or facts.completed_by_me
    knows = facts.knows and (in_it or row.level != Level.STRICT)
    if not knows and not _sees(actor, now, row):
        raise NotFound
    undo_until = _undo_until(row, now) if row.status == TaskStatus.COMPLETED else None
    facts = inbox.facts_of(row, actor, now, undoable=undo_until is not None)
    allowed = task_actions(facts)
    listed = inbox.shown((row, row.case_number, row.case_governorate, row.person_id, row.identity), actor, now)
    step = paths.version(row.path_version_id).spec.steps.get(row.step)
    form = paths.form_view(row.form_version_id) if row.form_version_id else None
    # A program without the scope for people's data gets the questions, and nothing that was answered before.
    told = not actor.is_program or actor.may("subject:read")
    return TaskView(
        id=row.id,
        version=row.version,
        task=listed,
        run_id=row.run_id,
        item=row.item,
        service_category=row.service_category if row.service_category and _sees(actor, now, row) else None,
        instructions=step.instructions if step else {},
        form=form,
        draft=_draft(actor, row.id) if row.status == TaskStatus.OPEN else None,
        prefilled=_prefilled(row, form) if told and form and row.status == TaskStatus.OPEN else None,
        answers=_answers(row) if told and row.status == TaskStatus.COMPLETED else None,
        comments=_comments(row.id) if told else (),
        undo_until=undo_until if "undo" in allowed else None,
        allowed_actions=allowed,
        uses=_uses(row, form) if told and in_it else {},
    )


def _sees(actor: Actor, now: datetime, row: Task) -> bool:
    # Knowing that a case exists is not enough to read what was written in it, nor is knowing the case enough for
    # a run that is kept apart.
    given = {**asker(actor, now), "case": row.case_id, "run": row.run_id}
    return bool(read(_readable(standing_of(actor)), given))


@cache
def _readable(standing: Standing) -> Select[*tuple[Any, ...]]:
    return (
        select(Case.id)
        .join(Run, Run.case_id == Case.id)
        .where(Case.id == bindparam("case"), Run.id == bindparam("run"), Run.context[APART].as_string().is_(None))
        .where(seen_by(standing, reading=True))
    )


def _uses(row: Task, form: FormView | None) -> dict[str, Json]:
    named = form.content.get("uses") if form else None
    if not isinstance(named, list) or not named:
        return {}
    values = db.session.execute(select(Run.decision_values).where(Run.id == row.run_id)).scalar_one()
    return {name: values[name] for name in named if name in values}


_DRAFT: Final = select(TaskDraft.answers, TaskDraft.saved_at, TaskDraft.version).where(
    TaskDraft.task_id == bindparam("task"), TaskDraft.user_id == bindparam("user")
)


def _draft(actor: Actor, task_id: str) -> Draft | None:
    rows = read(_DRAFT, {"task": task_id, "user": actor.id})
    if not rows:
        return None
    (found,) = rows
    answers = unseal(found.answers, row=task_id, column="task_drafts.answers")
    return Draft(answers=answers, saved_at=found.saved_at, version=found.version)


def _answers(row: Task) -> Json:
    found = db.session.execute(select(TaskAnswers.answers).where(TaskAnswers.task_id == row.id)).scalar_one_or_none()
    return unseal(found, row=row.id, column="task_answers.answers")


_EARLIER: Final = (
    select(TaskAnswers.task_id, TaskAnswers.answers, TaskAnswers.answered_at)
    .join(FormVersion, FormVersion.id == TaskAnswers.form_version_id)
    .join(Task, Task.id == TaskAnswers.task_id)
    .where(TaskAnswers.case_id == bindparam("case"), TaskAnswers.step == bindparam("step"))
    .where(FormVersion.key == bindparam("form"))
    # Another organisation's answers are not this one's to know of: a second provider, after the first declined.
    .where(Task.organisation_id == bindparam("organisation"))
    .order_by(TaskAnswers.answered_at.desc(), TaskAnswers.task_id)
    .limit(1)
)


def _prefilled(row: Task, form: FormView) -> Prefilled | None:
    rows = read(
        _EARLIER, {"case": row.case_id, "step": row.step, "form": form.key, "organisation": row.organisation_id}
    )
    if not rows:
        return None
    (found,) = rows
    answers = unseal(found.answers, row=found.task_id, column="task_answers.answers")
    if isinstance(answers, dict):
        answers = _without_files(paths.form(form.id).fields, answers)
    return Prefilled(answers=answers, task_id=found.task_id, answered_at=found.answered_at)


def _without_files(fields: tuple[Field, ...], answers: dict[str, Json]) -> dict[str, Json]:
    """Leave out what names a document: one belongs to the task that it was added to."""
    kept = dict(answers)
    for item in fields:
        value = kept.get(item.name)
        if item.type == "file":
            kept.pop(item.name, None)
        elif item.type == "group":
            kept = _without_files(item.fields, kept)
        elif item.type == "repeat" and isinstance(value, list):
            kept[item.name] = [_without_files(item.fields, row) if isinstance(row, dict) else row for row in value]
    return kept


_COMMENTS: Final = (
    select(TaskComment.id, TaskComment.author, User.name.label("author_name"), TaskComment.text, TaskComment.created_at)
    .outerjoin(User, User.id == TaskComment.author)
    .where(TaskComment.task_id == bindparam("task"))
    .order_by(TaskComment.created_at, TaskComment.id)
    .limit(200)
)


def _comments(task_id: str) -> tuple[Comment, ...]:
    return tuple(
        Comment(
            id=row.id,
            author=row.author,
            author_name=row.author_name,
            text=str(unseal(row.text, row=row.id, column="task_comments.text")),
            created_at=row.created_at,
        )
        for row in read(_COMMENTS, {"task": task_id})
    )


def _undo_until(row: Task, now: datetime) -> datetime | None:
    undo = db.session.execute(
        select(TaskUndo.until, TaskUndo.opened, TaskUndo.run_version, Run.version)
        .join(Run, Run.id == row.run_id)
        .where(TaskUndo.task_id == row.id)
    ).one_or_none()
    if undo is None or undo[0] < now or undo[2] != undo[3]:
        return None
    touched = select(Task.id).where(Task.id.in_(undo[1]), Task.version > 1)
    return None if db.session.execute(touched).first() is not None else undo[0]


def colleagues(actor: Actor, now: datetime, task_id: str) -> tuple[Colleague, ...]:
    """List the members of a task's desk.

    Raises:
        NotFound: there is no such task, or the actor neither sits at its desk nor watches over it.
    """
    row = db.session.get(Task, task_id)
    if row is None:
        raise NotFound
    facts = inbox.facts_of(row, actor, now)
    if not (facts.mine or facts.at_desk or facts.may_assign):
        raise NotFound
    found = db.session.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.desk_id == row.desk_id,
            or_(Membership.until.is_(None), Membership.until > now),
            User.disabled_at.is_(None),
        )
        .distinct()
        .order_by(User.name, User.id)
        .limit(200)
    )
    return tuple(Colleague(id=user_id, name=name) for user_id, name in found)
