"""Who acts: a user, a partner's key, whoever opened a mailed link, or the system."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ActorKind(StrEnum):
    """The kinds of actors."""

    USER = "user"
    KEY = "key"
    LINK = "link"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One membership of an actor: a role at a desk, or in a whole organisation when `desk_id` is None.

    Attributes:
        organisation_id: the organisation.
        desk_id: the desk, or None for all desks of the organisation.
        role: role key of the pack.
        permissions: what the role may do (`nrm.rules.permissions`).
    """

    organisation_id: str
    desk_id: str | None
    role: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who asks for something.

    Attributes:
        kind: user, key, link or system.
        id: id of the user, key or link; "system".
        language: language for messages.
        seats: memberships that are valid now.
        livemode: False for a test key, which sees only invented people.
        request_id: id of the request, for logs.
        proven: a code of the second factor was checked lately, where one is needed (`nrm.rules.step_up`).
    """

    kind: ActorKind
    id: str
    language: str = "en"
    seats: tuple[Seat, ...] = ()
    livemode: bool = True
    request_id: str = ""
    proven: bool = field(default=True, compare=False)

    @property
    def is_system(self) -> bool:
        """Say whether the program itself acts."""
        return self.kind is ActorKind.SYSTEM

    @property
    def desks(self) -> tuple[str, ...]:
        """Ids of the desks at which this actor sits."""
        return tuple(dict.fromkeys(seat.desk_id for seat in self.seats if seat.desk_id))

    @property
    def organisations(self) -> tuple[str, ...]:
        """Ids of the organisations of which this actor is part."""
        return tuple(dict.fromkeys(seat.organisation_id for seat in self.seats))

    @property
    def holders(self) -> tuple[str, ...]:
        """Ids under which this actor may hold case access.

        A seat at a desk gives the desk's access; only a seat for a whole organisation gives the organisation's.
        """
        whole = (seat.organisation_id for seat in self.seats if seat.desk_id is None)
        return tuple(dict.fromkeys((self.id, *self.desks, *whole)))

    def holders_with(self, permission: str) -> tuple[str, ...]:
        """Ids under which this actor may hold case access that counts for a permission.

        What one seat allows does not count for what another seat is let into: somebody who reads cases at one desk and
        only answers referrals at another does not read the cases of the other. Access that was given to the person
        counts with any seat. A program's key has scopes of its own, the same in all its seats.
        """
        if self.kind is not ActorKind.USER:
            return self.holders
        fit = [seat for seat in self.seats if permission in seat.permissions]
        found = [self.id] if fit else []
        return tuple(dict.fromkeys((*found, *(seat.desk_id or seat.organisation_id for seat in fit))))

    @property
    def is_program(self) -> bool:
        """Say whether a partner's program acts, with a key or a token."""
        return self.kind is ActorKind.KEY

    def holds(self, assignee_id: str | None, *, desk: str) -> bool:
        """Say whether this actor holds a task; what one key of an organisation took, its next key holds too.

        Args:
            assignee_id: who holds it.
            desk: the desk at which it is.
        """
        if assignee_id is None:
            return False
        return assignee_id == self.id or (self.is_program and not assignee_id.startswith("usr_") and desk in self.desks)

    def may(self, permission: str, *, desk: str | None = None, organisation: str | None = None) -> bool:
        """Say whether some seat gives a permission.

        Args:
            permission: name from `nrm.rules.permissions`.
            desk: only seats at this desk, or for this desk's whole organisation (give `organisation` too).
            organisation: only seats in this organisation.
        """
        if self.is_system:
            return True
        return any(
            permission in seat.permissions
            and (organisation is None or seat.organisation_id == organisation)
            and (desk is None or seat.desk_id in {None, desk})
            for seat in self.seats
        )


SYSTEM = Actor(kind=ActorKind.SYSTEM, id="system")
"""The program itself: the runner, the loader, the paths."""
