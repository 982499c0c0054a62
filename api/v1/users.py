"""Users, for those who manage them: add, change, shut out, seat; roles for the whole country by two people."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.users import AddUser, ChangeUser, GivePassword, GiveSeat, UserQuery
from api.transport.endpoint import Ask, Noun
from api.transport.fields import Versioned
from nrm.actions import seats
from nrm.actions import users as actions
from nrm.actions.users import UserResult
from nrm.installation import installation
from nrm.queries import packs
from nrm.queries import users as queries
from nrm.queries.page import Page
from nrm.queries.users import RoleRequestRow, UserRow

users = Noun("users")
_MANAGE = "user.manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """What came of giving a role.

    Attributes:
        id: of the membership; of the request, where a second person has to agree first.
        waits: a second person has to agree first.
    """

    id: str
    waits: bool


def _known(ask: Ask, user_id: str) -> UserRow:
    """Give a user whom the asker manages; others are not the asker's to know of."""
    return queries.user(ask.actor, user_id, installation().clock.now())


@users.get("/users", query=UserQuery, answer=UserRow, paged=True, permission=_MANAGE)
def list_users(ask: Ask) -> Page[UserRow]:
    """List the users of the organisations that one manages, by sign-in name."""
    now = installation().clock.now()
    return queries.users(ask.actor, now, text=ask.query["text"], after=ask.after, limit=ask.limit)


@users.post("/users", body=AddUser, answer=UserResult, status=201, permission=_MANAGE, keyed=False)
def add(ask: Ask) -> UserResult:
    """Add a user, who sits nowhere yet."""
    return actions.add_user(ask.actor, **ask.body)


@users.get("/users/<user_id>", answer=UserRow, permission=_MANAGE)
def read_user(ask: Ask, user_id: str) -> UserRow:
    """Read a user with the seats that count."""
    return _known(ask, user_id)


@users.patch("/users/<user_id>", body=ChangeUser, answer=UserResult, permission=_MANAGE, versioned=True)
def change(ask: Ask, user_id: str) -> UserResult:
    """Change a user's name, address or language."""
    _known(ask, user_id)
    return actions.change_user(ask.actor, user_id, ask.body, version=ask.version)


@users.post("/users/<user_id>/disable", body=Versioned, answer=UserResult, permission=_MANAGE, versioned=True)
def disable(ask: Ask, user_id: str) -> UserResult:
    """Shut a user out at once: sessions and seats end, claimed tasks go back to their desks."""
    _known(ask, user_id)
    return actions.disable_user(ask.actor, user_id, version=ask.version)


@users.post("/users/<user_id>/enable", body=Versioned, answer=UserResult, permission=_MANAGE, versioned=True)
def enable(ask: Ask, user_id: str) -> UserResult:
    """Let a disabled user sign in again, without any seat."""
    _known(ask, user_id)
    return actions.enable_user(ask.actor, user_id, version=ask.version)


@users.post("/users/<user_id>/password", body=GivePassword, permission=_MANAGE, keyed=False)
def give_password(ask: Ask, user_id: str) -> None:
    """Give a user a new password; all of the user's sessions end."""
    _known(ask, user_id)
    actions.set_password(ask.actor, user_id, ask.body["new"])


@users.post("/users/<user_id>/reset-second-factor", permission=_MANAGE)
def reset_second_factor(ask: Ask, user_id: str) -> None:
    """Take away a user's one-time codes, so that new ones can be set up; all of the user's sessions end."""
    _known(ask, user_id)
    actions.reset_second_factor(ask.actor, user_id)


@users.post("/users/<user_id>/end-sessions", permission=_MANAGE)
def end_sessions(ask: Ask, user_id: str) -> None:
    """Sign a user out everywhere."""
    _known(ask, user_id)
    actions.end_user_sessions(ask.actor, user_id)


@users.post("/users/<user_id>/memberships", body=GiveSeat, answer=Seated, status=201, permission=_MANAGE)
def give_seat(ask: Ask, user_id: str) -> Seated:
    """Give a user a role; one that counts for the whole country waits until a second person agrees."""
    _known(ask, user_id)
    if ask.body["role"] in packs.pack().country_roles:
        return Seated(id=seats.ask_role(ask.actor, user_id, **ask.body), waits=True)
    return Seated(id=seats.give_membership(ask.actor, user_id, **ask.body), waits=False)


@users.delete("/memberships/<membership_id>", permission=_MANAGE)
def end_seat(ask: Ask, membership_id: str) -> None:
    """Take a role away at once; tasks claimed there go back to their desk."""
    seats.end_membership(ask.actor, membership_id)


@users.get("/role-requests", answer=RoleRequestRow, paged=True, permission=_MANAGE)
def list_role_requests(ask: Ask) -> Page[RoleRequestRow]:
    """List the roles for the whole country that wait for a second person."""
    return queries.role_requests(ask.actor, after=ask.after, limit=ask.limit)


@users.post("/role-requests/<request_id>/approve", permission=_MANAGE)
def approve_role(ask: Ask, request_id: str) -> None:
    """Agree, as the second person, to a role for the whole country."""
    seats.decide_role(ask.actor, request_id, approve=True)


@users.post("/role-requests/<request_id>/refuse", permission=_MANAGE)
def refuse_role(ask: Ask, request_id: str) -> None:
    """Refuse a role for the whole country."""
    seats.decide_role(ask.actor, request_id, approve=False)
