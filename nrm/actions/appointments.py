"""Appointments told to the returnee by a text message: only who chose that way is told, and only day and time.

A telephone lies about, and what it shows is read by others. So the message names no person, no organisation, no
service and no place: whoever waits for it knows what it is about. People with a strictly confidential case get none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from nrm.actions._action import Work
from nrm.i18n import DEFAULT, LANGUAGES, say
from nrm.models import Case, Person, Referral
from nrm.queries import packs
from nrm.queries.answer_names import plain_hand
from nrm.queries.person_records import load_people
from nrm.vocabulary import Level

CHOSEN: Final = "sms"
"""The code of the safe way of contact that means text messages, in every country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """A text message ready to be sent.

    Attributes:
        phone: in E.164.
        text: day and time of the appointment, in the person's language.
        language: of the text.
        case_id: the case that it belongs to.
    """

    phone: str
    text: str
    language: str
    case_id: str


def message_of(work: Work, referral_id: str) -> TextMessage | None:
    """Give the message about a referral's appointment; None where there is none to tell, or nobody wants one.

    Args:
        work: the transaction.
        referral_id: the referral.
    """
    found = work.session.execute(
        select(Referral, Case.id, Case.level, Person)
        .join(Case, Case.id == Referral.case_id)
        .join(Person, Person.id == Case.person_id)
        .where(Referral.id == referral_id)
    ).one_or_none()
    if found is None:
        return None
    referral, case_id, level, person = found
    at = referral.appointment_at
    if at is None or at <= work.now or referral.closed_at is not None or level == Level.STRICT:
        return None
    data = load_people(work.session, [person.id])[person.id]
    if person.deceased_on is not None or data.safe_contact.get("channel") != CHOSEN or not data.phones:
        return None
    usual = str(packs.pack().country.get("default_language", DEFAULT))
    language = data.language if data.language in LANGUAGES else usual
    hand = plain_hand(language, digits=None)
    local = at.astimezone(hand.zone)
    word = say("printing", "appointment", language) or ""
    text = f"{word}: {hand.weekday(local.date())}، {hand.number(f'{local:%H:%M}')}"
    if language == "en":
        text = text.replace("،", ",")
    return TextMessage(phone=data.phones[0], text=text, language=language, case_id=case_id)
