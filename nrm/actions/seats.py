"""Where users sit: seats at desks and in organisations; roles for the whole country need a second person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.last_seats import keep_a_manager
from nrm.actions.users import give_back_tasks, lock_user, require_some
from nrm.errors import AlreadyDone, NotAllowed, NotFound, NotValid, Problem
from nrm.events import Data
from nrm.models import Desk, Membership, Organisation, RoleRequest
from nrm.queries import packs
from nrm.queries.user_scope import manages, manages_all


@action("membership.give", permission="user.manage")
def give_membership(
    work: Work,
    user_id: str,
    *,
    organisation_id: str,
    role: str,
    desk_id: str | None = None,
    until: datetime | None = None,
) -> str:
    """Seat a user at a desk, or in a whole organisation.

    Args:
        work: the transaction.
        user_id: the user.
        organisation_id: the organisation.
        role: role key of the pack.
        desk_id: one of the organisation's desks; None for the whole organisation.
        until: when the seat ends by itself; None for no end.

    Returns:
        Id of the membership.

    Raises:
        NotFound: no such organisation or user, or others manage this user.
        NotValid: unknown role, or a desk of another organisation.
        NotAllowed: the actor manages other organisations or governorates only, or the role is not one of the
            organisation's own, or counts for the whole country: for such a one `ask_role`; or somebody who manages all
            users would take a seat from which cases are read ("not_yourself").
        AlreadyDone: the user sits there in this role.
    """
    lock_user(work, user_id)
    require_some(work, user_id)
    if not manages(work.actor, organisation_id, desk_id):
        raise NotAllowed("not_allowed", permission="user.manage")
    _check_seat(work, organisation_id, desk_id, role, until)
    if not work.actor.is_system and role in packs.pack().country_roles:
        raise NotAllowed("second_person_needed")
    everywhere = manages_all(work.actor)
    if everywhere and work.actor.id == user_id:
        raise NotAllowed("not_yourself")
    if not everywhere and role not in own_roles(organisation_id):
        raise NotAllowed("not_allowed", permission="user.manage")
    return _seat(work, user_id, organisation_id=organisation_id, desk_id=desk_id, role=role, until=until)


def own_roles(organisation_id: str) -> frozenset[str]:
    """Give the roles that somebody who manages one organisation may give there: a provider's, and its desks'."""
    data = packs.pack()
    return data.provider_roles | {desk.role for desk in data.desks if desk.organisation_id == organisation_id}


def _seat(
    work: Work, user_id: str, *, organisation_id: str, desk_id: str | None, role: str, until: datetime | None
) -> str:
    same = and_(
        Membership.user_id == user_id,
        Membership.organisation_id == organisation_id,
        Membership.role == role,
        Membership.desk_id.is_(None) if desk_id is None else Membership.desk_id == desk_id,
    )
    known = work.session.execute(select(Membership).where(same)).scalars().first()
    if known is not None and (known.until is None or known.until > work.now):
        raise AlreadyDone("membership_exists")
    if known is not None:
        membership_id = known.id
        work.session.execute(update(Membership).where(Membership.id == known.id).values(since=work.now, until=until))
    else:
        membership_id = work.add(
            Membership,
            id=ids.new_id("mem"),
            user_id=user_id,
            organisation_id=organisation_id,
            desk_id=desk_id,
            role=role,
            since=work.now,
            until=until,
        )
    _record_seat(work, "membership.given", user_id, organisation_id, {"desk": desk_id, "role": role})
    return membership_id


def _check_seat(work: Work, organisation_id: str, desk_id: str | None, role: str, until: datetime | None) -> None:
    if work.session.get(Organisation, organisation_id) is None:
        raise NotFound
    problems = []
    if role not in packs.pack().roles:
        problems.append(Problem(pointer="/role", code="unknown_role"))
    if desk_id is not None:
        desk = work.session.get(Desk, desk_id)
        if desk is None or desk.organisation_id != organisation_id or not desk.active:
            problems.append(Problem(pointer="/desk_id", code="unknown_desk"))
    if until is not None and until <= work.now:
        problems.append(Problem(pointer="/until", code="in_the_past"))
    if problems:
        raise NotValid(problems)


def _record_seat(work: Work, kind: str, user_id: str, organisation_id: str, data: Data) -> None:
    work.record(kind, stream=organisation_id, subject=("user", user_id), data=data, organisation_id=organisation_id)


@action("membership.end", permission="user.manage")
def end_membership(work: Work, membership_id: str) -> None:
    """Take a seat away at once; tasks that the user had claimed there go back to their desk.

    Raises:
        NotFound: no such membership, or one at a place whose users the actor does not manage.
        AlreadyDone: it has ended.
        Conflict: nobody else manages the users of the whole country, or of the organisation, for longer than a month.
    """
    seat = work.session.get(Membership, membership_id)
    if seat is None or not manages(work.actor, seat.organisation_id, seat.desk_id):
        raise NotFound
    lock_user(work, seat.user_id)
    if seat.until is not None and seat.until <= work.now:
        raise AlreadyDone("membership_ended")
    keep_a_manager(work, user_id=seat.user_id, membership_id=seat.id)
    work.session.execute(update(Membership).where(Membership.id == membership_id).values(until=work.now))
    data = {"desk": seat.desk_id, "role": seat.role}
    _record_seat(work, "membership.ended", seat.user_id, seat.organisation_id, data)
    give_back_tasks(work, seat.user_id)


@action("membership.ask", permission="user.manage")
def ask_role(
    work: Work,
    user_id: str,
    *,
    organisation_id: str,
    role: str,
    desk_id: str | None = None,
    until: datetime | None = None,
) -> str:
    """Ask for a role that counts for the whole country; a second person has to agree.

    One administrator alone, forced or bought, must not be able to make another one. Arguments as for
    `give_membership`.

    Returns:
        Id of the request.

    Raises:
        NotFound: no such user or organisation.
        NotValid: the role does not count for the whole country, or a field is wrong.
        NotAllowed: the actor does not manage the users of the whole country, or asks for itself.
    """
    lock_user(work, user_id)
    _require_national(work)
    if user_id == work.actor.id:
        raise NotAllowed("not_yourself")
    _check_seat(work, organisation_id, desk_id, role, until)
    if role not in packs.pack().country_roles:
        raise NotValid([Problem(pointer="/role", code="unknown_role")])
    request_id = work.add(
        RoleRequest,
        id=ids.new_id("rrq"),
        user_id=user_id,
        organisation_id=organisation_id,
        desk_id=desk_id,
        role=role,
        until=until,
        asked_by=work.actor.id,
        asked_at=work.now,
    )
    _record_seat(work, "membership.asked", user_id, organisation_id, {"desk": desk_id, "role": role})
    return request_id


@action("membership.decide", permission="user.manage")
def decide_role(work: Work, request_id: str, *, approve: bool) -> None:
    """Agree, as the second person, to a role that counts for the whole country, or refuse it.

    Raises:
        NotFound: no such request, or the actor does not manage the users of the whole country.
        NotAllowed: the actor asked for it, or it is the actor's own.
        AlreadyDone: it was decided, or the user sits there in this role.
    """
    if not manages_all(work.actor):
        raise NotFound
    found = work.session.execute(
        select(RoleRequest)
        .where(RoleRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    if work.actor.id in {found.asked_by, found.user_id}:
        raise NotAllowed("second_person_needed")
    if found.approved is not None:
        raise AlreadyDone("approved_before" if found.approved else "refused_before")
    lock_user(work, found.user_id)
    decision = {"decided_by": work.actor.id, "decided_at": work.now, "approved": approve}
    work.session.execute(update(RoleRequest).where(RoleRequest.id == request_id).values(**decision))
    if not approve:
        _record_seat(work, "membership.refused", found.user_id, found.organisation_id, {"role": found.role})
        return
    _check_seat(work, found.organisation_id, found.desk_id, found.role, found.until)
    _seat(
        work,
        found.user_id,
        organisation_id=found.organisation_id,
        desk_id=found.desk_id,
        role=found.role,
        until=found.until,
    )


def _require_national(work: Work) -> None:
    if not manages_all(work.actor):
        raise NotAllowed("not_allowed", permission="user.manage")
