"""Forms on paper: a form as it was frozen, a task's form with or without its answers, and their style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Response

from api.schemas.tasks import PrintQuery
from api.transport.endpoint import Ask, Noun
from api.transport.problems import language
from nrm.actions.reading import note_read
from nrm.delivery.printing import STYLE, print_form, print_slip
from nrm.errors import NotFound
from nrm.installation import installation
from nrm.queries import directory, path_list, referrals
from nrm.queries import tasks as queries
from nrm.queries.answer_names import hand_for, plain_hand
from nrm.rules.form_schema import CodeLabels
from nrm.rules.forms import Form, parse_form

printing = Noun("printing")

HTML: Final = "text/html"
CSS: Final = "text/css"
_SHEET: Final = Path(__file__).parents[1] / "static" / "css" / STYLE
_ADDRESS: Final = f"/api/v1/{STYLE}"


def _labels(form: Form) -> CodeLabels:
    wanted = {(item.list or "").removeprefix("code_list:") for item in form.walk()}
    names = wanted & set(directory.code_list_names())
    return {name: {code.code: code.names for code in directory.code_list(name).codes} for name in names}


def _page(ask: Ask, content: object, *, answers: Mapping[str, object] | None = None, case_number: str = "") -> Response:
    form = parse_form(content)
    words = str(ask.query.get("language") or language())
    now = installation().clock.now()
    page = print_form(
        form,
        words,
        hand=hand_for(ask.actor, now, words, form, answers, digits=ask.query.get("digits")),
        code_lists=_labels(form),
        style=_ADDRESS,
        answers=answers,
        case_number=case_number,
    )
    return Response(page, mimetype=HTML)


@printing.get("/form-versions/<form_version_id>/print", query=PrintQuery, answer=str, media=HTML)
def print_form_version(ask: Ask, form_version_id: str) -> Response:
    """Print a blank form as a page for paper."""
    return _page(ask, path_list.form_version(ask.actor, form_version_id).content)


@printing.get("/tasks/<task_id>/print", query=PrintQuery, answer=str, media=HTML)
def print_task(ask: Ask, task_id: str) -> Response:
    """Print a task's form as a page for paper: with its answers once it is completed, blank before.

    That a task of a strictly confidential case was read is recorded.
    """
    found = queries.task(ask.actor, installation().clock.now(), task_id)
    if found.form is None:
        raise NotFound
    if found.task.level == "strict":
        note_read(ask.actor, "task", task_id)
    answers = found.answers if isinstance(found.answers, dict) else None
    return _page(ask, found.form.content, answers=answers, case_number=found.task.case_number)


@printing.get("/referrals/<referral_id>/slip", query=PrintQuery, answer=str, media=HTML)
def print_appointment(ask: Ask, referral_id: str) -> Response:
    """Print a slip for the returnee with the appointment of a referral and nothing else."""
    found = referrals.referral(ask.actor, installation().clock.now(), referral_id)
    if found.appointment is None:
        raise NotFound("no_appointment")
    hand = plain_hand(str(ask.query.get("language") or language()), digits=ask.query.get("digits"))
    page = print_slip(found.appointment.at, found.appointment.place or "", hand, style=_ADDRESS)
    return Response(page, mimetype=HTML)


@printing.get(f"/{STYLE}", answer=str, media=CSS, signed_in=False)
def print_style(ask: Ask) -> Response:
    """Give the style sheet of pages for paper."""
    return Response(_SHEET.read_text(encoding="utf-8"), mimetype=CSS)
