"""Notices that leave the building: queued in the transaction that wants them, sent between two short ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select, update

from nrm import ids
from nrm.actions import appointments
from nrm.actions._action import Work, action
from nrm.actions.answer_links import make_link
from nrm.actions.failures import open_incident
from nrm.errors import NotFound
from nrm.installation import installation
from nrm.models import Delivery, Membership, Organisation, Referral, User
from nrm.queries import inbox, packs
from nrm.queries.users import actor_of_user

DIGEST = "digest"
EMAIL = "email"
LETTER = "letter"
TEXT = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One notice ready to be sent: neutral, with an id that leads signed-in people to the subject.

    Attributes:
        id: the delivery's id.
        channel: "email", "letter" or "sms".
        template: key of its text.
        subject_kind: what it is about ("referral", "task").
        subject_id: id of that.
        address: e-mail address or telephone; "" for a letter.
        addressee: name of the organisation, for a letter.
        language: of the text.
        link: secret of a link by which the organisation answers; "" where it cannot.
        text: what a text message says; "" for all others.
        counts: how much waits for a user, by what a mail says of it; empty where it says nothing of that.
    """

    id: str
    channel: str
    template: str
    subject_kind: str
    subject_id: str
    address: str
    addressee: str
    language: str
    link: str = ""
    text: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def delivery_key(delivery_id: str) -> str:
    """Name the job of a delivery."""
    return f"delivery:{delivery_id}"


def tell_organisation(work: Work, organisation_id: str, *, template: str, subject: tuple[str, str]) -> str | None:
    """Queue a notice to an organisation by its own channel; inside the caller's transaction.

    Args:
        work: the transaction.
        organisation_id: who is told.
        template: key of the text (`nrm.delivery.texts`).
        subject: kind and id of what it is about.

    Returns:
        The delivery's id; None when the organisation is reached in the program itself or by telephone.
    """
    organisation = work.session.get(Organisation, organisation_id)
    if organisation is None:
        return None
    channel = way_to(organisation)
    if channel is None:
        return None
    return _queue(work, channel=channel, template=template, subject=subject, organisation_id=organisation_id)


def mail_organisation(work: Work, organisation_id: str, *, template: str, subject: tuple[str, str]) -> str | None:
    """Queue an e-mail to an organisation, also to one that gets its notices in the program.

    Returns:
        The delivery's id; None when the organisation has no address.
    """
    organisation = work.session.get(Organisation, organisation_id)
    if organisation is None or not organisation.email:
        return None
    return _queue(work, channel=EMAIL, template=template, subject=subject, organisation_id=organisation_id)


def tell_appointment(work: Work, referral_id: str) -> str | None:
    """Queue a text message about a referral's appointment to the returnee who chose to be told in this way.

    Args:
        work: the transaction.
        referral_id: the referral.

    Returns:
        The delivery's id; None when there is no gateway, nobody wants a message, or one waits to be sent already.
    """
    work.flush()
    if not installation().config.sms_url or appointments.message_of(work, referral_id) is None:
        return None
    waiting = select(Delivery.id).where(
        Delivery.subject_id == referral_id, Delivery.channel == TEXT, Delivery.state == "waiting"
    )
    if work.session.execute(waiting).first() is not None:
        return None
    return _queue(work, channel=TEXT, template="appointment", subject=("referral", referral_id))


def way_to(organisation: Organisation) -> str | None:
    """Say how notices leave for an organisation: "email", "letter", or None when it needs none that leave."""
    if organisation.channel not in {EMAIL, LETTER}:
        return None
    # An organisation that wants mail but has no address on record gets a letter: it must not hear nothing.
    return EMAIL if organisation.channel == EMAIL and organisation.email else LETTER


def tell_user(work: Work, user_id: str, *, template: str, subject: tuple[str, str]) -> str | None:
    """Queue an e-mail to a user; inside the caller's transaction.

    Returns:
        The delivery's id; None when the user has no address or is disabled.
    """
    user = work.session.get(User, user_id)
    if user is None or not user.email or user.disabled_at is not None:
        return None
    return _queue(work, channel=EMAIL, template=template, subject=subject, user_id=user_id)


def tell_people(work: Work, organisation_id: str, *, permission: str, template: str, subject: tuple[str, str]) -> int:
    """Queue an e-mail to the organisation's own address and to each of its people with a permission.

    Args:
        work: the transaction.
        organisation_id: whose people.
        permission: what they may do there.
        template: key of the text (`nrm.delivery.texts`).
        subject: kind and id of what it is about.

    Returns:
        How many are told.
    """
    organisation = work.session.get(Organisation, organisation_id)
    told = 0
    if organisation is not None and organisation.email:
        _queue(work, channel=EMAIL, template=template, subject=subject, organisation_id=organisation_id)
        told += 1
    roles = [role for role, permissions in packs.pack().roles.items() if permission in permissions]
    seats = select(Membership.user_id).where(
        Membership.organisation_id == organisation_id,
        Membership.role.in_(roles),
        or_(Membership.until.is_(None), Membership.until > work.now),
    )
    for user_id in work.session.execute(seats.distinct().order_by(Membership.user_id)).scalars():
        told += tell_user(work, user_id, template=template, subject=subject) is not None
    return told


def _queue(
    work: Work,
    *,
    channel: str,
    template: str,
    subject: tuple[str, str],
    organisation_id: str | None = None,
    user_id: str | None = None,
) -> str:
    delivery_id = ids.new_id("dlv")
    work.add(
        Delivery,
        id=delivery_id,
        channel=channel,
        organisation_id=organisation_id,
        user_id=user_id,
        template=template,
        subject_kind=subject[0],
        subject_id=subject[1],
        created_at=work.now,
    )
    work.enqueue("delivery", {"delivery": delivery_id}, due_at=work.now, dedup_key=delivery_key(delivery_id))
    return delivery_id


@action("delivery.begin")
def begin_delivery(work: Work, delivery_id: str) -> Outgoing | None:
    """Count an attempt and give what is to be sent.

    Returns:
        None when there is nothing to send any more: it was sent, or its addressee is gone.
    """
    found = work.session.execute(
        select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    ).scalar_one_or_none()
    if found is None or found.state == "sent":
        return None
    found.attempts += 1
    if found.channel == TEXT:
        return _text_message(work, found)
    if found.user_id is not None:
        user = work.session.get_one(User, found.user_id)
        address, addressee, language = user.email or "", user.name, user.language
    else:
        organisation = work.session.get_one(Organisation, found.organisation_id or "")
        language = organisation.languages[0] if organisation.languages else "en"
        address, addressee = organisation.email or "", organisation.names.get(language, organisation.code)
    if found.channel == EMAIL and not address:
        found.state, found.error = "dead", "no_address"
        open_incident(work, kind="delivery", code="no_address", organisation_id=found.organisation_id)
        return None
    return Outgoing(
        id=found.id,
        channel=found.channel,
        template=found.template,
        subject_kind=found.subject_kind,
        subject_id=found.subject_id,
        address=address,
        addressee=addressee,
        language=language,
        link=make_link(work, found) or "",
        counts=waiting(found.user_id, work.now) if found.template == DIGEST and found.user_id else {},
    )


def _text_message(work: Work, found: Delivery) -> Outgoing | None:
    """Give the message as it stands now: what was called off, or is not wanted any more, is not sent."""
    message = appointments.message_of(work, found.subject_id)
    if message is None:
        found.state, found.error = "dead", "not_wanted"
        return None
    return Outgoing(
        id=found.id,
        channel=TEXT,
        template=found.template,
        subject_kind=found.subject_kind,
        subject_id=found.subject_id,
        address=message.phone,
        addressee="",
        language=message.language,
        text=message.text,
    )


def waiting(user_id: str, now: datetime) -> Mapping[str, int]:
    """Count what waits for somebody at the moment at which a mail leaves; nothing for who is gone."""
    try:
        counts = inbox.counts(actor_of_user(user_id, now), now)
    except NotFound:
        return {}
    return {"mine": counts.mine, "desk": counts.desk, "overdue": counts.overdue}


@action("delivery.sent")
def note_sent(work: Work, delivery_id: str) -> None:
    """Record that a notice left the building."""
    values = {"state": "sent", "sent_at": work.now, "error": None}
    work.session.execute(update(Delivery).where(Delivery.id == delivery_id).values(**values))
    texted = (
        select(Delivery.subject_id, Referral.case_id)
        .join(Referral, Referral.id == Delivery.subject_id)
        .where(Delivery.id == delivery_id, Delivery.channel == TEXT)
    )
    for referral_id, case_id in work.session.execute(texted).all():
        work.record("referral.appointment_told", stream=case_id, subject=("referral", referral_id))


@action("delivery.failed")
def note_failure(work: Work, delivery_id: str, *, code: str) -> None:
    """Record that an attempt to send a notice failed; the job tries again.

    Args:
        work: the transaction.
        delivery_id: the notice.
        code: code of the cause, never the server's text, which may repeat the address.
    """
    work.session.execute(update(Delivery).where(Delivery.id == delivery_id).values(state="failed", error=code))
