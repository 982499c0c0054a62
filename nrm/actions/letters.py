"""Letters that leave: through the consent gate, with a line in the ledger and an outgoing number without gaps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.disclosing import Gate, check_gate, disclose_to
from nrm.actions.letter_numbers import next_number
from nrm.errors import IllegalMove, NotFound, NotValid, Problem
from nrm.installation import installation
from nrm.models import Case, Desk, Letter, Organisation, Referral, Service
from nrm.queries import packs
from nrm.queries.person_records import load_people
from nrm.queries.shown_names import full_name
from nrm.rules.letters import (
    DIGITS,
    LETTER_LANGUAGES,
    LetterTemplate,
    Written,
    parse_letter,
    write_date,
    write_day,
    write_letter,
)
from nrm.rules.redaction import Relation, pseudonym, visible_fields
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import Level

REFERRAL_LETTER: Final = "referral_letter"
"""The template with which a referral goes to an office that is reached by letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterResult:
    """A letter after a change."""

    id: str
    year: int
    number: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What letter is wanted.

    Attributes:
        template: key of a template of the pack.
        organisation_id: who gets it.
        language: ar or ckb; None for that of the receiver, else of its jurisdiction.
        digits: latin or arab; None for those of the receiver, else of the country.
        run_id: the run that waits for the answer.
        referral: the referral that it carries.
    """

    template: str
    organisation_id: str
    language: str | None = None
    digits: str | None = None
    run_id: str | None = None
    referral: Referral | None = None


def template_of(key: str) -> LetterTemplate:
    """Give a template of the pack.

    Raises:
        NotValid: there is none of that name.
    """
    data = packs.pack().letters.get(key)
    if data is None:
        raise NotValid([Problem(pointer="/template", code="unknown_letter")])
    return parse_letter(data)


@action("letter.register", permission="letter.register")
def register_letter(
    work: Work,
    case_id: str,
    *,
    template: str,
    organisation_id: str,
    language: str | None = None,
    digits: str | None = None,
) -> LetterResult:
    """Write a letter about a case to an organisation and give it the next outgoing number.

    Args:
        work: the transaction.
        case_id: a case that the actor works on.
        template: key of a template of the pack.
        organisation_id: who gets it.
        language: ar or ckb; None for that of the receiver, else of its jurisdiction.
        digits: latin or arab; None for those of the receiver, else of the country.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor may only read it.
        NotValid: no such template, organisation, language or digits; or the consent gate refuses.
        IllegalMove: the case is closed.
    """
    case = lock_visible_case(work, case_id, writing=True)
    if case.status != "open":
        raise IllegalMove(("reopen",), "case_closed")
    wish = Wish(template=template, organisation_id=organisation_id, language=language, digits=digits)
    letter, gate = write(work, case, wish)
    if letter is None:
        raise NotValid([Problem(pointer="/organisation_id", code=gate.code, params={"missing": gate.missing})])
    return letter_result(letter)


def letter_result(letter: Letter) -> LetterResult:
    """Say how a letter stands."""
    return LetterResult(id=letter.id, year=letter.year, number=letter.number, version=letter.version)


def write(work: Work, case: Case, wish: Wish) -> tuple[Letter | None, Gate]:
    """Write a letter that stands by itself through the gate, inside an action that has locked the case.

    Returns:
        The letter, None when the gate refuses; and the gate's word.

    Raises:
        NotValid: no such template, organisation, language or digits.
    """
    template = template_of(wish.template)
    receiver = _receiver(work, wish)
    gate = check_gate(work, case, organisation_id=receiver.id, categories=template.categories, purpose=template.purpose)
    if not gate.ok:
        return None, gate
    disclosure_id = disclose_to(
        work,
        case,
        receiver.id,
        gate,
        purpose=template.purpose,
        categories=sorted(template.categories),
        kind="letter",
    )
    return _keep(work, case, wish, template, categories=template.categories, disclosure_id=disclosure_id), gate


def write_for_referral(work: Work, case: Case, referral: Referral, *, disclosure_id: str) -> Letter | None:
    """Write the letter that carries a referral which the gate has let through.

    Returns:
        None when the country has no template for it: then the notice alone goes out.
    """
    if REFERRAL_LETTER not in packs.pack().letters or referral.to_organisation_id is None:
        return None
    wish = Wish(
        template=REFERRAL_LETTER,
        organisation_id=referral.to_organisation_id,
        run_id=referral.run_id,
        referral=referral,
    )
    return _keep(
        work,
        case,
        wish,
        template_of(REFERRAL_LETTER),
        categories=frozenset(referral.categories),
        disclosure_id=disclosure_id,
    )


def _receiver(work: Work, wish: Wish) -> Organisation:
    problems = []
    receiver = work.session.get(Organisation, wish.organisation_id)
    if receiver is None or not receiver.active:
        problems.append(Problem(pointer="/organisation_id", code="unknown_organisation"))
    if wish.language is not None and wish.language not in LETTER_LANGUAGES:
        problems.append(Problem(pointer="/language", code="unknown_code"))
    if wish.digits is not None and wish.digits not in DIGITS:
        problems.append(Problem(pointer="/digits", code="unknown_code"))
    if problems or receiver is None:
        raise NotValid(problems)
    return receiver


def _keep(
    work: Work,
    case: Case,
    wish: Wish,
    template: LetterTemplate,
    *,
    categories: Collection[str],
    disclosure_id: str,
) -> Letter:
    receiver = work.session.get_one(Organisation, wish.organisation_id)
    language = wish.language or _language_of(receiver)
    wished = (wish.digits, receiver.letter_digits, packs.pack().country.get("default_digits"))
    digits = next((str(each) for each in wished if each in DIGITS), "latin")
    today = work.now.astimezone(packs.pack().zone).date()
    letter_id = ids.new_id("let")
    values = _values(work, case, wish.referral, categories=categories, language=language)
    words = write_letter(template, language, values, digits=digits)
    content = _content(work, case, receiver, words, language=language, day=today, digits=digits)
    letter = Letter(
        id=letter_id,
        organisation_id=case.organisation_id,
        to_organisation_id=receiver.id,
        year=today.year,
        number=next_number(work, case.organisation_id, today.year, livemode=case.livemode),
        dated=today,
        case_id=case.id,
        referral_id=wish.referral.id if wish.referral else None,
        run_id=wish.run_id,
        disclosure_id=disclosure_id,
        template=template.key,
        language=language,
        digits=digits,
        content=seal(content, row=letter_id, column="letters.content"),
        registered_by=work.actor.id,
        registered_at=work.now,
        livemode=case.livemode,
        version=1,
    )
    work.flush()
    work.session.add(letter)
    work.session.flush()
    work.record(
        "letter.registered",
        stream=case.id,
        subject=("letter", letter.id),
        data={"number": letter.number, "organisation": receiver.id, "referral": letter.referral_id},
        organisation_id=case.organisation_id,
    )
    return letter


def _language_of(organisation: Organisation) -> str:
    data = packs.pack()
    wished = (
        organisation.letter_language,
        data.jurisdictions.get(organisation.jurisdiction or "", {}).get("letter_language"),
        data.country.get("default_language"),
    )
    return next((str(language) for language in wished if language in LETTER_LANGUAGES), LETTER_LANGUAGES[0])


def _values(
    work: Work, case: Case, referral: Referral | None, *, categories: Collection[str], language: str
) -> dict[str, str]:
    shown = visible_fields(Relation.RECEIVER, Level(case.level), categories)
    person = load_people(work.session, [case.person_id]).get(case.person_id)
    values = {"person": pseudonym(case.id, installation().config.secret.encode()), "case_number": case.number}
    if person is not None:
        year = person.birth_year
        place = packs.pack().places.get(person.governorate or "")
        country = packs.pack().codes.get("host_country", {}).get(case.host_country or "")
        fields = {
            "names": full_name({"names": dict(person.names)}),
            "born": write_day(person.born or ""),
            "age": str(work.now.year - year) if year else "",
            "mother": person.names.get("mother", ""),
            "phones": person.phones[0] if person.phones else "",
            "documents": person.papers[0].number if person.papers else "",
            "governorate": place.names.get(language, "") if place else "",
            "host_country": country.names.get(language, "") if country else "",
        }
        open_fields = {name: text for name, text in fields.items() if name in shown and text}
        named = {"names": "person", "phones": "phone", "documents": "document"}
        values |= {named.get(name, name): text for name, text in open_fields.items()}
    return values | _of_referral(work, referral, language)


def _of_referral(work: Work, referral: Referral | None, language: str) -> dict[str, str]:
    if referral is None:
        return {}
    service = work.session.get(Service, referral.service_id) if referral.service_id else None
    texts = {
        name: unseal(sealed, row=referral.id, column=f"referrals.{name}")
        for name, sealed in (("reason", referral.reason), ("expected_result", referral.expected_result))
    }
    return {
        "referral_number": referral.number,
        "service": service.names.get(language, "") if service else "",
        **{name: str(text) for name, text in texts.items() if text},
    }


def _content(
    work: Work, case: Case, receiver: Organisation, words: Written, *, language: str, day: date, digits: str
) -> dict[str, Json]:
    sender = work.session.get_one(Organisation, case.organisation_id)
    desk = work.session.get(Desk, case.desk_id) if case.desk_id else None
    data = packs.pack()
    months = _listed(data.country.get("months"), language)
    head = _listed(data.jurisdictions.get(sender.jurisdiction or "", {}).get("letter_head"), language)
    head.append(sender.names.get(language, sender.code))
    if desk is not None:
        head.append(desk.names.get(language, desk.code))
    return {
        "head": list(head),
        "date": write_date(day, months, digits),
        "to": receiver.names.get(language, receiver.code),
        "subject": [list(piece) for piece in words.subject],
        "body": [[list(piece) for piece in line] for line in words.body],
        "closing": words.closing,
        "copies": list(words.copies),
    }


def _listed(texts: Json | Mapping[str, Json], language: str) -> list[str]:
    found = texts.get(language) if isinstance(texts, Mapping) else None
    return [str(text) for text in found] if isinstance(found, list) else []


@action("letter.print", permission="letter.register")
def mark_printed(work: Work, letter_id: str, *, version: int | None) -> LetterResult:
    """Note that a letter was printed and went to signature and stamp; a second print changes nothing.

    Raises:
        NotFound: there is no such letter, or its case is not the actor's to know of.
        NotAllowed: the actor may only read the case.
        StaleVersion: it changed since.
    """
    letter = load_letter(work, letter_id)
    lock_visible_case(work, letter.case_id, writing=True)
    if letter.printed_at is None:
        work.change(Letter, letter.id, version=version, printed_at=work.now)
        work.record("letter.printed", stream=letter.case_id, subject=("letter", letter.id))
        work.session.refresh(letter)
    return letter_result(letter)


def load_letter(work: Work, letter_id: str) -> Letter:
    """Load a letter; whether the actor may know of it is the case's to say.

    Raises:
        NotFound: there is none.
    """
    letter = work.session.get(Letter, letter_id)
    if letter is None:
        raise NotFound
    return letter
