"""The daily mail: who gets one, when, and what it does not say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from nrm.actions import cases
from nrm.actions.absences import record_absence, set_digest
from nrm.actions.digests import find_news
from nrm.actions.schedules import SCHEDULES, prepare_schedule, run_schedule
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.delivery.texts import Notice, write
from nrm.installation import installation
from nrm.jobs.kinds import DELIVERIES
from nrm.models import Delivery, User
from nrm.worker.loop import Runner
from tests.world import World


@pytest.fixture
def handler(land: World) -> Iterator[Actor]:
    """Somebody at the desk of the handlers who wants the daily mail, with a case that came in."""
    found = land.at_desk("case_handler", "norvale")
    with db.engine.begin() as connection:
        connection.execute(update(User).where(User.id == found.id).values(email="somebody@example.org", language="en"))
    set_digest(found, digest="daily")
    cases.open_case(found, land.person(), governorate="norvale", path="hello")
    yield found


def a_morning(land: World) -> None:
    run_schedule(SYSTEM, "digests", prepare_schedule("digests"))
    land.session.close()


def deliver_all(land: World, app: Flask) -> None:
    """Let a runner send what is queued."""
    runner = Runner(app.app_context, threads=1, poll_seconds=0.05, queues=(DELIVERIES,))
    thread = threading.Thread(target=runner.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not mails() and time.monotonic() < deadline:
        time.sleep(0.05)
    runner.stop()
    thread.join()
    land.session.close()


def queued(land: World) -> list[str]:
    found = land.session.execute(select(Delivery.id).where(Delivery.template == "digest")).scalars().all()
    land.session.close()
    return list(found)


def mails() -> list[str]:
    folder = installation().config.data_dir / "mail"
    return [file.read_bytes().decode() for file in sorted(folder.glob("*.eml"))]


def test_whoever_wants_it_gets_one_mail_with_numbers_and_no_name(land: World, handler: Actor, app: Flask):
    assert SCHEDULES["digests"].every.startswith("daily")
    a_morning(land)
    a_morning(land)
    (delivery,) = queued(land)
    deliver_all(land, app)
    (mail,) = mails()
    assert delivery in mail
    assert "To: somebody@example.org" in mail
    assert "Open tasks at your desks: 1" in mail
    assert "/me/times" in mail
    assert not any(word in mail for word in ("Invented", "Example,", "TL-", "usr_", "cas_", "tsk_"))


def test_no_mail_comes_when_nothing_is_new(land: World, handler: Actor):
    a_morning(land)
    land.clock.move(timedelta(days=1))
    assert find_news() == {}
    cases.open_case(handler, land.person(), governorate="norvale", path="hello")
    assert find_news() == {handler.id: 1}


def test_no_mail_comes_on_a_day_off_nor_to_those_who_are_away(land: World, handler: Actor):
    assert find_news() == {handler.id: 1}
    start = land.clock.now()
    calendar_days = [start + timedelta(days=step) for step in range(7)]
    weekend = next(day for day in calendar_days if day.weekday() == 4)
    land.clock.move(weekend - start)
    assert find_news() == {}
    land.clock.move(timedelta(days=2))
    today = land.clock.now().date()
    cases.open_case(handler, land.person(), governorate="norvale", path="hello")
    assert handler.id in find_news()
    record_absence(handler, first=today, last=today)
    assert find_news() == {}


def test_whoever_wants_none_or_has_no_address_gets_none(land: World, handler: Actor):
    set_digest(handler, digest="off")
    assert find_news() == {}
    set_digest(handler, digest="daily")
    with db.engine.begin() as connection:
        connection.execute(update(User).where(User.id == handler.id).values(email=None))
    assert find_news() == {}


def test_whoever_changed_their_mind_after_the_counting_gets_none(land: World, handler: Actor):
    news = find_news()
    set_digest(handler, digest="off")
    run_schedule(SYSTEM, "digests", news)
    assert queued(land) == []


@pytest.mark.parametrize(
    ("language", "words"), [("ar", "المتأخرة منها: 3"), ("ckb", "دواکەوتوو لەوانە: 3"), ("en", "Late among these: 3")]
)
def test_the_mail_is_written_in_the_readers_language(language: str, words: str):
    counts = {"mine": 1, "desk": 2, "overdue": 3}
    notice = Notice(
        id="dlv_x", template="digest", subject_kind="user", subject_id="usr_x", language=language, counts=counts
    )
    subject, body = write(notice, public_url="https://nrm.example")
    assert words in body
    assert "https://nrm.example/me/times" in body
    assert "usr_x" not in subject + body
