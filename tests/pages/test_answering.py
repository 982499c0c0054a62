"""An organisation that has only a mailbox: a link, a page, one answer; and a scanner of mail that follows links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from nrm.actions import consents, deliveries
from nrm.actors import SYSTEM
from nrm.credentials import secret_hash
from nrm.db import db
from nrm.delivery.texts import Notice, write
from nrm.i18n import LANGUAGES
from nrm.models import AnswerLink, Case, Delivery, Event, Person
from nrm.queries.answer_links import LinkState, state_of
from nrm.sealing import seal
from tests.actions.test_referrals import Loop
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader

CANARY = "Canaryname"


class Mailbox:
    """An organisation that is reached by mail, with a referral in its mailbox."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.loop = Loop(office.land, service="papers_help")
        self.consent = self.loop.consent()
        self.sent = self.loop.send(categories=["contact", "age"])
        identity = {"names": {"own": CANARY, "surname": "Example"}, "phones": ["+0000000009"]}
        person = self.loop.now(self.sent.id).person_id
        with db.engine.begin() as connection:
            sealed = seal(identity, row=person, column="people.identity")
            connection.execute(update(Person).where(Person.id == person).values(identity=sealed))

    def mails(self, template: str | None = None) -> list[deliveries.Outgoing]:
        """Send what waits, and give it."""
        self.office.land.session.close()
        found = select(Delivery.id).where(Delivery.state == "waiting").order_by(Delivery.created_at, Delivery.id)
        sent = []
        for delivery_id in list(self.office.land.session.execute(found).scalars()):
            outgoing = deliveries.begin_delivery(SYSTEM, delivery_id)
            deliveries.note_sent(SYSTEM, delivery_id)
            assert outgoing is not None
            sent.append(outgoing)
        return [mail for mail in sent if template in (None, mail.template)]

    def link(self, template: str = "referral_received") -> str:
        (mail,) = self.mails(template)
        assert mail.link
        return mail.link

    @property
    def state(self) -> str:
        return self.loop.now(self.sent.id).state


@pytest.fixture
def mailbox(office: Office) -> Mailbox:
    return Mailbox(office)


@pytest.fixture
def browser(office: Office) -> Callable[[], Reader]:
    return lambda: Reader(client=office.app.test_client())


def opened(browser: Callable[[], Reader], link: str) -> tuple[Reader, Page]:
    reader = browser()
    page = reader.open(f"/answer/{link}?language=en")
    answer = reader.client.post(page.form(f"/answer/{link}?language=en").action)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/answer")
    return reader, reader.open("/answer?language=en")


def answer(reader: Reader, page: Page, verb: str, **fields: Any) -> Page:
    form = next(one for one in page.forms if ("verb", verb) in one.fields)
    return reader.post(form.action, {**dict(form.fields), **fields})


def test_the_mail_holds_a_link_and_nothing_about_the_returnee(mailbox: Mailbox):
    (mail,) = mailbox.mails()
    for language in LANGUAGES:
        notice = Notice(
            id=mail.id,
            template=mail.template,
            subject_kind=mail.subject_kind,
            subject_id=mail.subject_id,
            language=language,
            link=mail.link,
        )
        subject, body = write(notice, public_url="https://example.test")
        assert f"https://example.test/answer/{mail.link}" in body
        assert CANARY not in subject + body
        service = mailbox.loop.service
        assert not any(name in subject + body for name in (*service.names.values(), service.category))
    kept = mailbox.office.land.session.execute(select(AnswerLink)).scalar_one()
    assert kept.token_sha256 == secret_hash(mail.link)
    assert mail.link not in repr({name: getattr(kept, name) for name in list(AnswerLink.__table__.columns.keys())})


def test_a_scanner_that_follows_the_link_does_nothing_and_sees_nothing(mailbox: Mailbox, browser: Any):
    link = mailbox.link()
    for _ in range(3):
        page = browser().open(f"/answer/{link}?language=en")
        assert page.status == 200
        assert mailbox.sent.number not in page.text
        assert CANARY not in page.text
    assert state_of(link, mailbox.office.clock.now()) is LinkState.GOOD
    assert mailbox.state == "sent"
    head = browser().client.head(f"/answer/{link}")
    assert head.status_code in (200, 405)
    assert mailbox.state == "sent"


def test_the_focal_point_opens_reads_accepts_and_later_reports(mailbox: Mailbox, browser: Any):
    reader, page = opened(browser, mailbox.link())
    assert page.status == 200
    assert mailbox.sent.number in page.says
    assert CANARY not in page.text, "the data show only when somebody asks for them"
    page = reader.post("/answer/person?language=en", {})
    assert CANARY in page.says
    assert "+0000000009" in page.says
    assert mailbox.state == "acknowledged"
    read = select(Event.subject_id, Event.actor).where(Event.kind == "record.read")
    ((subject, actor),) = mailbox.office.land.session.execute(read).all()
    assert (subject, actor[:4]) == (mailbox.sent.id, "lnk_")
    done = answer(reader, page, "accept", note="Come any morning")
    assert "you will serve" in done.says
    assert mailbox.state == "accepted"
    assert reader.open("/answer?language=en").status == 410, "one link, one answer"

    reader, page = opened(browser, mailbox.link("referral_link"))
    assert answer(reader, page, "complete", outcome="provided", delivered_on="2026-03-01").status == 200
    assert mailbox.state == "completed"
    assert mailbox.mails("referral_link") == [], "nothing is left to answer"


def test_a_link_opens_once_and_a_new_one_can_be_asked_for(mailbox: Mailbox, browser: Any):
    link = mailbox.link()
    opened(browser, link)
    again = browser()
    page = again.open(f"/answer/{link}?language=en")
    assert page.status == 410
    assert "opened before" in page.says
    assert again.client.post(f"/answer/{link}").headers["Location"] == f"/answer/{link}"
    assert again.client.get("/answer").status_code == 410, "no cookie was given"
    again.post(f"/answer/{link}/again?language=en", {})
    assert mailbox.mails("referral_link") == [], "the last mail is not ten minutes old"
    mailbox.office.land.move(minutes=11)
    page = again.post(f"/answer/{link}/again?language=en", {})
    assert "on its way" in page.says
    opened(browser, mailbox.link("referral_link"))


def test_an_old_link_and_an_old_session_are_over(mailbox: Mailbox, browser: Any):
    link = mailbox.link()
    mailbox.office.land.move(days=8)
    page = browser().open(f"/answer/{link}?language=en")
    assert (page.status, "time of this link is over" in page.says) == (410, True)
    browser().post(f"/answer/{link}/again", {})
    reader, page = opened(browser, mailbox.mails("referral_link")[-1].link)
    mailbox.office.land.move(minutes=31)
    assert answer(reader, page, "accept").status == 410
    assert mailbox.state in {"sent", "acknowledged"}


def test_declining_needs_a_reason_and_the_page_says_so(mailbox: Mailbox, browser: Any):
    reader, page = opened(browser, mailbox.link())
    wrong = answer(reader, page, "decline")
    assert wrong.status == 422
    assert wrong.alerts
    assert mailbox.state == "sent"
    wrong = answer(reader, wrong, "decline", reason="other")
    assert wrong.status == 422, "another reason needs a note"
    assert answer(reader, wrong, "decline", reason="no_capacity").status == 200
    assert mailbox.state == "declined"


def test_an_answer_to_what_somebody_changed_meanwhile_is_not_taken(mailbox: Mailbox, browser: Any):
    reader, page = opened(browser, mailbox.link())
    mailbox.loop.do(mailbox.loop.handler, "accept", mailbox.sent.id, note="they said yes on the telephone")
    late = answer(reader, page, "accept")
    assert late.status == 409
    assert late.alerts


def test_a_link_reaches_its_own_referral_and_no_verb_that_is_not_on_the_page(mailbox: Mailbox, browser: Any):
    reader, page = opened(browser, mailbox.link())
    version = dict(page.forms[-1].fields)["version"]
    for verb in ("cancel", "withdraw", "send", "enter_in_error", "reassign", "no_such"):
        assert reader.post("/answer", {"verb": verb, "version": version, "reason": "duplicate"}).status == 422
    assert mailbox.state == "sent"
    assert reader.client.get("/api/v1/referrals").status_code == 401
    assert reader.client.get("/work").status_code == 303


def test_another_sites_page_cannot_answer(mailbox: Mailbox, browser: Any):
    reader, page = opened(browser, mailbox.link())
    version = dict(page.forms[-1].fields)["version"]
    form = {"verb": "accept", "version": version}
    foreign = reader.client.post("/answer", data=form, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert mailbox.state == "sent"


@pytest.mark.parametrize("level", ["restricted", "strict"])
def test_the_data_of_a_restricted_case_never_show_on_the_page(mailbox: Mailbox, browser: Any, level: str):
    with db.engine.begin() as connection:
        connection.execute(update(Case).where(Case.id == mailbox.loop.case.id).values(level=level))
    reader, _ = opened(browser, mailbox.link())
    page = reader.post("/answer/person?language=en", {})
    assert CANARY not in page.text
    assert "not shown here" in page.says
    assert mailbox.state == "sent"


def test_after_the_consent_ended_the_page_asks_to_stop_and_takes_the_word(mailbox: Mailbox, browser: Any):
    mailbox.mails()
    mailbox.office.land.move(minutes=1)
    consents.withdraw_consent(mailbox.loop.handler, mailbox.consent)
    reader, page = opened(browser, mailbox.link("data_restrict"))
    assert CANARY not in reader.post("/answer/person?language=en", {}).text
    assert answer(reader, page, "confirm_restriction").status == 200
    view = mailbox.loop.land.session.execute(select(AnswerLink.answered_at)).scalars().all()
    assert any(view)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_each_language_runs_no_script_and_keeps_its_address(
    mailbox: Mailbox, browser: Any, language: str
):
    link = mailbox.link()
    reader = browser()
    first = reader.client.get(f"/answer/{link}?language={language}")
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert first.headers["Cache-Control"] == "no-store"
    assert "script-src" not in first.headers["Content-Security-Policy"]
    assert first.headers["Content-Security-Policy"].startswith("default-src 'none'")
    reader.client.post(f"/answer/{link}")
    page = reader.open(f"/answer?language={language}")
    assert (page.language, page.direction) == (language, "ltr" if language == "en" else "rtl")
    assert page.inline == []
    assert "<script" not in page.text
    assert link not in page.text


@pytest.mark.parametrize(
    ("path", "written"),
    [("/answer/SECRET", "/answer/-"), ("/answer/SECRET/again", "/answer/-/again"), ("/answer", "/answer")],
)
def test_the_access_log_does_not_hold_the_link(path: str, written: str):
    from gunicorn.config import Config

    from api.gunicorn_conf import AccessLog, access_log_format

    class Answered:
        status, sent, headers, response_length = "200 OK", 1, (("x-request-id", "r1"),), 1

    class Asked:
        headers = ()

    env = {"REQUEST_METHOD": "GET", "RAW_URI": path, "SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": path}
    log = AccessLog(Config())
    pieces = log.atoms_wrapper_class(log.atoms(Answered(), Asked(), env, timedelta(0)))
    line = access_log_format % pieces
    assert f" {written} " in line
    assert "SECRET" not in line


def test_links_that_are_none_are_told_apart_by_nobody(browser: Any):
    for link in ("x" * 43, "short", "none"):
        page = browser().open(f"/answer/{link}?language=en")
        assert page.status == 404
        assert browser().client.post(f"/answer/{link}/again").status_code == 200


def test_each_attempt_to_send_makes_its_own_link_and_each_opens_once(mailbox: Mailbox):
    mailbox.office.land.session.close()
    delivery = mailbox.office.land.session.execute(select(Delivery.id)).scalar_one()
    links = [deliveries.begin_delivery(SYSTEM, delivery) for _ in range(2)]
    secrets = [one.link for one in links if one is not None]
    assert len(set(secrets)) == 2
    now = mailbox.office.clock.now()
    assert [state_of(secret, now) for secret in secrets] == [LinkState.GOOD] * 2
    assert state_of(secrets[0], now + timedelta(days=8)) is LinkState.EXPIRED
