"""Sign in and out: passwords, one-time codes, sessions; and the slowing down of those who guess.

Every attempt is counted before the password is looked at and taken back when it was right: many guesses at once
count as many. An account (known or not) that has five failures waits 2^n seconds, a quarter of an hour at most, so
that nobody can lock a colleague out for long; an address may fail fifty times in an hour. Sessions and waiting times
are in real time also where a demonstration moves the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nrm import ids
from nrm.actions._action import Work, action, transact
from nrm.actions.users import LOGIN, clean_login, end_sessions_of, hash_new_password, lock_user, store_password
from nrm.actors import SYSTEM, Actor
from nrm.clock import MovableClock
from nrm.credentials import (
    keyed_hash,
    needs_new_hash,
    new_session_secret,
    otp_counter,
    password_fits,
    secret_hash,
)
from nrm.db import db
from nrm.errors import NotFound, NotSignedIn, NotValid, Problem, TooMany
from nrm.installation import installation
from nrm.models import Session, SignInFailure, User
from nrm.queries.users import SignedIn, actor_of_user, session_of
from nrm.rules.passwords import password_problems
from nrm.sealing import seal, unseal

FREE_FAILURES: Final = 5
LONGEST_WAIT: Final = timedelta(minutes=15)
ADDRESS_FAILURES: Final = 50
ADDRESS_WINDOW: Final = timedelta(hours=1)
ACCOUNT_WINDOW: Final = timedelta(hours=24)
SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is stored of somebody who wants to sign in."""

    id: str
    password_hash: str
    otp_secret: str | None
    otp_counter: int
    disabled: bool


def real_now() -> datetime:
    """Give the real time, also in demo mode."""
    clock = installation().clock
    return clock.now() - clock.offset() if isinstance(clock, MovableClock) else clock.now()


def sign_in(
    login: str, password: str, *, otp: str | None = None, address: str = "", device: str = ""
) -> tuple[Actor, str]:
    """Sign a user in.

    Args:
        login: sign-in name as typed.
        password: as typed.
        otp: one-time code, for users who have set it up.
        address: network address from which the request came; "" when unknown.
        device: a short word for the browser, for the list of sessions.

    Returns:
        The actor and the session's secret, which is shown once and never stored.

    Raises:
        NotSignedIn: "wrong_sign_in" for an unknown user, a wrong password or a disabled user alike;
            "otp_required" and "wrong_otp" after the right password.
        TooMany: too many failures; wait `retry_after` seconds.
    """
    login = clean_login(login)[:200]
    subjects = _subjects(login, address)
    transact(SYSTEM, lambda work: _count_attempt(work, subjects))
    known = _known_user(login)
    config = installation().config
    figures = {"memory_kib": config.password_memory_kib, "rounds": config.password_rounds}
    fits = password_fits(known.password_hash if known else None, password, **figures)
    if known is None or not fits or known.disabled:
        raise NotSignedIn("wrong_sign_in")
    step = _otp_step(known, otp)
    rehashed = hash_new_password(password) if needs_new_hash(known.password_hash, **figures) else None
    secret = new_session_secret()
    actor = actor_of_user(known.id, installation().clock.now())
    _open_session(actor, secret, subjects=subjects, otp_step=step, rehashed=rehashed, device=device)
    return actor, secret


def _subjects(login: str, address: str) -> tuple[str, str | None]:
    secret = installation().config.secret
    # People type passwords into the wrong box: not even a failed login is stored readable.
    return "account:" + keyed_hash(secret, "login", login), f"address:{address}" if address else None


def _known_user(login: str) -> _Known | None:
    if not LOGIN.fullmatch(login):
        return None
    row = db.session.execute(
        select(User.id, User.password_hash, User.otp_secret, User.otp_counter, User.disabled_at).where(
            User.login == login
        )
    ).one_or_none()
    db.session.rollback()
    if row is None:
        return None
    sealed = unseal(row.otp_secret, row=row.id, column="users.otp_secret")
    return _Known(
        id=row.id,
        password_hash=row.password_hash,
        otp_secret=str(sealed) if sealed else None,
        otp_counter=row.otp_counter,
        disabled=row.disabled_at is not None,
    )


def _otp_step(known: _Known, otp: str | None) -> int | None:
    if known.otp_secret is None:
        return None
    if not otp:
        raise NotSignedIn("otp_required")
    step = otp_counter(known.otp_secret, otp, at=int(real_now().timestamp()), after=known.otp_counter)
    if step is None:
        raise NotSignedIn("wrong_otp")
    return step


def _count_attempt(work: Work, subjects: tuple[str, str | None]) -> None:
    """Count an attempt as failed, or refuse it.

    Raises:
        TooMany: the account or the address has to wait.
    """
    now = real_now()
    account, address = subjects
    rows = {subject: _failures(work, subject) for subject in subjects if subject}
    waits = [row.locked_until - now for row in rows.values() if row.locked_until and row.locked_until > now]
    if waits:
        raise TooMany(int(max(waits).total_seconds()) + 1)
    failures, first = _counted(rows[account], now, ACCOUNT_WINDOW)
    wait = min(timedelta(seconds=2 ** min(failures, 20)), LONGEST_WAIT)
    _store_failures(work, account, failures, first, now + wait if failures >= FREE_FAILURES else None)
    if address:
        failures, first = _counted(rows[address], now, ADDRESS_WINDOW)
        locked = first + ADDRESS_WINDOW if failures >= ADDRESS_FAILURES else None
        _store_failures(work, address, failures, first, locked)


def _failures(work: Work, subject: str) -> SignInFailure:
    """Load the counter of a subject, made when it is missing, and keep others from counting until the end."""
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = {"subject": subject, "failures": 0, "first_at": real_now(), "locked_until": None}
    work.session.execute(dialect.insert(SignInFailure).values(**fresh).on_conflict_do_nothing())
    return work.session.execute(
        select(SignInFailure)
        .where(SignInFailure.subject == subject)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def _counted(row: SignInFailure, now: datetime, window: timedelta) -> tuple[int, datetime]:
    if row.failures == 0 or row.first_at + window <= now:
        return 1, now
    return row.failures + 1, row.first_at


def _store_failures(work: Work, subject: str, failures: int, first: datetime, locked: datetime | None) -> None:
    change = update(SignInFailure).where(SignInFailure.subject == subject)
    work.session.execute(change.values(failures=failures, first_at=first, locked_until=locked))


@action("user.sign_in")
def _open_session(
    work: Work,
    secret: str,
    *,
    subjects: tuple[str, str | None],
    otp_step: int | None,
    rehashed: str | None,
    device: str,
) -> None:
    now = real_now()
    config = installation().config
    user = lock_user(work, work.actor.id)
    if user.disabled_at is not None or (otp_step is not None and otp_step <= user.otp_counter):
        # Disabled, or the code was used, between the check and now.
        raise NotSignedIn("wrong_sign_in")
    if otp_step is not None:
        work.change(User, user.id, otp_counter=otp_step)
    if rehashed is not None:
        work.change(User, user.id, password_hash=rehashed)
    _take_back(work, subjects)
    session_id = work.add(
        Session,
        id=ids.new_id("ses"),
        token_sha256=secret_hash(secret),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        idle_until=now + timedelta(minutes=config.session_idle_minutes),
        ends_at=now + timedelta(hours=config.session_hours),
        second_factor_at=now if otp_step is not None else None,
        device=device[:64],
    )
    work.record("user.signed_in", stream=user.id, subject=("user", user.id), data={"session": session_id})


def _take_back(work: Work, subjects: tuple[str, str | None]) -> None:
    """Forget the account's failures, and this one attempt of the address."""
    account, address = subjects
    forgotten = update(SignInFailure).where(SignInFailure.subject == account)
    work.session.execute(forgotten.values(failures=0, locked_until=None))
    if address:
        change = update(SignInFailure).where(SignInFailure.subject == address, SignInFailure.failures > 0)
        work.session.execute(change.values(failures=SignInFailure.failures - 1))


def _alive(now: datetime) -> ColumnElement[bool]:
    return Session.ended_at.is_(None) & (Session.idle_until > now) & (Session.ends_at > now)


def touch_session(session_id: str) -> None:
    """Push a session's idle end on; to be called when `queries.users` says that it is due."""
    now = real_now()
    idle = timedelta(minutes=installation().config.session_idle_minutes)

    def push(work: Work) -> None:
        change = update(Session).where(Session.id == session_id, Session.seen_at <= now - SEEN_EVERY, _alive(now))
        work.session.execute(change.values(seen_at=now, idle_until=now + idle))

    transact(SYSTEM, push)


def rotate_session(secret: str, *, second_factor: bool = False) -> str:
    """Give a session a new secret; the old one is worth nothing from now on.

    Args:
        secret: the present secret.
        second_factor: a one-time code was just checked.

    Raises:
        NotSignedIn: there is no such live session.
    """
    fresh, now = new_session_secret(), real_now()

    def rotate(work: Work) -> None:
        values: dict[str, object] = {"token_sha256": secret_hash(fresh)}
        if second_factor:
            values["second_factor_at"] = now
        change = update(Session).where(Session.token_sha256 == secret_hash(secret), _alive(now)).values(**values)
        if work.session.execute(change).rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
            raise NotSignedIn

    transact(SYSTEM, rotate)
    return fresh


@action("user.sign_out")
def sign_out(work: Work, secret: str) -> None:
    """End the session of a secret; one that has ended already is no mistake."""
    row = work.session.execute(
        select(Session.id, Session.user_id).where(
            Session.token_sha256 == secret_hash(secret), Session.ended_at.is_(None)
        )
    ).one_or_none()
    if row is not None:
        _end(work, row.id, row.user_id)


@action("session.end")
def end_session(work: Work, session_id: str) -> None:
    """End one of one's own sessions.

    Raises:
        NotFound: the actor has no such live session.
    """
    session = work.session.get(Session, session_id)
    if session is None or session.user_id != work.actor.id or session.ended_at is not None:
        raise NotFound
    _end(work, session_id, session.user_id)


@action("session.end_all")
def end_all_sessions(work: Work, *, but: str | None = None) -> int:
    """End all of one's own sessions, and give how many.

    Args:
        work: the transaction.
        but: id of the session to keep.
    """
    ended = end_sessions_of(work, work.actor.id, but=but)
    if ended:
        work.record("user.signed_out", stream=work.actor.id, subject=("user", work.actor.id), data={"count": ended})
    return ended


def _end(work: Work, session_id: str, user_id: str) -> None:
    work.session.execute(update(Session).where(Session.id == session_id).values(ended_at=real_now()))
    work.record("user.signed_out", stream=user_id, subject=("user", user_id), data={"session": session_id})


def change_password(actor: Actor, *, current: str, new: str, session_id: str | None = None) -> None:
    """Change one's own password; one's other sessions end.

    Args:
        actor: a signed-in user.
        current: the present password; guesses count like failed sign-ins.
        new: the new one.
        session_id: the session to keep.

    Raises:
        NotValid: the present password is wrong, or the new one is not good enough.
        TooMany: too many wrong guesses; wait.
    """
    row = db.session.execute(select(User.login, User.password_hash).where(User.id == actor.id)).one_or_none()
    db.session.rollback()
    if row is None:
        raise NotFound
    problems = password_problems(new, login=row.login, pointer="/new")
    if problems:
        raise NotValid(problems)
    subjects = _subjects(row.login, "")
    transact(SYSTEM, lambda work: _count_attempt(work, subjects))
    config = installation().config
    figures = {"memory_kib": config.password_memory_kib, "rounds": config.password_rounds}
    if not password_fits(row.password_hash, current, **figures):
        raise NotValid([Problem(pointer="/current", code="wrong_password")])
    _change_password(actor, hash_new_password(new), session_id, subjects)


@action("user.change_password")
def _change_password(work: Work, password_hash: str, session_id: str | None, subjects: tuple[str, str | None]) -> None:
    _take_back(work, subjects)
    store_password(work, lock_user(work, work.actor.id), password_hash, keep=session_id)


@action("user.set_otp")
def set_otp(work: Work, secret: str, code: str) -> None:
    """Set up one-time codes for oneself.

    Args:
        work: the transaction.
        secret: the shared secret, base 32 (`pyotp.random_base32()`), as shown to the user's phone.
        code: a code that the phone made from it.

    Raises:
        NotValid: the code does not fit the secret.
    """
    user = lock_user(work, work.actor.id)
    step = otp_counter(secret, code, at=int(real_now().timestamp()), after=0)
    if step is None:
        raise NotValid([Problem(pointer="/code", code="wrong_otp")])
    sealed = seal(secret, row=user.id, column="users.otp_secret")
    work.change(User, user.id, version=user.version, otp_secret=sealed, otp_counter=step)
    work.record("user.changed", stream=user.id, subject=("user", user.id), data={"what": "second_factor"})


def actor_for_session(secret: str, *, request_id: str = "") -> SignedIn:
    """Find who stands behind a session's secret, and keep the session alive (one write a minute at most).

    Args:
        secret: what the cookie holds.
        request_id: id of the request, for logs.

    Raises:
        NotSignedIn: there is no such live session.
    """
    now = real_now()
    found = session_of(secret, now=installation().clock.now(), real_now=now, request_id=request_id)
    if found.seen_at <= now - SEEN_EVERY:
        touch_session(found.session_id)
    return found
