"""Signing in and out; who one is; one's sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, request

from api.schemas.sessions import NewPassword, SetLanguage, SignIn, StepUp
from api.security.sessions import device_of, give_cookie, same_site, secret_of, take_cookie
from api.transport.endpoint import JSON_TYPE, Ask, Noun
from api.transport.shapes import write_json
from nrm.actions import sign_in as actions
from nrm.actions.guessing import real_now
from nrm.actions.step_up import step_up as prove
from nrm.actions.users import set_language as change_language
from nrm.installation import installation
from nrm.queries import users
from nrm.queries.users import MembershipRow, SessionRow, UserRow
from nrm.rules.step_up import STEP_UP_LASTS

session = Noun("sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who is signed in.

    Attributes:
        permissions: what some seat of the user allows.
        must: what has to be done before anything else is open: `choose_password` (`POST /session/password`) where
            somebody else chose it, `set_up_second_factor` (on the page) where there is none yet.
        now: the installation's time (movable in a demonstration).
        demo: whether this is a demonstration.
    """

    id: str
    login: str
    name: str
    language: str
    seats: tuple[MembershipRow, ...]
    permissions: tuple[str, ...]
    must: tuple[str, ...]
    session_id: str
    now: datetime
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInAs:
    """Who has just signed in.

    Attributes:
        must: what has to be done before anything else is open, as in `Me`.
    """

    user_id: str
    language: str
    must: tuple[str, ...]


@session.post("/session", body=SignIn, answer=SignedInAs, signed_in=False)
def sign_in(ask: Ask) -> Response:
    """Sign in.

    The answer sets the session cookie. The same words for an unknown name, a wrong password and a disabled user.
    """
    same_site(request)
    device = device_of(request)
    actor, secret = actions.sign_in(
        ask.body["login"],
        ask.body["password"],
        otp=ask.body.get("otp"),
        address=request.remote_addr or "",
        device=device,
    )
    me = users.me(actor, installation().clock.now())
    content = write_json(SignedInAs(user_id=actor.id, language=actor.language, must=_must(me)))
    return give_cookie(Response(content, content_type=JSON_TYPE), request, secret)


def _must(me: UserRow) -> tuple[str, ...]:
    """Give what has to be done before anything else is open."""
    needed = installation().config.second_factor_needed
    wanted = (("choose_password", me.is_unclaimed), ("set_up_second_factor", needed and not me.has_otp))
    return tuple(what for what, is_missing in wanted if is_missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Until when the code that was just checked counts."""

    until: datetime


@session.post("/session/step-up", body=StepUp, answer=Proven, keyed=False)
def step_up(ask: Ask) -> Response:
    """Type a code of the second factor once more.

    What is refused with `step_up_needed` is open to this session for ten minutes. The answer sets a new session
    cookie; the old one is worth nothing any more. Each code counts once.
    """
    fresh = prove(ask.actor, secret=secret_of(request), code=ask.body["code"], address=request.remote_addr or "")
    content = write_json(Proven(until=real_now() + STEP_UP_LASTS))
    return give_cookie(Response(content, content_type=JSON_TYPE), request, fresh)


@session.get("/session", answer=Me)
def who_am_i(ask: Ask) -> Me:
    """Say who is signed in, at which desks, with which permissions."""
    place = installation()
    now = place.clock.now()
    me = users.me(ask.actor, now)
    return Me(
        id=me.id,
        login=me.login,
        name=me.name,
        language=me.language,
        seats=me.memberships,
        permissions=tuple(sorted(frozenset().union(*(seat.permissions for seat in ask.actor.seats)))),
        must=_must(me),
        session_id=ask.session_id,
        now=now,
        demo=place.config.demo,
    )


@session.delete("/session")
def sign_out(ask: Ask) -> Response:
    """Sign out: the session ends and the cookie goes."""
    actions.sign_out(ask.actor, secret_of(request))
    return take_cookie(Response(status=204))


@session.get("/session/list", answer=tuple[SessionRow, ...])
def list_sessions(ask: Ask) -> tuple[SessionRow, ...]:
    """List one's own live sessions."""
    return users.my_sessions(ask.actor, real_now())


@session.delete("/session/list/<session_id>")
def end_session(ask: Ask, session_id: str) -> None:
    """End one of one's own sessions."""
    actions.end_session(ask.actor, session_id)


@session.post("/session/end-others")
def end_others(ask: Ask) -> None:
    """End all of one's other sessions."""
    actions.end_all_sessions(ask.actor, but=ask.session_id)


@session.put("/session/language", body=SetLanguage)
def set_language(ask: Ask) -> None:
    """Choose the language of pages and messages."""
    change_language(ask.actor, language=ask.body["language"])


@session.post("/session/password", body=NewPassword, keyed=False)
def change_password(ask: Ask) -> None:
    """Change one's own password; one's other sessions end."""
    actions.change_password(ask.actor, current=ask.body["current"], new=ask.body["new"], session_id=ask.session_id)
