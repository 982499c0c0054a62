"""Where the type of each problem leads: a page that says every code in every language, without a script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, render_template

from nrm.i18n import DEFAULT, LANGUAGES, catalogue

_HERE: Final = Path(__file__).parents[1]
_RIGHT_TO_LEFT: Final = frozenset({"ar", "ckb"})
_CATALOGUES: Final = ("errors", "problems", "findings", "expressions")
"""Where words of codes are looked for, in this order, as for the answers themselves."""

_PLACE: Final = re.compile(r"\{\w*\}")
_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

blueprint: Final = Blueprint("problem_list", __name__, template_folder=str(_HERE / "templates"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A code with its words.

    Attributes:
        code: the anchor.
        texts: language, its direction, and the words.
    """

    code: str
    texts: tuple[tuple[str, str, str], ...]


@blueprint.get("/docs/problems")
def problems() -> Response:
    """Show all codes."""
    answer = Response(_page(), content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@lru_cache(maxsize=1)
def _page() -> str:
    heads = [(code, _direction(code), catalogue("errors", code)["problems_head"]) for code in LANGUAGES]
    return render_template("docs/problems.html", heads=heads, problems=explained())


@lru_cache(maxsize=1)
def explained() -> tuple[Explained, ...]:
    """Give every code that an answer may carry, in alphabetical order."""
    codes = {code for name in _CATALOGUES for code in catalogue(name, DEFAULT)}
    shown = sorted(code for code in codes if not code.startswith("title_") and code != "problems_head")
    return tuple(
        Explained(code=code, texts=tuple((lang, _direction(lang), _words(code, lang)) for lang in LANGUAGES))
        for code in shown
    )


def _direction(language: str) -> str:
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def _words(code: str, language: str) -> str:
    found = next(catalogue(name, language)[code] for name in _CATALOGUES if code in catalogue(name, language))
    return _PLACE.sub("…", found)
