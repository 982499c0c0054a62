"""What comes in about people."""

from __future__ import annotations

from api.transport.fields import Anything, Body, Code, Id, ListOf, Text, Versioned, Whole


class Search(Body):
    """What somebody looks for before registering."""

    name = Text(longest=200, allow_none=True)
    mother = Text(longest=200, allow_none=True)
    born = Text(longest=20, allow_none=True)
    phone = Text(longest=40, allow_none=True)
    document = Text(longest=60, allow_none=True)
    governorate = Code(allow_none=True)
    sex = Code(allow_none=True)
    limit = Whole(low=1, high=50, load_default=20)


class Register(Body):
    """A new person; `known` are people whom the asker has looked at and who are somebody else."""

    person = Anything(required=True)
    known = ListOf(Id(), most=50, load_default=list)
    household_id = Id(allow_none=True)


class ChangePerson(Versioned):
    """Changes of what is recorded, in the words of registering; null clears."""

    changes = Anything(required=True)


class Merge(Versioned):
    """Another record of the same person, which goes into this one."""

    other_id = Id(required=True)


class NewPaper(Body):
    """An identity paper."""

    paper = Anything(required=True)


class JoinHousehold(Body):
    """The household that a person belongs to; null for none."""

    household_id = Id(required=True, allow_none=True)
    role = Code(allow_none=True)
