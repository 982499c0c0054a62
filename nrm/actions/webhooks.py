"""Endpoints for webhooks: an organisation says where its program wants to be told, and looks after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actors import ActorKind
from nrm.delivery.outbound import check_url, rules_of
from nrm.delivery.webhooks import checks, is_asymmetric, new_secret
from nrm.errors import Conflict, DeliveryFailed, NotFound, NotValid, Problem, StaleVersion
from nrm.installation import installation
from nrm.models import Organisation, WebhookDelivery, WebhookEndpoint
from nrm.queries import feed
from nrm.queries.webhooks import SCOPE, own_endpoint
from nrm.rules.partner_events import KEPT, TEST, check_types
from nrm.rules.permissions import acts_for
from nrm.rules.webhooks import MOST_ENDPOINTS, OVERLAP
from nrm.sealing import seal, unseal

SECRET_COLUMN: Final = "webhook_endpoints.signing_secret"  # noqa: S105 - the name of a column
OLD_SECRET_COLUMN: Final = "webhook_endpoints.old_signing_secret"  # noqa: S105 - the name of a column


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSecret:
    """A new secret.

    Attributes:
        id: the endpoint's id.
        secret: what checks the signatures: "whsec_" and 32 bytes in base 64, which cannot be shown again, or "whpk_"
            and a public key of Ed25519.
        old_until: until when the secret before it signs too; None where there was none.
    """

    id: str
    version: int
    secret: str
    old_until: datetime | None


@action("endpoint.add")
def add_endpoint(
    work: Work,
    *,
    url: str,
    description: str = "",
    types: list[str] | None = None,
    organisation_id: str | None = None,
    livemode: bool | None = None,
    asymmetric: bool = False,
) -> IssuedSecret:
    """Add an address to which events are posted from now on.

    Args:
        work: the transaction.
        url: an https address of the open internet, or one that an operator's setting allows.
        description: what it is for.
        types: types of events; None for all.
        organisation_id: whose; None for the actor's own.
        livemode: False for invented people; None for the actor's own mode. A key has its own mode in any case.
        asymmetric: sign with Ed25519, so that whoever checks cannot sign; otherwise with a shared secret.

    Raises:
        NotAllowed: the actor manages no organisation's endpoints.
        NotFound: not this one's.
        NotValid: the address or a type is wrong.
        Conflict: there are too many.
    """
    mine = acts_for(work.actor, SCOPE, organisation_id)
    mode = work.actor.livemode if livemode is None or work.actor.kind is ActorKind.KEY else livemode
    check_address(url)
    check_types(types or [])
    work.session.execute(select(Organisation.id).where(Organisation.id == mine).with_for_update())
    there = select(func.count()).where(WebhookEndpoint.organisation_id == mine, WebhookEndpoint.livemode.is_(mode))
    if (work.session.execute(there).scalar() or 0) >= MOST_ENDPOINTS:
        raise Conflict("too_many_endpoints", most=MOST_ENDPOINTS)
    secret, endpoint_id = new_secret(asymmetric=asymmetric), ids.new_id("whe")
    work.add(
        WebhookEndpoint,
        id=endpoint_id,
        organisation_id=mine,
        url=url,
        description=description.strip(),
        types=sorted(set(types)) if types else None,
        livemode=mode,
        signing_secret=seal(secret, row=endpoint_id, column=SECRET_COLUMN),
        state="enabled",
        fed_until=feed.settled(work.session),
        created_at=work.now,
        created_by=work.actor.id,
    )
    _record(work, "endpoint.added", endpoint_id, mine)
    return IssuedSecret(id=endpoint_id, version=1, secret=checks(secret), old_until=None)


def check_address(url: str) -> None:
    """Stop at an address to which nothing would ever be sent.

    Raises:
        NotValid: with the reason as its code.
    """
    try:
        check_url(url, rules_of(installation().config))
    except DeliveryFailed as refused:
        raise NotValid([Problem(pointer="/url", code=refused.code)]) from refused


@action("endpoint.change")
def change_endpoint(work: Work, endpoint_id: str, *, version: int | None, changes: dict[str, object]) -> None:
    """Change the address, description or types of an endpoint.

    Args:
        work: the transaction.
        endpoint_id: which.
        version: the version that the change is based on.
        changes: "url", "description", "types" (None for all types); what is not there stays.

    Raises:
        NotFound: not the actor's to manage.
        NotValid: the address or a type is wrong.
        StaleVersion: it changed since.
    """
    row = _mine(work, endpoint_id, version=version)
    if "url" in changes:
        check_address(str(changes["url"]))
        row.url = str(changes["url"])
        _forgive(row)
    if "description" in changes:
        row.description = str(changes["description"]).strip()
    if "types" in changes:
        types = changes["types"]
        chosen = [str(name) for name in types] if isinstance(types, Sequence) else []
        check_types(chosen)
        row.types = sorted(set(chosen)) or None
    row.version += 1
    _record(work, "endpoint.changed", row.id, row.organisation_id)


@action("endpoint.remove")
def remove_endpoint(work: Work, endpoint_id: str) -> None:
    """Remove an endpoint with its log; nothing is sent to it any more.

    Raises:
        NotFound: not the actor's to manage.
    """
    row = _mine(work, endpoint_id)
    organisation_id = row.organisation_id
    work.session.expunge(row)
    work.session.execute(delete(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id))
    work.session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))
    _record(work, "endpoint.removed", endpoint_id, organisation_id)


@action("endpoint.rotate")
def rotate_secret(work: Work, endpoint_id: str) -> IssuedSecret:
    """Give an endpoint a new secret; for a day everything is signed with both, so that nothing is missed.

    Raises:
        NotFound: not the actor's to manage.
    """
    row = _mine(work, endpoint_id)
    old = unseal(row.signing_secret, row=row.id, column=SECRET_COLUMN)
    secret = new_secret(asymmetric=is_asymmetric(str(old)))
    row.old_signing_secret = seal(old, row=row.id, column=OLD_SECRET_COLUMN)
    row.old_until = work.now + OVERLAP
    row.signing_secret = seal(secret, row=row.id, column=SECRET_COLUMN)
    row.version += 1
    _record(work, "endpoint.changed", row.id, row.organisation_id)
    return IssuedSecret(id=row.id, version=row.version, secret=checks(secret), old_until=row.old_until)


@action("endpoint.test")
def send_test(work: Work, endpoint_id: str) -> None:
    """Send a test event to one endpoint; the log of deliveries shows what came of it.

    Raises:
        NotFound: not the actor's to manage.
        Conflict: it is disabled.
    """
    row = _mine(work, endpoint_id)
    if row.state != "enabled":
        raise Conflict("endpoint_disabled")
    _record(work, TEST, row.id, row.organisation_id)


@action("endpoint.enable")
def enable_endpoint(work: Work, endpoint_id: str) -> None:
    """Send to an endpoint again: what waits is tried at once, what happened meanwhile follows.

    Raises:
        NotFound: not the actor's to manage.
    """
    row = _mine(work, endpoint_id)
    row.state, row.cause = "enabled", None
    _forgive(row)
    row.version += 1
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "waiting"
    )
    work.session.execute(waiting.values(attempts=0, next_at=work.now).execution_options(synchronize_session=False))
    _record(work, "endpoint.enabled", row.id, row.organisation_id)


@action("endpoint.disable")
def disable_endpoint(work: Work, endpoint_id: str) -> None:
    """Stop sending to an endpoint; nothing is forgotten, for 30 days.

    Raises:
        NotFound: not the actor's to manage.
    """
    row = _mine(work, endpoint_id)
    row.state, row.cause = "disabled", "off"
    row.version += 1
    _record(work, "endpoint.disabled", row.id, row.organisation_id)


@action("endpoint.replay")
def replay_events(work: Work, endpoint_id: str, *, since: datetime) -> None:
    """Send everything again that happened since a moment, under the ids that it had.

    Args:
        work: the transaction.
        endpoint_id: where to.
        since: at most 30 days ago.

    Raises:
        NotFound: not the actor's to manage.
        NotValid: the moment lies too far back or in the future.
    """
    row = _mine(work, endpoint_id)
    if not work.now - KEPT - timedelta(hours=1) <= since <= work.now:
        raise NotValid([Problem(pointer="/since", code="moment_out_of_range")])
    row.fed_until = min(row.fed_until, feed.position_before(since))
    row.fed_since = since
    row.version += 1
    _record(work, "endpoint.changed", row.id, row.organisation_id)


@action("webhook.redeliver")
def redeliver(work: Work, delivery_id: str) -> None:
    """Send one event again, under the id that it had.

    Raises:
        NotFound: not the actor's to manage.
        Conflict: its endpoint is disabled.
    """
    found = work.session.get(WebhookDelivery, delivery_id, populate_existing=True)
    if found is None:
        acts_for(work.actor, SCOPE)
        raise NotFound
    endpoint = _mine(work, found.endpoint_id)
    if endpoint.state != "enabled":
        raise Conflict("endpoint_disabled")
    work.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id)
        .values(state="waiting", attempts=0, next_at=work.now, ended_at=None)
        .execution_options(synchronize_session=False)
    )
    endpoint.rest_until = None


def _mine(work: Work, endpoint_id: str, *, version: int | None = None) -> WebhookEndpoint:
    own_endpoint(work.actor, endpoint_id)
    row = work.session.execute(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    if version is not None and row.version != version:
        raise StaleVersion(row.version)
    return row


def _forgive(row: WebhookEndpoint) -> None:
    row.failures, row.failing_since, row.rest_until, row.pace_ms = 0, None, None, 0


def _record(work: Work, kind: str, endpoint_id: str, organisation_id: str) -> None:
    work.record(kind, stream=organisation_id, subject=("endpoint", endpoint_id), organisation_id=organisation_id)
