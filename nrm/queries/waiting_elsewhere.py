"""How much waits for somebody outside the desks: failures, complaints, and what needs a second person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from nrm.actors import Actor
from nrm.db import db
from nrm.models import Complaint, MigrationPlan, PathDraft, RoleRequest
from nrm.queries import complaints
from nrm.queries.incidents import READ, WITHOUT_CASE, open_incidents
from nrm.queries.migrations import facts_for
from nrm.queries.path_drafts import state_of
from nrm.queries.user_scope import MANAGE, manages_all
from nrm.rules.drafts import EDIT, PUBLISH, draft_moves
from nrm.rules.migrations import migration_actions
from nrm.vocabulary import ComplaintState, DraftStatus, MigrationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A kind of thing that waits.

    Attributes:
        kind: incidents, complaints, reviews, migrations or roles.
        number: how many the actor may see to now.
    """

    kind: str
    number: int


def waiting_elsewhere(actor: Actor, now: datetime) -> tuple[Waiting, ...]:
    """Count what an actor may see to, one line for each kind that the actor's seats are about.

    What the actor asked for or changed is left out where a second person decides.
    """
    return tuple(Waiting(kind=kind, number=number) for kind, number in _kinds(actor, now))


def _kinds(actor: Actor, now: datetime) -> Iterator[tuple[str, int]]:
    if actor.may(READ) or actor.may(WITHOUT_CASE):
        yield "incidents", open_incidents(actor, now)
    if actor.may(complaints.PERMISSION):
        yield "complaints", _complaints(actor)
    if actor.may(PUBLISH):
        yield "reviews", _reviews(actor)
        yield "migrations", _migrations(actor)
    if actor.may(MANAGE) and manages_all(actor):
        yield "roles", _roles(actor)


def _complaints(actor: Actor) -> int:
    unanswered = complaints.seen(actor).where(Complaint.state != str(ComplaintState.ANSWERED))
    return db.session.scalar(select(func.count()).select_from(unanswered.subquery())) or 0


def _reviews(actor: Actor) -> int:
    rows = db.session.scalars(select(PathDraft).where(PathDraft.status == str(DraftStatus.IN_REVIEW)))
    may_edit = actor.may(EDIT)
    moves = (draft_moves(state_of(row), actor_id=actor.id, may_edit=may_edit, may_publish=True) for row in rows)
    return sum("publish" in some for some in moves)


def _migrations(actor: Actor) -> int:
    rows = db.session.scalars(select(MigrationPlan).where(MigrationPlan.status == str(MigrationStatus.CHECKED)))
    return sum("approve" in migration_actions(facts_for(actor, row)) for row in rows)


def _roles(actor: Actor) -> int:
    mine = (RoleRequest.asked_by == actor.id) | (RoleRequest.user_id == actor.id)
    waiting = select(func.count()).select_from(RoleRequest).where(RoleRequest.approved.is_(None), ~mine)
    return db.session.scalar(waiting) or 0
