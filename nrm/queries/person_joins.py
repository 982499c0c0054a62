"""Records that were joined into a person's record: what can be taken apart again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import Person
from nrm.queries.people import may_see
from nrm.queries.person_records import load_people


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedRecord:
    """A record that went into another one.

    Attributes:
        name: full name as this record has it.
        born: as this record has it; "" when it is unknown.
        joined_at: when it was joined.
    """

    id: str
    name: str
    born: str
    joined_at: datetime


def joined_records(actor: Actor, person_id: str, now: datetime) -> tuple[JoinedRecord, ...]:
    """List the records that were joined into one, the latest first.

    Args:
        actor: needs access to a case of the person.
        person_id: the record that stayed.
        now: the present moment.

    Raises:
        NotFound: no such person, or not the actor's to know of.
    """
    if not may_see(actor, person_id, now):
        raise NotFound
    joined = select(Person.id, Person.updated_at).where(Person.merged_into_id == person_id)
    rows = db.session.execute(joined.order_by(Person.updated_at.desc(), Person.id)).all()
    data = load_people(db.session(), [row.id for row in rows]) if rows else {}
    return tuple(
        JoinedRecord(id=key, name=data[key].full_name, born=data[key].born, joined_at=moment) for key, moment in rows
    )
