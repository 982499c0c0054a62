"""There is always somebody left who manages the users of the whole country, and of an organisation."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, or_, select

from nrm.actions._action import Work
from nrm.errors import Conflict
from nrm.models import Membership, User
from nrm.queries import packs
from nrm.queries.user_scope import MANAGE, manages_all
from nrm.rules.user_scope import SOON, lasts

DAYS: Final = SOON.days
"""A seat that ends within so many days does not count as somebody who is left."""


def keep_a_manager(work: Work, *, user_id: str, membership_id: str | None = None) -> None:
    """Stop a change that would leave nobody who manages users for longer than the next month.

    The last one for the whole country is replaced by whoever runs the server (`nrm user`), who is not stopped. The
    last one of an organisation is stopped by nobody who manages the whole country: an account that was taken over must
    be shut out at once, and its organisation is not left without help.

    Args:
        work: the transaction; the seats of the managers stay locked until its end.
        user_id: who loses a seat.
        membership_id: the seat; None for all of the user's.

    Raises:
        Conflict: "last_manager", "last_manager_here".
    """
    if work.actor.is_system:
        return
    pack = packs.pack()
    managing = {role for role, permissions in pack.roles.items() if MANAGE in permissions}
    national = managing & pack.country_roles
    if national and _is_last(work, Membership.role.in_(sorted(national)), user_id, membership_id):
        raise Conflict("last_manager", days=DAYS)
    local = managing - pack.country_roles
    if not local or manages_all(work.actor):
        return
    going = select(Membership.organisation_id).where(Membership.user_id == user_id, Membership.role.in_(sorted(local)))
    for organisation_id in sorted(set(work.session.scalars(going))):
        here = Membership.organisation_id == organisation_id
        if _is_last(work, Membership.role.in_(sorted(local)) & here, user_id, membership_id):
            raise Conflict("last_manager_here", days=DAYS)


def _is_last(work: Work, condition: ColumnElement[bool], user_id: str, membership_id: str | None) -> bool:
    """Say whether a change takes a seat of some kind and leaves none of that kind that lasts."""
    seats = work.session.execute(
        select(Membership.id, Membership.user_id, Membership.until)
        .join(User, User.id == Membership.user_id)
        .where(
            condition,
            Membership.since <= work.now,
            or_(Membership.until.is_(None), Membership.until > work.now),
            User.disabled_at.is_(None),
        )
        .order_by(Membership.id)
        .with_for_update(of=Membership)
    ).all()
    going = {row.id for row in seats if row.user_id == user_id and membership_id in (None, row.id)}
    return bool(going) and not any(lasts(row.until, work.now) for row in seats if row.id not in going)
