"""Webhooks on their way: from the events to deliveries, out in small lots, and what came of each attempt.

The events themselves are the outbox: they are written in the transaction of what happened, and nothing else is. A
runner walks behind them for each endpoint and writes one delivery for each event; sending takes place between two
short transactions. Whatever dies when, each event is delivered at least once under one id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Table, delete, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.deliveries import tell_people
from nrm.actions.failures import open_incident
from nrm.actions.webhooks import OLD_SECRET_COLUMN, SECRET_COLUMN
from nrm.delivery.webhooks import body_of
from nrm.models import WebhookDelivery, WebhookEndpoint
from nrm.queries.feed import FeedEntry, Reader, read_feed
from nrm.rules.partner_events import KEPT
from nrm.rules.webhooks import is_good, next_try, rest, why_off
from nrm.sealing import unseal

FEED: Final = 200
"""Events that are taken over for an endpoint in one transaction."""

LOT: Final = 50
"""Deliveries that are sent to an endpoint between two transactions."""

LEASE: Final = timedelta(seconds=60)
"""How long an endpoint is one sender's without a sign of life: longer than one lot of a receiver that answers, and
a lot ends at the first one that does not."""

ANSWER: Final = 500
"""Bytes of an answer that are kept."""

_TRIES: Final = 20
_DELIVERIES: Table = WebhookDelivery.__table__  # type: ignore[assignment]  # a mapped class has a Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One delivery, ready to be sent."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What is sent to one endpoint between two transactions.

    Attributes:
        url: where to.
        signing: its secret; two while the old one still counts.
        parcels: what, in order; none when there is nothing left.
    """

    url: str
    signing: tuple[str, ...]
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of one attempt.

    Attributes:
        delivery_id: of what.
        at: when, in the installation's time.
        status: HTTP status of the answer; None when there was none.
        cause: why there was none.
        ms: how long it took.
        answer: the beginning of the answer.
        retry_after: seconds that the receiver asked to wait.
    """

    delivery_id: str
    at: datetime
    status: int | None
    cause: str | None
    ms: int
    answer: str | None = None
    retry_after: int | None = None


@action("webhook.feed")
def feed_endpoint(work: Work, endpoint_id: str) -> bool:
    """Write the deliveries of what happened since the last look.

    Returns:
        Whether there may be more.
    """
    row = _locked(work, endpoint_id, wait=False)
    if row is None or row.state != "enabled":
        return False
    page = read_feed(
        _reader(row),
        work.now,
        after=row.fed_until,
        limit=FEED,
        types=None if row.types is None else frozenset((*row.types, "webhook.test")),
        since=row.fed_since,
    )
    if page.entries:
        rows = [_new_delivery(work, endpoint_id, entry) for entry in page.entries]
        work.session.execute(_upsert(work), rows)
    if page.until != row.fed_until:
        row.fed_until = page.until
    return page.more


def _locked(work: Work, endpoint_id: str, *, wait: bool) -> WebhookEndpoint | None:
    """Load an endpoint for changing; None when there is none, or when it is not to be waited for."""
    return work.session.execute(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id)
        .with_for_update(skip_locked=not wait)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def _reader(row: WebhookEndpoint) -> Reader:
    return Reader(organisation_id=row.organisation_id, livemode=row.livemode, endpoint_id=row.id)


def _new_delivery(work: Work, endpoint_id: str, entry: FeedEntry) -> dict[str, Any]:
    return {
        "id": ids.new_id("whd"),
        "endpoint_id": endpoint_id,
        "position": entry.position,
        "event_id": entry.event.id,
        "type": entry.event.type,
        "state": "waiting",
        "attempts": 0,
        "next_at": work.now,
        "tries": [],
        "created_at": work.now,
    }


def _upsert(work: Work) -> Any:  # noqa: ANN401 - an Insert of either dialect
    """Insert; an event that was delivered before is sent again under the id that it has."""
    make = postgresql.insert if work.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    again = {"state": "waiting", "attempts": 0, "next_at": work.now, "ended_at": None}
    return make(_DELIVERIES).on_conflict_do_update(
        index_elements=["endpoint_id", "position"], set_=again, where=_DELIVERIES.c.state != "waiting"
    )


@action("webhook.begin")
def begin_lot(
    work: Work, endpoint_id: str, *, owner: str, done: Sequence[Tried] = (), last: bool = False
) -> Lot | None:
    """Note what came of the last lot and take the next one; the endpoint stays this sender's for a minute.

    Args:
        work: the transaction.
        endpoint_id: for which endpoint.
        owner: the sender.
        done: what came of the lot before.
        last: only note it, and take no other.

    Returns:
        None when there is nothing to do here, or somebody else does it; the endpoint is free then.
    """
    row = _locked(work, endpoint_id, wait=True)
    real_now = datetime.now(UTC)
    if row is None or (row.lease_owner != owner and row.lease_until is not None and row.lease_until > real_now):
        # A lease that ran out meanwhile: what was sent is sent once more by whoever took it.
        return None
    _note_all(work, row, done)
    rests = row.rest_until is not None and row.rest_until > work.now
    due = {} if last or rests or row.state != "enabled" else _due(work, row)
    if not due:
        row.lease_owner = row.lease_until = None
        return None
    row.lease_owner, row.lease_until = owner, real_now + LEASE
    parcels = _parcels(work, row, due)
    return Lot(url=row.url, signing=_signing(row, work.now), parcels=parcels)


def _due(work: Work, row: WebhookEndpoint) -> Mapping[int, str]:
    """Give what is due: position → id. Of a receiver that fails one is tried, to see whether it is back."""
    found = (
        select(WebhookDelivery.position, WebhookDelivery.id)
        .where(
            WebhookDelivery.endpoint_id == row.id,
            # A literal text, not a parameter: only then does the partial index fit.
            WebhookDelivery.state == literal_column("'waiting'"),
            WebhookDelivery.next_at <= work.now,
        )
        .order_by(WebhookDelivery.next_at, WebhookDelivery.position)
        .limit(literal_column("1" if row.failures else str(LOT)))
    )
    return {row.position: row.id for row in work.session.execute(found)}


def _parcels(work: Work, row: WebhookEndpoint, due: Mapping[int, str]) -> tuple[Parcel, ...]:
    """Write the events; what the organisation may no longer know of is withheld."""
    page = read_feed(_reader(row), work.now, after=0, limit=len(due), positions=tuple(due))
    known = {entry.position: entry for entry in page.entries}
    lost = [delivery_id for position, delivery_id in due.items() if position not in known]
    if lost:
        work.session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id.in_(lost))
            .values(state="withheld", next_at=None, ended_at=work.now)
            .execution_options(synchronize_session=False)
        )
    return tuple(
        Parcel(id=delivery_id, body=body_of(known[position].event))
        for position, delivery_id in due.items()
        if position in known
    )


def _signing(row: WebhookEndpoint, now: datetime) -> tuple[str, ...]:
    secrets = [str(unseal(row.signing_secret, row=row.id, column=SECRET_COLUMN))]
    if row.old_signing_secret is not None and row.old_until is not None and row.old_until > now:
        secrets.append(str(unseal(row.old_signing_secret, row=row.id, column=OLD_SECRET_COLUMN)))
    return tuple(secrets)


def _note_all(work: Work, row: WebhookEndpoint, done: Sequence[Tried]) -> None:
    if not done:
        return
    loaded = select(WebhookDelivery).where(WebhookDelivery.id.in_([tried.delivery_id for tried in done]))
    rows = {found.id: found for found in work.session.execute(loaded).scalars()}
    for tried in done:
        if tried.delivery_id in rows:
            _note(work, row, rows[tried.delivery_id], tried)
    work.session.flush()


def _note(work: Work, row: WebhookEndpoint, found: WebhookDelivery, tried: Tried) -> None:
    found.attempts += 1
    entry = {"at": tried.at.isoformat(), "status": tried.status, "cause": tried.cause, "ms": tried.ms}
    found.tries = [*found.tries, entry][-_TRIES:]
    found.answer = tried.answer
    row.pace_ms = tried.ms
    if is_good(tried.status):
        found.state, found.next_at, found.ended_at = "sent", None, tried.at
        row.failures, row.failing_since, row.rest_until = 0, None, None
        return
    _note_failure(work, row, found, tried)


def _note_failure(work: Work, row: WebhookEndpoint, found: WebhookDelivery, tried: Tried) -> None:
    pause = next_try(found.attempts, retry_after=tried.retry_after)
    if pause is None:
        found.state, found.next_at, found.ended_at = "dead", None, tried.at
    else:
        found.next_at = work.now + pause
    row.failures += 1
    row.failing_since = row.failing_since or tried.at
    row.rest_until = work.now + rest(row.failures, tried.cause, retry_after=tried.retry_after)
    first = datetime.fromisoformat(found.tries[0]["at"])
    cause = why_off(
        tried.status, exhausted=pause is None, failing_since=row.failing_since, waiting_since=first, now=work.now
    )
    if cause is not None and row.state == "enabled":
        _switch_off(work, row, cause)


def _switch_off(work: Work, row: WebhookEndpoint, cause: str) -> None:
    """Send nothing more to an endpoint, and say so to its organisation and to those who watch the system."""
    row.state, row.cause = "disabled", cause
    row.version += 1
    subject = ("endpoint", row.id)
    work.record(
        "endpoint.disabled",
        stream=row.organisation_id,
        subject=subject,
        organisation_id=row.organisation_id,
        data={"cause": cause},
    )
    open_incident(
        work,
        kind="webhook",
        code="endpoint_switched_off",
        organisation_id=row.organisation_id,
        params={"endpoint": row.id, "cause": cause},
    )
    tell_people(work, row.organisation_id, permission="key.manage", template="endpoint_disabled", subject=subject)


def forget_old_deliveries(work: Work) -> None:
    """Remove deliveries that are as old as the feed goes back."""
    old = or_(WebhookDelivery.created_at < work.now - KEPT, WebhookDelivery.ended_at < work.now - KEPT)
    work.session.execute(delete(WebhookDelivery).where(old))
