"""Users: add, change, disable, set passwords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.last_seats import keep_a_manager
from nrm.actors import Actor
from nrm.credentials import hash_password
from nrm.errors import AlreadyDone, NotAllowed, NotFound, NotValid, Problem
from nrm.installation import installation
from nrm.models import Membership, RecoveryCode, Session, Task, User
from nrm.queries.user_scope import grasp_of
from nrm.rules.passwords import password_problems
from nrm.rules.texts import WrongValue, clean_text
from nrm.rules.user_scope import Grasp
from nrm.vocabulary import Language, TaskStatus

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")
"""Shape of a sign-in name."""
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserResult:
    """A user after a change."""

    id: str
    version: int


def add_user(
    actor: Actor,
    *,
    login: str,
    name: str,
    password: str,
    email: str | None = None,
    language: str = "ar",
    is_own: bool = False,
) -> UserResult:
    """Add a user, who can sign in but sits nowhere yet.

    Args:
        actor: needs the permission user.manage.
        login: sign-in name: Latin letters, digits and . _ @ + -; capitals are made small.
        name: the user's name as colleagues know it.
        password: the first password.
        email: address for notices.
        language: language of pages and messages.
        is_own: the password may stay; else the user chooses another one before anything else.

    Raises:
        NotValid: something is wrong or the login is taken.
        NotAllowed: the actor may not add users.
    """
    _may_manage(actor)
    login = clean_login(login)
    problems = [*_user_problems(login, email, language), *password_problems(password, login=login)]
    name, mistakes = _clean_name(name)
    problems += mistakes
    if problems:
        raise NotValid(problems)
    # Before the transaction: no lock is held while the password is worked on.
    return _add_user(
        actor,
        login=login,
        name=name,
        password_hash=hash_new_password(password),
        email=email,
        language=language,
        is_own=is_own,
    )


@action("user.add", permission="user.manage")
def _add_user(
    work: Work, *, login: str, name: str, password_hash: str, email: str | None, language: str, is_own: bool
) -> UserResult:
    if work.session.execute(select(User.id).where(User.login == login)).first() is not None:
        raise NotValid([Problem(pointer="/login", code="login_taken")])
    user_id = work.add(
        User,
        id=ids.new_id("usr"),
        login=login,
        name=name,
        email=email,
        language=language,
        password_hash=password_hash,
        password_is_first=not is_own,
        created_at=work.now,
    )
    work.record("user.added", stream=user_id, subject=("user", user_id))
    return UserResult(id=user_id, version=1)


def clean_login(login: object) -> str:
    """Bring a sign-in name to the form in which it is stored."""
    return login.strip().casefold() if isinstance(login, str) else ""


def _user_problems(login: str, email: str | None, language: str) -> list[Problem]:
    problems = []
    if not LOGIN.fullmatch(login):
        problems.append(Problem(pointer="/login", code="bad_login"))
    if email is not None and not _EMAIL.fullmatch(email):
        problems.append(Problem(pointer="/email", code="bad_email"))
    if language not in set(Language):
        problems.append(Problem(pointer="/language", code="not_a_choice", params={"choices": ", ".join(Language)}))
    return problems


def hash_new_password(password: str) -> str:
    """Hash a password with the installation's figures; takes tens of milliseconds, so never inside a transaction."""
    config = installation().config
    return hash_password(password, memory_kib=config.password_memory_kib, rounds=config.password_rounds)


def _may_manage(actor: Actor) -> None:
    if not actor.may("user.manage"):
        raise NotAllowed("not_allowed", permission="user.manage")


def require_some(work: Work, user_id: str) -> Grasp:
    """Stop unless the actor manages the user, or at least some of the user's seats.

    Raises:
        NotFound: others manage this user.
    """
    grasp = grasp_of(work.actor, user_id, work.now)
    if grasp is Grasp.NONE:
        raise NotFound
    return grasp


def _require_over(work: Work, user_id: str) -> None:
    """Stop unless the actor manages every place at which the user sits, or last sat.

    Raises:
        NotFound: others manage this user.
        NotAllowed: others manage this user too.
    """
    if require_some(work, user_id) is not Grasp.WHOLE:
        raise NotAllowed("not_allowed", permission="user.manage")


def still_counts(now: datetime) -> ColumnElement[bool]:
    """Give the condition under which a seat has not ended."""
    return or_(Membership.until.is_(None), Membership.until > now)


def lock_user(work: Work, user_id: str) -> User:
    """Load a user and keep others from changing it until the end.

    Raises:
        NotFound: there is no such user.
    """
    user = work.session.execute(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if user is None:
        raise NotFound
    return user


def give_back_tasks(work: Work, user_id: str) -> None:
    """Put the user's claimed tasks back to the desks at which the user no longer sits."""
    seats = work.session.execute(
        select(Membership.organisation_id, Membership.desk_id).where(
            Membership.user_id == user_id, still_counts(work.now)
        )
    ).all()
    desks, whole = {desk for _, desk in seats if desk}, {organisation for organisation, desk in seats if desk is None}
    open_states = (str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD))
    claimed = work.session.execute(
        select(Task.id, Task.case_id, Task.desk_id, Task.organisation_id)
        .where(Task.assignee_id == user_id, Task.ended_at.is_(None), Task.status.in_(open_states))
        .order_by(Task.case_id)
    ).all()
    for task_id, case_id, desk_id, organisation_id in claimed:
        if desk_id in desks or organisation_id in whole:
            continue
        work.lock_case(case_id)
        change = update(Task).where(Task.id == task_id, Task.assignee_id == user_id)
        work.session.execute(change.values(assignee_id=None, claimed_at=None, version=Task.version + 1))
        work.record(
            "task.released",
            stream=case_id,
            subject=("task", task_id),
            data={"desk": desk_id, "reason": "seat_ended"},
            organisation_id=organisation_id,
        )


@action("user.disable", permission="user.manage")
def disable_user(work: Work, user_id: str, *, version: int | None = None) -> UserResult:
    """Shut a user out at once: every session ends, claimed tasks go back to their desks.

    Raises:
        NotFound: no such user, or others manage this one.
        NotAllowed: others manage this user too, or is the actor.
        StaleVersion: the user was changed since.
        AlreadyDone: the user is disabled.
        Conflict: nobody else manages the users of the whole country, or of the organisation, for longer than a month.
    """
    user = lock_user(work, user_id)
    if user_id == work.actor.id:
        raise NotAllowed("not_yourself")
    _require_over(work, user_id)
    if user.disabled_at is not None:
        raise AlreadyDone("user_disabled")
    keep_a_manager(work, user_id=user_id)
    work.change(User, user_id, version=version or user.version, disabled_at=work.now)
    work.session.execute(
        update(Membership).where(Membership.user_id == user_id, still_counts(work.now)).values(until=work.now)
    )
    end_sessions_of(work, user_id)
    give_back_tasks(work, user_id)
    work.record("user.disabled", stream=user_id, subject=("user", user_id))
    return UserResult(id=user_id, version=(version or user.version) + 1)


@action("user.enable", permission="user.manage")
def enable_user(work: Work, user_id: str, *, version: int | None = None) -> UserResult:
    """Let a disabled user sign in again, without any seat.

    Raises:
        NotFound: no such user, or others manage this one.
        NotAllowed: others manage this user too.
        StaleVersion: the user was changed since.
        AlreadyDone: the user is not disabled.
    """
    user = lock_user(work, user_id)
    _require_over(work, user_id)
    if user.disabled_at is None:
        raise AlreadyDone("user_enabled")
    work.change(User, user_id, version=version or user.version, disabled_at=None)
    work.record("user.changed", stream=user_id, subject=("user", user_id), data={"what": "enabled"})
    return UserResult(id=user_id, version=(version or user.version) + 1)


@action("user.change", permission="user.manage")
def change_user(work: Work, user_id: str, changes: Mapping[str, str | None], *, version: int | None) -> UserResult:
    """Change what is known of a user.

    Args:
        work: the transaction.
        user_id: the user.
        changes: new values of "name", "email" (None for none) and "language".
        version: the version that the change is based on.

    Raises:
        NotFound: no such user, or others manage this one.
        NotAllowed: others manage this user too.
        NotValid: a field is wrong.
        StaleVersion: the user was changed since.
    """
    user = lock_user(work, user_id)
    _require_over(work, user_id)
    values: dict[str, str | None] = {name: changes[name] for name in ("email", "language") if name in changes}
    problems = _user_problems(user.login, values.get("email"), values.get("language") or user.language)
    if "name" in changes:
        name, mistakes = _clean_name(changes["name"] or "")
        values["name"], problems = name, problems + mistakes
    if problems:
        raise NotValid(problems)
    if not values:
        return UserResult(id=user_id, version=user.version)
    work.change(User, user_id, version=version or user.version, **values)
    work.record("user.changed", stream=user_id, subject=("user", user_id), data={"what": ",".join(sorted(values))})
    return UserResult(id=user_id, version=(version or user.version) + 1)


def _clean_name(name: str) -> tuple[str, list[Problem]]:
    try:
        clean = clean_text(name, longest=200)
    except WrongValue as wrong:
        return "", [Problem(pointer="/name", code=wrong.code, params=wrong.params)]
    return clean or "", [] if clean else [Problem(pointer="/name", code="required")]


@action("user.reset_second_factor", permission="user.manage")
def reset_second_factor(work: Work, user_id: str) -> None:
    """Take away a user's one-time codes (a lost telephone); all of the user's sessions end.

    Raises:
        NotFound: no such user, or others manage this one.
        NotAllowed: others manage this user too, or is the actor.
        AlreadyDone: the user has set up none.
    """
    user = lock_user(work, user_id)
    if user_id == work.actor.id:
        raise NotAllowed("not_yourself")
    _require_over(work, user_id)
    if user.otp_secret is None:
        raise AlreadyDone("no_second_factor")
    work.change(User, user_id, version=user.version, otp_secret=None, otp_counter=0)
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    end_sessions_of(work, user_id)
    work.record("user.changed", stream=user_id, subject=("user", user_id), data={"what": "second_factor_reset"})


@action("user.end_sessions", permission="user.manage")
def end_user_sessions(work: Work, user_id: str) -> int:
    """Sign a user out everywhere, and give how many sessions that were.

    Raises:
        NotFound: no such user, or others manage this one.
        NotAllowed: others manage this user too.
    """
    lock_user(work, user_id)
    _require_over(work, user_id)
    ended = end_sessions_of(work, user_id)
    if ended:
        work.record("user.signed_out", stream=user_id, subject=("user", user_id), data={"count": ended})
        work.record("user.changed", stream=user_id, subject=("user", user_id), data={"what": "sessions_ended"})
    return ended


def end_sessions_of(work: Work, user_id: str, *, but: str | None = None) -> int:
    """End a user's sessions inside another action.

    Args:
        work: the transaction.
        user_id: the user.
        but: id of a session to keep.

    Returns:
        How many ended.
    """
    statement = update(Session).where(Session.user_id == user_id, Session.ended_at.is_(None))
    if but is not None:
        statement = statement.where(Session.id != but)
    done = work.session.execute(statement.values(ended_at=work.now))
    return int(done.rowcount)  # type: ignore[attr-defined]  # a CursorResult


def set_password(actor: Actor, user_id: str, password: str) -> None:
    """Give a user a new first password, which opens nothing until the user chooses another one; all sessions end.

    Args:
        actor: needs the permission user.manage over the user.
        user_id: the user.
        password: the new password.

    Raises:
        NotFound: no such user, or others manage this one.
        NotValid: the password is not good enough.
        NotAllowed: others manage this user too.
    """
    _may_manage(actor)
    problems = password_problems(password, login="")
    if problems:
        raise NotValid(problems)
    _set_password(actor, user_id, hash_new_password(password), password)


@action("user.set_password", permission="user.manage")
def _set_password(work: Work, user_id: str, password_hash: str, password: str) -> None:
    user = lock_user(work, user_id)
    _require_over(work, user_id)
    problems = password_problems(password, login=user.login)
    if problems:
        raise NotValid(problems)
    store_password(work, user, password_hash, is_own=False)


def store_password(work: Work, user: User, password_hash: str, *, is_own: bool, keep: str | None = None) -> None:
    """Store a new password's hash inside another action; all sessions but one end.

    Args:
        work: the transaction.
        user: the locked user.
        password_hash: the hash.
        is_own: the user chose it.
        keep: id of the session to keep.
    """
    values = {"password_hash": password_hash, "password_is_first": not is_own}
    work.change(User, user.id, version=user.version, **values)
    end_sessions_of(work, user.id, but=keep)
    work.record("user.changed", stream=user.id, subject=("user", user.id), data={"what": "password"})


@action("user.set_language")
def set_language(work: Work, *, language: str) -> None:
    """Choose the language in which one reads pages and messages.

    Raises:
        NotValid: there are no texts in that language.
    """
    if language not in set(Language):
        raise NotValid([Problem(pointer="/language", code="not_a_choice", params={"choices": ", ".join(Language)})])
    user = lock_user(work, work.actor.id)
    work.change(User, user.id, version=user.version, language=language)
    work.record("user.changed", stream=user.id, subject=("user", user.id), data={"what": "language"})
