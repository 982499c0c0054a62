"""Who one is: seats, language, password, second factor, and where one is signed in."""

from __future__ import annotations

import segno
from flask import Response, g, request

from api.pages.kit.visits import Answer, Pages, Visit, own_address, own_names, see
from api.security.sessions import give_cookie, secret_of
from nrm.actions import sign_in as actions
from nrm.actions.guessing import real_now
from nrm.actions.second_factor import renew_recovery_codes, set_second_factor
from nrm.credentials import is_otp_secret, new_otp_secret, otp_address
from nrm.errors import NotFound, NotValid
from nrm.queries import packs, users

me = Pages("me")


@me.get("/me")
def show_me(visit: Visit) -> Answer:
    """Show the reader's own account."""
    done = visit.query.get("done")
    return _account(visit, done=done if done in {"password", "sessions"} else None)


def _account(visit: Visit, *, done: str | None = None, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    return visit.show(
        "me/me.html",
        status=422 if problems else 200,
        me=users.me(visit.actor, visit.now),
        sessions=users.my_sessions(visit.actor, real_now()),
        roles=packs.pack().role_names,
        languages=own_names(),
        codes_left=users.recovery_codes_left(visit.actor),
        done=done,
        problems=problems,
    )


@me.post("/me/password")
def change_password(visit: Visit) -> Answer:
    """Change one's own password; one's other sessions end."""
    next_page = own_address(visit.form["next"]) if "next" in visit.form else None
    problems = _change_password(visit)
    if problems:
        return _account(visit, problems=problems) if next_page is None else _choosing(visit, next_page, problems)
    return see(next_page or "/me?done=password")


def _change_password(visit: Visit) -> tuple[tuple[str, str], ...]:
    """Change the password as the form says, and give what is wrong with its fields."""
    new = visit.form.get("new", "")
    if new != visit.form.get("again", ""):
        return (("again", visit.words.t("me.not_the_same")),)
    current = visit.form.get("current", "")
    try:
        actions.change_password(visit.actor, current=current, new=new, session_id=visit.session_id)
    except NotValid as error:
        return _told(visit, error)
    return ()


@me.get("/me/password")
def show_password(visit: Visit) -> Answer:
    """Ask for a password of one's own, where somebody else chose the present one."""
    return _choosing(visit, own_address(visit.query.get("next")))


def _choosing(visit: Visit, next_page: str, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    return visit.show(
        "me/password.html",
        status=422 if problems else 200,
        me=users.me(visit.actor, visit.now),
        next_page=next_page,
        problems=problems,
    )


def _told(visit: Visit, error: NotValid) -> tuple[tuple[str, str], ...]:
    """Give each field that is wrong, and what is wrong with it."""
    return tuple((one.pointer.strip("/"), visit.problem(one.code, one.params)) for one in error.problems)


@me.post("/me/sessions/<session_id>/end")
def end_session(visit: Visit, session_id: str) -> Answer:
    """End one of one's own sessions; one that has ended already is no mistake."""
    try:
        actions.end_session(visit.actor, session_id)
    except NotFound:
        return see("/me#sessions")
    return see("/me?done=sessions#sessions")


@me.post("/me/sessions/end-others")
def end_others(visit: Visit) -> Answer:
    """End all sessions but this one."""
    actions.end_all_sessions(visit.actor, but=visit.session_id)
    return see("/me?done=sessions#sessions")


@me.get("/me/second-factor")
def show_second_factor(visit: Visit) -> Answer:
    """Show how the second factor is set up: a picture for the phone, and the same as text."""
    return _setting_up(visit, secret=new_otp_secret(), next_page=own_address(visit.query.get("next"), "/me"))


def _setting_up(visit: Visit, *, secret: str, next_page: str, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    account = users.me(visit.actor, visit.now)
    # In Latin letters: others take three times the room in the picture.
    address = otp_address(secret, account=account.login, issuer=visit.in_language("en").words.t("shell.product"))
    return visit.show(
        "me/second_factor.html",
        status=422 if problems else 200,
        me=account,
        secret=secret,
        address=address,
        picture=segno.make(address, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#fff"),
        next_page=next_page,
        problems=problems,
    )


@me.post("/me/second-factor")
def set_up(visit: Visit) -> Answer:
    """Set up the second factor with a code that the phone made; show the recovery codes, this once."""
    secret = visit.text("secret")
    secret = secret if is_otp_secret(secret) else new_otp_secret()
    next_page = own_address(visit.form.get("next"), "/me")
    try:
        codes = set_second_factor(
            visit.actor,
            secret=secret,
            code=visit.text("code")[:24],
            password=visit.form.get("password", ""),
            session_id=visit.session_id,
        )
    except NotValid as error:
        return _setting_up(visit, secret=secret, next_page=next_page, problems=_told(visit, error))
    # A new secret: whoever knew the session before it had a second factor is out.
    fresh = actions.rotate_session(secret_of(request), second_factor=True)
    g.fresh_secret = fresh  # the forms of the bar belong to the new session
    page = visit.show("me/recovery_codes.html", codes=codes, next_page=next_page)
    return give_cookie(page, request, fresh)


@me.post("/me/recovery-codes")
def renew_codes(visit: Visit) -> Answer:
    """Show fresh recovery codes, this once; earlier ones count no more."""
    try:
        codes = renew_recovery_codes(visit.actor, password=visit.form.get("password", ""))
    except NotValid as error:
        told = tuple(("codes-password", words) for _, words in _told(visit, error))
        return _account(visit, problems=told)
    return visit.show("me/recovery_codes.html", codes=codes, next_page="/me")
