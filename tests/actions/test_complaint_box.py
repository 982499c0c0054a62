"""Complaints by the public door: nobody is asked who one is, and only the desk for complaints learns of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions import cases, complaint_box
from nrm.actions.complaint_box import Words, answer_complaint, ask_state, drop_complaint, start_for_case, take_up
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion, TooMany
from nrm.models import Complaint, Event, SignInFailure
from nrm.queries import complaints as queries
from tests.world import World

SAID = Words(category="service", text="Nobody answered me for weeks", governorate="norvale", safe_contact="by letter")
HERE = "192.0.2.7"


def test_somebody_complains_and_reads_the_answer_with_the_receipt(land: World):
    receipt = drop_complaint(SAID, address=HERE).receipt
    assert ask_state(receipt.lower().replace("-", " "), address=HERE).state == "received"
    coordinator = land.at_desk("coordinator", "norvale")
    (line,) = queries.complaints(coordinator).items
    view = queries.complaint(coordinator, line.id)
    assert (view.text, view.safe_contact, view.governorate) == (SAID.text, "by letter", "norvale")
    land.session.close()
    version = take_up(coordinator, line.id, version=line.version).version
    assert ask_state(receipt, address=HERE).state == "in_hand"
    answer_complaint(coordinator, line.id, text="We are sorry; it is mended.", version=version)
    told = ask_state(receipt, address=HERE)
    assert (told.state, told.answer) == ("answered", "We are sorry; it is mended.")


@pytest.mark.parametrize(
    "said",
    [
        Words(category="fraud", text="Money was asked for", governorate="norvale"),
        Words(category="service", text="x", threat=True, governorate="norvale"),
    ],
)
def test_what_is_under_seal_reaches_its_own_desk_and_no_other(land: World, said: Words):
    drop_complaint(said, address=HERE)
    assert queries.complaints(land.at_desk("coordinator", "norvale")).items == ()
    seen = queries.complaints(land.at_desk("data_protection_officer", "norvale")).items
    assert [line.sealed for line in seen] == [True]
    land.session.close()
    with pytest.raises(NotFound):
        take_up(land.at_desk("coordinator", "norvale"), seen[0].id, version=None)


def test_neither_the_address_nor_the_receipt_nor_the_words_are_kept_readable(land: World):
    receipt = drop_complaint(SAID, address=HERE).receipt
    row = land.session.execute(select(Complaint)).scalar_one()
    assert receipt not in (row.receipt_hash, row.content)
    events = land.session.execute(select(Event).where(Event.subject_id == row.id)).scalars().all()
    assert [event.kind for event in events] == ["complaint.received"]
    assert SAID.text not in str(events[0].data)
    subjects = land.session.execute(select(SignInFailure.subject)).scalars().all()
    assert subjects
    assert not [subject for subject in subjects if HERE in subject]


def test_the_door_closes_for_an_hour_to_one_who_knocks_too_often(land: World, monkeypatch: pytest.MonkeyPatch):
    now = land.clock.now()
    monkeypatch.setattr("nrm.actions.door_limits.real_now", lambda: now)
    for _ in range(complaint_box.COMPLAINING.each):
        drop_complaint(SAID, address=HERE)
    with pytest.raises(TooMany) as refused:
        drop_complaint(SAID, address=HERE)
    assert 0 < refused.value.retry_after <= 3601
    drop_complaint(SAID, address="192.0.2.8")
    monkeypatch.setattr("nrm.actions.door_limits.real_now", lambda: now + timedelta(hours=1))
    drop_complaint(SAID, address=HERE)


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        (Words(category="weather", text="x"), "/category"),
        (Words(category="service", text=" "), "/text"),
        (Words(category="service", text="x", governorate="nowhere"), "/governorate"),
        (Words(category="service", text="x" * 10_001), "/text"),
    ],
)
def test_what_cannot_be_a_complaint_is_refused_with_the_place(land: World, said: Words, pointer: str):
    with pytest.raises(NotValid) as refused:
        drop_complaint(said, address=HERE)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert land.session.execute(select(Complaint)).all() == []


def test_a_receipt_that_nobody_got_tells_nothing(land: World):
    for typed in ("0123-4567-89AB-CDEF-GHJK", "nonsense"):
        with pytest.raises(NotFound) as refused:
            ask_state(typed, address=HERE)
        assert refused.value.code == "unknown_receipt"


def test_it_is_taken_up_once_and_by_those_who_may(land: World):
    drop_complaint(SAID, address=HERE)
    coordinator = land.at_desk("coordinator", "norvale")
    (line,) = queries.complaints(coordinator).items
    land.session.close()
    with pytest.raises(NotAllowed):
        take_up(land.at_desk("case_handler", "norvale"), line.id, version=None)
    with pytest.raises(NotFound):
        take_up(land.at_desk("coordinator", "hillin"), line.id, version=None)
    with pytest.raises(StaleVersion):
        take_up(coordinator, line.id, version=9)
    take_up(coordinator, line.id, version=line.version)
    with pytest.raises(IllegalMove):
        take_up(coordinator, line.id, version=None)


def test_a_complaint_about_a_known_case_starts_the_path_once(land: World, monkeypatch: pytest.MonkeyPatch):
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path=None)
    drop_complaint(SAID, address=HERE)
    coordinator = land.at_desk("coordinator", "norvale")
    (line,) = queries.complaints(coordinator).items
    land.session.close()
    begin = complaint_box.begin_complaint
    monkeypatch.setattr(complaint_box, "begin_complaint", lambda work, number: begin(work, number, path="quiet_word"))
    with pytest.raises(NotFound):
        start_for_case(coordinator, line.id, case_number="TL-00-XXXXX-X", version=None)
    started = start_for_case(coordinator, line.id, case_number=case.number, version=line.version)
    assert started.run_id
    assert started.state == "in_hand"
    assert set(land.open_tasks(case.id)) == {"listen"}
    with pytest.raises(IllegalMove):
        start_for_case(coordinator, line.id, case_number=case.number, version=None)


def test_who_does_not_say_where_is_heard_all_the_same(land: World):
    drop_complaint(Words(category="service", text="Nobody was there"), address=HERE)
    row = land.session.execute(select(Complaint)).scalar_one()
    assert row.desk_id
