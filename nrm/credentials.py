"""What lets somebody in: password hashes, session secrets, partner keys, one-time codes; and keyed hashes.

Only hashes of secrets are ever stored. Passwords: Argon2id with the least figures of the OWASP Password Storage
Cheat Sheet (19 MiB, two rounds, one lane); at most two are worked out at once in a process, so that a crowd of
sign-ins cannot take its memory.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import threading
import zlib
from functools import lru_cache
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE: Final = threading.BoundedSemaphore(2)
_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY_SHAPE: Final = re.compile(r"nrm_(live|test|client|token)_([0-9A-Za-z]{40})([0-9A-Za-z]{6})")
_OTP_STEP: Final = 30
_OTP_SECRET: Final = re.compile(r"[A-Z2-7]{32}")
_RECOVERY_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"


@lru_cache(maxsize=8)
def _hasher(memory_kib: int, rounds: int) -> PasswordHasher:
    return PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)


@lru_cache(maxsize=8)
def _dummy(memory_kib: int, rounds: int) -> str:
    return _hasher(memory_kib, rounds).hash(secrets.token_urlsafe(16))


def hash_password(password: str, *, memory_kib: int, rounds: int) -> str:
    """Hash a password for storage.

    Args:
        password: as typed.
        memory_kib: memory to use, KiB.
        rounds: rounds over that memory.
    """
    with _AT_ONCE:
        return _hasher(memory_kib, rounds).hash(password)


def password_fits(stored: str | None, password: str, *, memory_kib: int, rounds: int) -> bool:
    """Say whether a password is the stored one; without a stored one the same work is done for nothing.

    Args:
        stored: the stored hash; None when there is no such user.
        password: as typed.
        memory_kib: memory of new hashes, KiB; a stored hash names its own.
        rounds: rounds of new hashes.
    """
    with _AT_ONCE:
        try:
            _hasher(memory_kib, rounds).verify(stored or _dummy(memory_kib, rounds), password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


def needs_new_hash(stored: str, *, memory_kib: int, rounds: int) -> bool:
    """Say whether a stored hash was made with other figures than new ones are."""
    return _hasher(memory_kib, rounds).check_needs_rehash(stored)


def new_session_secret() -> str:
    """Make the secret of a session: 32 random bytes, 43 characters."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """Hash a random secret for storage and look-up (SHA-256; enough for 256 random bits)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_partner_key(*, livemode: bool) -> str:
    """Make a partner's key: prefix, 40 random base-62 characters, and six more that let a typing slip be seen."""
    return _new_text("live" if livemode else "test")


def new_client_secret() -> str:
    """Make the secret of an OAuth client, in the shape of a partner's key."""
    return _new_text("client")


def new_access_token() -> str:
    """Make a token for a client, in the shape of a partner's key."""
    return _new_text("token")


def is_partner_key(text: str) -> bool:
    """Say whether a text has the shape and the checksum of a partner's key."""
    return _is_of(text, "live", "test")


def is_client_secret(text: str) -> bool:
    """Say whether a text has the shape and the checksum of a client's secret."""
    return _is_of(text, "client")


def is_access_token(text: str) -> bool:
    """Say whether a text has the shape and the checksum of a client's token."""
    return _is_of(text, "token")


def _new_text(kind: str) -> str:
    head = f"nrm_{kind}_" + "".join(secrets.choice(_BASE62) for _ in range(40))
    return head + _checksum(head)


def _is_of(text: str, *kinds: str) -> bool:
    found = _KEY_SHAPE.fullmatch(text)
    return found is not None and found[1] in kinds and hmac.compare_digest(_checksum(text[:-6]), text[-6:])


def _checksum(head: str) -> str:
    number, letters = zlib.crc32(head.encode()), []
    for _ in range(6):
        number, rest = divmod(number, 62)
        letters.append(_BASE62[rest])
    return "".join(reversed(letters))


def new_otp_secret() -> str:
    """Make the shared secret of a second factor: 160 bits, base 32."""
    return pyotp.random_base32()


def is_otp_secret(text: str) -> bool:
    """Say whether a text has the shape of a secret of a second factor."""
    return _OTP_SECRET.fullmatch(text) is not None


def otp_address(secret: str, *, account: str, issuer: str) -> str:
    """Give the otpauth:// address that an app reads from a QR code.

    Args:
        secret: the shared secret.
        account: sign-in name.
        issuer: whose account it is, as the app shows it.
    """
    return pyotp.TOTP(secret, interval=_OTP_STEP).provisioning_uri(name=account, issuer_name=issuer)


def new_recovery_code() -> str:
    """Make a recovery code that can be copied from paper: 16 letters and digits (79 bits) in groups of four."""
    letters = "".join(secrets.choice(_RECOVERY_LETTERS) for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def recovery_hash(code: str) -> str:
    """Hash a recovery code as typed; capitals, spaces and dashes do not count."""
    return secret_hash("".join(letter for letter in code.casefold() if letter.isalnum()))


def otp_counter(secret: str, code: str, *, at: int, after: int) -> int | None:
    """Find the time step whose one-time code this is (RFC 6238, 30 seconds, one step either way).

    Args:
        secret: the shared secret, base 32.
        code: six digits as typed.
        at: the present moment, seconds since 1970.
        after: the last step that was used: a code works once.

    Returns:
        The step to keep as used; None when the code is wrong or was used.
    """
    otp = pyotp.TOTP(secret, interval=_OTP_STEP)
    step = at // _OTP_STEP
    fitting = [
        number
        for number in (step - 1, step, step + 1)
        if hmac.compare_digest(otp.at(number * _OTP_STEP).encode(), code.strip().encode("utf-8", "replace"))
    ]
    return next((number for number in fitting if number > after), None)


@lru_cache(maxsize=64)
def purpose_key(secret: str, purpose: str) -> bytes:
    """Derive a key for one purpose from the installation's secret."""
    return hmac.digest(secret.encode(), b"nrm:" + purpose.encode(), "sha256")


def keyed_hash(secret: str, purpose: str, text: str) -> str:
    """Hash a text so that nobody without the installation's secret can guess it back; 128 bits, hex.

    Args:
        secret: the installation's secret.
        purpose: what it is for; hashes for different purposes cannot be compared.
        text: what to hash.
    """
    key = purpose_key(secret, purpose)
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
