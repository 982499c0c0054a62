"""What a provider itself keeps of its services: free places, pauses, and the word that an entry is still right."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, or_, select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.deliveries import tell_organisation
from nrm.actors import Actor
from nrm.errors import NotAllowed, NotFound, NotValid, Problem, StaleVersion
from nrm.models import Notification, Service
from nrm.queries import packs
from nrm.queries.directory import ServiceRow, covered_places, service_row, stale_days, visibilities
from nrm.queries.directory_scope import DIRECTORY, area_of
from nrm.rules.directory_scope import keeps

LONGEST_PAUSE: Final = timedelta(days=365)
ASK_AGAIN_DAYS: Final = 14
"""A provider that does not answer is asked again after so many days."""

ASKED_AT_ONCE: Final = 500


@action("service.set_capacity", permission="capacity.edit")
def set_capacity(
    work: Work,
    service_id: str,
    *,
    accepting: bool,
    available: int | None = None,
    unit: str | None = None,
    until: date | None = None,
    version: int | None = None,
) -> ServiceRow:
    """Say how many places a service has, or that it takes none for a while; that confirms its entry, too.

    Args:
        work: the transaction.
        service_id: a service of the actor's organisation.
        accepting: it takes referrals now.
        available: free places; None when nobody counts them.
        unit: what a place is, a code of the provider's own; None for places.
        until: the first day on which it takes referrals again; None when nobody knows. Only for a pause.
        version: the version that the actor saw; None to set it whatever it was.

    Raises:
        NotFound: there is no such service that the actor may find.
        NotAllowed: it is another organisation's.
        NotValid: the day lies in the past or too far away, or belongs to no pause.
        StaleVersion: it changed since.
    """
    service = _own_service(work, service_id, version)
    today = work.now.astimezone(packs.pack().zone).date()
    if until is not None and accepting:
        raise NotValid([Problem(pointer="/until", code="until_without_pause")])
    if until is not None and not today < until <= today + LONGEST_PAUSE:
        raise NotValid([Problem(pointer="/until", code="day_out_of_range", params={"days": LONGEST_PAUSE.days})])
    # A pause with an end needs nobody who remembers to end it.
    service.accepting = accepting or until is not None
    service.paused_until = until
    service.open_slots, service.capacity_unit = available, unit
    if available is not None and service.slots is not None:
        service.slots = max(service.slots, available)
    service.last_verified_on, service.asked_on = today, None
    service.version += 1
    work.record(
        "service.capacity_changed",
        stream=service.organisation_id,
        subject=("service", service.id),
        data={"accepting": accepting, "available": available},
        organisation_id=service.organisation_id,
    )
    work.session.flush()
    return service_row(service, covered_places([service.id]))


@action("service.verify", permission="capacity.edit")
def verify_service(work: Work, service_id: str, *, version: int | None = None) -> ServiceRow:
    """Confirm that what the directory says of a service is still right.

    Raises:
        NotFound: there is no such service that the actor may find.
        NotAllowed: it is another organisation's.
        StaleVersion: it changed since.
    """
    service = _own_service(work, service_id, version)
    service.last_verified_on = work.now.astimezone(packs.pack().zone).date()
    service.asked_on = None
    service.version += 1
    work.record(
        "service.verified",
        stream=service.organisation_id,
        subject=("service", service.id),
        organisation_id=service.organisation_id,
    )
    work.session.flush()
    return service_row(service, covered_places([service.id]))


def _own_service(work: Work, service_id: str, version: int | None) -> Service:
    """Lock a service that the actor's organisation keeps.

    The row's lock is what keeps its count of places right: an acceptance takes the case first and this row second,
    and nothing takes a case while it holds a service.
    """
    found = work.session.execute(
        select(Service)
        .where(Service.id == service_id, Service.active)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    actor = work.actor
    if found is None or found.livemode != actor.livemode:
        raise NotFound
    own = actor.may("capacity.edit", organisation=found.organisation_id)
    if not own and not _keeps(actor, found.id):
        if found.visibility not in {str(entry) for entry in visibilities(actor)}:
            raise NotFound
        raise NotAllowed("not_your_service")
    if version is not None and found.version != version:
        raise StaleVersion(found.version)
    return found


def _keeps(actor: Actor, service_id: str) -> bool:
    """Say whether an actor keeps the directory in all governorates in which a service is offered."""
    places = frozenset(governorate for governorate, _ in covered_places([service_id]).get(service_id, ()))
    return actor.may(DIRECTORY) and keeps(area_of(actor), places)


def ask_about_stale_entries(work: Work) -> int:
    """Ask providers whether entries that nobody has confirmed for long are still right: one message for each provider.

    Returns:
        About how many services was asked.
    """
    today = work.now.astimezone(packs.pack().zone).date()
    found = work.session.execute(
        select(Service)
        .where(
            Service.active,
            Service.livemode,
            _before(Service.last_verified_on, today, stale_days()),
            _before(Service.asked_on, today, ASK_AGAIN_DAYS - 1),
        )
        .order_by(Service.organisation_id, Service.id)
        .limit(ASKED_AT_ONCE)
        .with_for_update()
    ).scalars()
    asked: dict[str, list[Service]] = {}
    for service in found:
        service.asked_on = today
        asked.setdefault(service.organisation_id, []).append(service)
    for organisation_id, services in asked.items():
        _ask(work, organisation_id, services)
    return sum(map(len, asked.values()))


def _before(column: ColumnElement[date | None] | object, today: date, days: int) -> ColumnElement[bool]:
    moment: ColumnElement[date | None] = column  # type: ignore[assignment]  # a mapped column
    return or_(moment.is_(None), moment < today - timedelta(days=days))


def _ask(work: Work, organisation_id: str, services: list[Service]) -> None:
    for service in services:
        work.record(
            "service.verify_asked",
            stream=organisation_id,
            subject=("service", service.id),
            organisation_id=organisation_id,
        )
    desks = {_desk(service) for service in services} - {None}
    for desk in sorted(str(found) for found in desks):
        work.add(
            Notification,
            id=ids.new_id("ntf"),
            desk_id=desk,
            kind="service.verify_asked",
            subject_kind="organisation",
            subject_id=organisation_id,
            created_at=work.now,
        )
    tell_organisation(work, organisation_id, template="service_stale", subject=("organisation", organisation_id))


def _desk(service: Service) -> str | None:
    data = packs.pack()
    for role in ("provider_focal_point", "receiving_desk"):
        found = data.find_desk(role, organisation_id=service.organisation_id)
        if found is not None:
            return found.id
    return service.desk_id
