"""Letters that come in, asked for or not: registered at a desk, then added to a case, a referral or our own letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.letter_answers import write_answer
from nrm.actions.letter_numbers import next_number
from nrm.actions.referral_changes import Given
from nrm.errors import NotFound, NotValid, Problem, StaleVersion
from nrm.models import Case, IncomingLetter, Letter, Organisation, Referral
from nrm.queries import packs
from nrm.rules.texts import WrongValue, clean_text, fold_digits
from nrm.sealing import Json, seal

PERMISSION: Final = "letter.register"
_OLDEST: Final = 366
"""Days after which nobody enters a letter into the register any more: its year's register is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingResult:
    """A letter that came in, after a change."""

    id: str
    year: int
    number: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a letter that came in belongs to.

    Attributes:
        case_id: the case.
        referral_id: a referral of that case.
        letter_id: our letter of that case which it answers.
        answer: received, agreed or refused, with `letter_id`.
        reason: why a referral is refused.
        note: a few words on a referral's answer; sealed.
    """

    case_id: str
    referral_id: str | None = None
    letter_id: str | None = None
    answer: str | None = None
    reason: str | None = None
    note: str | None = None


@action("letter.receive", permission=PERMISSION)
def register_incoming(
    work: Work,
    desk_id: str,
    *,
    received_on: date,
    subject: str,
    organisation_id: str | None = None,
    sender: str | None = None,
    their_number: str | None = None,
    dated: date | None = None,
) -> IncomingResult:
    """Register a letter that came in and give it the next incoming number of the year.

    Args:
        work: the transaction.
        desk_id: a desk at which the actor keeps the register.
        received_on: the day on which it came in.
        subject: what it is about; sealed.
        organisation_id: the sender, where the directory has it.
        sender: name of the sender where the directory has it not; sealed.
        their_number: the number that the sender gave it.
        dated: the day that the sender wrote on it.

    Raises:
        NotFound: the actor keeps no register at such a desk.
        NotValid: no sender, an unknown one, or a day that cannot be right.
    """
    desk = next((each for each in packs.pack().desks if each.id == desk_id), None)
    if desk is None or not work.actor.may(PERMISSION, desk=desk.id, organisation=desk.organisation_id):
        raise NotFound
    content = _content(work, organisation_id, sender, their_number, subject, dated=dated, received_on=received_on)
    letter_id = ids.new_id("inl")
    number = next_number(work, desk.organisation_id, received_on.year, livemode=work.actor.livemode, direction="in")
    work.session.add(
        IncomingLetter(
            id=letter_id,
            organisation_id=desk.organisation_id,
            desk_id=desk.id,
            year=received_on.year,
            number=number,
            received_on=received_on,
            from_organisation_id=organisation_id,
            content=seal(content, row=letter_id, column="incoming_letters.content"),
            registered_by=work.actor.id,
            registered_at=work.now,
            livemode=work.actor.livemode,
            version=1,
        )
    )
    work.session.flush()
    work.record(
        "letter.received",
        stream=desk.organisation_id,
        subject=("letter_in", letter_id),
        data={"number": number, "desk": desk.id},
        organisation_id=desk.organisation_id,
    )
    return IncomingResult(id=letter_id, year=received_on.year, number=number, version=1)


def _content(
    work: Work,
    organisation_id: str | None,
    sender: str | None,
    their_number: str | None,
    subject: str,
    *,
    dated: date | None,
    received_on: date,
) -> dict[str, Json]:
    problems = []
    content: dict[str, Json] = {"dated": dated.isoformat() if dated else None}
    for name, text, longest in (("sender", sender, 200), ("their_number", their_number, 40), ("subject", subject, 500)):
        try:
            content[name] = clean_text(text or "", longest=longest)
        except WrongValue as error:
            problems.append(Problem(pointer=f"/{name}", code=error.code, params=error.params))
    content["their_number"] = fold_digits(str(content.get("their_number") or ""))
    if not content.get("subject"):
        problems.append(Problem(pointer="/subject", code="required"))
    if organisation_id is None and not content.get("sender"):
        problems.append(Problem(pointer="/sender", code="required"))
    known = work.session.get(Organisation, organisation_id) if organisation_id else None
    if organisation_id is not None and (known is None or not known.active):
        problems.append(Problem(pointer="/organisation_id", code="unknown_organisation"))
    today = work.now.astimezone(packs.pack().zone).date()
    if received_on > today or (today - received_on).days > _OLDEST:
        problems.append(Problem(pointer="/received_on", code="letter_date_impossible"))
    elif dated is not None and dated > received_on:
        problems.append(Problem(pointer="/dated", code="letter_date_impossible"))
    if problems:
        raise NotValid(problems)
    return content


@action("letter.link", permission=PERMISSION)
def link_incoming(work: Work, letter_id: str, target: Target, *, version: int | None) -> IncomingResult:
    """Add a letter that came in to a case; where it answers our letter, the referral or the path goes on by it.

    A letter is added once. From then on it is known to those who know the case.

    Raises:
        NotFound: no such letter without a case at a desk of the actor's, or the case is not the actor's to know of.
        NotAllowed: the actor may only read the case.
        NotValid: the referral or letter is not of this case, or the answer cannot be right.
        IllegalMove: our letter was answered before, or the referral does not wait for this answer.
        StaleVersion: it changed since.
    """
    case = lock_visible_case(work, target.case_id, writing=True)
    found = work.session.get(IncomingLetter, letter_id, with_for_update=True)
    if found is None or found.case_id is not None or not _keeps_register(work, found):
        raise NotFound
    if version is not None and found.version != version:
        raise StaleVersion(found.version)
    ours = _checked(work, case, target)
    found.case_id, found.referral_id = case.id, target.referral_id or (ours.referral_id if ours else None)
    found.answers_id = ours.id if ours else None
    found.linked_by, found.linked_at = work.actor.id, work.now
    found.version += 1
    work.record("letter.linked", stream=case.id, subject=("letter_in", found.id), data={"number": found.number})
    work.session.flush()
    if ours is not None:
        number = f"{found.number}/{found.year}"
        given = Given(reason=target.reason, note=target.note)
        write_answer(work, case, ours, answer=target.answer or "", number=number, dated=found.received_on, given=given)
    return IncomingResult(id=found.id, year=found.year, number=found.number, version=found.version)


def _keeps_register(work: Work, found: IncomingLetter) -> bool:
    mine = work.actor.may(PERMISSION, desk=found.desk_id, organisation=found.organisation_id)
    return mine and found.livemode is work.actor.livemode


def _checked(work: Work, case: Case, target: Target) -> Letter | None:
    problems = []
    if target.referral_id is not None:
        referral = work.session.get(Referral, target.referral_id)
        if referral is None or referral.case_id != case.id:
            problems.append(Problem(pointer="/referral_id", code="not_of_this_case"))
    ours = work.session.get(Letter, target.letter_id, with_for_update=True) if target.letter_id else None
    if target.letter_id is not None and (ours is None or ours.case_id != case.id):
        problems.append(Problem(pointer="/letter_id", code="not_of_this_case"))
    if (target.letter_id is None) != (target.answer is None):
        problems.append(Problem(pointer="/answer" if target.answer is None else "/letter_id", code="required"))
    if problems:
        raise NotValid(problems)
    return ours
