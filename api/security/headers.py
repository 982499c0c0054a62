"""Headers that tell a browser what it may do with an answer."""

from __future__ import annotations

from typing import Final

from flask import Response

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


def secure(answer: Response, *, over_https: bool) -> Response:
    """Add the headers; what a view has set itself stays.

    Args:
        answer: any answer.
        over_https: tell browsers to come over HTTPS only.
    """
    headers = answer.headers
    present = {name.lower() for name, _ in headers}
    missing = [one for one in (_OVER_HTTPS if over_https else _ALWAYS) if one[0].lower() not in present]
    headers.extend(missing)
    return answer
