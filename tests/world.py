"""A small working world for tests: testland's people at their desks, and a clock that a test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from nrm import ids
from nrm.actors import Actor, ActorKind, Seat
from nrm.clock import FixedClock
from nrm.db import db
from nrm.models import Desk, Membership, Organisation, Person, Task, User
from nrm.queries import packs
from nrm.sealing import seal


@dataclass
class World:
    """What a test holds in its hands."""

    clock: FixedClock
    users: dict[str, Actor] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        """The session of this test's thread."""
        return db.session()

    def at_desk(self, role: str, place: str, name: str = "one") -> Actor:
        """Give somebody who sits at the desk of a role in a place; the same name is the same person."""
        key = f"{role}/{place}/{name}"
        if key in self.users:
            return self.users[key]
        desk = packs.pack().find_desk(role, governorate=place)
        assert desk is not None, f"testland has no {role} in {place}"
        self.users[key] = self.seat(desk.id, desk.organisation_id, role)
        return self.users[key]

    def receiver(self, organisation_id: str, role: str = "receiving_desk") -> Actor:
        """Give somebody who answers referrals at an organisation."""
        key = f"{role}@{organisation_id}"
        if key not in self.users:
            found = select(Desk).where(Desk.organisation_id == organisation_id, Desk.role == role)
            desk = self.session.execute(found).scalars().first()
            assert desk is not None, f"no {role} at {organisation_id}"
            self.users[key] = self.seat(desk.id, organisation_id, role)
        return self.users[key]

    def receiver_of(self, code: str, role: str = "receiving_desk") -> Actor:
        """Give somebody who answers referrals at an organisation, by its code in the pack."""
        found = self.session.execute(select(Organisation.id).where(Organisation.code == code)).scalar_one()
        self.session.close()
        return self.receiver(found, role)

    def seat(self, desk_id: str | None, organisation_id: str, role: str) -> Actor:
        """Make a user with one membership."""
        user_id = ids.new_id("usr")
        now = self.clock.now()
        with db.engine.begin() as connection:
            connection.execute(
                insert(User).values(
                    id=user_id,
                    login=user_id,
                    name="Invented Person",
                    password_hash="",
                    created_at=now,
                )
            )
            connection.execute(
                insert(Membership).values(
                    id=ids.new_id("mem"),
                    user_id=user_id,
                    organisation_id=organisation_id,
                    desk_id=desk_id,
                    role=role,
                    since=now,
                )
            )
        seat = Seat(organisation_id=organisation_id, desk_id=desk_id, role=role, permissions=packs.pack().roles[role])
        return Actor(kind=ActorKind.USER, id=user_id, language="en", seats=(seat,))

    def person(self, *, birth_year: int | None = 1990, governorate: str = "norvale") -> str:
        """Register an invented person without going through search."""
        person_id = ids.new_id("per")
        now = self.clock.now()
        identity = {"names": {"own": "Invented", "surname": "Example"}}
        with db.engine.begin() as connection:
            connection.execute(
                insert(Person).values(
                    id=person_id,
                    identity=seal(identity, row=person_id, column="people.identity"),
                    birth_year=birth_year,
                    governorate=governorate,
                    created_at=now,
                    updated_at=now,
                )
            )
        return person_id

    def open_tasks(self, case_id: str) -> dict[str, Task]:
        """Give the open tasks of a case by step."""
        self.session.close()
        rows = self.session.execute(select(Task).where(Task.case_id == case_id, Task.status == "open")).scalars()
        return {task.step: task for task in rows}

    def move(self, **by: float) -> datetime:
        """Let time pass."""
        return self.clock.move(timedelta(**by))
