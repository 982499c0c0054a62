"""Those who administer testland, before the pages."""

from __future__ import annotations

from sqlalchemy import select

from nrm.actors import Actor
from nrm.models import Organisation
from tests.api.conftest import Office


def organisation(office: Office, code: str) -> str:
    """Give the id of an organisation of testland."""
    office.land.session.close()
    return str(office.land.session.execute(select(Organisation.id).where(Organisation.code == code)).scalar_one())


def administrator(office: Office, code: str = "moh", role: str = "administrator") -> Actor:
    """Seat somebody in a whole organisation, in a role that manages something."""
    actor = office.land.seat(None, organisation(office, code), role)
    office.land.session.close()
    return actor
