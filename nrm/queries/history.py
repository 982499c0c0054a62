"""Who changed what, for those who administer it: the events about one thing, the latest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import Event, Service, User
from nrm.queries import keys, users

_SHOWN: Final = 100
_OF_USERS: Final = (
    "user.added",
    "user.changed",
    "user.disabled",
    "membership.given",
    "membership.ended",
    "membership.asked",
    "membership.refused",
)
"""What is done about users; not when they come and go, and never which cases they were let into."""
_OF_CAPACITY: Final = ("service.capacity_changed", "service.verified")
_OF_KEYS: Final = ("key.issued", "key.revoked")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One fact.

    Attributes:
        kind: one of `nrm.events.KINDS`.
        actor_name: name of the user who acted; None for a program.
        data: ids and codes.
    """

    at: datetime
    kind: str
    actor: str
    actor_name: str | None
    data: Mapping[str, object]


def user_history(actor: Actor, user_id: str, now: datetime) -> tuple[HistoryRow, ...]:
    """List what was changed about a user, without the user's own comings and goings.

    Raises:
        NotAllowed: the actor does not manage users.
        NotFound: no such user, or one whom the actor does not manage.
    """
    users.user(actor, user_id, now)
    return events_about("user", user_id, kinds=_OF_USERS)


def key_history(actor: Actor, key_id: str) -> tuple[HistoryRow, ...]:
    """List what was done with a key or client.

    Raises:
        NotAllowed: the actor does not manage keys.
        NotFound: no such key, or one that the actor does not manage.
    """
    keys.key(actor, key_id)
    return events_about("key", key_id, kinds=_OF_KEYS)


def capacity_history(actor: Actor, service_id: str) -> tuple[HistoryRow, ...]:
    """List who changed or confirmed how many places a service has.

    Raises:
        NotFound: no such service, or one that is neither the actor's to keep nor in a directory that the actor keeps.
    """
    owner = db.session.execute(
        select(Service.organisation_id).where(Service.id == service_id, Service.livemode.is_(actor.livemode))
    ).scalar_one_or_none()
    if owner is None or not (actor.may("capacity.edit", organisation=owner) or actor.may("directory.edit")):
        raise NotFound
    return events_about("service", service_id, kinds=_OF_CAPACITY)


def events_about(kind: str, subject_id: str, *, kinds: Collection[str]) -> tuple[HistoryRow, ...]:
    """List the latest events about a thing; whether somebody may read them is the caller's to know.

    Args:
        kind: kind of the thing, as events name it.
        subject_id: its id.
        kinds: only these kinds of events: a thing may also be the subject of what others may not know.
    """
    rows = db.session.execute(
        select(Event.at, Event.kind, Event.actor, User.name, Event.data)
        .outerjoin(User, User.id == Event.actor)
        .where(Event.subject_kind == kind, Event.subject_id == subject_id, Event.kind.in_(kinds))
        .order_by(Event.position.desc())
        .limit(_SHOWN)
    )
    return tuple(HistoryRow(at=row[0], kind=row[1], actor=row[2], actor_name=row[3], data=row[4]) for row in rows)
