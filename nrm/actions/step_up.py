"""A code of the second factor in the middle of a session, before what a stolen session must not be enough for."""

from __future__ import annotations

from sqlalchemy import select, update

from nrm.actions._action import Work, action, transact
from nrm.actions.guessing import count_attempt, real_now, subjects_of, take_back
from nrm.actions.second_factor import Proof, proof_of, use_up
from nrm.actions.users import lock_user
from nrm.actors import SYSTEM, Actor
from nrm.credentials import new_session_secret, secret_hash
from nrm.db import db
from nrm.errors import NotAllowed, NotFound, NotSignedIn, NotValid, Problem
from nrm.models import Session, User
from nrm.rules.step_up import STEP_UP_LASTS
from nrm.sealing import unseal

WRONG = (Problem(pointer="/code", code="wrong_otp"),)


def step_up(actor: Actor, *, secret: str, code: str, address: str = "") -> str:
    """Check a code of the second factor, so that the session may do what needs a fresh one for ten minutes.

    Args:
        actor: a signed-in user.
        secret: the secret of the user's session; this session alone is opened wider.
        code: a code of the app, or a recovery code; each counts once.
        address: network address from which the request came; "" when unknown.

    Returns:
        The session's new secret; the old one is worth nothing from now on.

    Raises:
        NotValid: "wrong_otp", also for a code that was used.
        NotAllowed: "second_factor_missing": none was set up.
        NotSignedIn: the session is not the user's, or has ended.
        TooMany: too many wrong codes; wait `retry_after` seconds.
    """
    row = db.session.execute(
        select(User.login, User.otp_secret, User.otp_counter).where(User.id == actor.id)
    ).one_or_none()
    db.session.rollback()
    if row is None:
        raise NotFound
    if row.otp_secret is None:
        raise NotAllowed("second_factor_missing")
    subjects = subjects_of(row.login, address)
    transact(SYSTEM, lambda work: count_attempt(work, subjects))
    shared = str(unseal(row.otp_secret, row=actor.id, column="users.otp_secret"))
    proof = proof_of(actor.id, shared, code, after=row.otp_counter)
    if proof is None:
        raise NotValid(WRONG)
    fresh = new_session_secret()
    _prove(actor, secret, fresh, proof=proof, subjects=subjects)
    return fresh


@action("user.prove")
def _prove(work: Work, secret: str, fresh: str, *, proof: Proof, subjects: tuple[str, str | None]) -> None:
    now = real_now()
    user = lock_user(work, work.actor.id)
    try:
        use_up(work, user, proof)
    except NotSignedIn as error:
        # Used in another window between the check and now.
        raise NotValid(WRONG) from error
    take_back(work, subjects)
    live = Session.ended_at.is_(None) & (Session.idle_until > now) & (Session.ends_at > now)
    session_id = work.session.execute(
        select(Session.id).where(Session.token_sha256 == secret_hash(secret), Session.user_id == user.id, live)
    ).scalar_one_or_none()
    if session_id is None:
        raise NotSignedIn
    change = update(Session).where(Session.id == session_id)
    work.session.execute(change.values(token_sha256=secret_hash(fresh), second_factor_at=now))
    until = (now + STEP_UP_LASTS).isoformat(timespec="seconds")
    work.record("user.proved", stream=user.id, subject=("user", user.id), data={"session": session_id, "until": until})
