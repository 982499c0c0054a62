"""Days in the life of the runner: what the clock brings to desks, organisations and mailboxes."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as modern

import pytest
from sqlalchemy import func, select, update

from nrm.actions import cases, deliveries, tasks
from nrm.actions._action import transact
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.installation import install, installation
from nrm.models import Delivery, Event, Incident, Job, Notification, Organisation, Run, Task
from nrm.queries.verify import verify_all
from nrm.worker.loop import Runner
from tests.installations import Installed
from tests.world import World

NOTE = {"note": "All was done"}
PATIENCE = 20.0


@contextmanager
def the_runner(installed: Installed) -> Iterator[Runner]:
    runner = Runner(installed.app.app_context, poll_seconds=0.1)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield runner
    finally:
        runner.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        db.session.remove()
        time.sleep(0.02)
    db.session.remove()


def count(model: type, *conditions: object) -> int:
    db.session.remove()
    return int(db.session.execute(select(func.count()).select_from(model).where(*conditions)).scalar_one())


def opened(land: World, path: str) -> tuple[Actor, str]:
    handler = land.at_desk("case_handler", "norvale")
    return handler, cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def take(land: World, actor: Actor, case_id: str, step: str) -> tuple[str, int]:
    task = land.open_tasks(case_id)[step]
    return task.id, tasks.claim_task(actor, task.id).version


def test_a_letter_that_nobody_answers_is_followed_by_a_telephone_call(installed: Installed, land: World):
    handler, case_id = opened(land, "wait_for_answer")
    task_id, version = take(land, handler, case_id, "write")
    tasks.complete_task(handler, task_id, answers=NOTE, version=version)
    with the_runner(installed):
        time.sleep(0.3)
        assert set(land.open_tasks(case_id)) == set()
        land.move(days=3, seconds=1)
        until(lambda: set(land.open_tasks(case_id)) == {"ring"})
    assert count(Job, Job.kind == "timer") == 0
    assert list(verify_all()) == []


def test_a_late_task_is_reminded_of_once_and_climbs_the_ladder(installed: Installed, land: World):
    handler, case_id = opened(land, "wait_for_answer")
    task_id, _ = take(land, handler, case_id, "write")
    with the_runner(installed):
        for _ in range(40):
            land.move(hours=12)
            time.sleep(0.05)
        until(lambda: count(Job, Job.kind == "task_clock", Job.due_at <= installation().clock.now()) == 0)
        until(lambda: count(Event, Event.kind == "task.escalated") > 0)
    assert count(Event, Event.kind == "task.reminded", Event.subject_id == task_id) == 1
    assert count(Notification, Notification.kind == "task.reminded", Notification.user_id == handler.id) == 1
    db.session.remove()
    escalation = db.session.get_one(Task, task_id).escalation
    assert count(Event, Event.kind == "task.escalated", Event.subject_id == task_id) == escalation > 0
    assert list(verify_all()) == []


def test_a_task_comes_back_from_hold_by_itself(installed: Installed, land: World):
    handler, case_id = opened(land, "wait_for_answer")
    task_id, version = take(land, handler, case_id, "write")
    until_when = land.clock.now() + timedelta(days=2)
    tasks.hold_task(handler, task_id, until=until_when, reason="returnee_unavailable", version=version)
    with the_runner(installed):
        land.move(days=2, minutes=1)
        until(lambda: set(land.open_tasks(case_id)) == {"write"})
    assert count(Event, Event.kind == "task.resumed") == 1
    assert list(verify_all()) == []


def organisation(channel: str) -> str:
    with db.session() as session:
        found = session.execute(select(Organisation.id).order_by(Organisation.code)).scalars().first()
        values = {"channel": channel, "email": "desk@ngo.example", "languages": ["ar"]}
        session.execute(update(Organisation).where(Organisation.id == found).values(**values))
        session.commit()
    assert found is not None
    return found


def tell(organisation_id: str) -> str | None:
    db.session.remove()
    return transact(
        SYSTEM,
        lambda work: deliveries.tell_organisation(
            work, organisation_id, template="referral_received", subject=("referral", "ref_1")
        ),
    )


def test_an_organisation_without_the_program_gets_a_neutral_mail(installed: Installed):
    delivery_id = tell(organisation("email"))
    with the_runner(installed):
        until(lambda: count(Delivery, Delivery.state == "sent") == 1)
    mail = message_from_bytes((installed.config.data_dir / "mail" / f"{delivery_id}.eml").read_bytes(), policy=modern)
    assert mail["To"] == "desk@ngo.example"
    assert mail["Subject"] == "وصلت إحالة جديدة إلى جهتكم"
    assert str(delivery_id) in mail["Message-ID"]
    text = mail.get_content()
    assert "ref_1" in text
    assert installed.config.public_url in text
    db.session.remove()
    row = db.session.execute(select(Delivery)).scalar_one()
    assert (row.attempts, row.error) == (1, None)
    assert list(verify_all()) == []


def test_a_letter_lies_ready_to_be_printed(installed: Installed):
    delivery_id = tell(organisation("letter"))
    with the_runner(installed):
        until(lambda: count(Delivery, Delivery.state == "sent") == 1)
    letter = (installed.config.data_dir / "letters" / f"{delivery_id}.txt").read_text()
    assert "وصلت إحالة جديدة" in letter
    assert "ref_1" in letter


def test_an_organisation_that_works_in_the_program_gets_no_mail(installed: Installed):
    assert tell(organisation("portal")) is None
    assert count(Delivery) == 0


def test_a_mail_server_that_is_away_is_asked_again_and_gets_the_mail_once(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
):
    install(replace(installed.config, smtp_url="smtp://127.0.0.1:9"), installed.clock)
    calls: list[str] = []

    class Server:
        def __init__(self, *args: object, **options: object) -> None:
            calls.append("connect")
            if len(calls) == 1:
                raise ConnectionRefusedError

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *args: object) -> None:
            return None

        def has_extn(self, name: str) -> bool:
            return False

        def send_message(self, message: object) -> None:
            calls.append("sent")

    monkeypatch.setattr(smtplib, "SMTP", Server)
    tell(organisation("email"))
    with the_runner(installed):
        until(lambda: count(Delivery, Delivery.state == "failed") == 1)
        until(lambda: count(Job, Job.kind == "delivery", Job.state == "waiting") == 1)
        installed.clock.move(timedelta(minutes=2))
        until(lambda: count(Delivery, Delivery.state == "sent") == 1)
    assert calls == ["connect", "connect", "sent"]
    assert count(Job, Job.kind == "delivery") == 0


def test_a_mail_that_is_refused_for_days_becomes_an_incident(installed: Installed, monkeypatch: pytest.MonkeyPatch):
    install(replace(installed.config, smtp_url="smtp://127.0.0.1:9"), installed.clock)

    def refuse(*args: object, **options: object) -> None:
        raise smtplib.SMTPConnectError(554, "no, desk@ngo.example")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    tell(organisation("email"))
    with the_runner(installed):

        def dead() -> bool:
            installed.clock.move(timedelta(hours=15))
            return count(Delivery, Delivery.state == "dead") == 1

        until(dead)
    db.session.remove()
    incident = db.session.execute(select(Incident).where(Incident.kind == "delivery")).scalar_one()
    assert incident.code == "job_failed"
    job = db.session.get_one(Job, incident.job_id)
    assert job.attempts == job.max_attempts
    assert "ngo.example" not in f"{job.error}{incident.params}"
    assert list(verify_all()) == []


def test_an_address_that_is_gone_ends_the_delivery_visibly(installed: Installed):
    organisation_id = organisation("email")
    tell(organisation_id)
    with db.session() as session:
        session.execute(update(Organisation).values(email=None))
        session.commit()
    with the_runner(installed):
        until(lambda: count(Delivery, Delivery.state == "dead") == 1)
    assert count(Incident, Incident.code == "no_address", Incident.organisation_id == organisation_id) == 1
    assert count(Job, Job.kind == "delivery") == 0


def test_messages_that_nobody_wanted_expire(installed: Installed, land: World):
    _, case_id = opened(land, "wait_for_answer")
    from nrm.actions import runs
    from nrm.models import InboxMessage

    runs.receive_message(SYSTEM, case_id, "consent.withdrawn")
    land.move(days=31)
    with the_runner(installed):
        until(lambda: count(InboxMessage, InboxMessage.status == "expired") == 1)
    assert count(Run, Run.status == "running") == 1
