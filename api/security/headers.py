"""Headers that tell a browser what it may do with an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTENT_SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ALWAYS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("Cache-Control", "no-store"),
)
_OVER_HTTPS: Final = (*_ALWAYS, ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))


class SecureHeaders:
    """Adds the headers to every answer; what a view has set itself stays.

    Outside of the application, where headers are plain pairs: adding them to each answer's own collection costs more
    than all the rest that is done with an answer.
    """

    def __init__(self, inner: WSGIApplication, *, over_https: bool) -> None:
        """Stand before an application.

        Args:
            inner: the application.
            over_https: tell browsers to come over HTTPS only.
        """
        self._inner = inner
        self._missing = lru_cache(maxsize=64)(partial(_missing, _OVER_HTTPS if over_https else _ALWAYS))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""

        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Callable[[bytes], object]:  # noqa: ANN401 - WSGI's own
            return start_response(status, headers + self._missing(tuple([pair[0] for pair in headers])), *failure)

        return self._inner(environ, start)


def _missing(always: tuple[tuple[str, str], ...], present: tuple[str, ...]) -> list[tuple[str, str]]:
    given = {name.lower() for name in present}
    return [one for one in always if one[0].lower() not in given]
