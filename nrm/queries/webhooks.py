"""Endpoints for webhooks as their organisation sees them, the log of deliveries, and what is to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal_column, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import Event, Organisation, WebhookDelivery, WebhookEndpoint
from nrm.queries.page import Key, Page, cut, moment_key, newest_after
from nrm.rules.permissions import acts_for
from nrm.rules.webhooks import SLOW_MS

SCOPE = "webhooks:manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An endpoint for webhooks; its secret is shown once only, when it is made.

    Attributes:
        types: types of events that it gets; None for all.
        state: enabled or disabled.
        cause: why it is disabled: "off" by somebody, "gone" (its own answer 410), "failing" for too long.
        failing_since: since when no attempt has succeeded.
        old_secret_until: until when the secret before this one signs too.
        waiting: deliveries that wait for their next attempt.
        dead: deliveries that were given up and can be sent again.
    """

    id: str
    version: int
    organisation_id: str
    url: str
    description: str
    types: tuple[str, ...] | None
    livemode: bool
    state: str
    cause: str | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTry:
    """One attempt.

    Attributes:
        status: HTTP status of the answer; None when there was none.
        cause: why there was none.
        ms: how long it took, in milliseconds.
    """

    at: datetime
    status: int | None
    cause: str | None
    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One event for one endpoint; its id is the header webhook-id.

    Attributes:
        state: waiting, sent, dead (given up) or withheld (the organisation may no longer know of it).
        attempts: how many since it was last asked for.
        next_at: when it is tried next, at the earliest.
        tries: the latest attempts, in order.
        answer: the beginning of the last answer.
    """

    id: str
    event_id: str
    type: str
    state: str
    attempts: int
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    tries: tuple[DeliveryTry, ...]
    answer: str | None


def endpoints(actor: Actor, *, organisation_id: str | None = None) -> tuple[EndpointView, ...]:
    """List the endpoints of an organisation, the oldest first.

    Raises:
        NotAllowed: the actor manages no organisation's endpoints.
        NotFound: not this one's.
    """
    mine = acts_for(actor, SCOPE, organisation_id)
    rows = db.session.execute(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.organisation_id == mine, WebhookEndpoint.livemode.is_(actor.livemode))
        .order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)
    ).scalars()
    return tuple(_view(row) for row in rows.all())


def endpoint(actor: Actor, endpoint_id: str) -> EndpointView:
    """Give one endpoint.

    Raises:
        NotAllowed: the actor manages no organisation's endpoints.
        NotFound: there is none of this id in its organisation.
    """
    return _view(own_endpoint(actor, endpoint_id))


def own_endpoint(actor: Actor, endpoint_id: str) -> WebhookEndpoint:
    """Load an endpoint that an actor manages.

    Raises:
        NotAllowed: the actor manages no organisation's endpoints.
        NotFound: there is none of this id in its organisation.
    """
    acts_for(actor, SCOPE)
    row = db.session.get(WebhookEndpoint, endpoint_id, populate_existing=True)
    if row is None or row.livemode != actor.livemode:
        raise NotFound
    acts_for(actor, SCOPE, row.organisation_id)
    return row


def deliveries(
    actor: Actor, endpoint_id: str, *, state: str | None = None, after: Key | None = None, limit: int = 50
) -> Page[DeliveryView]:
    """List what was sent to an endpoint or waits to be, the latest first; 30 days are kept.

    Raises:
        NotAllowed: the actor manages no organisation's endpoints.
        NotFound: there is none of this id in its organisation.
    """
    own_endpoint(actor, endpoint_id)
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    created: Any = WebhookDelivery.created_at
    row_id: Any = WebhookDelivery.id
    rows = db.session.execute(newest_after(statement, created, row_id, after=after, limit=limit)).scalars().all()
    return cut(rows, limit, key=lambda row: (moment_key(row.created_at), row.id), make=delivery_view)


def delivery(actor: Actor, delivery_id: str) -> DeliveryView:
    """Give one delivery.

    Raises:
        NotAllowed: the actor manages no organisation's endpoints.
        NotFound: there is none of this id in its organisation.
    """
    row = db.session.get(WebhookDelivery, delivery_id, populate_existing=True)
    if row is None:
        acts_for(actor, SCOPE)
        raise NotFound
    own_endpoint(actor, row.endpoint_id)
    return delivery_view(row)


def delivery_view(row: WebhookDelivery) -> DeliveryView:
    """Show one delivery."""
    return DeliveryView(
        id=row.id,
        event_id=row.event_id,
        type=row.type,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.next_at,
        ended_at=row.ended_at,
        tries=tuple(_try(entry) for entry in row.tries),
        answer=row.answer,
    )


def _try(entry: Mapping[str, Any]) -> DeliveryTry:
    return DeliveryTry(
        at=datetime.fromisoformat(entry["at"]), status=entry["status"], cause=entry["cause"], ms=entry["ms"]
    )


def _view(row: WebhookEndpoint) -> EndpointView:
    counted = select(WebhookDelivery.state, func.count()).where(
        WebhookDelivery.endpoint_id == row.id, WebhookDelivery.state.in_(("waiting", "dead"))
    )
    counts = {state: int(number) for state, number in db.session.execute(counted.group_by(WebhookDelivery.state))}
    return EndpointView(
        id=row.id,
        version=row.version,
        organisation_id=row.organisation_id,
        url=row.url,
        description=row.description,
        types=None if row.types is None else tuple(row.types),
        livemode=row.livemode,
        state=row.state,
        cause=row.cause,
        failing_since=row.failing_since,
        old_secret_until=row.old_until,
        created_at=row.created_at,
        waiting=counts.get("waiting", 0),
        dead=counts.get("dead", 0),
    )


# -- what is to be done --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEndpoint:
    """An endpoint for which deliveries are due.

    Attributes:
        slow: its last answer took long, or it fails: it waits in the line of those.
    """

    id: str
    slow: bool


def behind() -> tuple[str, ...]:
    """List the endpoints about whose organisation something happened that was not looked at yet.

    One look into an index for each endpoint; nothing is written when nothing happened.
    """
    about = _newer(Event.organisation_id == WebhookEndpoint.organisation_id)
    sent = _newer(Event.sender_id == WebhookEndpoint.organisation_id)
    found = select(WebhookEndpoint.id).where(WebhookEndpoint.state == "enabled", _active(), or_(about, sent))
    return tuple(db.session.execute(found).scalars())


def _active() -> ColumnElement[bool]:
    """Nothing is sent to an organisation that takes part no more."""
    mine = Organisation.id == WebhookEndpoint.organisation_id
    return exists().where(mine, Organisation.active).correlate(WebhookEndpoint)


def _newer(whose: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(whose, Event.position > WebhookEndpoint.fed_until).correlate(WebhookEndpoint)


def due_endpoints(now: datetime, real_now: datetime) -> tuple[DueEndpoint, ...]:
    """List the endpoints for which something is due, that may be tried, and on which nobody works.

    The one that has waited longest comes first, so that none is passed over for ever.

    Args:
        now: the installation's time; decides what is due.
        real_now: real time; decides whether somebody works on it.
    """
    oldest = (
        select(WebhookDelivery.next_at)
        # A literal text, not a parameter: only then does the partial index fit.
        .where(WebhookDelivery.endpoint_id == WebhookEndpoint.id, WebhookDelivery.state == literal_column("'waiting'"))
        .order_by(WebhookDelivery.next_at)
        .limit(literal_column("1"))
        .correlate(WebhookEndpoint)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(WebhookEndpoint.id, WebhookEndpoint.failures, WebhookEndpoint.pace_ms, oldest.label("oldest")).where(
            WebhookEndpoint.state == "enabled",
            _active(),
            or_(WebhookEndpoint.rest_until.is_(None), WebhookEndpoint.rest_until <= now),
            or_(WebhookEndpoint.lease_until.is_(None), WebhookEndpoint.lease_until <= real_now),
        )
    ).all()
    due = sorted((row for row in rows if row.oldest is not None and row.oldest <= now), key=lambda row: row.oldest)
    return tuple(DueEndpoint(id=row.id, slow=row.failures > 0 or row.pace_ms > SLOW_MS) for row in due)


def any_enabled() -> bool:
    """Say whether there is anything at all to send to."""
    return db.session.execute(select(WebhookEndpoint.id).where(WebhookEndpoint.state == "enabled")).first() is not None
