"""The events feed: nothing is skipped, nothing comes twice, and nobody learns of what is not theirs."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, insert, select

from nrm import ids
from nrm.actions import consents
from nrm.db import WRITING, db
from nrm.errors import NotValid
from nrm.models import Case, Event, Service
from nrm.queries.feed import FeedEntry, Reader, position_of, read_feed, settled
from nrm.rules.partner_events import TELLS, TYPES
from tests.actions.test_referrals import Loop
from tests.installations import Installed
from tests.world import World


def all_of(reader: Reader, land: World, *, after: int = 0, **only) -> list[FeedEntry]:
    """Page through the feed as a program does."""
    found: list[FeedEntry] = []
    while True:
        land.session.close()
        page = read_feed(reader, land.clock.now(), after=after, limit=3, **only)
        found += page.entries
        after = page.until
        if not page.more:
            land.session.close()
            return found


def types(entries: list[FeedEntry]) -> list[str]:
    return [entry.event.type for entry in entries]


@pytest.fixture
def loop(land: World) -> Loop:
    loop = Loop(land)
    loop.consent()
    return loop


def receiver(loop: Loop) -> Reader:
    return Reader(organisation_id=loop.service.organisation_id)


def sender(loop: Loop) -> Reader:
    return Reader(organisation_id=loop.handler.organisations[0])


def capacity(stream: str, seq: int, organisation: str, service: str, at) -> dict[str, object]:
    return {
        "stream": stream,
        "seq": seq,
        "id": ids.new_id("evt"),
        "at": at,
        "kind": "service.capacity_changed",
        "actor": "system",
        "organisation_id": organisation,
        "sender_id": None,
        "subject_kind": "service",
        "subject_id": service,
        "data": {},
        "prev_hash": "",
        "hash": "x",
    }


@contextmanager
def writing() -> Iterator[Connection]:
    with db.engine.connect().execution_options(**WRITING) as connection, connection.begin():
        yield connection


def one_service(land: World) -> tuple[str, str]:
    found = land.session.execute(select(Service.id, Service.organisation_id).order_by(Service.code)).first()
    land.session.close()
    assert found is not None
    return found[0], found[1]


def test_every_type_that_is_told_is_explained_and_the_other_way_round():
    assert {told.type for told in TELLS.values()} == set(TYPES)


def test_sender_and_receiver_hear_of_a_referral_from_its_sending_to_its_end(loop: Loop, land: World):
    made = loop.send()
    loop.do(loop.provider, "accept", made.id)
    loop.do(loop.provider, "start", made.id)
    done = loop.do(loop.provider, "complete", made.id, outcome="provided")
    told = ["referral.sent", "referral.accepted", "referral.started", "referral.completed"]
    mine = [kind for kind in types(all_of(receiver(loop), land)) if kind != "service.capacity_changed"]
    assert mine == told
    heard = all_of(sender(loop), land, types=frozenset(told))
    assert types(heard) == told
    assert [entry.event.data["state"] for entry in heard] == ["sent", "accepted", "in_progress", "completed"]
    assert heard[-1].event.data["version"] == done.version
    assert {entry.event.subject for entry in heard} == {made.id}
    stranger = Reader(organisation_id="org_" + "0" * 26)
    assert all_of(stranger, land) == []


def test_a_draft_is_nobody_elses_business(loop: Loop, land: World):
    loop.send(draft=True)
    assert all_of(receiver(loop), land) == []
    assert all_of(sender(loop), land, types=frozenset({"referral.sent"})) == []


def test_after_the_consent_is_withdrawn_the_receiver_finds_the_withdrawal_and_nothing_else(land: World):
    loop = Loop(land)
    consent_id = loop.consent()
    made = loop.send()
    loop.do(loop.provider, "accept", made.id)
    assert "referral.accepted" in types(all_of(receiver(loop), land))
    consents.withdraw_consent(loop.handler, consent_id, scope=[], version=None)
    left = [entry for entry in all_of(receiver(loop), land) if entry.event.subject == made.id]
    assert sorted(types(left)) == ["consent.withdrawn", "referral.withdrawn"]


def test_a_strict_case_is_not_told_to_the_program_of_the_office_that_sent_it(loop: Loop, land: World):
    loop.send()
    assert "referral.sent" in types(all_of(sender(loop), land))
    with db.engine.begin() as connection:
        connection.execute(Case.__table__.update().values(level="strict"))
    assert all_of(sender(loop), land, types=frozenset({"referral.sent"})) == []


def test_programs_in_test_mode_hear_nothing_of_real_people(loop: Loop, land: World):
    loop.send()
    reader = Reader(organisation_id=loop.service.organisation_id, livemode=False)
    assert all_of(reader, land) == []


def test_the_office_whose_desk_has_a_task_hears_of_it(land: World):
    from nrm.actions.cases import open_case

    handler = land.at_desk("case_handler", "norvale")
    open_case(handler, land.person(), governorate="norvale", path="hello")
    mine = all_of(Reader(organisation_id=handler.organisations[0]), land, types=frozenset({"task.assigned"}))
    assert types(mine)
    assert all(set(entry.event.data) == {"task", "url"} for entry in mine)


def test_events_older_than_thirty_days_are_gone_from_the_feed(loop: Loop, land: World):
    loop.send()
    land.move(days=31)
    assert all_of(receiver(loop), land) == []


def test_an_event_of_somebody_else_is_no_place_to_go_on_from(loop: Loop, land: World):
    loop.send()
    mine = all_of(receiver(loop), land)[-1]
    assert position_of(receiver(loop), mine.event.id) == mine.position
    with pytest.raises(NotValid) as error:
        position_of(Reader(organisation_id="org_" + "0" * 26), mine.event.id)
    assert error.value.problems[0].code == "unknown_event"


def test_events_hold_no_names(loop: Loop, land: World):
    made = loop.send(reason="CANARY reason")
    loop.do(loop.provider, "decline", made.id, reason="other", note="CANARY note")
    assert "CANARY" not in str(all_of(receiver(loop), land))
    assert "other" not in str(all_of(receiver(loop), land))


def test_a_late_commit_is_waited_for_and_not_skipped(installed: Installed, land: World):
    """A transaction took its position first and commits last: whoever reads in between sees neither, then both."""
    service, organisation = one_service(land)
    reader = Reader(organisation_id=organisation)
    now = land.clock.now()
    before = settled(land.session)
    land.session.close()
    with writing() as slow:
        slow.execute(insert(Event.__table__), [capacity("slow", 1, organisation, service, now)])
        if db.engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            with writing() as fast:
                fast.execute(insert(Event.__table__), [capacity("fast", 1, organisation, service, now)])
        assert all_of(reader, land, after=before) == []
    found = all_of(reader, land, after=before)
    assert len(found) == (2 if db.engine.dialect.name == "postgresql" else 1)
    assert [entry.position for entry in found] == sorted(entry.position for entry in found)


def test_readers_who_page_while_many_write_see_each_event_once(installed: Installed, land: World):
    service, organisation = one_service(land)
    reader = Reader(organisation_id=organisation)
    now = land.clock.now()
    threads, rounds = 6, 25
    seen: list[str] = []
    written: list[str] = []
    busy = threading.Event()
    busy.set()

    def write(number: int) -> None:
        chance = random.Random(number)
        for turn in range(rounds):
            rows = [
                capacity(f"s{number}", turn * 3 + part, organisation, service, now)
                for part in range(chance.randint(1, 3))
            ]
            with writing() as connection:
                connection.execute(insert(Event.__table__), rows)
                time.sleep(chance.random() * 0.01)
                if chance.random() < 0.1:
                    connection.get_transaction().rollback()
                    continue
            written.extend(str(row["id"]) for row in rows)

    def read() -> None:
        with installed.app.app_context():
            after = 0
            while True:
                last = not busy.is_set()
                page = read_feed(reader, now, after=after, limit=7)
                db.session.remove()
                seen.extend(entry.event.id for entry in page.entries)
                after = page.until
                if last and not page.more:
                    return

    def run(number: int) -> None:
        with installed.app.app_context():
            write(number)

    following = threading.Thread(target=read)
    following.start()
    writers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    busy.clear()
    following.join()
    assert len(seen) == len(set(seen))
    assert set(seen) == set(written)
    assert len(written) > threads * rounds / 2
