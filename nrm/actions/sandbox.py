"""The sandbox: invented people and organisations in which a partner tries its program with a test key.

Everything here has livemode False, and everything that looks at it asks for that: people at their desks, inboxes,
statistics and live keys never meet it. The sender of invented referrals, and the provider of services that answer by
themselves, is one organisation that is never active: nobody signs in for it and no directory lists it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import or_, select

from nrm import ids
from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work, action
from nrm.actions.access import give_access
from nrm.actions.consents import add_consent
from nrm.actions.numbering import fresh_number
from nrm.actions.referral_loading import result, touch
from nrm.actions.referral_sending import draft_referral, send_draft
from nrm.actors import ActorKind
from nrm.errors import NotAllowed, NotFound, NotValid, Problem
from nrm.models import Case, Organisation, Person, Referral, Service, ServiceCoverage
from nrm.queries import packs
from nrm.queries.pack_rows import INVENTED
from nrm.queries.referral_shapes import ReferralView
from nrm.rules.sandbox import ACCEPT, DECLINE, SERVE, SILENT, TRIED, SandboxAnswer
from nrm.sealing import Json, seal
from nrm.vocabulary import Access, DataCategory, Holder, Priority, Purpose

LONGEST_HOURS: Final = 24 * 120
"""How far the sandbox's time may be moved at once."""

_OFFICE: Final = INVENTED + "office"
_CASE_PREFIX: Final = "TEST"
_MOMENTS: Final = (
    "sent_at",
    "acknowledged_at",
    "decided_at",
    "started_at",
    "clock_started_at",
    "reply_due_at",
    "paused_at",
    "reminded_at",
    "appointment_at",
)
_DAYS: Final = ("review_on", "hold_until", "expected_end")
_NAMES: Final = ("Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliet")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCase:
    """An invented case of one's own organisation."""

    id: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What came of moving the sandbox's time.

    Attributes:
        hours: how far.
        referrals: how many open referrals were moved.
    """

    hours: int
    referrals: int


@action("sandbox.prepare", permission="key.manage")
def prepare_sandbox(work: Work, organisation_id: str) -> tuple[str, ...]:
    """Make what a partner needs for trying: a service of its own and the services that answer by themselves.

    Returns:
        Codes of those services, its own first.

    Raises:
        NotFound: no such organisation.
    """
    own = _ready(work, organisation_id)
    return (own.code, *(INVENTED + answer.code for answer in (ACCEPT, SERVE, DECLINE, SILENT)))


@action("sandbox.receive")
def receive_invented(work: Work, *, service_id: str | None = None, urgency: str = Priority.NORMAL) -> ReferralView:
    """Let an invented referral come in.

    Args:
        work: the transaction; the actor has a test key.
        service_id: one's own test service; None for the one that the sandbox makes.
        urgency: emergency, urgent or normal.

    Raises:
        NotAllowed: the actor has no test key.
        NotValid: a field is wrong.
    """
    own = _own(work)
    service = _ready(work, own)
    if service_id is not None:
        chosen = work.session.get(Service, service_id)
        if chosen is None or chosen.livemode or chosen.organisation_id != own:
            raise NotValid([Problem(pointer="/service_id", code="unknown_service")])
        service = chosen
    case = _open_case(work, _office(work))
    referral = draft_referral(work, case, service_id=service.id, reason="Sandbox", urgency=urgency)
    gate = send_draft(work, case, referral)
    if not gate.ok:
        raise NotValid([Problem(pointer="/service_id", code=gate.code, params={"missing": gate.missing})])
    work.session.flush()
    return result(work, case, referral)


@action("sandbox.open_case")
def open_invented_case(work: Work) -> SandboxCase:
    """Open an invented case of one's own organisation, from which it can send referrals.

    Raises:
        NotAllowed: the actor has no test key.
    """
    own = _own(work)
    _ready(work, own)
    case = _open_case(work, own)
    give_access(work, case.id, holder=(Holder.ORGANISATION, own), access=Access.WORK, reason="owner")
    return SandboxCase(id=case.id, number=case.number)


@action("sandbox.move_clock")
def move_sandbox_clock(work: Work, *, hours: int) -> Moved:
    """Let time pass for one's own invented referrals: whatever is due in them comes nearer.

    The installation's clock stands apart: their moments are moved back instead.

    Args:
        work: the transaction; the actor has a test key.
        hours: 1 to `LONGEST_HOURS`.

    Raises:
        NotAllowed: the actor has no test key.
    """
    own = _own(work)
    of_mine = or_(Referral.to_organisation_id == own, Referral.from_organisation_id == own)
    found = work.session.execute(
        select(Referral.id, Referral.case_id)
        .where(of_mine, Referral.livemode.is_(False), Referral.ended_at.is_(None))
        .order_by(Referral.case_id)
    ).all()
    for referral_id, case_id in found:
        case = work.lock_case(case_id)
        referral = work.session.get_one(Referral, referral_id, populate_existing=True)
        _move_back(referral, timedelta(hours=hours))
        touch(work, referral)
        clocks.wake(work, case, referral)
    return Moved(hours=hours, referrals=len(found))


def _move_back(referral: Referral, by: timedelta) -> None:
    for name in _MOMENTS:
        moment: datetime | None = getattr(referral, name)
        if moment is not None:
            setattr(referral, name, moment - by)
    for name in _DAYS:
        day: date | None = getattr(referral, name)
        if day is not None:
            setattr(referral, name, day - timedelta(days=by.days))


def _own(work: Work) -> str:
    """Give the organisation of a test key.

    Raises:
        NotAllowed: the actor is somebody else.
    """
    if work.actor.kind is not ActorKind.KEY or work.actor.livemode:
        raise NotAllowed("sandbox_only")
    return work.actor.organisations[0]


def _ready(work: Work, organisation_id: str) -> Service:
    """Give the organisation's own service for trying; made, with those that answer by themselves, when missing."""
    organisation = work.session.execute(
        select(Organisation).where(Organisation.id == organisation_id, Organisation.active).with_for_update()
    ).scalar_one_or_none()
    if organisation is None:
        raise NotFound
    office = _office(work)
    for answer in (ACCEPT, SERVE, DECLINE, SILENT):
        _service(work, office, INVENTED + answer.code, answer)
    return _service(work, organisation_id, f"{INVENTED}of_{organisation.code}"[:64], TRIED)


def _office(work: Work) -> str:
    known = work.session.execute(select(Organisation.id).where(Organisation.code == _OFFICE)).scalar_one_or_none()
    if known is not None:
        return known
    names = {"ar": "جهة تجريبية", "ckb": "ڕێکخراوی تاقیکردنەوە", "en": "Sandbox office"}
    office = work.add(
        Organisation,
        id=ids.new_id("org"),
        code=_OFFICE,
        names=names,
        kind="ngo",
        channel="api",
        languages=["ar", "ckb", "en"],
        active=False,
    )
    work.flush()
    return office


def _service(work: Work, organisation_id: str, code: str, answer: SandboxAnswer) -> Service:
    known = work.session.execute(select(Service).where(Service.code == code)).scalar_one_or_none()
    if known is not None:
        return known
    service_id = work.add(
        Service,
        id=ids.new_id("svc"),
        code=code,
        organisation_id=organisation_id,
        category=next(iter(packs.pack().codes["service_category"])),
        names=dict(answer.names),
        description={},
        languages=["ar", "ckb", "en"],
        details={"sandbox": answer.code},
        visibility="partners",
        livemode=False,
    )
    work.add(ServiceCoverage, id=ids.new_id("cov"), service_id=service_id, governorate=_place())
    work.flush()
    return work.session.get_one(Service, service_id)


def _place() -> str:
    return next(key for key, place in packs.pack().places.items() if place.parent is None and place.jurisdiction)


def _open_case(work: Work, organisation_id: str) -> Case:
    """Open a case of an invented person, who has agreed to everything, in no path."""
    person_id, place = _person(work), _place()
    case_id = work.add(
        Case,
        id=ids.new_id("cas"),
        number=fresh_number(work, Case, _CASE_PREFIX),
        person_id=person_id,
        organisation_id=organisation_id,
        governorate=place,
        jurisdiction=packs.pack().jurisdiction_of(place),
        opened_at=work.now,
        active_at=work.now,
        livemode=False,
    )
    case = work.lock_case_new(case_id)
    work.record(
        "case.opened",
        stream=case_id,
        subject=("case", case_id),
        data={"governorate": place, "sandbox": True},
        organisation_id=organisation_id,
    )
    add_consent(
        work,
        case,
        purposes=list(Purpose),
        categories=list(DataCategory),
        mode=next(iter(packs.pack().codes["consent_mode"])),
    )
    work.flush()
    return case


def _person(work: Work) -> str:
    """Store a person who is clearly invented and cannot be found by any search: there are no tokens."""
    person_id = ids.new_id("per")
    first, last = random.sample(_NAMES, 2)
    identity: dict[str, Json] = {
        "names": {"own": first, "father": "Sandbox", "surname": last},
        "phones": ["+10000000000"],
    }
    work.add(
        Person,
        id=person_id,
        identity=seal(identity, row=person_id, column="people.identity"),
        sex=random.choice(("female", "male")),  # noqa: S311 - an invented person
        birth_year=random.randint(1960, 2000),  # noqa: S311 - an invented person
        governorate=_place(),
        created_at=work.now,
        updated_at=work.now,
    )
    work.record("person.registered", stream=person_id, subject=("person", person_id))
    return person_id
