"""What comes in about cases."""

from __future__ import annotations

from marshmallow import fields

from api.transport.fields import Body, Choice, Code, Day, Flag, Id, ListOf, Moment, Paged, Text, Versioned
from nrm.actions.consents import GivenBy
from nrm.vocabulary import (
    Access,
    CaseStatus,
    DataCategory,
    Holder,
    Level,
    Priority,
    Purpose,
    ReopenReason,
    TransferReason,
)


class CaseQuery(Paged):
    """Which cases to list."""

    status = Choice(CaseStatus)
    stage = Code()
    governorate = Code()
    priority = Choice(Priority)
    desk = Id()
    handler = Id()
    number = Text(longest=24)
    person = Id()


class RestrictionQuery(Paged):
    """Which requests to list."""

    open = Flag(from_text=True, load_default=False)


class OpenCase(Body):
    """A new case."""

    person_id = Id(required=True)
    governorate = Code(required=True)
    level = Choice(Level, load_default="standard")
    priority = Choice(Priority, load_default="normal")
    return_type = Code(allow_none=True)
    host_country = Text(longest=2, allow_none=True)
    programme = Code(allow_none=True)
    returned_on = Day(allow_none=True)
    arrived_on = Day(allow_none=True)
    desk_id = Id(allow_none=True)
    external_refs = fields.Dict(keys=Code(), values=Text(longest=100), allow_none=True)
    path = Code()


class ChangeCase(Versioned):
    """Facts of a case to change; a field that is not sent stays."""

    priority = Choice(Priority)
    handler_id = Id(allow_none=True)
    returned_on = Day(allow_none=True)
    arrived_on = Day(allow_none=True)
    programme = Code(allow_none=True)
    return_type = Code(allow_none=True)
    host_country = Text(longest=2, allow_none=True)


class Transfer(Versioned):
    """Another desk for a case."""

    desk_id = Id(required=True)
    reason = Choice(TransferReason, required=True)


class SetLevel(Versioned):
    """Who may know of a case."""

    level = Choice(Level, required=True)


class Share(Body):
    """Somebody who shall know of a case."""

    holder_kind = Choice(Holder, required=True)
    holder_id = Id(required=True)
    access = Choice(Access, required=True)


class Unshare(Body):
    """Somebody who shall no longer know of a case."""

    holder_kind = Choice(Holder, required=True)
    holder_id = Id(required=True)


class AddNote(Body):
    """A note on a case."""

    text = Text(longest=10_000, lines=True, shortest=1, required=True)
    pinned = Flag(load_default=False)


class Tell(Body):
    """Something that the case's paths must know of."""

    message = Choice(["arrival.confirmed", "person.deceased", "risk.raised"], required=True)
    values = fields.Dict(keys=Code(), values=Code(), load_default=dict)


class CloseCase(Versioned):
    """The end of a case."""

    outcome = Code(required=True)
    reason = Code(required=True)


class ReopenCase(Versioned):
    """A closed case goes on."""

    reason = Choice(ReopenReason, required=True)
    path = Code(allow_none=True)


class StartRun(Body):
    """Another path for a case; `number` pins a version."""

    path = Code(required=True)
    number = fields.Integer(strict=True, allow_none=True)


class CancelRun(Body):
    """Why a run is cancelled."""

    reason = Code(required=True)


class Propose(Body):
    """A need for which a provider is looked for."""

    category = Code(required=True)


class RecordConsent(Body):
    """What a person agreed to."""

    purposes = ListOf(Choice(Purpose), most=20, least=1, required=True)
    categories = ListOf(Choice(DataCategory), most=20, required=True)
    mode = Code(required=True)
    given_by = Choice(GivenBy, load_default="self")
    assent_child = Flag(allow_none=True)
    language = Code(allow_none=True)
    interpreter = Flag(load_default=False)
    organisations_allowed = ListOf(Id(), most=100, load_default=list)
    organisations_denied = ListOf(Id(), most=100, load_default=list)
    expires_at = Moment(allow_none=True)


class WithdrawConsent(Versioned):
    """A consent ends; an empty scope ends all of it."""

    scope = ListOf(Code(), most=100, load_default=list)


class AskOverride(Body):
    """A disclosure without consent, on a legal ground."""

    organisation_id = Id(required=True)
    ground = Code(required=True)
    reason = Text(longest=2_000, lines=True, shortest=1, required=True)
    categories = ListOf(Choice(DataCategory), most=20, least=1, required=True)


class RefuseOverride(Body):
    """Why a disclosure without consent is refused."""

    reason = Text(longest=2_000, lines=True, shortest=1, required=True)
