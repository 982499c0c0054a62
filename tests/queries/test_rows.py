"""What is asked with statements that are built once: the same cases are seen, and nothing is read that has passed."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import bindparam, insert, select, update

from nrm import ids
from nrm.actions import cases
from nrm.actors import SYSTEM, Actor, ActorKind, Seat
from nrm.db import db
from nrm.models import Case, CaseAccess
from nrm.queries import packs, rows
from nrm.queries.scope import asker, seen_by, sees_case, standing_of
from nrm.vocabulary import Access, Holder, Level
from tests.world import World


def every_kind_of_access(land: World, holders: dict[Holder, list[str]]) -> None:
    """Open a case for each way in which somebody may hold access to one."""
    handler, now = land.at_desk("case_handler", "norvale"), land.clock.now()
    untils = (None, now - timedelta(days=1), now + timedelta(days=1))
    ways = product(
        [(kind, holder) for kind, listed in holders.items() for holder in listed],
        (Access.WORK, Access.OVERVIEW),
        untils,
        (Level.STANDARD, Level.STRICT),
    )
    for number, ((kind, holder), access, until, level) in enumerate(ways):
        case_id = cases.open_case(handler, land.person(), governorate="norvale", path="wait_for_answer").id
        with db.engine.begin() as connection:
            changed = {"level": str(level), "livemode": number % 7 != 0}
            connection.execute(update(Case).where(Case.id == case_id).values(**changed))
            connection.execute(
                insert(CaseAccess).values(
                    id=ids.new_id("acc"),
                    case_id=case_id,
                    holder_kind=str(kind),
                    holder_id=holder,
                    access=str(access),
                    reason="tested",
                    since=now,
                    until=until,
                )
            )


def seat(role: str, organisation: str, desk: str | None, *permissions: str) -> Seat:
    held = frozenset(permissions) or packs.pack().roles[role]
    return Seat(organisation_id=organisation, desk_id=desk, role=role, permissions=held)


def test_a_condition_that_is_built_once_lets_everybody_see_the_same_cases(land: World):
    here, there = land.at_desk("case_handler", "norvale"), land.at_desk("case_handler", "lakemar")
    body, far = here.organisations[0], there.organisations[0]
    (desk,) = there.desks
    user = ids.new_id("usr")
    every_kind_of_access(land, {Holder.USER: [user], Holder.DESK: [desk], Holder.ORGANISATION: [body, far]})
    seats = {
        "nobody": (),
        "at the desk": (seat("case_handler", far, desk),),
        "whole organisation": (seat("case_handler", body, None),),
        "reads here, only answers there": (
            seat("case_handler", far, desk, "case.read"),
            seat("receiving_desk", body, None, "referral.receive"),
        ),
    }
    askers = [
        Actor(kind=kind, id=user, seats=held, livemode=live)
        for kind, held, live in product((ActorKind.USER, ActorKind.KEY), seats.values(), (True, False))
    ]
    counts = set()
    for actor, how in product((*askers, SYSTEM, here), ({}, {"reading": True}, {"writing": True})):
        now = land.clock.now()
        land.session.close()
        at_hand = set(land.session.scalars(select(Case.id).where(sees_case(actor, now, **how))))
        built_once = select(Case.id).where(seen_by(standing_of(actor), **how))
        assert {row.id for row in rows.read(built_once, asker(actor, now))} == at_hand
        counts.add(len(at_hand))
    assert len(counts) > 4, "people who see the same cases whatever they are prove nothing"


@pytest.mark.parametrize("ends", ["close", "commit", "rollback"])
def test_what_is_read_is_what_is_stored_now(land: World, ends: str):
    handler = land.at_desk("case_handler", "norvale")
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path="wait_for_answer").id
    one = select(Case.governorate).where(Case.id == bindparam("case"))
    assert [row.governorate for row in rows.read(one, {"case": case_id})] == ["norvale"]
    getattr(land.session, ends)()
    with db.engine.begin() as connection:
        connection.execute(update(Case).where(Case.id == case_id).values(governorate="lakemar"))
    assert [row.governorate for row in rows.read(one, {"case": case_id})] == ["lakemar"]


def test_a_change_reads_what_it_has_written_itself(land: World):
    handler = land.at_desk("case_handler", "norvale")
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path="wait_for_answer").id
    one = select(Case.governorate).where(Case.id == bindparam("case"))
    land.session.close()
    rows.read(one, {"case": case_id})
    land.session.execute(update(Case).where(Case.id == case_id).values(governorate="lakemar"))
    assert [row.governorate for row in rows.read(one, {"case": case_id})] == ["lakemar"]
    land.session.rollback()
    assert [row.governorate for row in rows.read(one, {"case": case_id})] == ["norvale"]
