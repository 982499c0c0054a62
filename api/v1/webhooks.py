"""Endpoints for webhooks: where an organisation's program wants to be told, and what came of each delivery."""

from __future__ import annotations

from api.schemas.webhooks import AddEndpoint, ChangeEndpoint, DeliveryQuery, EndpointQuery, Replay
from api.transport.endpoint import Ask, Noun
from nrm.actions import webhooks as actions
from nrm.actions.webhooks import IssuedSecret
from nrm.queries import webhooks as queries
from nrm.queries.page import Page
from nrm.queries.webhooks import SCOPE, DeliveryView, EndpointView

webhooks = Noun("webhooks")


@webhooks.get("/webhook_endpoints", query=EndpointQuery, answer=tuple[EndpointView, ...], scope=SCOPE)
def list_endpoints(ask: Ask) -> tuple[EndpointView, ...]:
    """List the endpoints of an organisation."""
    return queries.endpoints(ask.actor, organisation_id=ask.query.get("organisation"))


# The answer holds a secret: it is not kept for a repeated request.
@webhooks.post("/webhook_endpoints", body=AddEndpoint, answer=IssuedSecret, status=201, scope=SCOPE, keyed=False)
def add_endpoint(ask: Ask) -> IssuedSecret:
    """Add an endpoint, and get its secret this once.

    Events are posted from now on. The address must be https and of the open internet.
    """
    return actions.add_endpoint(ask.actor, **ask.body)


@webhooks.get("/webhook_endpoints/<endpoint_id>", answer=EndpointView, scope=SCOPE)
def read_endpoint(ask: Ask, endpoint_id: str) -> EndpointView:
    """Read how an endpoint stands."""
    return queries.endpoint(ask.actor, endpoint_id)


@webhooks.patch(
    "/webhook_endpoints/<endpoint_id>", body=ChangeEndpoint, answer=EndpointView, versioned=True, scope=SCOPE
)
def change_endpoint(ask: Ask, endpoint_id: str) -> EndpointView:
    """Change the address, description or types of an endpoint."""
    actions.change_endpoint(ask.actor, endpoint_id, version=ask.version, changes=ask.body)
    return queries.endpoint(ask.actor, endpoint_id)


@webhooks.delete("/webhook_endpoints/<endpoint_id>", scope=SCOPE)
def remove_endpoint(ask: Ask, endpoint_id: str) -> None:
    """Remove an endpoint with its log."""
    actions.remove_endpoint(ask.actor, endpoint_id)


@webhooks.post("/webhook_endpoints/<endpoint_id>/rotate_secret", answer=IssuedSecret, scope=SCOPE, keyed=False)
def rotate_secret(ask: Ask, endpoint_id: str) -> IssuedSecret:
    """Get a new secret; for 24 hours everything is signed with the old one too."""
    return actions.rotate_secret(ask.actor, endpoint_id)


@webhooks.post("/webhook_endpoints/<endpoint_id>/test", answer=EndpointView, scope=SCOPE)
def send_test(ask: Ask, endpoint_id: str) -> EndpointView:
    """Have a test event sent; the log of deliveries shows what came of it."""
    actions.send_test(ask.actor, endpoint_id)
    return queries.endpoint(ask.actor, endpoint_id)


@webhooks.post("/webhook_endpoints/<endpoint_id>/enable", answer=EndpointView, scope=SCOPE)
def enable_endpoint(ask: Ask, endpoint_id: str) -> EndpointView:
    """Switch an endpoint on again: what waits is tried at once, and what happened meanwhile follows."""
    actions.enable_endpoint(ask.actor, endpoint_id)
    return queries.endpoint(ask.actor, endpoint_id)


@webhooks.post("/webhook_endpoints/<endpoint_id>/disable", answer=EndpointView, scope=SCOPE)
def disable_endpoint(ask: Ask, endpoint_id: str) -> EndpointView:
    """Switch an endpoint off; what happens meanwhile is kept for 30 days."""
    actions.disable_endpoint(ask.actor, endpoint_id)
    return queries.endpoint(ask.actor, endpoint_id)


@webhooks.post("/webhook_endpoints/<endpoint_id>/replay", body=Replay, answer=EndpointView, scope=SCOPE)
def replay(ask: Ask, endpoint_id: str) -> EndpointView:
    """Have everything sent again that happened since a moment of the last 30 days, under the same ids."""
    actions.replay_events(ask.actor, endpoint_id, since=ask.body["since"])
    return queries.endpoint(ask.actor, endpoint_id)


@webhooks.get(
    "/webhook_endpoints/<endpoint_id>/deliveries", query=DeliveryQuery, answer=DeliveryView, paged=True, scope=SCOPE
)
def list_deliveries(ask: Ask, endpoint_id: str) -> Page[DeliveryView]:
    """List what was sent or waits to be, the latest first, with what came of each attempt."""
    return queries.deliveries(ask.actor, endpoint_id, state=ask.query.get("state"), after=ask.after, limit=ask.limit)


@webhooks.post("/deliveries/<delivery_id>/redeliver", answer=DeliveryView, scope=SCOPE)
def redeliver(ask: Ask, delivery_id: str) -> DeliveryView:
    """Have one event sent again, under the same id."""
    actions.redeliver(ask.actor, delivery_id)
    return queries.delivery(ask.actor, delivery_id)
