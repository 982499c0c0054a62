"""The second factor: one-time codes of an app (RFC 6238), and recovery codes for the day when the phone is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select, update

from nrm import ids
from nrm.actions._action import Work, action, transact
from nrm.actions.guessing import count_attempt, real_now, subjects_of, take_back
from nrm.actions.users import end_sessions_of, lock_user
from nrm.actors import SYSTEM, Actor
from nrm.credentials import is_otp_secret, new_recovery_code, otp_counter, password_fits, recovery_hash
from nrm.db import db
from nrm.errors import NotFound, NotSignedIn, NotValid, Problem
from nrm.installation import installation
from nrm.models import RecoveryCode, User
from nrm.rules.texts import fold_digits
from nrm.sealing import seal

RECOVERY_CODES: Final = 10
"""How many recovery codes somebody gets at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A right code, not used up yet.

    Attributes:
        step: the time step of a one-time code.
        recovery: the hash of a recovery code, where that was given.
    """

    step: int | None = None
    recovery: str | None = None


def proof_of(user_id: str, secret: str, code: str, *, after: int) -> Proof | None:
    """Check a code as typed, of the app or from the paper.

    Args:
        user_id: whose.
        secret: the shared secret.
        code: as typed, in whatever digits.
        after: the last time step that was used.

    Returns:
        The proof; None when the code is wrong or was used.
    """
    code = fold_digits(code).replace(" ", "")
    step = otp_counter(secret, code, at=int(real_now().timestamp()), after=after)
    if step is not None:
        return Proof(step=step)
    recovery = recovery_hash(code)
    found = db.session.execute(
        select(RecoveryCode.id).where(
            RecoveryCode.user_id == user_id, RecoveryCode.code_sha256 == recovery, RecoveryCode.used_at.is_(None)
        )
    ).first()
    db.session.rollback()
    return Proof(recovery=recovery) if found else None


def use_up(work: Work, user: User, proof: Proof) -> None:
    """Let a code count this once, inside another action that has locked the user.

    Raises:
        NotSignedIn: it was used between the check and now.
    """
    if proof.step is not None:
        if proof.step <= user.otp_counter:
            raise NotSignedIn("wrong_otp")
        work.change(User, user.id, otp_counter=proof.step)
        return
    this = (RecoveryCode.user_id == user.id) & (RecoveryCode.code_sha256 == proof.recovery)
    change = update(RecoveryCode).where(this, RecoveryCode.used_at.is_(None)).values(used_at=real_now())
    if work.session.execute(change).rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
        raise NotSignedIn("wrong_otp")
    work.record("user.changed", stream=user.id, subject=("user", user.id), data={"what": "recovery_code_used"})


def set_second_factor(
    actor: Actor, *, secret: str, code: str, password: str = "", session_id: str | None = None
) -> tuple[str, ...]:
    """Set up one's second factor, or put another one in its place; one's other sessions end.

    Args:
        actor: a signed-in user.
        secret: the shared secret as the app got it (`nrm.credentials.new_otp_secret`).
        code: a code that the app made from it.
        password: the present password; needed where a second factor is replaced.
        session_id: the session to keep.

    Returns:
        Fresh recovery codes, to be shown once; earlier ones count no more.

    Raises:
        NotValid: the code does not fit the secret, or the password is wrong.
        TooMany: too many wrong guesses; wait.
    """
    subjects, replaces = _counted(actor, password)
    step = None
    if is_otp_secret(secret):
        step = otp_counter(secret, fold_digits(code), at=int(real_now().timestamp()), after=0)
    if step is None:
        raise NotValid([Problem(pointer="/code", code="wrong_otp")])
    codes = _new_codes()
    _set_second_factor(
        actor, secret=secret, step=step, codes=codes, subjects=subjects, replaces=replaces, session_id=session_id
    )
    return codes


def renew_recovery_codes(actor: Actor, *, password: str) -> tuple[str, ...]:
    """Give oneself fresh recovery codes; earlier ones count no more.

    Args:
        actor: a signed-in user who has a second factor.
        password: the present password.

    Raises:
        NotValid: the password is wrong.
        NotFound: there is no second factor to recover.
        TooMany: too many wrong guesses; wait.
    """
    subjects, _ = _counted(actor, password)
    codes = _new_codes()
    _renew(actor, codes, subjects)
    return codes


def _new_codes() -> tuple[str, ...]:
    return tuple(new_recovery_code() for _ in range(RECOVERY_CODES))


def _counted(actor: Actor, password: str) -> tuple[tuple[str, str | None], bool]:
    """Count an attempt, check the password of whoever has a second factor already, and say whether there is one."""
    row = db.session.execute(
        select(User.login, User.password_hash, User.otp_secret.is_not(None)).where(User.id == actor.id)
    ).one_or_none()
    db.session.rollback()
    if row is None:
        raise NotFound
    login, password_hash, has_one = row
    subjects = subjects_of(login, "")
    transact(SYSTEM, lambda work: count_attempt(work, subjects))
    config = installation().config
    figures = {"memory_kib": config.password_memory_kib, "rounds": config.password_rounds}
    if has_one and not password_fits(password_hash, password, **figures):
        raise NotValid([Problem(pointer="/password", code="wrong_password")])
    return subjects, bool(has_one)


@action("user.set_second_factor")
def _set_second_factor(
    work: Work,
    *,
    secret: str,
    step: int,
    codes: tuple[str, ...],
    subjects: tuple[str, str | None],
    replaces: bool,
    session_id: str | None,
) -> None:
    user = lock_user(work, work.actor.id)
    if user.otp_secret is not None and not replaces:
        # Set up elsewhere since; to replace it takes the password.
        raise NotValid([Problem(pointer="/password", code="wrong_password")])
    take_back(work, subjects)
    sealed = seal(secret, row=user.id, column="users.otp_secret")
    work.change(User, user.id, version=user.version, otp_secret=sealed, otp_counter=step)
    _store_codes(work, user.id, codes)
    end_sessions_of(work, user.id, but=session_id)
    work.record("user.changed", stream=user.id, subject=("user", user.id), data={"what": "second_factor"})


@action("user.renew_recovery_codes")
def _renew(work: Work, codes: tuple[str, ...], subjects: tuple[str, str | None]) -> None:
    user = lock_user(work, work.actor.id)
    if user.otp_secret is None:
        raise NotFound
    take_back(work, subjects)
    _store_codes(work, user.id, codes)
    work.record("user.changed", stream=user.id, subject=("user", user.id), data={"what": "recovery_codes"})


def _store_codes(work: Work, user_id: str, codes: tuple[str, ...]) -> None:
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    for code in codes:
        work.add(
            RecoveryCode,
            id=ids.new_id("rec"),
            user_id=user_id,
            code_sha256=recovery_hash(code),
            created_at=work.now,
        )
