"""A referral answered on pages: the focal point of a provider, and the handler who sent it."""

from __future__ import annotations

import pytest

from tests.actions.test_referrals import Loop
from tests.api.conftest import Office
from tests.pages.conftest import Reader


@pytest.fixture
def loop(office: Office) -> Loop:
    """A case with a consent, ready to be referred."""
    made = Loop(office.land)
    made.consent()
    return made


@pytest.fixture
def focal_point(loop: Loop, reader) -> Reader:
    """Somebody at the receiving organisation."""
    return reader(loop.provider)


def test_the_receiver_reads_accepts_starts_and_reports_and_the_sender_closes_the_loop(
    loop: Loop, focal_point: Reader, reader
):
    sent = loop.send()
    page = focal_point.open(next(a for a in focal_point.open("/referrals").links.values() if sent.id in a))
    assert "Acknowledged" in page.says or "acknowledged" in page.says
    accepted = focal_point.send(page, "/do/accept", note="welcome")
    assert "The other side has been told" in accepted.says
    begun = focal_point.send(accepted, "/do/start")
    done = focal_point.send(begun, "/do/complete", outcome="provided", note="tools handed over")
    assert not done.leads("/do/complete")

    sender = reader(loop.handler)
    closing = sender.open(f"/referrals/{sent.id}")
    assert "tools handed over" in closing.says
    closed = sender.send(closing, "/loop", answer="confirmed", satisfaction="4")
    assert not closed.leads("/loop")


def test_declining_without_a_reason_says_what_is_missing_and_keeps_what_was_typed(loop: Loop, focal_point: Reader):
    sent = loop.send()
    page = focal_point.open(f"/referrals/{sent.id}")
    refused = focal_point.send(page, "/do/decline", reason="", note="no room in winter")
    assert refused.status == 422
    assert any("Reason" in words for words in refused.alerts)
    assert "no room in winter" in refused.text
    declined = focal_point.send(refused, "/do/decline", reason="no_capacity")
    assert declined.status == 200


def test_both_sides_write_to_each_other(loop: Loop, focal_point: Reader, reader):
    sent = loop.send()
    page = focal_point.send(focal_point.open(f"/referrals/{sent.id}"), "/message", text="Can she come on Monday?")
    assert "Can she come on Monday?" in page.says
    assert "Can she come on Monday?" in reader(loop.handler).open(f"/referrals/{sent.id}").says


def test_nothing_can_be_written_any_more_on_a_referral_that_was_withdrawn(loop: Loop, reader):
    sent = loop.send()
    handler = reader(loop.handler)
    page = handler.open(f"/referrals/{sent.id}")
    assert "/message" in page.text
    after = handler.send(page, "/do/withdraw", reason="returnee_request")
    assert after.status == 200
    assert "/message" not in after.text
    assert handler.send(page, "/message", text="Please come").status == 409


def test_a_wrong_date_and_a_stale_page_change_nothing(loop: Loop, focal_point: Reader):
    sent = loop.send()
    old = focal_point.open(f"/referrals/{sent.id}")
    focal_point.send(old, "/do/accept")
    stale = focal_point.send(old, "/do/accept")
    assert stale.status in {409, 412}
    assert stale.alerts
    now = focal_point.open(f"/referrals/{sent.id}")
    refused = focal_point.send(now, "/do/schedule", at="next week")
    assert refused.status == 422
    assert "Write date and time like 2026-03-05 10:30." in refused.says


def test_days_are_read_in_the_digits_of_the_reader_and_one_long_ago_is_not_called_the_future(
    loop: Loop, focal_point: Reader
):
    sent = loop.send()
    page = focal_point.send(focal_point.open(f"/referrals/{sent.id}"), "/do/accept")
    refused = focal_point.send(page, "/do/start", started_on="1900-01-01")
    assert refused.status == 422
    assert "too far back" in refused.says
    today = loop.land.clock.now().date().isoformat().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert focal_point.send(refused, "/do/start", started_on=today).status == 200


def test_a_stranger_sees_neither_the_referral_nor_a_name(loop: Loop, office: Office, reader):
    sent = loop.send()
    outside = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    assert outside.open(f"/referrals/{sent.id}").status == 404
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    for verb in ("do/accept", "message", "loop"):
        sent_fields = {"token": token, "version": "1", "text": "x", "answer": "confirmed"}
        assert outside.post(f"/referrals/{sent.id}/{verb}", sent_fields).status in {403, 404}, verb


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_every_page_of_the_loop_reads_in_the_readers_language(loop: Loop, reader, language: str):
    sent = loop.send()
    one = reader(loop.provider, language)
    for address in ("/referrals", "/referrals?way=sent&all=1", f"/referrals/{sent.id}"):
        page = one.open(address)
        assert (page.status, page.language, page.inline) == (200, language, [])
