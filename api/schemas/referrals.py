"""What comes in about referrals: one schema per verb, made from the normative table of verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from marshmallow import fields

from api.transport.fields import Body, Choice, Code, Day, Flag, Id, ListOf, Moment, Paged, Text, Versioned, Whole
from nrm.actions.referral_calls import BY_TELEPHONE
from nrm.rules.statuses import REFERRAL_VERBS, Verb
from nrm.vocabulary import DataCategory, LoopAnswer, Priority, ReferralState


class ReferralQuery(Paged):
    """Which referrals to list."""

    direction = Choice(["received", "sent"], load_default="received")
    state = Choice(ReferralState)
    urgency = Choice(Priority)
    open = Flag(from_text=True, load_default=False)
    updated_since = Moment()
    case = Id()
    external_id = Text(longest=100)


class CreateReferral(Body):
    """A referral of a case to a service; it is sent unless it stays a draft."""

    case_id = Id(required=True)
    service_id = Id(required=True)
    reason = Text(longest=2_000, lines=True, shortest=1, required=True)
    urgency = Choice(Priority, load_default="normal")
    expected_result = Text(longest=2_000, lines=True, allow_none=True)
    categories = ListOf(Choice(DataCategory), most=20, allow_none=True)
    plan_service_id = Id(allow_none=True)
    external_id = Text(longest=100, allow_none=True)
    draft = Flag(load_default=False)


class ChangeReferral(Versioned):
    """What changes in a draft; what is not named stays."""

    service_id = Id()
    reason = Text(longest=2_000, lines=True, shortest=1)
    urgency = Choice(Priority)
    expected_result = Text(longest=2_000, lines=True, allow_none=True)
    categories = ListOf(Choice(DataCategory), most=20)
    plan_service_id = Id(allow_none=True)
    external_id = Text(longest=100, allow_none=True)


class AddMessage(Body):
    """A note that sender and receiver both read."""

    text = Text(longest=5_000, lines=True, shortest=1, required=True)


class RecordCall(Versioned):
    """A telephone call to the receiver, with its answer where it gave one."""

    called_at = Moment(required=True)
    spoke_with = Text(longest=120, shortest=1, required=True)
    said = Text(longest=5_000, lines=True, shortest=1, required=True)
    answer = Choice(BY_TELEPHONE, allow_none=True)
    reason = Code(allow_none=True)
    outcome = Code(allow_none=True)
    at = Moment(allow_none=True)
    delivered_on = Day(allow_none=True)


class Confirm(Versioned):
    """What the returnee says about a service."""

    received = Flag(required=True)
    satisfaction = Whole(low=1, high=5, allow_none=True)


class CloseLoop(Versioned):
    """What came of a referral that was not served."""

    answer = Choice(LoopAnswer, required=True)


def _field(name: str, *, needed: bool) -> fields.Field[Any]:
    how: dict[str, Any] = {"required": True} if needed else {"allow_none": True}
    makers: dict[str, Callable[[], fields.Field[Any]]] = {
        "note": lambda: Text(longest=5_000, lines=True, **how),
        "place": lambda: Text(longest=500, **how),
        "cost": lambda: Text(longest=60, **how),
        "organisation": lambda: Id(**how),
        "desk": lambda: Id(**how),
        "at": lambda: Moment(**how),
        "position": lambda: Whole(low=1, high=100_000, **how),
        "units": lambda: Whole(low=0, high=1_000_000, **how),
        "outcome": lambda: Code(**how),
        "reason": lambda: Code(**how),
    }
    make = makers.get(name)
    return make() if make is not None else Day(**how)


def _schema(name: str, verb: Verb) -> type[Body]:
    needed = (("reason",) if verb.reasons else ()) + verb.needed
    members: dict[str, Any] = {field: _field(field, needed=True) for field in needed}
    members |= {field: _field(field, needed=False) for field in verb.optional if field not in members}
    title = "Referral" + "".join(part.capitalize() for part in name.split("_"))
    return type(title, (Versioned,), {"__doc__": f"The fields of the verb {name}.", **members})


VERB_SCHEMAS: Final = {name: _schema(name, verb) for name, verb in REFERRAL_VERBS.items()}
"""Verb → schema of its body."""
