"""Consent ended: whoever got data is told to use them no more, and is asked to say that it does so until it has."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.deliveries import tell_organisation
from nrm.errors import IllegalMove, NotAllowed, NotFound
from nrm.models import Case, Disclosure, Notification, Organisation, Referral, Restriction
from nrm.queries import packs
from nrm.vocabulary import Channel

CONFIRM_DAYS: Final = 7
"""An organisation has so many days to say that it restricted what it holds (domain reference §4.2: P7D)."""

MOST_REMINDERS: Final = 5
"""One half-way, one on the day, and three more, a week apart; after them the open request stays in the lists."""

_AT_A_SCREEN: Final = frozenset({Channel.PORTAL, Channel.API})


def ask_to_restrict(work: Work, case: Case, organisation_id: str, *, referral_id: str | None, consent_id: str) -> None:
    """Tell an organisation, in the transaction that withdraws the consent, and ask it to confirm.

    Args:
        work: the transaction.
        case: the locked case.
        organisation_id: who holds data.
        referral_id: a referral through which it got them; None when a task or letter told it.
        consent_id: the consent that was withdrawn.
    """
    restriction_id = ids.new_id("rst")
    days = int(packs.pack().settings.get("restriction_days", str(CONFIRM_DAYS)))
    work.add(
        Restriction,
        id=restriction_id,
        case_id=case.id,
        person_id=case.person_id,
        organisation_id=organisation_id,
        referral_id=referral_id,
        consent_id=consent_id,
        asked_at=work.now,
        due_at=work.now + timedelta(days=days),
        livemode=case.livemode,
    )
    work.flush()
    restriction = work.session.get_one(Restriction, restriction_id)
    _record(work, restriction, "disclosure.restricted")
    _notify(work, restriction, "disclosure.restricted", roles=("receiving_desk", "provider_focal_point"))
    subject = ("referral", referral_id) if referral_id is not None else ("restriction", restriction_id)
    tell_organisation(work, organisation_id, template="data_restrict", subject=subject)
    _wake(work, restriction)


def _record(work: Work, restriction: Restriction, kind: str, **data: str | int | None) -> None:
    referral = work.session.get(Referral, restriction.referral_id) if restriction.referral_id else None
    subject = ("referral", referral.id) if referral is not None else ("restriction", restriction.id)
    known: dict[str, str | int | list[str] | bool | None] = {"restriction": restriction.id, **data}
    if referral is not None:
        known |= {"state": str(referral.state), "version": referral.version}
    work.record(
        kind,
        stream=restriction.case_id,
        subject=subject,
        data=known,
        organisation_id=restriction.organisation_id,
        sender_id=referral.from_organisation_id if referral is not None else None,
    )


def _notify(work: Work, restriction: Restriction, kind: str, *, roles: tuple[str, ...]) -> None:
    data = packs.pack()
    case = work.session.get_one(Case, restriction.case_id)
    desks = set()
    for role in roles:
        provider = role in data.provider_roles
        desk = data.find_desk(
            role,
            organisation_id=restriction.organisation_id if provider else None,
            governorate=case.governorate,
            jurisdiction=None if provider else case.jurisdiction,
        )
        if desk is not None:
            desks.add(desk.id)
    for desk_id in sorted(desks | ({case.desk_id} if case.desk_id and "owner" in roles else set())):
        work.add(
            Notification,
            id=ids.new_id("ntf"),
            desk_id=desk_id,
            kind=kind,
            subject_kind="restriction",
            subject_id=restriction.id,
            created_at=work.now,
        )


def _wake(work: Work, restriction: Restriction) -> None:
    """Set the one job that chases an open request: half-way, on the day, then every week."""
    key = f"restriction:{restriction.id}"
    work.cancel_jobs(key)
    if restriction.confirmed_at is not None or restriction.reminders >= MOST_REMINDERS:
        return
    half = (restriction.due_at - restriction.asked_at) / 2
    weeks = timedelta(days=7) * (restriction.reminders - 1)
    moment = restriction.due_at - half if restriction.reminders == 0 else restriction.due_at + weeks
    work.enqueue(
        "restriction_clock",
        {"restriction": restriction.id},
        due_at=max(moment, work.now),
        case_id=restriction.case_id,
        dedup_key=key,
    )


@action("restriction.chase")
def chase_restriction(work: Work, restriction_id: str) -> None:
    """Remind an organisation that has not confirmed, and from the day on tell its lead, the sender and the country's.

    Only the runner asks.

    Raises:
        NotFound: anybody but the system asks, or there is no such request.
    """
    found = work.session.get(Restriction, restriction_id)
    if not work.actor.is_system or found is None:
        raise NotFound
    work.lock_case(found.case_id)
    work.session.refresh(found)
    if found.confirmed_at is not None:
        return
    found.reminders += 1
    late = work.now >= found.due_at
    roles: tuple[str, ...] = ("provider_focal_point", "provider_manager")
    _notify(work, found, "disclosure.unconfirmed", roles=(*roles, "owner", "national_unit") if late else roles)
    subject = ("referral", found.referral_id) if found.referral_id else ("restriction", found.id)
    tell_organisation(work, found.organisation_id, template="data_restrict", subject=subject)
    if late:
        _record(work, found, "disclosure.unconfirmed", reminders=found.reminders)
    work.session.flush()
    _wake(work, found)


@action("restriction.confirm")
def confirm_restriction(work: Work, restriction_id: str) -> None:
    """Record that an organisation uses what it got no more.

    The organisation itself says so; for one that is reached by letter, mail or telephone the office that has the
    case records its word.

    Raises:
        NotFound: there is no such request, or it is not the actor's to know of.
        NotAllowed: the actor may know of it, but the organisation says so itself.
        IllegalMove: it was confirmed before.
    """
    found = work.session.get(Restriction, restriction_id)
    if found is None or found.livemode != work.actor.livemode:
        raise NotFound
    _confirm(work, found)


@action("restriction.confirm_of_referral")
def confirm_of_referral(work: Work, referral_id: str) -> None:
    """Record that the receiver of a referral uses what it got no more; errors as for `confirm_restriction`."""
    found = work.session.execute(
        select(Restriction)
        .join(Referral, Referral.id == referral_id)
        .where(
            Restriction.case_id == Referral.case_id,
            Restriction.organisation_id == Referral.to_organisation_id,
            Referral.livemode.is_(work.actor.livemode),
        )
        .order_by(Restriction.confirmed_at.is_not(None), Restriction.asked_at.desc())
    ).scalars()
    first = found.first()
    if first is None:
        raise NotFound
    _confirm(work, first)


def _confirm(work: Work, found: Restriction) -> None:
    if found.organisation_id in work.actor.organisations:
        work.lock_case(found.case_id)
        work.require("referral.receive", organisation=found.organisation_id)
    else:
        lock_visible_case(work, found.case_id, writing=True, permission="consent.record")
        holder = work.session.get_one(Organisation, found.organisation_id)
        if Channel(holder.channel) in _AT_A_SCREEN:
            raise NotAllowed("organisation_confirms_itself")
    work.session.refresh(found)
    if found.confirmed_at is not None:
        raise IllegalMove((), "confirmed_before")
    settle(work, found)


def settle(work: Work, restriction: Restriction) -> None:
    """Write that a request was confirmed, in every line of the ledger that it is about; its case is locked."""
    restriction.confirmed_at, restriction.confirmed_by = work.now, work.actor.id
    work.session.flush()
    work.session.execute(
        update(Disclosure)
        .where(
            Disclosure.case_id == restriction.case_id,
            Disclosure.organisation_id == restriction.organisation_id,
            Disclosure.restricted_at <= work.now,
            Disclosure.restriction_confirmed_at.is_(None),
        )
        .values(restriction_confirmed_at=work.now)
        .execution_options(synchronize_session=False)
    )
    _record(work, restriction, "disclosure.restriction_confirmed")
    _notify(work, restriction, "disclosure.restriction_confirmed", roles=("owner",))
    _wake(work, restriction)
