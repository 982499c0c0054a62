"""Signed assertions of clients (RFC 7523 §2.2): which public keys are taken, and what a signature must say.

A key is good for one algorithm, which follows from its kind; what the assertion's own header wishes counts for
nothing. Times are checked here against the caller's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

LONGEST: Final = timedelta(seconds=60)
"""How far ahead the end of an assertion may be."""

SLIP: Final = timedelta(seconds=5)
"""How far the client's clock may differ."""

_LARGEST: Final = 4_096
_SMALLEST_RSA_BITS: Final = 2_048
_KINDS: Final[Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("OKP", "Ed25519"): ("EdDSA", ("kty", "crv", "x")),
    ("EC", "P-256"): ("ES256", ("kty", "crv", "x", "y")),
    ("RSA", ""): ("PS256", ("kty", "n", "e")),
}
"""Kind and curve of a key → its algorithm, and its public members (RFC 7518 §6, RFC 8037 §2)."""


class BadPublicKey(ValueError):
    """A key that cannot be used; the text is the code of the mistake."""


class BadAssertion(ValueError):
    """An assertion that proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What a verified assertion says.

    Attributes:
        jti: its own name, which the client uses once.
        expires_at: when it ends.
    """

    jti: str
    expires_at: datetime


def clean_public_key(jwk: Mapping[str, object]) -> dict[str, str]:
    """Check a client's public key and keep what is public of it.

    Args:
        jwk: a JSON Web Key (RFC 7517).

    Raises:
        BadPublicKey: "private_key_sent" for one that is not secret any more, "bad_public_key" for anything but
            Ed25519, P-256, or RSA of at least 2048 bits.
    """
    if "d" in jwk or "k" in jwk:
        raise BadPublicKey("private_key_sent")
    algorithm, members = _kind_of(jwk)
    kept = {name: jwk.get(name) for name in members}
    if not all(isinstance(value, str) and len(value) <= 1_400 for value in kept.values()):
        raise BadPublicKey("bad_public_key")
    clean = {name: str(value) for name, value in kept.items()}
    key = _load(clean, algorithm)
    if algorithm == "PS256" and key.key_size < _SMALLEST_RSA_BITS:
        raise BadPublicKey("bad_public_key")
    return clean


def _kind_of(jwk: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
    kind, curve = jwk.get("kty"), jwk.get("crv", "")
    if not isinstance(kind, str) or not isinstance(curve, str) or (kind, curve) not in _KINDS:
        raise BadPublicKey("bad_public_key")
    return _KINDS[kind, curve]


def _load(jwk: Mapping[str, str], algorithm: str) -> Any:  # noqa: ANN401 - one of three kinds of keys of `cryptography`
    try:
        return jwt.PyJWK(dict(jwk), algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadPublicKey("bad_public_key") from error


def subject_of(assertion: str) -> str:
    """Give the client that an assertion says that it is of, before anything of it is believed; "" for none."""
    if len(assertion) > _LARGEST:
        return ""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return ""
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else ""


def verify(
    assertion: str, jwk: Mapping[str, str], *, client_id: str, audiences: Collection[str], now: datetime
) -> Assertion:
    """Check an assertion's signature and what it says.

    Args:
        assertion: a JWT in compact form.
        jwk: the client's public key, as `clean_public_key` gave it.
        client_id: must be its issuer and subject.
        audiences: one of these must be its one audience.
        now: the real time.

    Raises:
        BadAssertion: anything is wrong.
    """
    algorithm, _ = _kind_of(jwk)
    if len(assertion) > _LARGEST:
        raise BadAssertion("too long")
    try:
        # Times are looked at below: the library would take the machine's clock.
        unchecked = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
        claims = jwt.decode(assertion, _load(jwk, algorithm), algorithms=[algorithm], options={**unchecked})  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise BadAssertion("signature") from error
    jti, audience = claims.get("jti"), claims.get("aud")
    audience = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if claims.get("iss") != client_id or claims.get("sub") != client_id or audience not in audiences:
        raise BadAssertion("names")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 200:
        raise BadAssertion("jti")
    expires_at = _moment(claims.get("exp"))
    begins = [_moment(claims[name]) for name in ("iat", "nbf") if name in claims]
    if not now - SLIP < expires_at <= now + LONGEST + SLIP or any(moment > now + SLIP for moment in begins):
        raise BadAssertion("times")
    return Assertion(jti=jti, expires_at=expires_at)


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAssertion("times")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadAssertion("times") from error
