"""Complaints by the public door: no name, no case number, a receipt to ask with; only their desk sees them.

What is under seal (a threat, or a kind that the country marks so) goes to the desk for sealed complaints and to no
other. Neither the address of the sender nor the receipt is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.complaints import begin_complaint
from nrm.actions.door_limits import DoorLimit, count_knock
from nrm.actors import SYSTEM
from nrm.credentials import keyed_hash
from nrm.errors import IllegalMove, NotFound, NotValid, Problem, StaleVersion
from nrm.installation import installation
from nrm.models import Complaint
from nrm.queries import packs
from nrm.rules.receipts import make_receipt, read_receipt
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import ComplaintState

PERMISSION: Final = "complaint.handle"
CATEGORIES: Final = "complaint_category"
COMPLAINING: Final = DoorLimit(door="complaint", each=10, together=300)
ASKING: Final = DoorLimit(door="receipt", each=60, together=3_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What somebody gets who complained: the number to ask with, told this once."""

    receipt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the holder of a receipt is told.

    Attributes:
        state: received, in_hand or answered.
        received_on: the day on which it came in.
        answer: the answer in words, once there is one.
    """

    state: str
    received_on: date
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintResult:
    """A complaint after a change."""

    id: str
    state: str
    version: int
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody says.

    Attributes:
        category: a code of the list `complaint_category`.
        text: what happened.
        threat: somebody is in danger or was threatened.
        governorate: where; None when it is not told.
        safe_contact: how to reach the person safely; "" for not at all.
        happened_on: the day; None when it is not told.
    """

    category: str
    text: str
    threat: bool = False
    governorate: str | None = None
    safe_contact: str = ""
    happened_on: date | None = None


def drop_complaint(words: Words, *, address: str) -> Receipt:
    """Take a complaint from somebody who is not signed in and whom nobody knows.

    Args:
        words: what is said.
        address: network address, for the limit only.

    Raises:
        TooMany: too many came from there, or from everywhere, within the hour.
        NotValid: there is no such kind of complaint or place, no text, or it is too long.
    """
    count_knock(COMPLAINING, address)
    return _drop(SYSTEM, words)


@action("complaint.drop")
def _drop(work: Work, words: Words) -> Receipt:
    content = _content(work, words)
    entry = packs.pack().codes[CATEGORIES][words.category]
    sealed = words.threat or entry.extra.get("sealed") is True
    desk = _desk("sealed_complaint_desk" if sealed else "complaint_desk", words.governorate)
    receipt, row_id = make_receipt(secrets.token_bytes(32)), ids.new_id("cpl")
    work.session.add(
        Complaint(
            id=row_id,
            receipt_hash=_hash(receipt),
            organisation_id=desk.organisation_id,
            desk_id=desk.id,
            category=words.category,
            sealed=sealed,
            content=seal(content, row=row_id, column="complaints.content"),
            state=str(ComplaintState.RECEIVED),
            received_at=work.now,
            version=1,
        )
    )
    work.session.flush()
    work.record(
        "complaint.received",
        stream=desk.organisation_id,
        subject=("complaint", row_id),
        data={"desk": desk.id},
        organisation_id=desk.organisation_id,
    )
    return Receipt(receipt=receipt)


def _hash(receipt: str) -> str:
    return keyed_hash(installation().config.secret, "receipt", receipt)


def _desk(setting: str, governorate: str | None) -> packs.DeskEntry:
    data = packs.pack()
    role = data.settings.get(setting, "")
    first = next(iter(data.jurisdictions), None)
    near = data.find_desk(role, governorate=governorate) or data.find_desk(role, jurisdiction=first)
    anywhere = sorted((desk for desk in data.desks if desk.role == role), key=lambda desk: desk.code)
    if near is None and not anywhere:
        raise NotFound("no_desk_here")
    return near or anywhere[0]


def _content(work: Work, words: Words) -> dict[str, Json]:
    problems = []
    content: dict[str, Json] = {"happened_on": words.happened_on.isoformat() if words.happened_on else None}
    content["threat"], content["governorate"] = words.threat, words.governorate
    for name, text, longest in (("text", words.text, 10_000), ("safe_contact", words.safe_contact, 200)):
        try:
            content[name] = clean_text(text, longest=longest, lines=name == "text")
        except WrongValue as error:
            problems.append(Problem(pointer=f"/{name}", code=error.code, params=error.params))
    if content.get("text") == "":
        problems.append(Problem(pointer="/text", code="required"))
    known = packs.pack().codes.get(CATEGORIES, {})
    if words.category not in known or not known[words.category].active:
        problems.append(Problem(pointer="/category", code="unknown_code"))
    place = packs.pack().places.get(words.governorate or "")
    if words.governorate is not None and (place is None or place.kind != "governorate"):
        problems.append(Problem(pointer="/governorate", code="unknown_code"))
    if words.happened_on is not None and words.happened_on > work.now.astimezone(packs.pack().zone).date():
        problems.append(Problem(pointer="/happened_on", code="date_in_future"))
    if problems:
        raise NotValid(problems)
    return content


def ask_state(receipt: str, *, address: str) -> Told:
    """Tell the holder of a receipt how far the complaint is.

    Args:
        receipt: as typed.
        address: network address, for the limit only.

    Raises:
        TooMany: too many asked from there, or from everywhere, within the hour.
        NotFound: no complaint has this receipt.
    """
    count_knock(ASKING, address)
    return _tell(SYSTEM, receipt)


@action("complaint.ask")
def _tell(work: Work, receipt: str) -> Told:
    read = read_receipt(receipt)
    found = select(Complaint).where(Complaint.receipt_hash == _hash(read or ""))
    row = work.session.execute(found).scalar_one_or_none()
    if row is None:
        raise NotFound("unknown_receipt")
    answer = unseal(row.answer, row=row.id, column="complaints.answer")
    return Told(
        state=row.state,
        received_on=row.received_at.astimezone(packs.pack().zone).date(),
        answer=None if answer is None else str(answer),
    )


@action("complaint.take_up", permission=PERMISSION)
def take_up(work: Work, complaint_id: str, *, version: int | None) -> ComplaintResult:
    """Note that one sees to a complaint.

    Raises:
        NotFound: there is no such complaint at a desk of the actor's.
        IllegalMove: it is in hand already.
        StaleVersion: it changed since.
    """
    row = _locked(work, complaint_id, version)
    if row.state != ComplaintState.RECEIVED:
        raise IllegalMove(("answer",))
    _take(work, row)
    return _change(work, row, "complaint.taken_up")


@action("complaint.answer", permission=PERMISSION)
def answer_complaint(work: Work, complaint_id: str, *, text: str, version: int | None) -> ComplaintResult:
    """Answer a complaint; the holder of the receipt reads it. A later answer takes the place of the first.

    Args:
        work: the transaction.
        complaint_id: the complaint.
        text: the answer in words, at most 5,000 characters; it must name nobody.
        version: the version that the actor saw.

    Raises:
        NotFound: there is no such complaint at a desk of the actor's.
        NotValid: the text is empty or too long.
        StaleVersion: it changed since.
    """
    row = _locked(work, complaint_id, version)
    try:
        clean = clean_text(text, longest=5_000, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/text", code=error.code, params=error.params)]) from error
    if not clean:
        raise NotValid([Problem(pointer="/text", code="required")])
    if row.taken_up_at is None:
        _take(work, row)
    row.answer = seal(clean, row=row.id, column="complaints.answer")
    row.answered_at, row.state = work.now, str(ComplaintState.ANSWERED)
    return _change(work, row, "complaint.answered")


@action("complaint.link", permission=PERMISSION)
def start_for_case(work: Work, complaint_id: str, *, case_number: str, version: int | None) -> ComplaintResult:
    """Start the path of complaints for the case that a complaint turns out to be about.

    Raises:
        NotFound: there is no such complaint at a desk of the actor's, or no case has this number.
        IllegalMove: the path was started before, or cannot start.
        StaleVersion: it changed since.
    """
    run_id = begin_complaint(work, case_number)
    row = _locked(work, complaint_id, version)
    if row.run_id is not None:
        raise IllegalMove(("answer",))
    if row.taken_up_at is None:
        _take(work, row)
    row.run_id = run_id
    return _change(work, row, "complaint.started")


def _locked(work: Work, complaint_id: str, version: int | None) -> Complaint:
    row = work.session.get(Complaint, complaint_id, with_for_update=True, populate_existing=True)
    if row is None or not work.actor.may(PERMISSION, desk=row.desk_id, organisation=row.organisation_id):
        raise NotFound
    if not work.actor.livemode or (row.sealed and row.desk_id not in work.actor.desks and not work.actor.is_system):
        raise NotFound
    if version is not None and row.version != version:
        raise StaleVersion(row.version)
    return row


def _take(work: Work, row: Complaint) -> None:
    row.taken_up_at, row.taken_up_by, row.state = work.now, work.actor.id, str(ComplaintState.IN_HAND)


def _change(work: Work, row: Complaint, event: str) -> ComplaintResult:
    row.version += 1
    work.record(event, stream=row.organisation_id, subject=("complaint", row.id), organisation_id=row.organisation_id)
    work.session.flush()
    return ComplaintResult(id=row.id, state=row.state, version=row.version, run_id=row.run_id)
