"""A session that ended while somebody was typing: what was sent is carried past signing in, and sent again after it.

The page that asks to sign in carries the fields; nothing of them is stored. They come back only to the user whose
session ended, and only where the form was a page's of that session: another site, or somebody else who signs in at the
same machine, gets nothing on its way.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from flask import Response, request

from api.pages.kit import step_up
from api.security.sessions import secret_of
from nrm.credentials import keyed_hash
from nrm.errors import NotSignedIn
from nrm.installation import installation
from nrm.queries.users import user_of_session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.pages.kit.visits import Visit

PREFIX: Final = "kept."
FOR: Final = "kept_for"
"""Names of the fields that carry what was typed, and where it was sent to."""
_SECRETS: Final = frozenset({"password", "current", "new", "again", "otp", "code", "secret", step_up.CODE})
"""A form with such a field is not carried: a password does not belong into a page."""
_NOT_TYPED: Final = frozenset({"token", "version", "draft_version", "do", "back", "next"})
_LEAVING: Final = frozenset({"/sign-out", "/my-language"})

Fields = tuple[tuple[str, str], ...]


def form_token(secret: str) -> str:
    """Give the token of a session's forms: another site cannot know it."""
    return keyed_hash(installation().config.secret, "form", secret)


def typed() -> Fields:
    """Give what was typed into the form that this request sends, without a session; nothing where it is not to be kept.

    That is: the form was one of the session that the cookie names, it holds words, and no password among them.
    """
    sent = tuple(request.form.items(multi=True))
    names = {name for name, _ in sent}
    if request.path in _LEAVING or names & _SECRETS or not _own_form():
        return ()
    kept = tuple((name, value) for name, value in sent if name != "token")
    return kept if any(value.strip() for name, value in kept if name not in _NOT_TYPED) else ()


def _own_form() -> bool:
    try:
        token = form_token(secret_of(request))
    except NotSignedIn:
        return False
    return hmac.compare_digest(request.form.get("token", "").encode(), token.encode())


def carry(fields: Iterable[tuple[str, str]], address: str) -> Fields:
    """Give the hidden fields of the page that asks to sign in.

    Args:
        fields: what was typed.
        address: where it was sent to.
    """
    return ((FOR, address), *((PREFIX + name, value) for name, value in fields))


def carried() -> Fields:
    """Give the hidden fields that come with a sign-in, to be shown once more when it fails."""
    return tuple((name, value) for name, value in request.form.items(multi=True) if _is_kept(name))


def _is_kept(name: str) -> bool:
    return name == FOR or name.startswith(PREFIX)


def belongs_to(user_id: str) -> bool:
    """Say whether a sign-in brings what this user typed before: the cookie still names the session that ended."""
    if FOR not in request.form:
        return False
    before = who_was_in()
    return before is not None and before[0] == user_id


def who_was_in() -> tuple[str, str] | None:
    """Give id and language of the user whose session the cookie names, also where it has ended."""
    try:
        return user_of_session(secret_of(request))
    except NotSignedIn:
        return None


def go_on(visit: Visit, address: str) -> Response:
    """Show that what was typed is there, with the button that sends it.

    Args:
        visit: of the user who has signed in again.
        address: where it goes, an address of this service.
    """
    kept = tuple((name.removeprefix(PREFIX), value) for name, value in carried() if name != FOR)
    return visit.show("session/go_on.html", action=address, kept=kept)
