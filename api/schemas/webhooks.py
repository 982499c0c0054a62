"""What comes in about endpoints for webhooks and their deliveries."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Code, Flag, Id, ListOf, Moment, Paged, Text, Versioned


class EndpointQuery(Body):
    """Whose endpoints to list; without it one's own organisation's."""

    organisation = Id()


class AddEndpoint(Body):
    """An address to which events are posted; without types it gets all. Asymmetric: signed with Ed25519."""

    url = Text(longest=500, shortest=1, required=True)
    description = Text(longest=200, load_default="")
    types = ListOf(Code(), most=50, allow_none=True)
    organisation_id = Id(allow_none=True)
    livemode = Flag(allow_none=True)
    asymmetric = Flag(load_default=False)


class ChangeEndpoint(Versioned):
    """What is to change; no types means all."""

    url = Text(longest=500, shortest=1)
    description = Text(longest=200)
    types = ListOf(Code(), most=50, allow_none=True)


class Replay(Body):
    """From when on."""

    since = Moment(required=True)


class DeliveryQuery(Paged):
    """Which deliveries to list."""

    state = Choice(["waiting", "sent", "dead", "withheld"])
