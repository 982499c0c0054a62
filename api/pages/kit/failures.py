"""What a browser shows when no page could answer: an unknown address, a wrong method, a slip in the program.

Nothing here asks the database: it may be what failed.
"""

from __future__ import annotations

from datetime import UTC
from typing import Final

from flask import Request, Response, g

from api.pages.kit.visits import LANGUAGE_COOKIE, Visit, nobody
from api.pages.kit.words import Words
from nrm.i18n import DEFAULT, LANGUAGES
from nrm.installation import installation

_PROGRAMS: Final = ("/api/", "/static/")
"""Addresses that nobody reads in a browser."""


def wants_page(asked: Request) -> bool:
    """Say whether an answer is read by a person: pages are, and addresses that nothing has when a browser asks."""
    if asked.blueprint is not None:
        return asked.blueprint.startswith("pages_")
    return not asked.path.startswith(_PROGRAMS) and "text/html" in asked.accept_mimetypes.values()


def failure_page(asked: Request, status: int, code: str) -> Response:
    """Show that something failed, in the reader's language, with the number to ask about.

    Args:
        asked: the request.
        status: HTTP status of the answer.
        code: code of an error.
    """
    language = _language(asked)
    words = Words(language=language, zone=UTC, now=installation().clock.now(), months=(), digits="latin")
    visit = Visit(actor=nobody(), session_id="", words=words)
    g.problem = code
    answer = visit.show(
        "shell/wrong.html",
        status=status,
        message=visit.problem(code),
        problems=(),
        again=None,
        request_id=g.get("request_id") if status >= 500 else None,
    )
    answer.headers["Content-Language"] = language
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer


def _language(asked: Request) -> str:
    known = g.get("language") or asked.cookies.get(LANGUAGE_COOKIE, "")
    return known if known in LANGUAGES else asked.accept_languages.best_match(LANGUAGES) or DEFAULT
