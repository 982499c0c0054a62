"""People who design paths, for tests: they sit for their whole ministry."""

from __future__ import annotations

from sqlalchemy import select

from nrm.actors import Actor
from nrm.models import Organisation
from tests.world import World


def designer(land: World, name: str = "one", role: str = "path_designer") -> Actor:
    """Give somebody who designs paths; the same name is the same person."""
    key = f"{role}:{name}"
    if key not in land.users:
        ministry = select(Organisation.id).where(Organisation.code == "moh")
        organisation_id = land.session.execute(ministry).scalar_one()
        land.session.close()
        land.users[key] = land.seat(None, organisation_id, role)
    return land.users[key]
