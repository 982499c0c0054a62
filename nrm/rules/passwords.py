"""Which passwords are good enough: long rather than complicated (NIST SP 800-63B-4 §3.1.1.2)."""

from __future__ import annotations

from typing import Final

from nrm.errors import Problem

SHORTEST: Final = 12
LONGEST: Final = 128
_COMMON: Final = frozenset(
    """123456789012 1234567890123 password1234 passwordpassword qwertyuiop123 qwertyuiop12 adminadminadmin
    administrator iloveyou1234 welcome12345 letmein12345 abcdefghijkl 123123123123 1q2w3e4r5t6y changeme1234
    default12345 password12345 qwerty123456""".split()  # noqa: SIM905 - one word list reads better than forty quotes
)


def password_problems(password: object, *, login: str, pointer: str = "/password") -> tuple[Problem, ...]:
    """Say what is wrong with a new password.

    Args:
        password: as typed.
        login: the user's sign-in name, which must not be in it.
        pointer: where it stands in the input.

    Returns:
        Nothing when it is good enough.
    """
    if not isinstance(password, str) or not password:
        return (Problem(pointer=pointer, code="required"),)
    plain = password.casefold()
    if len(password) < SHORTEST:
        return (Problem(pointer=pointer, code="password_too_short", params={"least": SHORTEST}),)
    if len(password) > LONGEST:
        return (Problem(pointer=pointer, code="password_too_long", params={"most": LONGEST}),)
    if plain in _COMMON or len(set(plain)) < 4:
        return (Problem(pointer=pointer, code="password_too_common"),)
    if len(login) >= 4 and login.casefold() in plain:
        return (Problem(pointer=pointer, code="password_has_login"),)
    return ()
