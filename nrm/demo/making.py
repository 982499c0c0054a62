"""Make the demonstration's users, people and cases, once, through the same actions that people's work goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import func, insert, select, update

from nrm.actions._action import Work, action
from nrm.actions.seats import give_membership
from nrm.actions.users import add_user
from nrm.actors import SYSTEM
from nrm.clock import FixedClock
from nrm.db import db
from nrm.demo.stories import Demo, DemoUser
from nrm.demo.telling import Cast, tell
from nrm.installation import install, installation
from nrm.models import Desk, Organisation, PackItem, User

MARK: Final = ("pack", "demo")
"""Kind and key of the row that says which stories were begun in this database."""


class NotForDemo(Exception):
    """The database holds real work; a demonstration must not be made in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What making the demonstration did.

    Attributes:
        users: how many users were added now.
        stories: keys of the stories that were told now; empty when all of them had been told before.
    """

    users: int
    stories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How somebody signs in to the demonstration.

    Attributes:
        seats: for each seat, the names of its desk and organisation by language.
    """

    login: str
    name: str
    language: str
    seats: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...]


def sign_ins(demo: Demo) -> tuple[SignIn, ...]:
    """List who may sign in, with the desks at which they sit."""
    rows = db.session.execute(
        select(Desk.code, Desk.names, Organisation.names).join(Organisation, Organisation.id == Desk.organisation_id)
    ).all()
    db.session.close()
    seats = {code: (names, organisation) for code, names, organisation in rows}
    return tuple(
        SignIn(
            login=user.login,
            name=user.name,
            language=user.language,
            seats=tuple(seats[desk] for desk in user.desks if desk in seats),
        )
        for user in demo.users
    )


def make_demo(demo: Demo, *, progress: Callable[[str], None] = lambda line: None) -> Made:
    """Make what is not there yet of a demonstration; needs an application context and a loaded pack.

    Stories are told one after the other, each from its beginning in the past until today. One that was interrupted
    stays as far as it came.

    Args:
        demo: from `nrm.demo.stories.read_demo`.
        progress: called with a line for each part.

    Raises:
        NotForDemo: the database has users and was not made for a demonstration.
        BadStory: a story cannot be told as it is written.
    """
    begun = _begun()
    if begun is None:
        if db.session.execute(select(func.count()).select_from(User)).scalar_one():
            raise NotForDemo
        _mark(SYSTEM, ())
        begun = ()
    db.session.close()
    waiting = [story for story in demo.stories if story.key not in begun]
    if not waiting and _all_there(demo):
        return Made(users=0, stories=())
    with _free_clock() as clock:
        present = clock.at
        clock.at = min((story.begins(present) for story in waiting), default=present)
        added = _add_users(demo)
        cast = Cast(demo)
        for place, story in enumerate(waiting):
            progress(f"{place + 1}/{len(waiting)} {story.key}")
            clock.at = story.begins(present)
            _mark(SYSTEM, (*begun, *(told.key for told in waiting[: place + 1])))
            tell(cast, story, clock, present)
    return Made(users=added, stories=tuple(story.key for story in waiting))


@contextmanager
def _free_clock() -> Iterator[FixedClock]:
    """Put a clock in the installation's place that may be set into the past."""
    before = installation()
    clock = FixedClock(before.clock.now())
    install(replace(before.config), clock)
    try:
        yield clock
    finally:
        install(before.config, before.clock)


def _begun() -> tuple[str, ...] | None:
    found = db.session.execute(
        select(PackItem.content).where(PackItem.kind == MARK[0], PackItem.key == MARK[1])
    ).scalar_one_or_none()
    return None if found is None else tuple(str(key) for key in found)


@action("demo.mark")
def _mark(work: Work, begun: tuple[str, ...]) -> None:
    row = (PackItem.kind == MARK[0], PackItem.key == MARK[1])
    values = {"content": list(begun), "updated_at": work.now}
    if work.session.execute(update(PackItem).where(*row).values(**values)).rowcount == 0:  # type: ignore[attr-defined]
        work.session.execute(insert(PackItem).values(kind=MARK[0], key=MARK[1], version=1, **values))


def _known_logins() -> frozenset[str]:
    found = frozenset(db.session.scalars(select(User.login)))
    db.session.close()
    return found


def _all_there(demo: Demo) -> bool:
    return {user.login for user in demo.users} <= _known_logins()


def _add_users(demo: Demo) -> int:
    known = _known_logins()
    new = [user for user in demo.users if user.login not in known]
    desks = _desks()
    for user in new:
        _add_user(user, demo.password, desks)
    return len(new)


def _desks() -> Mapping[str, Desk]:
    found = {desk.code: desk for desk in db.session.scalars(select(Desk).where(Desk.active))}
    db.session.close()
    return found


def _add_user(user: DemoUser, password: str, desks: Mapping[str, Desk]) -> None:
    added = add_user(SYSTEM, login=user.login, name=user.name, password=password, language=user.language, is_own=True)
    for code in user.desks:
        desk = desks[code]
        give_membership(SYSTEM, added.id, organisation_id=desk.organisation_id, desk_id=desk.id, role=desk.role)
