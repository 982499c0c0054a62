"""Users of testland with a seat, as actors: whoever a test needs."""

from __future__ import annotations

from sqlalchemy import select

from nrm.actions.seats import give_membership
from nrm.actions.users import add_user
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.installation import installation
from nrm.models import Desk, Organisation
from nrm.queries.users import actor_of_user

PASSWORD = "seven green lamps"


def seated(login: str, role: str, *, desk: str | None = None, organisation: str | None = None) -> Actor:
    """Add a user with one seat and give the actor.

    Args:
        login: sign-in name.
        role: role of testland.
        desk: code of the desk; the organisation is the desk's.
        organisation: code of the organisation, for a seat in the whole of it.
    """
    user = add_user(SYSTEM, login=login, name=f"Invented {login}", password=PASSWORD, language="en")
    if desk is not None:
        desk_id, organisation_id = db.session.execute(
            select(Desk.id, Desk.organisation_id).where(Desk.code == desk)
        ).one()
    else:
        desk_id = None
        organisation_id = db.session.execute(
            select(Organisation.id).where(Organisation.code == organisation)
        ).scalar_one()
    give_membership(SYSTEM, user.id, organisation_id=organisation_id, desk_id=desk_id, role=role)
    return actor_of_user(user.id, installation().clock.now())
