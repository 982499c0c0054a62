"""The public door for complaints: no sign-in, no name, no cookie, no script; a receipt to ask with later.

Whoever complains must not be found by it: nothing is stored in the browser, no address holds a word of it, and the
page tells other sites nothing of where a reader comes from.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from flask import Response, request

from api.pages.codes import governorates, labels
from api.pages.kit.visits import Answer, Pages, Told, Visit
from api.pages.kit.words import OWN_NAMES
from nrm.actions import complaint_box
from nrm.actions.complaint_box import CATEGORIES, Words
from nrm.errors import NotFound, NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.installation import installation
from nrm.rules.texts import fold_digits

complain = Pages("complain")

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


@complain.get("/complain", signed_in=False)
def ask(visit: Visit) -> Answer:
    """Show what is asked of somebody who complains."""
    return _form(_reader(visit))


def _form(visit: Visit, *, problems: Told = ()) -> Response:
    return _page(
        visit,
        "complain/form.html",
        status=422 if problems else 200,
        categories=labels(visit, CATEGORIES),
        governorates=governorates(visit),
        today=visit.now.astimezone(visit.words.zone).date().isoformat(),
        given=visit.form,
        problems=problems,
    )


@complain.post("/complain", signed_in=False)
def drop(visit: Visit) -> Answer:
    """Take a complaint and tell its receipt, this once."""
    visit = _reader(visit)
    try:
        words = Words(
            category=visit.text("category"),
            text=visit.text("text"),
            threat=visit.form.get("threat") == "1",
            governorate=visit.text("governorate") or None,
            safe_contact=visit.text("safe_contact"),
            happened_on=_day(visit.text("happened_on")),
        )
        dropped = complaint_box.drop_complaint(words, address=request.remote_addr or "")
    except NotValid as error:
        return _form(visit, problems=_told(visit, error))
    return _page(visit, "complain/receipt.html", status=201, receipt=dropped.receipt)


def _day(text: str) -> date | None:
    folded = fold_digits(text)
    if not folded:
        return None
    try:
        if _DAY.fullmatch(folded):
            return date.fromisoformat(folded)
    except ValueError:
        pass
    raise NotValid([Problem(pointer="/happened_on", code="not_a_date")])


def _told(visit: Visit, error: NotValid) -> Told:
    said = ((one.pointer.strip("/"), one) for one in error.problems)
    return tuple(
        (name, visit.problem("required" if name == "category" and not visit.text(name) else one.code, one.params))
        for name, one in said
    )


@complain.get("/complain/answer", signed_in=False)
def ask_receipt(visit: Visit) -> Answer:
    """Ask for the receipt of a complaint."""
    return _page(_reader(visit), "complain/state.html", told=None, problems=())


@complain.post("/complain/answer", signed_in=False)
def tell(visit: Visit) -> Answer:
    """Tell the holder of a receipt how far the complaint is; the receipt never stands in an address."""
    visit = _reader(visit)
    try:
        found = complaint_box.ask_state(visit.text("receipt")[:200], address=request.remote_addr or "")
    except NotFound as error:
        problems = (("receipt", visit.problem(error.code, error.params)),)
        return _page(visit, "complain/state.html", status=404, told=None, problems=problems)
    return _page(visit, "complain/state.html", told=found, problems=())


@complain.get("/complain/notice", signed_in=False)
def notice(visit: Visit) -> Answer:
    """Show a notice for the wall, in every language: that one may complain, where, and that no name is needed."""
    readers = (visit.in_language(code) for code in LANGUAGES)
    shown = tuple((one.language, one.words.direction, one.words.t) for one in readers)
    return _page(_reader(visit), "complain/notice.html", address=installation().config.public_url, shown=shown)


def _reader(visit: Visit) -> Visit:
    wished = request.args.get("language", "")
    return visit.in_language(wished) if wished in LANGUAGES else visit


def _page(visit: Visit, template: str, *, status: int = 200, **values: object) -> Response:
    languages = {code: OWN_NAMES[code] for code in LANGUAGES}
    answer = visit.show(template, status=status, languages=languages, **values)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
