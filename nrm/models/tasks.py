"""Tasks, drafts and answers, comments, and the coded outcomes of everything that ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, IN_ITS_KEY, key, link, public, sensitive


class Task(Base):
    """One piece of human work that a step opened, at a desk, with a due date.

    Who holds it is a user, or the program of an organisation (the id of its key).

    `level` repeats the case's level so that an inbox needs no join. Titles are the step's names in the path
    version: never a value. `pause_left` keeps the seconds of (working) time that were left when it went on hold.
    """

    __tablename__ = "tasks"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases", index=False)
    run_id: Mapped[str] = link("runs", index=False)
    path_version_id: Mapped[str] = link("path_versions", index=False)
    step: Mapped[str] = public(CODE)
    token: Mapped[str] = public(String(80))
    item: Mapped[str | None] = public(String(64))
    service_category: Mapped[str | None] = sensitive(CODE)
    form_version_id: Mapped[str | None] = link("form_versions", index=False, nullable=True)
    desk_id: Mapped[str] = link("desks", index=False)
    organisation_id: Mapped[str] = link("organisations", index=False)
    assignee_id: Mapped[str | None] = public(ACTOR, nullable=True)
    status: Mapped[str] = public(String(12), default="open")
    level: Mapped[str] = public(String(12), default="standard")
    priority: Mapped[str] = public(String(12), default="normal")
    opened_at: Mapped[datetime] = public(UtcDateTime)
    claimed_at: Mapped[datetime | None] = public(UtcDateTime)
    due_at: Mapped[datetime | None] = public(UtcDateTime)
    hold_until: Mapped[datetime | None] = public(UtcDateTime)
    hold_reason: Mapped[str | None] = public(CODE)
    hold_ended_at: Mapped[datetime | None] = public(UtcDateTime)
    pause_left: Mapped[int | None] = public(Integer)
    reminded_at: Mapped[datetime | None] = public(UtcDateTime)
    escalation: Mapped[int] = public(Integer, default=0)
    outcome: Mapped[str | None] = public(CODE)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    ended_by: Mapped[str | None] = public(ACTOR)
    livemode: Mapped[bool] = public(Boolean, default=True)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (
        UniqueConstraint("run_id", "token"),
        Index("ix_tasks_case", "case_id", "status"),
        # For what waits and waited on a path, in a period.
        Index("ix_tasks_path", "path_version_id", "ended_at"),
        # The inboxes' indexes hold what is not over; a query is read along them when it says so (`Task.ended_at` is
        # NULL), whatever else it says of the status.
        Index(
            "ix_tasks_desk_inbox",
            "desk_id",
            "status",
            "due_at",
            "id",
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_tasks_assignee_inbox",
            "assignee_id",
            "status",
            "due_at",
            "id",
            postgresql_where=text("assignee_id IS NOT NULL AND ended_at IS NULL"),
            sqlite_where=text("assignee_id IS NOT NULL AND ended_at IS NULL"),
        ),
        Index(
            "ix_tasks_ended_by",
            "ended_by",
            "ended_at",
            postgresql_where=text("ended_by IS NOT NULL"),
            sqlite_where=text("ended_by IS NOT NULL"),
        ),
    )


class TaskAnswers(Base):
    """The answers of a completed task, sealed as one value; those of a run are found by its case."""

    __tablename__ = "task_answers"
    task_id: Mapped[str] = link("tasks", index=False, primary_key=True)
    case_id: Mapped[str] = link("cases")
    run_id: Mapped[str] = link("runs", index=False)
    step: Mapped[str] = public(CODE)
    form_version_id: Mapped[str | None] = link("form_versions", index=False, nullable=True)
    answers: Mapped[str] = sensitive(Text)
    answered_by: Mapped[str] = public(ACTOR)
    answered_at: Mapped[datetime] = public(UtcDateTime)


class TaskUndo(Base):
    """What undoing a completed task would put back, kept only while undo is offered."""

    __tablename__ = "task_undo"
    task_id: Mapped[str] = link("tasks", index=False, primary_key=True)
    run_version: Mapped[int] = public(Integer)
    state: Mapped[str] = sensitive(Text)
    decision_values: Mapped[dict[str, Any]] = sensitive(JSON)
    steps: Mapped[int] = public(Integer)
    opened: Mapped[list[str]] = public(JSON)
    timers: Mapped[list[str]] = public(JSON)
    until: Mapped[datetime] = public(UtcDateTime)
    __table_args__ = (IN_ITS_KEY,)


class TaskDraft(Base):
    """Answers typed but not yet given, per task and user, sealed."""

    __tablename__ = "task_drafts"
    task_id: Mapped[str] = link("tasks", index=False, primary_key=True)
    user_id: Mapped[str] = link("users", index=False, primary_key=True)
    answers: Mapped[str] = sensitive(Text)
    saved_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)


class TaskComment(Base):
    """A comment on a task; the text is sealed."""

    __tablename__ = "task_comments"
    id: Mapped[str] = key()
    task_id: Mapped[str] = link("tasks")
    author: Mapped[str] = public(ACTOR)
    text: Mapped[str] = sensitive(Text)
    created_at: Mapped[datetime] = public(UtcDateTime)


class Outcome(Base):
    """The coded result of a task, run, referral, need or case."""

    __tablename__ = "outcomes"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    subject_kind: Mapped[str] = public(String(12))
    subject_id: Mapped[str] = public(ID)
    code: Mapped[str] = sensitive(CODE)
    reason: Mapped[str | None] = sensitive(CODE)
    actor: Mapped[str] = public(ACTOR)
    at: Mapped[datetime] = public(UtcDateTime)
    __table_args__ = (Index("ix_outcomes_subject", "subject_kind", "subject_id"),)
