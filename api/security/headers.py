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
)


def secure(answer: Response, *, over_https: bool) -> Response:
    """Add the headers; what a view has set itself stays.

    Args:
        answer: any answer.
        over_https: tell browsers to come over HTTPS only.
    """
    headers = answer.headers
    for name, value in _ALWAYS:
        if name not in headers:
            headers[name] = value
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if over_https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return answer
