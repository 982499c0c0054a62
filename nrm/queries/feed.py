"""The feed: what an organisation may know of what happened, in an order in which nothing is ever skipped.

Events have positions. A reader goes on after the last one that it saw; that is safe only up to the *settled* position,
below which no transaction can still commit an event (`nrm.migrations.event_order` tells why and how). Reading is two
short walks along an index, one for facts about the organisation and one for the referrals that it sent.

What an organisation may know of is decided when it reads, not when the fact was written: after a referral was
withdrawn, its receiver finds the withdrawal and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from nrm.actors import Actor, ActorKind, Seat
from nrm.db import db
from nrm.errors import NotValid, Problem
from nrm.installation import installation
from nrm.models import Case, Event, Referral, Restriction, Service, Task
from nrm.queries.referrals import GONE
from nrm.queries.scope import sees_case
from nrm.rules.partner_events import KEPT, TELLS, TEST, Envelope, Fact, envelope, kinds_of
from nrm.vocabulary import Level, ReferralState

_ENDINGS: Final = tuple(sorted(kind for kind, told in TELLS.items() if told.ends_access))
_TO_SENDERS: Final = frozenset(kind for kind, told in TELLS.items() if told.sender)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads the feed.

    Attributes:
        organisation_id: for whom.
        livemode: False for the invented people of the sandbox, who are a world apart.
        endpoint_id: the address for webhooks whose tests are meant; None for none.
    """

    organisation_id: str
    livemode: bool = True
    endpoint_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One event at its position."""

    position: int
    event: Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """A piece of the feed.

    Attributes:
        entries: in order.
        until: everything up to this position has been looked through.
        more: there may be more after it.
    """

    entries: tuple[FeedEntry, ...]
    until: int
    more: bool


def settled(session: Session) -> int:
    """Give the position up to which no event can appear any more."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.execute(text("SELECT events_settled()")).scalar_one() or 0)
    return int(session.execute(select(func.max(Event.position))).scalar() or 0)


def read_feed(
    reader: Reader,
    now: datetime,
    *,
    after: int,
    limit: int,
    types: frozenset[str] | None = None,
    since: datetime | None = None,
    positions: Collection[int] | None = None,
) -> FeedPage:
    """Read what an organisation may know of.

    Args:
        reader: who reads.
        now: the present moment; what is older than `KEPT` is not shown.
        after: only what has a later position.
        limit: most entries, > 0.
        types: only these types; None for all.
        since: only what happened then or later; None for all.
        positions: only these positions; None for all.
    """
    session = db.session()
    until = settled(session)
    kinds = kinds_of(types)
    oldest = max(now - KEPT, since) if since is not None else now - KEPT
    found: list[list[Row[Any]]] = []
    for statement in (_about(reader, kinds), _sent(reader, kinds & _TO_SENDERS, now)):
        limited = statement.where(Event.position > after, Event.position <= until, Event.at >= oldest)
        if positions is not None:
            limited = limited.where(Event.position.in_(positions))
        found.append(list(session.execute(limited.order_by(Event.position).limit(limit + 1)).all()))
    rows = {row.position: row for row in merge(*found, key=lambda row: int(row.position))}
    shown = sorted(rows)[:limit]
    more = len(rows) > limit
    url = installation().config.public_url
    entries = tuple(_entry(rows[position], reader, url) for position in shown)
    return FeedPage(entries=entries, until=shown[-1] if more else max(until, after), more=more)


def position_of(reader: Reader, event_id: str) -> int:
    """Find where an event stands that a reader has seen.

    Raises:
        NotValid: there is no such event, or it never was this reader's.
    """
    theirs = or_(Event.organisation_id == reader.organisation_id, Event.sender_id == reader.organisation_id)
    found = db.session.execute(
        select(Event.position).where(Event.id == event_id, Event.kind.in_(TELLS), theirs)
    ).scalar_one_or_none()
    if found is None:
        raise NotValid([Problem(pointer="/after", code="unknown_event")])
    return int(found)


def position_before(moment: datetime) -> int:
    """Give a position below that of everything that happened at or after a moment."""
    session = db.session()
    first = select(Event.position).where(Event.at >= moment).order_by(Event.at).limit(1)
    found = session.execute(first).scalar()
    if found is None:
        return settled(session)
    # Transactions that ran at the same time may have taken their positions in another order.
    return max(0, int(found) - 10_000)


def let_go() -> None:
    """Give the database connection back before a wait."""
    db.session.remove()


_COLUMNS: Final = (
    Event.position,
    Event.id,
    Event.at,
    Event.kind,
    Event.subject_kind,
    Event.subject_id,
    Event.organisation_id,
    Event.data,
)


def _about(reader: Reader, kinds: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Select the facts about an organisation: what it got and must give up, tasks of its desks, its own services."""
    known = or_(
        and_(
            Referral.to_organisation_id == reader.organisation_id,
            Referral.livemode.is_(reader.livemode),
            Referral.state != str(ReferralState.DRAFT),
            or_(Referral.state.not_in(sorted(map(str, GONE))), Event.kind.in_(_ENDINGS)),
        ),
        and_(
            Task.organisation_id == reader.organisation_id,
            Task.livemode.is_(reader.livemode),
            # A strict case is known to people of its team, never to an organisation's program.
            Task.level != str(Level.STRICT),
        ),
        and_(Service.organisation_id == reader.organisation_id, Service.livemode.is_(reader.livemode)),
        and_(Restriction.organisation_id == reader.organisation_id, Restriction.livemode.is_(reader.livemode)),
        _own_test(reader),
    )
    return (
        select(*_COLUMNS)
        .outerjoin(Referral, and_(Event.subject_kind == "referral", Referral.id == Event.subject_id))
        .outerjoin(Task, and_(Event.subject_kind == "task", Task.id == Event.subject_id))
        .outerjoin(Service, and_(Event.subject_kind == "service", Service.id == Event.subject_id))
        .outerjoin(Restriction, and_(Event.subject_kind == "restriction", Restriction.id == Event.subject_id))
        .where(Event.organisation_id == reader.organisation_id, Event.kind.in_(sorted(kinds)), known)
    )


def _own_test(reader: Reader) -> ColumnElement[bool]:
    return and_(Event.kind == TEST, Event.subject_id == (reader.endpoint_id or ""))


def _sent(reader: Reader, kinds: Collection[str], now: datetime) -> Select[*tuple[Any, ...]]:
    """Select the facts about referrals that an organisation sent, of cases that it may know of as a whole."""
    seat = Seat(organisation_id=reader.organisation_id, desk_id=None, role="partner", permissions=frozenset())
    program = Actor(kind=ActorKind.KEY, id="", seats=(seat,), livemode=reader.livemode)
    return (
        select(*_COLUMNS)
        .join(Referral, Referral.id == Event.subject_id)
        .join(Case, Case.id == Referral.case_id)
        .where(
            Event.sender_id == reader.organisation_id,
            Event.subject_kind == "referral",
            Event.kind.in_(sorted(kinds)),
            sees_case(program, now, reading=True),
        )
    )


def _entry(row: Row[Any], reader: Reader, public_url: str) -> FeedEntry:
    fact = Fact(
        id=row.id,
        at=row.at,
        kind=row.kind,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        organisation_id=row.organisation_id,
        data=row.data,
    )
    return FeedEntry(position=row.position, event=envelope(fact, livemode=reader.livemode, public_url=public_url))
