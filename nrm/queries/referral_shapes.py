"""The one shape of a referral, for people and for partners' programs: lists, answers of verbs, and the full read.

Lists and answers of verbs carry ids, codes and moments only; the full read adds what the asker's part, the consent
and the scopes of a key let show. A field means the same in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from nrm.models import Organisation, Referral, Service
from nrm.queries.disclosures import RestrictionRow
from nrm.queries.referral_subjects import Subject
from nrm.rules.redaction import Relation
from nrm.rules.statuses import referral_actions
from nrm.vocabulary import Party, ReferralState

BASE: Final = "/api/v1/referrals/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOrganisation:
    """An organisation, named."""

    id: str
    code: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownService:
    """A service, named."""

    id: str
    code: str
    names: Mapping[str, str]
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNeed:
    """A need that the referral is to meet."""

    category: str
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownConsent:
    """On what ground personal data were shared.

    Attributes:
        id: id of the consent, or of the approved disclosure without one.
        ground: "consent" or "override".
        scope: the data categories that were shared with the receiver and are not restricted since.
        given_at: when it was given or approved.
        expires_at: when it ends; None for no end.
    """

    id: str
    ground: str
    scope: tuple[str, ...]
    given_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """When and where the returnee is to come; the place only in the full read."""

    at: datetime
    place: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOutcome:
    """What came of it.

    Attributes:
        code: provided, partly or not_provided.
        reason: why it was not served, a code.
        note: the receiver's words; only in the full read.
        delivered_on: the day on which it was given.
        units: how much was given.
        cost: what it cost, as text with a currency; only in the full read.
        confirmed: the sender's answer that closes the loop; None while there is none.
        satisfaction: what the returnee said, 1 to 5; only the sender's side sees it.
    """

    code: str
    reason: str | None
    note: str | None
    delivered_on: date | None
    units: int | None
    cost: str | None
    confirmed: str | None
    satisfaction: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """Somebody of the national unit says that the referral should not exist; a second person has yet to agree."""

    reason: str | None
    asked_by: str
    asked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waitlist:
    """A place on the receiver's waiting list."""

    position: int | None
    review_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralView:
    """A referral.

    Attributes:
        in_full: it holds all that may be shown; False in lists and in answers of verbs, where personal fields are null.
        relation: team, receiver, overview or none: the asker's part, which decides what shows.
        reply_due_at: when the receiver's next answer is due; null while no clock runs.
        subject: the returnee: always a reference, and the fields that may be shown here.
        reason: why the service is needed.
        withheld: data categories that were shared but are not shown to this asker: a key needs the scope
            subject:read, and for restricted ones the header NRM-Purpose.
        restriction: the receiver was told to use what it got no more, and has to confirm it.
        end_reason: code of the reason of a negative end.
        allowed_actions: the verbs that the asker may use now.
        links: name → path of what belongs to it.
    """

    id: str
    number: str
    livemode: bool
    version: int
    in_full: bool
    relation: str
    state: str
    urgency: str
    category: str
    service: ShownService | None
    from_org: ShownOrganisation
    to_org: ShownOrganisation | None
    from_desk_id: str | None
    to_desk_id: str | None
    case_id: str | None
    external_id: str | None
    attempt: int
    parent_id: str | None
    subject: Subject
    reason: str | None
    expected_result: str | None
    needs: tuple[ShownNeed, ...]
    consent: ShownConsent | None
    withheld: tuple[str, ...]
    restriction: RestrictionRow | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    decided_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    reply_due_at: datetime | None
    appointment: Appointment | None
    no_shows: int
    waitlist: Waitlist | None
    expected_start: date | None
    expected_end: date | None
    hold_until: date | None
    cancellation_requested: bool
    redirected_to: str | None
    end_reason: str | None
    outcome: ShownOutcome | None
    error: ReportedError | None
    created_at: datetime
    updated_at: datetime
    allowed_actions: tuple[str, ...]
    links: Mapping[str, str]

    @property
    def is_personal(self) -> bool:
        """Say whether it shows something of the returnee beside the code that stands for them."""
        words = (self.reason, self.expected_result)
        subject = (value for name, value in asdict(self.subject).items() if name != "ref")
        return any(value is not None for value in (*words, *subject))


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a referral names.

    Attributes:
        service: its service.
        sender: the sending organisation.
        receiver: the receiving organisation; None for a draft without one.
    """

    service: ShownService | None
    sender: ShownOrganisation
    receiver: ShownOrganisation | None


def around(service: Service | None, sender: Organisation, receiver: Organisation | None) -> Around:
    """Show the rows that a referral names.

    Args:
        service: its service.
        sender: the sending organisation.
        receiver: the receiving organisation; None for a draft without one.
    """
    return Around(
        service=None
        if service is None
        else ShownService(id=service.id, code=service.code, names=service.names, category=service.category),
        sender=_organisation(sender),
        receiver=None if receiver is None else _organisation(receiver),
    )


def _organisation(row: Organisation) -> ShownOrganisation:
    return ShownOrganisation(id=row.id, code=row.code, names=row.names)


def shape(
    row: Referral, named: Around, *, subject: Subject, relation: Relation, parties: Collection[Party]
) -> ReferralView:
    """Write a referral without what is personal.

    Args:
        row: the referral.
        named: what it names.
        subject: the returnee as this asker's list may call them.
        relation: the asker's part.
        parties: in what parts the asker acts on it.
    """
    team = relation is Relation.TEAM
    actions = referral_actions(ReferralState(row.state), parties, cancellation_requested=row.cancellation_requested)
    return ReferralView(
        id=row.id,
        number=row.number,
        livemode=row.livemode,
        version=row.version,
        in_full=False,
        relation=str(relation),
        state=str(row.state),
        urgency=str(row.urgency),
        category=row.category,
        service=named.service,
        from_org=named.sender,
        to_org=named.receiver,
        from_desk_id=row.from_desk_id,
        to_desk_id=row.to_desk_id,
        case_id=row.case_id if team else None,
        external_id=row.external_id,
        attempt=row.attempt,
        parent_id=row.parent_id if team else None,
        subject=subject,
        reason=None,
        expected_result=None,
        needs=(),
        consent=None,
        withheld=(),
        restriction=None,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        decided_at=row.decided_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        closed_at=row.closed_at,
        reply_due_at=row.reply_due_at,
        appointment=_appointment(row) if relation in {Relation.TEAM, Relation.RECEIVER} else None,
        no_shows=row.no_shows,
        waitlist=_waitlist(row),
        expected_start=row.expected_start,
        expected_end=row.expected_end,
        hold_until=row.hold_until,
        cancellation_requested=row.cancellation_requested,
        redirected_to=row.redirected_to,
        end_reason=row.end_reason,
        outcome=_outcome(row, team=team),
        error=_error(row) if relation in {Relation.TEAM, Relation.RECEIVER} else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        allowed_actions=actions,
        links=_links(row),
    )


def _appointment(row: Referral) -> Appointment | None:
    return None if row.appointment_at is None else Appointment(at=row.appointment_at, place=None)


def _waitlist(row: Referral) -> Waitlist | None:
    if row.waitlist_position is None and row.review_on is None:
        return None
    return Waitlist(position=row.waitlist_position, review_on=row.review_on)


def _error(row: Referral) -> ReportedError | None:
    if row.error_asked_by is None:
        return None
    return ReportedError(reason=row.error_reason, asked_by=row.error_asked_by, asked_at=row.error_asked_at)


def _outcome(row: Referral, *, team: bool) -> ShownOutcome | None:
    if row.outcome is None:
        return None
    return ShownOutcome(
        code=str(row.outcome),
        reason=row.end_reason,
        note=None,
        delivered_on=row.delivered_on,
        units=row.units,
        cost=None,
        confirmed=row.confirmed,
        satisfaction=row.satisfaction if team else None,
    )


def _links(row: Referral) -> Mapping[str, str]:
    links = {"self": BASE + row.id, "messages": f"{BASE}{row.id}/messages"}
    return links if row.service_id is None else {**links, "service": f"/api/v1/services/{row.service_id}"}
