"""What comes in about users."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Code, Id, Moment, Paged, Secret, Text, Versioned
from nrm.vocabulary import Language


class UserQuery(Paged):
    """Which users to list."""

    text = Text(longest=100, load_default="")


class AddUser(Body):
    """A new user."""

    login = Text(longest=100, shortest=1, required=True)
    name = Text(longest=200, shortest=1, required=True)
    password = Secret(longest=1_000, required=True)
    email = Text(longest=254, load_default=None, allow_none=True)
    language = Choice(Language, load_default=str(Language.ARABIC))


class ChangeUser(Versioned):
    """What changes of a user."""

    name = Text(longest=200, shortest=1)
    email = Text(longest=254, allow_none=True)
    language = Choice(Language)


class GivePassword(Body):
    """A new password for somebody."""

    new = Secret(longest=1_000, required=True)


class GiveSeat(Body):
    """A role at a desk, or in a whole organisation."""

    organisation_id = Id(required=True)
    desk_id = Id(load_default=None, allow_none=True)
    role = Code(required=True)
    until = Moment(load_default=None, allow_none=True)
