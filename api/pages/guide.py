"""The partners' documentation: a guide whose examples run, every call with its example, codes, and a page to try it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Response
from markupsafe import Markup, escape

from api.pages import examples, problem_list, reference
from api.pages.kit.visits import Answer, Pages, Visit
from nrm.installation import installation
from nrm.rules.partner_events import TYPES
from nrm.rules.permissions import SCOPES

guide = Pages("guide")

_API: Final = Path(__file__).parents[1]
_SNIPPETS: Final = _API / "templates" / "docs" / "snippets"
_CODE: Final = re.compile(r"`([^`]+)`")
_EXAMPLE_ADDRESS: Final = "https://referrals.example.org"
LANGUAGES: Final = {"shell": "Shell", "bash": "curl", "python": "Python", "javascript": "JavaScript", "php": "PHP"}
"""Language of an example → how it is called."""

SECTIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("quickstart", ("1", "settings", "whoami", "2")),
    ("sandbox", ("1", "sandbox", "2")),
    ("loop", ("1", "list", "2", "read", "3", "accept", "4", "complete", "5")),
    ("auth", ("1", "2", "scopes", "3", "token")),
    ("errors", ("1", "2")),
    ("idempotency", ("1",)),
    ("versions", ("1",)),
    ("paging", ("1",)),
    ("events", ("1", "events")),
    ("webhooks", ("1", "endpoint", "2", "webhook")),
    ("limits", ("1",)),
    ("standards", ("1", "hsds", "2", "fhir")),
    ("privacy", ("1", "2", "restrictions")),
    ("changes", ("1",)),
)
"""Section of the guide → its paragraphs (numbers) and examples (names), in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One example.

    Attributes:
        name: what it shows.
        language: key of `LANGUAGES`.
        label: name of the language.
        text: what to copy.
    """

    name: str
    language: str
    label: str
    text: str


def snippets(name: str) -> tuple[Snippet, ...]:
    """Give an example in all the languages that it is written in, with this installation's own address."""
    address = installation().config.public_url
    return tuple(
        Snippet(name=name, language=language, label=label, text=text.replace(_EXAMPLE_ADDRESS, address))
        for language, label in LANGUAGES.items()
        if (text := _text(name, language))
    )


@lru_cache(maxsize=64)
def _text(name: str, language: str) -> str:
    file = _SNIPPETS / f"{name}.{language}.txt"
    return file.read_text(encoding="utf-8").rstrip() if file.is_file() else ""


def coded(text: str) -> Markup:
    """Show what stands between backticks as code, from left to right in every language."""
    return Markup(_CODE.sub(r'<code dir="ltr">\1</code>', str(escape(text))))  # noqa: S704 - escaped just before


@guide.get("/docs", signed_in=False)
def show_guide(visit: Visit) -> Answer:
    """Show the guide."""
    config = installation().config
    return visit.show(
        "docs/guide.html",
        here="guide",
        sections=SECTIONS,
        snippets=snippets,
        scopes=SCOPES,
        coded=coded,
        figures={"rate": config.key_rate, "burst": config.key_burst},
    )


@guide.get("/docs/reference", signed_in=False)
def show_reference(visit: Visit) -> Answer:
    """Show every call that a program may make."""
    return visit.show("docs/reference.html", here="reference", groups=reference.groups())


@guide.get("/docs/codes", signed_in=False)
def show_codes(visit: Visit) -> Answer:
    """Show states, verbs and code lists."""
    return visit.show(
        "docs/codes.html",
        here="codes",
        states=reference.states(),
        verbs=reference.verbs(),
        events=TYPES,
        lists=reference.code_lists(),
    )


@guide.get("/docs/problems", signed_in=False)
def show_problems(visit: Visit) -> Answer:
    """Show every code that an answer may carry."""
    return visit.show("docs/problems.html", here="problems", problems=problem_list.explained(), coded=coded)


@guide.get("/docs/try", signed_in=False)
def show_try(visit: Visit) -> Answer:
    """Show the page on which a call can be tried."""
    return visit.show("docs/try.html", here="try", groups=reference.groups())


@guide.get("/docs/partner.http", signed_in=False)
def give_http_file(visit: Visit) -> Answer:
    """Give all calls as a file for editors that send requests."""
    del visit
    text = examples.http_file().replace(_EXAMPLE_ADDRESS, installation().config.public_url)
    return _keep(Response(text, content_type="text/plain; charset=utf-8"))


@guide.get("/docs/nrm_client.py", signed_in=False)
def give_client(visit: Visit) -> Answer:
    """Give the Python client."""
    del visit
    return _keep(Response(_client(), content_type="text/x-python; charset=utf-8"))


@lru_cache(maxsize=1)
def _client() -> bytes:
    return (_API / "partner_client" / "nrm_client.py").read_bytes()


def _keep(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "private, max-age=60"
    return answer
