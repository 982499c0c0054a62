"""Answering a referral from a mailed link: for organisations without a screen of ours, without signing in.

A mail holds nothing but a link. Looking at the link does nothing and shows nothing, so that a scanner of mail may
follow it; a button opens it, once, and puts a short-lived secret into a cookie, so that the address of all that
follows is the same for everybody. The returnee's data show only when the reader asks for them, and never those of a
restricted or strict case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Final

from flask import Response, request

from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.kit.words import OWN_NAMES
from nrm.actions import mailed_answers
from nrm.actions.mailed_answers import SESSION_LASTS
from nrm.actions.reading import note_read
from nrm.actions.referral_changes import Given
from nrm.actions.referrals import do_verb
from nrm.actions.restrictions import confirm_of_referral
from nrm.errors import NotSignedIn, NotValid, NrmError, Problem, StaleVersion
from nrm.i18n import LANGUAGES
from nrm.installation import installation
from nrm.queries import referrals as queries
from nrm.queries.answer_links import Answerer, LinkState, answerer_of_link, answerer_of_session, state_of
from nrm.queries.referral_shapes import ReferralView
from nrm.vocabulary import DeclineReason, NotServedReason, ReferralOutcome

answering = Pages("answering")

VERBS: Final = ("acknowledge", "accept", "decline", "request_info", "complete", "fail")
"""What can be answered here, in the order of the page."""

_SECURE_COOKIE: Final = "__Host-nrm-answer"
_PLAIN_COOKIE: Final = "nrm-answer"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_RESTRICTION: Final = "confirm_restriction"


@answering.get("/answer/<link>", signed_in=False)
def look(visit: Visit, link: str) -> Answer:
    """Say what the link is for; nothing happens, whoever looks."""
    state = state_of(link, visit.now) if _SECRET.fullmatch(link) else LinkState.UNKNOWN
    status = 200 if state is LinkState.GOOD else 410 if state is not LinkState.UNKNOWN else 404
    return _page(visit, "answering/link.html", status=status, state=str(state), link=link)


@answering.post("/answer/<link>", signed_in=False)
def open_link(visit: Visit, link: str) -> Answer:
    """Open the link and go where the answer is given."""
    try:
        answerer = _of_link(link)
        secret = mailed_answers.open_link(answerer.actor, link)
    except NotSignedIn:
        return see(f"/answer/{link}" if _SECRET.fullmatch(link) else "/answer/none")
    secure = installation().config.cookie_secure
    answer = _closed(see("/answer"))
    answer.set_cookie(
        _SECURE_COOKIE if secure else _PLAIN_COOKIE,
        secret,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="Strict",
    )
    return answer


@answering.post("/answer/<link>/again", signed_in=False)
def ask_again(visit: Visit, link: str) -> Answer:
    """Mail a new link to the address on record; the page says the same whether there was one or not."""
    with suppress(NotSignedIn):
        mailed_answers.ask_again(_of_link(link).actor, link)
    return _page(visit, "answering/sent.html")


def _of_link(link: str) -> Answerer:
    if not _SECRET.fullmatch(link):
        raise NotSignedIn("link_over")
    return answerer_of_link(link)


@answering.get("/answer", signed_in=False)
def show(visit: Visit) -> Answer:
    """Show the referral, without the returnee's data, and what can be answered."""
    try:
        answerer = answerer_of_session(_session(), visit.now)
    except NotSignedIn:
        return _over(visit)
    return _referral(visit, queries.referral(answerer.actor, visit.now, answerer.referral_id))


@answering.post("/answer/person", signed_in=False)
def show_person(visit: Visit) -> Answer:
    """Show the returnee's data that were shared; that acknowledges the referral, and is recorded."""
    try:
        answerer = answerer_of_session(_session(), visit.now, reads=True)
    except NotSignedIn:
        return _over(visit)
    note_read(answerer.actor, "referral", answerer.referral_id)
    found = queries.referral(answerer.actor, visit.now, answerer.referral_id)
    if found.state == "sent" and "acknowledge" in found.allowed_actions and found.is_personal:
        do_verb(answerer.actor, answerer.referral_id, "acknowledge", version=found.version, given=Given())
        found = queries.referral(answerer.actor, visit.now, answerer.referral_id)
    return _referral(visit, found, person=True)


@answering.post("/answer", signed_in=False)
def give(visit: Visit) -> Answer:
    """Give the answer; the link is over then, and the next one comes by mail when more is to be answered."""
    try:
        session = _session()
        answerer = answerer_of_session(session, visit.now)
    except NotSignedIn:
        return _over(visit)
    verb = visit.text("verb")
    try:
        if verb == _RESTRICTION:
            confirm_of_referral(answerer.actor, answerer.referral_id)
        else:
            given = _given(visit, verb)
            do_verb(answerer.actor, answerer.referral_id, verb, version=visit.version(), given=given)
    except NrmError as error:
        found = queries.referral(answerer.actor, visit.now, answerer.referral_id)
        return _referral(visit, found, error=error)
    mailed_answers.end_session(answerer.actor, session)
    return _forget(_page(visit, "answering/done.html", verb=verb))


def _given(visit: Visit, verb: str) -> Given:
    if verb not in VERBS:
        raise NotValid([Problem(pointer="/verb", code="not_a_choice", params={"choices": ", ".join(VERBS)})])
    day = visit.text("delivered_on")
    try:
        delivered = date.fromisoformat(day) if day else None
    except ValueError:
        raise NotValid([Problem(pointer="/delivered_on", code="not_a_date")]) from None
    ends = verb in ("decline", "fail")
    completes = verb == "complete"
    return Given(
        reason=visit.text("reason")[:64] or None if ends else None,
        note=visit.text("note")[:5_000] or None if verb != "acknowledge" else None,
        outcome=visit.text("outcome")[:64] or None if completes else None,
        delivered_on=delivered if completes else None,
    )


def _session() -> str:
    """Give the secret of the browser that opened a link.

    Raises:
        NotSignedIn: there is none.
    """
    secure = installation().config.cookie_secure
    secret = request.cookies.get(_SECURE_COOKIE if secure else _PLAIN_COOKIE, "")
    if not _SECRET.fullmatch(secret):
        raise NotSignedIn("link_over")
    return secret


def _referral(visit: Visit, found: ReferralView, *, person: bool = False, error: NrmError | None = None) -> Response:
    restricted = found.restriction is not None and found.restriction.confirmed_at is None
    return _page(
        visit,
        "answering/referral.html",
        status=200 if error is None else 409 if isinstance(error, StaleVersion) else 422,
        found=found,
        person=person,
        verbs=[verb for verb in VERBS if verb in found.allowed_actions],
        restricted=restricted,
        declines=tuple(map(str, DeclineReason)),
        failures=tuple(map(str, NotServedReason)),
        outcomes=tuple(str(code) for code in (ReferralOutcome.PROVIDED, ReferralOutcome.PARTLY)),
        wrong=_wrong(visit, error),
        subject=_shown(found) if person else {},
    )


def _wrong(visit: Visit, error: NrmError | None) -> tuple[str, ...]:
    if error is None:
        return ()
    if isinstance(error, NotValid):
        return tuple(visit.problem(problem.code, problem.params) for problem in error.problems)
    return (visit.problem(error.code, error.params),)


def _shown(found: ReferralView) -> Mapping[str, str]:
    """Give the shared data as lines of text."""
    subject = found.subject
    lines = {
        "names": subject.names,
        "born": subject.born,
        "age": str(subject.age) if subject.age else None,
        "phones": ", ".join(subject.phones or ()),
        "documents": ", ".join(f"{paper.kind} {paper.number}" for paper in subject.documents or ()),
        "household": str(len(subject.household) + 1) if subject.household else None,
        "reason": found.reason,
        "expected_result": found.expected_result,
    }
    return {name: text for name, text in lines.items() if text}


def _over(visit: Visit) -> Response:
    return _forget(_page(visit, "answering/link.html", status=410, state=str(LinkState.EXPIRED), link=""))


def _forget(answer: Response) -> Response:
    secure = installation().config.cookie_secure
    name = _SECURE_COOKIE if secure else _PLAIN_COOKIE
    answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Strict")
    return answer


def _page(visit: Visit, template: str, *, status: int = 200, **values: object) -> Response:
    wished = request.args.get("language", "")
    languages = {code: OWN_NAMES[code] for code in LANGUAGES}
    if wished in LANGUAGES:
        visit = visit.in_language(wished)
    return _closed(visit.show(template, status=status, languages=languages, **values))


def _closed(answer: Response) -> Response:
    """Keep the address of a link from every other site, and the page from running anything."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
