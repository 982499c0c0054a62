"""There is always somebody left who manages the users of the whole country."""

from __future__ import annotations

from sqlalchemy import or_, select

from nrm.actions._action import Work
from nrm.errors import Conflict
from nrm.models import Membership, User
from nrm.queries import packs

MANAGE = "user.manage"


def keep_a_manager(work: Work, *, user_id: str, membership_id: str | None = None) -> None:
    """Stop a change that would leave nobody who manages the users of the whole country.

    Whoever runs the server (`nrm user`) is not stopped: that is how the last one is replaced.

    Args:
        work: the transaction; the seats of all managers stay locked until its end.
        user_id: who loses a seat.
        membership_id: the seat; None for all of the user's.

    Raises:
        Conflict: "last_manager".
    """
    pack = packs.pack()
    roles = sorted(role for role in pack.country_roles if MANAGE in pack.roles.get(role, ()))
    if work.actor.is_system or not roles:
        return
    seats = work.session.execute(
        select(Membership.id, Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.role.in_(roles),
            Membership.since <= work.now,
            or_(Membership.until.is_(None), Membership.until > work.now),
            User.disabled_at.is_(None),
        )
        .order_by(Membership.id)
        .with_for_update(of=Membership)
    ).all()
    going = {row.id for row in seats if row.user_id == user_id and membership_id in (None, row.id)}
    if going and len(going) == len(seats):
        raise Conflict("last_manager")
