"""What comes in about sessions."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Secret, Text
from nrm.vocabulary import Language


class SignIn(Body):
    """Somebody wants to sign in."""

    login = Text(longest=200, required=True)
    password = Secret(longest=1_000, required=True)
    otp = Secret(longest=24, allow_none=True)


class StepUp(Body):
    """A code of the second factor, in the middle of a session."""

    code = Secret(longest=24, required=True)


class SetLanguage(Body):
    """Another language for pages and messages."""

    language = Choice(Language, required=True)


class NewPassword(Body):
    """A new password for oneself."""

    current = Secret(longest=1_000, required=True)
    new = Secret(longest=1_000, required=True)
