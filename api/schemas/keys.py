"""What comes in about keys and clients of partners' programs."""

from __future__ import annotations

from api.transport.fields import Anything, Body, Choice, Flag, Id, ListOf, Paged, Text, Whole
from nrm.actions.keys import LONGEST_DAYS
from nrm.rules.permissions import SCOPES
from nrm.vocabulary import KeyKind

_DAYS = 180


class KeyQuery(Paged):
    """Which keys to list."""

    organisation = Id()


class IssueKey(Body):
    """A new key or client."""

    organisation_id = Id(required=True)
    kind = Choice(KeyKind, load_default=str(KeyKind.KEY))
    name = Text(longest=100, shortest=1, required=True)
    scopes = ListOf(Choice(tuple(SCOPES)), most=len(SCOPES), least=1, required=True)
    networks = ListOf(Text(longest=50), most=20, load_default=list)
    days = Whole(low=1, high=LONGEST_DAYS, load_default=_DAYS)
    livemode = Flag(load_default=True)
    public_key = Anything(load_default=None, allow_none=True)


class RotateKey(Body):
    """What is different about the key that replaces another one."""

    days = Whole(low=1, high=LONGEST_DAYS, load_default=_DAYS)
    public_key = Anything(load_default=None, allow_none=True)
