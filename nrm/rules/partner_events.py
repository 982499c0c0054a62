"""What partners are told: which facts become events of the feed and of webhooks, under which type, and for whom.

Events are thin: ids and states, never a name or an answer; whoever may know more asks for it with a key. The envelope
is at once valid for Standard Webhooks 1.0.0 ("type", "timestamp", "data") and for CloudEvents 1.0 in its JSON format,
whose attributes may be extended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from nrm.errors import NotValid, Problem

KEPT: Final = timedelta(days=30)
"""How far back the feed goes, and how long deliveries are kept."""

TEST: Final = "webhook.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How one kind of fact is told.

    Attributes:
        type: the event's type.
        sender: the sender of the referral is told too, not only the organisation that the fact is about.
        ends_access: the receiver is told of it also when it may no longer know of the referral.
    """

    type: str
    sender: bool = False
    ends_access: bool = False


def _both(kind: str, *, ends_access: bool = False) -> tuple[str, Told]:
    return kind, Told(type=kind, sender=True, ends_access=ends_access)


TELLS: Final[Mapping[str, Told]] = {
    **dict(
        map(
            _both,
            (
                "referral.sent",
                "referral.acknowledged",
                "referral.info_requested",
                "referral.answered",
                "referral.waitlisted",
                "referral.accepted",
                "referral.declined",
                "referral.redirected",
                "referral.scheduled",
                "referral.no_show",
                "referral.started",
                "referral.progressed",
                "referral.held",
                "referral.resumed",
                "referral.completed",
                "referral.not_completed",
                "referral.cancellation_requested",
                "referral.expired",
                "referral.reassigned",
                "referral.due_soon",
                "referral.overdue",
                "referral.closed",
                "message.created",
                "document.added",
                "document.entered_in_error",
            ),
        )
    ),
    **dict(
        _both(kind, ends_access=True)
        for kind in ("referral.cancelled", "referral.withdrawn", "referral.entered_in_error")
    ),
    "disclosure.restricted": Told(type="consent.withdrawn", ends_access=True),
    "task.opened": Told(type="task.assigned"),
    "task.assigned": Told(type="task.assigned"),
    "task.handed_over": Told(type="task.assigned"),
    "service.capacity_changed": Told(type="service.capacity_changed"),
    TEST: Told(type=TEST),
}
"""Kind of fact → how it is told; kinds that are not here are nobody else's business."""

TYPES: Final[Mapping[str, str]] = {
    "referral.sent": "A referral was sent to the receiver.",
    "referral.acknowledged": "The receiver has it.",
    "referral.info_requested": "The receiver asks the sender something; its clock rests.",
    "referral.answered": "The sender answered.",
    "referral.waitlisted": "The returnee is on the receiver's waiting list.",
    "referral.accepted": "The receiver will serve.",
    "referral.declined": "The receiver declined, with a reason.",
    "referral.redirected": "The receiver named another organisation; the sender decides.",
    "referral.scheduled": "There is an appointment.",
    "referral.no_show": "The returnee did not come.",
    "referral.started": "The service has begun.",
    "referral.progressed": "Progress was noted.",
    "referral.held": "The referral rests.",
    "referral.resumed": "It goes on.",
    "referral.completed": "The service was given.",
    "referral.not_completed": "The service could not be given.",
    "referral.cancellation_requested": "The sender asks to cancel what has begun.",
    "referral.cancelled": "The sender took it back; the receiver has no access any more.",
    "referral.withdrawn": "The returnee or the consent ended it; the receiver has no access any more.",
    "referral.expired": "Nobody answered in time.",
    "referral.entered_in_error": "It was a mistake; the receiver has no access any more.",
    "referral.reassigned": "It went to another desk of the receiver.",
    "referral.due_soon": "An answer is due soon.",
    "referral.overdue": "An answer is late.",
    "referral.closed": "The loop is closed: an outcome is recorded.",
    "message.created": "Sender or receiver wrote a note on a referral.",
    "document.added": "A document was added to a referral.",
    "document.entered_in_error": "A document of a referral was a mistake: delete your copy of it.",
    "consent.withdrawn": "What was received with this referral may no longer be used: restrict it.",
    "task.assigned": "A task has come to a desk of the organisation, or to somebody there.",
    "service.capacity_changed": "The open places of a service changed.",
    TEST: "A test that somebody asked for; there is nothing to do.",
}
"""Every type of event, with what it means to a partner."""

_IDS: Final = {"note": "message", "document": "document", "restriction": "restriction"}
"""Fact's datum → its name in the event; all others stay inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What an event is made of; all of it ids, codes and moments."""

    id: str
    at: datetime
    kind: str
    subject_kind: str
    subject_id: str
    organisation_id: str | None
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One event as partners get it, in the feed and by webhook.

    Attributes:
        specversion: of CloudEvents.
        id: of the event; the same in the feed and in every webhook.
        source: the organisation that it is about, as an address.
        type: one of `TYPES`.
        time: when it happened.
        timestamp: the same, under the name of Standard Webhooks.
        subject: id of what it is about.
        schemaversion: of this form of events.
        livemode: False for invented people.
        data: the subject's id under its noun, its state and version where it has them, and where to read it.
    """

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    timestamp: datetime
    subject: str
    schemaversion: str
    livemode: bool
    data: Mapping[str, str | int]


def envelope(fact: Fact, *, livemode: bool, public_url: str) -> Envelope:
    """Write a fact as partners get it; the same fact always gives the same event.

    Args:
        fact: of a kind in `TELLS`.
        livemode: False for invented people.
        public_url: address of the installation, without a slash at its end.

    Raises:
        KeyError: the kind is not told to partners.
    """
    moment = fact.at.astimezone(UTC)
    return Envelope(
        specversion="1.0",
        id=fact.id,
        source=f"{public_url}/orgs/{fact.organisation_id or 'none'}",
        type=TELLS[fact.kind].type,
        time=moment,
        timestamp=moment,
        subject=fact.subject_id,
        schemaversion="1",
        livemode=livemode,
        data=_data(fact, public_url),
    )


_PATHS: Final = {
    "referral": "referrals",
    "task": "tasks",
    "service": "services",
    "endpoint": "webhook_endpoints",
    "restriction": "restrictions",
}


def _data(fact: Fact, public_url: str) -> dict[str, str | int]:
    data: dict[str, str | int] = {fact.subject_kind: fact.subject_id}
    for name in ("state", "version"):
        value = fact.data.get(name)
        if isinstance(value, str | int):
            data[name] = value
    for name, shown in _IDS.items():
        value = fact.data.get(name)
        if isinstance(value, str):
            data[shown] = value
    data["url"] = f"{public_url}/api/v1/{_PATHS[fact.subject_kind]}/{fact.subject_id}"
    return data


def kinds_of(types: frozenset[str] | None) -> frozenset[str]:
    """Give the kinds of facts behind some types of events; all for None."""
    return frozenset(kind for kind, told in TELLS.items() if types is None or told.type in types)


def check_types(types: list[str], pointer: str = "/types") -> None:
    """Stop at types of events that there are not.

    Raises:
        NotValid: with the place of each.
    """
    problems = [
        Problem(pointer=f"{pointer}/{place}", code="unknown_event_type", params={"name": name[:64]})
        for place, name in enumerate(types)
        if name not in TYPES
    ]
    if problems:
        raise NotValid(problems)
