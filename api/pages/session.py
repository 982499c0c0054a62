"""Signing in and out, and the language of the pages."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request

from api.pages.kit import ended, step_up
from api.pages.kit.visits import LANGUAGE_COOKIE, Answer, Pages, Visit, ask_to_sign_in, own_address, see, words_of
from api.security.sessions import device_of, give_cookie, secret_of, take_cookie
from nrm.actions import sign_in as actions
from nrm.actions.users import set_language
from nrm.errors import NotSignedIn, TooMany
from nrm.i18n import LANGUAGES
from nrm.installation import installation

session = Pages("session")
_YEAR = 31_536_000


@session.get("/sign-in", signed_in=False)
def sign_in_page(visit: Visit) -> Answer:
    """Ask who it is."""
    return ask_to_sign_in(visit, next_page=own_address(visit.query.get("next")), ended="ended" in visit.query)


@session.post("/sign-in", signed_in=False)
def sign_in(visit: Visit) -> Answer:
    """Sign in: name, password and the code of the second factor, all at once."""
    next_page, login = own_address(visit.form.get("next")), visit.text("login")[:100]
    try:
        actor, secret = actions.sign_in(
            login,
            visit.form.get("password", ""),
            otp=visit.text("otp")[:24] or None,
            address=request.remote_addr or "",
            device=device_of(request),
        )
    except (NotSignedIn, TooMany) as error:
        wrong = visit.problem(error.code, error.params)
        answer = ask_to_sign_in(visit, next_page=next_page, login=login, wrong=wrong, kept=ended.carried())
        if isinstance(error, TooMany):
            answer.status_code = 429
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    if not ended.belongs_to(actor.id):
        return give_cookie(see(next_page), request, secret)
    g.fresh_secret = secret  # the form of the next page belongs to the new session
    again = replace(visit, actor=actor, words=words_of(actor.language))
    return give_cookie(ended.go_on(again, own_address(visit.form.get(ended.FOR))), request, secret)


@session.post("/sign-out")
def sign_out(visit: Visit) -> Answer:
    """End the session; what a browser kept of drafts goes with it."""
    actions.sign_out(visit.actor, secret_of(request))
    answer = take_cookie(see("/sign-in"))
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


@session.get("/step-up")
def ask_for_code(visit: Visit) -> Answer:
    """Ask for a code of the second factor, and lead on to a page."""
    return step_up.ask(visit, own_address(visit.query.get("next")), wished=True)


@session.post("/step-up")
def go_on(visit: Visit) -> Answer:
    """Lead on to the page for which the code was asked; the kit has checked the code."""
    return see(own_address(visit.form.get("next")))


@session.post("/language", signed_in=False)
def choose_language(visit: Visit) -> Answer:
    """Choose a language before signing in."""
    return _keep_language(visit)


@session.post("/my-language")
def change_language(visit: Visit) -> Answer:
    """Choose the language of one's pages and messages."""
    if visit.text("language") in LANGUAGES:
        set_language(visit.actor, language=visit.text("language"))
    return _keep_language(visit)


def _keep_language(visit: Visit) -> Response:
    answer = see(own_address(visit.form.get("back")))
    if visit.text("language") in LANGUAGES:
        secure = installation().config.cookie_secure
        answer.set_cookie(
            LANGUAGE_COOKIE, visit.text("language"), max_age=_YEAR, secure=secure, httponly=True, samesite="Lax"
        )
    return answer
