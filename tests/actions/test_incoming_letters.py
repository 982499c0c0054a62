"""Letters that come in: registered at a desk, waiting there for their case, moving what they answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions.incoming_letters import IncomingResult, Target, link_incoming, register_incoming
from nrm.errors import IllegalMove, NotFound, NotValid, StaleVersion
from nrm.models import Desk, Event
from nrm.queries import incoming_letters as queries
from tests.actions.test_letters import Office
from tests.world import World


@pytest.fixture
def office(land: World) -> Office:
    return Office(land)


def desk_of(land: World, code: str = "moh_case_handler_norvale") -> str:
    return land.session.execute(select(Desk.id).where(Desk.code == code)).scalar_one()


def came(office: Office, **more) -> IncomingResult:
    desk = more.pop("desk_id", None) or desk_of(office.land)
    office.land.session.close()
    given = {"received_on": office.land.clock.now().date(), "subject": "سؤال عن عائد", **more}
    if "sender" not in given and "organisation_id" not in given:
        given["organisation_id"] = office.service.organisation_id
    return register_incoming(office.handler, desk, **given)


def lines(office: Office, **only) -> list[queries.IncomingRow]:
    office.land.session.close()
    return list(queries.incoming_letters(office.handler, office.land.clock.now(), **only).items)


def test_a_ministry_that_writes_first_gets_a_number_and_waits_at_the_desk_for_its_case(office: Office):
    first = came(office, their_number="ص/٤٥", dated=office.land.clock.now().date() - timedelta(days=3))
    office.land.move(minutes=1)
    second = came(office, sender="مكتب لا يعرفه الدليل")
    assert (first.number, second.number) == (1, 2)
    waiting = lines(office, unlinked=True)
    assert [(line.number, line.sender, line.their_number) for line in waiting] == [
        (2, "مكتب لا يعرفه الدليل", None),
        (1, None, "ص/45"),
    ]
    link_incoming(office.handler, first.id, Target(case_id=office.case.id), version=first.version)
    assert [line.number for line in lines(office, unlinked=True)] == [2]
    assert [line.number for line in lines(office, case_id=office.case.id)] == [1]
    kinds = office.land.session.execute(select(Event.kind).where(Event.subject_id == first.id)).scalars().all()
    assert sorted(kinds) == ["letter.linked", "letter.received"]


def test_both_registers_count_by_themselves(office: Office):
    office.consent(["contact", "birth", "documents"])
    assert [came(office).number, office.support().number, came(office).number] == [1, 1, 2]


def test_a_letter_that_answers_ours_moves_the_referral(office: Office):
    office.consent()
    sent = office.refer()
    (ours,) = office.register()
    letter = came(office)
    target = Target(case_id=office.case.id, letter_id=ours.id, answer="agreed")
    link_incoming(office.handler, letter.id, target, version=letter.version)
    assert office.referral(sent.id).state == "accepted"
    (after,) = office.register()
    assert (after.answer, after.answer_number) == ("agreed", f"1/{letter.year}")
    (line,) = lines(office)
    assert (line.referral_id, line.answers_id) == (sent.id, ours.id)


def test_what_does_not_fit_changes_neither_letter_nor_referral(office: Office):
    office.consent()
    sent = office.refer()
    (ours,) = office.register()
    letter = came(office)
    for target, pointer in (
        (Target(case_id=office.case.id, letter_id=ours.id), "/answer"),
        (Target(case_id=office.case.id, answer="agreed"), "/letter_id"),
        (Target(case_id=office.case.id, letter_id="let_none", answer="agreed"), "/letter_id"),
        (Target(case_id=office.case.id, referral_id="ref_none"), "/referral_id"),
        (Target(case_id=office.case.id, letter_id=ours.id, answer="perhaps"), "/answer"),
    ):
        with pytest.raises(NotValid) as refused:
            link_incoming(office.handler, letter.id, target, version=None)
        assert [problem.pointer for problem in refused.value.problems] == [pointer]
    with pytest.raises(StaleVersion):
        link_incoming(office.handler, letter.id, Target(case_id=office.case.id), version=7)
    assert office.referral(sent.id).state == "sent"
    assert [line.number for line in lines(office, unlinked=True)] == [1]


def test_a_letter_is_added_once(office: Office):
    letter = came(office)
    link_incoming(office.handler, letter.id, Target(case_id=office.case.id), version=None)
    with pytest.raises(NotFound):
        link_incoming(office.handler, letter.id, Target(case_id=office.case.id), version=None)


def test_a_second_answer_to_a_letter_is_not_taken(office: Office):
    office.consent()
    office.refer()
    (ours,) = office.register()
    office.answer(ours.id, "agreed")
    letter = came(office)
    with pytest.raises(IllegalMove):
        target = Target(case_id=office.case.id, letter_id=ours.id, answer="refused", reason="no_capacity")
        link_incoming(office.handler, letter.id, target, version=None)
    assert [line.case_id for line in lines(office)] == [None]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"subject": " "}, "/subject"),
        ({"sender": ""}, "/sender"),
        ({"organisation_id": "org_none"}, "/organisation_id"),
        ({"their_number": "9" * 41}, "/their_number"),
    ],
)
def test_a_letter_without_sender_or_subject_gets_no_number(office: Office, given: dict, pointer: str):
    with pytest.raises(NotValid) as refused:
        came(office, **given)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert came(office).number == 1, "no gap"


def test_days_that_cannot_be_are_refused(office: Office):
    today = office.land.clock.now().date()
    for days in (
        {"received_on": today + timedelta(days=1)},
        {"received_on": today - timedelta(days=400)},
        {"dated": today + timedelta(days=1)},
    ):
        with pytest.raises(NotValid) as refused:
            came(office, **days)
        assert refused.value.problems[0].code == "letter_date_impossible"


def test_another_desk_neither_sees_nor_registers_here(office: Office):
    letter = came(office)
    stranger = office.land.at_desk("case_handler", "hillin")
    assert queries.incoming_letters(stranger, office.land.clock.now()).items == ()
    with pytest.raises(NotFound):
        queries.incoming_letter(stranger, office.land.clock.now(), letter.id)
    desk = desk_of(office.land)
    office.land.session.close()
    with pytest.raises(NotFound):
        register_incoming(stranger, desk, received_on=office.land.clock.now().date(), subject="x", sender="y")
    with pytest.raises(NotFound):
        link_incoming(stranger, letter.id, Target(case_id=office.case.id), version=None)
