"""The session cookie: who asks, and that the request comes from our own pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Request, Response, g

from api.transport.endpoint import Asked
from api.transport.refusals import Refused
from nrm.actions.sign_in import actor_for_session
from nrm.errors import NotSignedIn
from nrm.installation import installation

SECURE_COOKIE: Final = "__Host-nrm"
PLAIN_COOKIE: Final = "nrm"
"""Over plain HTTP, for the demonstration on one machine only."""

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""What a browser calls itself, the special ones before those that they claim to be."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SET_UP: Final = "/me/second-factor"
"""The page on which a second factor is set up."""
CHOOSE: Final = "/me/password"
"""The page on which somebody chooses a password."""
_ALWAYS: Final = ("/sign-out", "/my-language", "/api/v1/session")
"""What somebody may ask before the account is ready: leaving, and by a program, choosing a password."""
_BY_ITSELF: Final = frozenset({"/work-news"})
"""What a page asks by itself every minute: a desk that nobody sits at is signed out all the same."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def who_asks(request: Request) -> Asked:
    """Find who asks by the session cookie.

    Raises:
        NotSignedIn: no cookie, or no live session.
        Refused: a change that another site's page asks for, or the user has yet to choose a password or to set up a
            second factor.
    """
    secret = secret_of(request)
    if request.method not in _SAFE:
        same_site(request)
    by_hand = request.path not in _BY_ITSELF
    found = actor_for_session(secret, request_id=str(g.get("request_id", "")), by_hand=by_hand)
    if found.password_is_first:
        _only(request.path, CHOOSE, otherwise="own_password_missing")
    elif not found.has_second_factor and installation().config.second_factor_needed:
        _only(request.path, SET_UP, otherwise="second_factor_missing")
    return Asked(actor=found.actor, session_id=found.session_id)


def _only(path: str, page: str, *, otherwise: str) -> None:
    """Refuse whatever is neither this page nor open to everybody who is signed in."""
    if not any(path == one or path.startswith(one + "/") for one in (page, *_ALWAYS)):
        raise Refused(403, otherwise)


def secret_of(request: Request) -> str:
    """Give the session's secret from the cookie.

    Raises:
        NotSignedIn: there is none.
    """
    secret = request.cookies.get(SECURE_COOKIE)
    if not secret and not installation().config.cookie_secure:
        secret = request.cookies.get(PLAIN_COOKIE)
    if not secret or len(secret) > 100:
        raise NotSignedIn
    return secret


def has_cookie(request: Request) -> bool:
    """Say whether a request carries a session cookie, of whatever worth."""
    return SECURE_COOKIE in request.cookies or (
        not installation().config.cookie_secure and PLAIN_COOKIE in request.cookies
    )


def same_site(request: Request) -> None:
    """Refuse a change that a page of another site asks for.

    Browsers say where a request comes from, in Sec-Fetch-Site and in Origin; programs that are no browser send
    neither and carry no cookie that somebody else put there.

    Raises:
        Refused: it comes from another site.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused(403, "other_site")
    origin = request.headers.get("Origin")
    if origin == "null" and site == "same-origin":
        return  # a page that hides where it is, as its policy on referrers tells it to
    if origin is not None and _host_of(origin) != request.host:
        raise Refused(403, "other_site")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def device_of(request: Request) -> str:
    """Name the browser and the system that a request comes from, in two words for the list of sessions."""
    told = request.user_agent.string
    browser = next((name for sign, name in _BROWSERS if sign in told), "")
    system = next((name for sign, name in _SYSTEMS if sign in told), "")
    return ", ".join(filter(None, (browser, system))) or told[:64]


def give_cookie(answer: Response, request: Request, secret: str) -> Response:
    """Put a session's secret into the cookie.

    Raises:
        Refused: cookies are plain, and the request does not come from this machine.
    """
    secure = installation().config.cookie_secure
    if not secure and request.remote_addr not in _LOOPBACK:
        raise Refused(403, "demo_on_loopback_only")
    answer.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE, secret, path="/", secure=secure, httponly=True, samesite="Strict"
    )
    return answer


def take_cookie(answer: Response) -> Response:
    """Take the cookie away."""
    secure = installation().config.cookie_secure
    answer.delete_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE, path="/", secure=secure, httponly=True, samesite="Strict"
    )
    return answer
