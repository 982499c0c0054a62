"""Managers of users keep to their own, also where a user sits nowhere; and somebody is always left who manages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from nrm.actions.seats import end_membership, give_membership
from nrm.actions.users import (
    add_user,
    change_user,
    disable_user,
    enable_user,
    end_user_sessions,
    reset_second_factor,
    set_password,
)
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.errors import Conflict, NotAllowed, NotFound
from nrm.installation import installation
from nrm.models import Desk, Membership, Organisation
from nrm.queries import users
from nrm.queries.users import actor_of_user
from tests.seats import PASSWORD, seated


def organisation(code: str) -> str:
    return str(db.session.execute(select(Organisation.id).where(Organisation.code == code)).scalar_one())


def seat_of(user_id: str, code: str) -> str:
    found = select(Membership.id).where(Membership.user_id == user_id, Membership.organisation_id == organisation(code))
    return str(db.session.execute(found).scalars().first())


def manager(code: str, login: str = "") -> Actor:
    return seated(login or f"manager.{code}", "provider_manager", organisation=code)


VERBS: dict[str, Callable[[Actor, str], object]] = {
    "change": lambda actor, user: change_user(actor, user, {"name": "Taken Over"}, version=None),
    "enable": enable_user,
    "disable": disable_user,
    "password": lambda actor, user: set_password(actor, user, "eight green lamps shine"),
    "second factor": reset_second_factor,
    "sessions": end_user_sessions,
    "seat": lambda actor, user: give_membership(
        actor, user, organisation_id=organisation("open_door"), role="provider_focal_point"
    ),
    "read": lambda actor, user: users.user(actor, user, actor_now()),
}


def actor_now() -> datetime:
    return installation().clock.now()


@pytest.mark.parametrize("verb", VERBS)
def test_an_account_that_sits_nowhere_is_not_taken_over_by_another_organisation(installed, verb: str):
    left = seated("left", "receiving_desk", desk="bright_bridge_receiving_desk")
    end_membership(SYSTEM, seat_of(left.id, "bright_bridge"))
    fresh = add_user(SYSTEM, login="fresh", name="Invented fresh", password=PASSWORD)
    shut_out = seated("shut.out", "receiving_desk", desk="bright_bridge_receiving_desk")
    disable_user(SYSTEM, shut_out.id)
    thief = manager("open_door")
    for user_id in (left.id, fresh.id, shut_out.id):
        with pytest.raises(NotFound):
            VERBS[verb](thief, user_id)
    assert {row.login for row in users.users(thief, actor_now()).items} == {"manager.open_door"}


def test_those_over_the_last_seat_still_help(installed):
    left = seated("left", "receiving_desk", desk="bright_bridge_receiving_desk")
    disable_user(SYSTEM, left.id)
    theirs = manager("bright_bridge")
    assert {row.login for row in users.users(theirs, actor_now()).items} == {"left", "manager.bright_bridge"}
    enable_user(theirs, left.id)
    set_password(theirs, left.id, "eight green lamps shine")
    give_membership(theirs, left.id, organisation_id=organisation("bright_bridge"), role="provider_focal_point")
    assert actor_of_user(left.id, actor_now()).organisations == (organisation("bright_bridge"),)


def test_an_account_belongs_to_whoever_added_it_until_it_is_seated(installed):
    first, second = manager("open_door", "manager.1"), manager("open_door", "manager.2")
    added = add_user(first, login="new", name="Invented new", password=PASSWORD).id
    with pytest.raises(NotFound):
        change_user(second, added, {"name": "Other"}, version=None)
    assert "new" not in {row.login for row in users.users(second, actor_now()).items}
    assert "new" in {row.login for row in users.users(first, actor_now()).items}
    give_membership(first, added, organisation_id=organisation("open_door"), role="provider_focal_point")
    change_user(second, added, {"name": "Other"}, version=None)
    assert users.user(second, added, actor_now()).name == "Other"


def test_who_shares_a_user_with_another_organisation_reads_but_does_not_change(installed):
    both = seated("both", "receiving_desk", desk="open_door_receiving_desk")
    give_membership(SYSTEM, both.id, organisation_id=organisation("bright_bridge"), role="provider_focal_point")
    one = manager("open_door")
    assert users.user(one, both.id, actor_now()).login == "both"
    for verb in ("change", "password", "disable"):
        with pytest.raises(NotAllowed):
            VERBS[verb](one, both.id)


def test_a_manager_at_a_desk_of_one_governorate_manages_the_desks_there(installed):
    here = seated("here", "case_handler", desk="moh_case_handler_norvale")
    there = seated("there", "case_handler", desk="moh_case_handler_lakemar")
    whole = seated("whole", "supervisor", organisation="moh")
    desk = db.session.execute(select(Desk).where(Desk.code == "moh_coordinator_norvale")).scalar_one()
    give_membership(SYSTEM, here.id, organisation_id=desk.organisation_id, desk_id=desk.id, role="provider_manager")
    boss = actor_of_user(here.id, actor_now())
    assert {row.login for row in users.users(boss, actor_now()).items} == {"here"}
    for outside in (there, whole):
        with pytest.raises(NotFound):
            users.user(boss, outside.id, actor_now())
    fresh = add_user(boss, login="fresh", name="Invented fresh", password=PASSWORD).id
    for desk_code in ("moh_case_handler_lakemar", None):
        desk_id = db.session.scalar(select(Desk.id).where(Desk.code == desk_code)) if desk_code else None
        with pytest.raises(NotAllowed):
            give_membership(boss, fresh, organisation_id=organisation("moh"), desk_id=desk_id, role="case_handler")
    own = db.session.scalar(select(Desk.id).where(Desk.code == "moh_case_handler_norvale"))
    give_membership(boss, fresh, organisation_id=organisation("moh"), desk_id=own, role="case_handler")


def ends_in(user_id: str, days: int) -> None:
    until = actor_now() + timedelta(days=days)
    db.session.execute(update(Membership).where(Membership.user_id == user_id).values(until=until))
    db.session.commit()


def test_somebody_whose_own_seat_ends_soon_does_not_count_as_left(installed):
    first = seated("admin1", "administrator", organisation="moh")
    second = seated("admin2", "administrator", organisation="moh")
    ends_in(second.id, 5)
    with pytest.raises(Conflict) as caught:
        disable_user(second, first.id)
    assert (caught.value.code, caught.value.params["days"]) == ("last_manager", 30)
    with pytest.raises(Conflict):
        end_membership(first, seat_of(first.id, "moh"))
    end_membership(first, seat_of(second.id, "moh"))
    third = seated("admin3", "administrator", organisation="hro")
    ends_in(third.id, 31)
    end_membership(third, seat_of(first.id, "moh"))


def test_an_organisation_does_not_leave_itself_without_a_manager_but_the_country_may_shut_one_out(installed):
    only = manager("open_door", "manager.1")
    other = manager("open_door", "manager.2")
    ends_in(other.id, 5)
    with pytest.raises(Conflict) as caught:
        end_membership(only, seat_of(only.id, "open_door"))
    assert caught.value.code == "last_manager_here"
    with pytest.raises(Conflict):
        disable_user(other, only.id)
    elsewhere = manager("bright_bridge")
    admin = seated("admin1", "administrator", organisation="moh")
    disable_user(admin, only.id)
    disable_user(admin, elsewhere.id)
