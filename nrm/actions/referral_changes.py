"""What each verb changes in a referral beside its state: fields, notes, and the places of a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import update

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.deliveries import tell_appointment
from nrm.errors import Conflict, NotValid, Problem
from nrm.models import Desk, Organisation, Referral, ReferralNote, Service
from nrm.rules.statuses import reason_code
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import seal

LONGEST_WAIT: Final = timedelta(days=365)
"""No review, hold or appointment lies further away than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What came with a verb; a verb refuses what it does not know.

    Attributes:
        reason: code of a reason.
        note: free text; sealed.
        organisation: id of the organisation that a redirection names.
        desk: id of the desk that a referral is given to.
        at: moment of an appointment, or of the one that was missed.
        place: where the appointment is; sealed.
        until: last day of a hold.
        review_on: day on which a place on the waiting list is looked at again.
        position: place on the waiting list.
        started_on: day on which the service began.
        expected_start: day on which it should begin.
        expected_end: day on which it should be over.
        delivered_on: day on which it was given.
        outcome: provided or partly.
        units: how much was given.
        cost: what it cost, as text with a currency.
    """

    reason: str | None = None
    note: str | None = None
    organisation: str | None = None
    desk: str | None = None
    at: datetime | None = None
    place: str | None = None
    until: date | None = None
    review_on: date | None = None
    position: int | None = None
    started_on: date | None = None
    expected_start: date | None = None
    expected_end: date | None = None
    delivered_on: date | None = None
    outcome: str | None = None
    units: int | None = None
    cost: str | None = None

    def fields(self) -> Mapping[str, object]:
        """Give what was given by name."""
        return {item.name: getattr(self, item.name) for item in dataclass_fields(self)}


def apply_fields(work: Work, referral: Referral, verb: str, given: Given) -> None:
    """Write what a verb brought with it.

    Raises:
        NotValid: a date, desk or organisation cannot be right.
    """
    if given.reason is not None and verb in _ENDING:
        referral.end_reason = reason_code(given.reason)
    change = _CHANGES.get(verb)
    if change is not None:
        change(work, referral, given)
    if given.note:
        _note(work, referral, verb, given.note)


_ENDING: Final = frozenset({"decline", "redirect", "fail", "cancel", "withdraw", "enter_in_error"})


def _note(work: Work, referral: Referral, kind: str, text: str) -> None:
    note_id = ids.new_id("rno")
    try:
        clean = clean_text(text, longest=5_000, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/note", code=error.code, params=error.params)]) from error
    actor = work.actor
    work.add(
        ReferralNote,
        id=note_id,
        referral_id=referral.id,
        kind=kind,
        author=actor.id,
        organisation_id=actor.organisations[0] if actor.organisations else None,
        text=seal(clean, row=note_id, column="referral_notes.text"),
        created_at=work.now,
    )


def _future_day(work: Work, day: date | None, pointer: str) -> date | None:
    if day is not None and not work.now.date() <= day <= (work.now + LONGEST_WAIT).date():
        raise NotValid([Problem(pointer=pointer, code="day_out_of_range", params={"days": LONGEST_WAIT.days})])
    return day


def _past_day(work: Work, day: date | None, pointer: str) -> date | None:
    if day is not None and day > (work.now + timedelta(days=1)).date():
        raise NotValid([Problem(pointer=pointer, code="day_in_future")])
    if day is not None and day < (work.now - LONGEST_WAIT).date():
        raise NotValid([Problem(pointer=pointer, code="day_long_past", params={"days": LONGEST_WAIT.days})])
    return day


def _waitlist(work: Work, referral: Referral, given: Given) -> None:
    referral.review_on = _future_day(work, given.review_on, "/review_on")
    if given.position is not None and given.position < 1:
        raise NotValid([Problem(pointer="/position", code="out_of_range", params={"least": 1, "most": 100_000})])
    referral.waitlist_position = given.position


def _accept(work: Work, referral: Referral, given: Given) -> None:
    referral.review_on = referral.waitlist_position = None
    referral.expected_start = _future_day(work, given.expected_start, "/expected_start")
    referral.expected_end = _future_day(work, given.expected_end, "/expected_end")


def _redirect(work: Work, referral: Referral, given: Given) -> None:
    found = work.session.get(Organisation, given.organisation or "")
    if found is None or not found.active or found.id == referral.to_organisation_id:
        raise NotValid([Problem(pointer="/organisation", code="unknown_organisation")])
    referral.redirected_to = found.id


def _schedule(work: Work, referral: Referral, given: Given) -> None:
    at = given.at
    if at is None or not work.now - timedelta(hours=1) <= at <= work.now + LONGEST_WAIT:
        raise NotValid([Problem(pointer="/at", code="moment_out_of_range")])
    referral.appointment_at = at
    if given.place:
        place = _line(given.place, "/place", 300)
        referral.appointment_place = seal(place, row=referral.id, column="referrals.appointment_place")
    tell_appointment(work, referral.id)


def _line(text: str, pointer: str, longest: int) -> str:
    try:
        return clean_text(text, longest=longest)
    except WrongValue as error:
        raise NotValid([Problem(pointer=pointer, code=error.code, params=error.params)]) from error


def _no_show(work: Work, referral: Referral, given: Given) -> None:
    del work, given
    referral.no_shows += 1
    referral.appointment_at = None


def _start(work: Work, referral: Referral, given: Given) -> None:
    day = _past_day(work, given.started_on, "/started_on")
    if day is not None:
        referral.started_at = datetime.combine(day, time(12), tzinfo=UTC)
    referral.expected_end = _future_day(work, given.expected_end, "/expected_end") or referral.expected_end


def _hold(work: Work, referral: Referral, given: Given) -> None:
    referral.hold_until = _future_day(work, given.until, "/until")
    referral.resume_state = referral.state


def _resume(work: Work, referral: Referral, given: Given) -> None:
    del work, given
    referral.hold_until = referral.resume_state = None


def _complete(work: Work, referral: Referral, given: Given) -> None:
    referral.outcome = given.outcome
    referral.units = given.units
    if given.cost:
        referral.cost = seal(_line(given.cost, "/cost", 60), row=referral.id, column="referrals.cost")
    referral.delivered_on = _past_day(work, given.delivered_on, "/delivered_on") or work.now.date()


def _reassign(work: Work, referral: Referral, given: Given) -> None:
    desk = work.session.get(Desk, given.desk or "")
    if desk is None or not desk.active or desk.organisation_id != referral.to_organisation_id:
        raise NotValid([Problem(pointer="/desk", code="unknown_desk")])
    referral.to_desk_id = desk.id
    referral.to_user_id = None


_CHANGES: Final[Mapping[str, Callable[[Work, Referral, Given], None]]] = {
    "waitlist": _waitlist,
    "accept": _accept,
    "redirect": _redirect,
    "schedule": _schedule,
    "no_show": _no_show,
    "start": _start,
    "hold": _hold,
    "resume": _resume,
    "complete": _complete,
    "reassign": _reassign,
}


def take_slot(work: Work, referral: Referral) -> None:
    """Take one place of the service; never more than there are.

    Raises:
        Conflict: the service has no place left ("no_capacity"); waitlist or decline instead.
    """
    if referral.service_id is None or referral.slot_taken:
        return
    service = work.session.get(Service, referral.service_id)
    if service is None or service.open_slots is None:
        return
    done = work.session.execute(
        update(Service)
        .where(Service.id == service.id, Service.open_slots > 0)
        .values(open_slots=Service.open_slots - 1, version=Service.version + 1)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
        raise Conflict("no_capacity")
    referral.slot_taken = True
    _capacity_changed(work, referral)


def release_slot(work: Work, referral: Referral) -> None:
    """Give the place of an ended referral back."""
    if not referral.slot_taken or referral.service_id is None:
        return
    work.session.execute(
        update(Service)
        .where(Service.id == referral.service_id, Service.open_slots.is_not(None))
        .values(open_slots=Service.open_slots + 1, version=Service.version + 1)
        .execution_options(synchronize_session=False)
    )
    referral.slot_taken = False
    _capacity_changed(work, referral)


def _capacity_changed(work: Work, referral: Referral) -> None:
    work.record(
        "service.capacity_changed",
        stream=referral.case_id,
        subject=("service", str(referral.service_id)),
        data={"referral": referral.id},
        organisation_id=referral.to_organisation_id,
    )
