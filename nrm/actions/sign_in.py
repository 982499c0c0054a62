"""Sign in and out: passwords, the second factor, sessions.

Sessions are in real time also where a demonstration moves the clock. Who guesses is slowed down (`guessing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, update

from nrm import ids
from nrm.actions._action import Work, action, transact
from nrm.actions.guessing import count_attempt, real_now, subjects_of, take_back
from nrm.actions.second_factor import Proof, proof_of, use_up
from nrm.actions.users import LOGIN, clean_login, end_sessions_of, hash_new_password, lock_user, store_password
from nrm.actors import SYSTEM, Actor
from nrm.credentials import needs_new_hash, new_session_secret, password_fits, secret_hash
from nrm.db import db
from nrm.errors import NotFound, NotSignedIn, NotValid, Problem
from nrm.installation import installation
from nrm.models import Session, User
from nrm.queries.users import SignedIn, actor_of_user, session_of
from nrm.rules.passwords import password_problems
from nrm.sealing import unseal

SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is stored of somebody who wants to sign in."""

    id: str
    password_hash: str
    otp_secret: str | None
    otp_counter: int
    disabled: bool


def sign_in(
    login: str, password: str, *, otp: str | None = None, address: str = "", device: str = ""
) -> tuple[Actor, str]:
    """Sign a user in.

    Args:
        login: sign-in name as typed.
        password: as typed.
        otp: code of the second factor, or a recovery code, for users who have set it up.
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
    subjects = subjects_of(login, address)
    transact(SYSTEM, lambda work: count_attempt(work, subjects))
    known = _known_user(login)
    config = installation().config
    figures = {"memory_kib": config.password_memory_kib, "rounds": config.password_rounds}
    fits = password_fits(known.password_hash if known else None, password, **figures)
    if known is None or not fits or known.disabled:
        raise NotSignedIn("wrong_sign_in")
    proof = _proof(known, otp)
    rehashed = hash_new_password(password) if needs_new_hash(known.password_hash, **figures) else None
    secret = new_session_secret()
    actor = actor_of_user(known.id, installation().clock.now())
    _open_session(actor, secret, subjects=subjects, proof=proof, rehashed=rehashed, device=device)
    return actor, secret


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


def _proof(known: _Known, otp: str | None) -> Proof | None:
    if known.otp_secret is None:
        return None
    if not otp:
        raise NotSignedIn("otp_required")
    proof = proof_of(known.id, known.otp_secret, otp, after=known.otp_counter)
    if proof is None:
        raise NotSignedIn("wrong_otp")
    return proof


@action("user.sign_in")
def _open_session(
    work: Work,
    secret: str,
    *,
    subjects: tuple[str, str | None],
    proof: Proof | None,
    rehashed: str | None,
    device: str,
) -> None:
    now = real_now()
    config = installation().config
    user = lock_user(work, work.actor.id)
    if user.disabled_at is not None:
        # Disabled between the check and now.
        raise NotSignedIn("wrong_sign_in")
    if proof is not None:
        use_up(work, user, proof)
    if rehashed is not None:
        work.change(User, user.id, password_hash=rehashed)
    take_back(work, subjects)
    session_id = work.add(
        Session,
        id=ids.new_id("ses"),
        token_sha256=secret_hash(secret),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        idle_until=now + timedelta(minutes=config.session_idle_minutes),
        ends_at=now + timedelta(hours=config.session_hours),
        second_factor_at=now if proof is not None else None,
        device=device[:64],
    )
    work.record("user.signed_in", stream=user.id, subject=("user", user.id), data={"session": session_id})


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
    subjects = subjects_of(row.login, "")
    transact(SYSTEM, lambda work: count_attempt(work, subjects))
    config = installation().config
    figures = {"memory_kib": config.password_memory_kib, "rounds": config.password_rounds}
    if not password_fits(row.password_hash, current, **figures):
        raise NotValid([Problem(pointer="/current", code="wrong_password")])
    if new == current:
        raise NotValid([Problem(pointer="/new", code="password_unchanged")])
    _change_password(actor, hash_new_password(new), session_id, subjects)


@action("user.change_password")
def _change_password(work: Work, password_hash: str, session_id: str | None, subjects: tuple[str, str | None]) -> None:
    take_back(work, subjects)
    store_password(work, lock_user(work, work.actor.id), password_hash, is_own=True, keep=session_id)


def actor_for_session(secret: str, *, request_id: str = "", by_hand: bool = True) -> SignedIn:
    """Find who stands behind a session's secret, and keep the session alive (one write a minute at most).

    Args:
        secret: what the cookie holds.
        request_id: id of the request, for logs.
        by_hand: somebody is there; what a page asks by itself does not keep the session alive.

    Raises:
        NotSignedIn: there is no such live session.
    """
    now = real_now()
    place = installation()
    found = session_of(
        secret,
        now=place.clock.now(),
        real_now=now,
        request_id=request_id,
        proof_needed=place.config.second_factor_needed,
    )
    if by_hand and found.seen_at <= now - SEEN_EVERY:
        touch_session(found.session_id)
    return found
