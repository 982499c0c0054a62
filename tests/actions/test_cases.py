"""Cases: opened once, known to those who must know, moved, made strict, closed with an outcome, opened again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import select

from nrm.actions import cases
from nrm.actors import Actor, ActorKind, Seat
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion
from nrm.models import Case, CaseAccess, CaseNote, Event, Outcome, Run, Task
from nrm.queries.scope import visible_cases
from nrm.rules.numbers import parse_case_number
from nrm.sealing import unseal
from tests.world import World


def opened(land: World, place: str = "norvale", **more) -> tuple[Actor, str]:
    handler = land.at_desk("case_handler", place)
    more.setdefault("path", "hello")
    return handler, cases.open_case(handler, land.person(governorate=place), governorate=place, **more).id


def sees(land: World, actor: Actor, case_id: str, *, writing: bool = False) -> bool:
    land.session.close()
    found = land.session.execute(visible_cases(actor, land.clock.now(), writing=writing)).scalars().all()
    return case_id in found


def stored(land: World, case_id: str) -> Case:
    land.session.close()
    found = land.session.get(Case, case_id)
    assert found is not None
    return found


def test_a_case_gets_a_number_its_place_and_its_first_task(land: World):
    _, case_id = opened(land)
    case = stored(land, case_id)
    assert parse_case_number(case.number, "TL") == case.number
    assert (case.jurisdiction, case.status) == ("coast", "open")
    assert set(land.open_tasks(case_id)) == {"ask"}


def test_each_jurisdiction_gets_its_own_offices(land: World):
    _, coast = opened(land, "norvale")
    _, hills = opened(land, "hillin")
    assert stored(land, coast).organisation_id != stored(land, hills).organisation_id
    assert stored(land, hills).jurisdiction == "hills"


def test_a_person_has_one_open_case_at_a_time(land: World):
    handler = land.at_desk("case_handler", "norvale")
    person = land.person()
    cases.open_case(handler, person, governorate="norvale", path="hello")
    with pytest.raises(IllegalMove) as refused:
        cases.open_case(handler, person, governorate="norvale", path="hello")
    assert refused.value.code == "person_has_open_case"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"governorate": "atlantis"}, "/governorate"),
        ({"return_type": "by_balloon"}, "/return_type"),
        ({"host_country": "XX"}, "/host_country"),
        ({"level": "secret"}, "/level"),
        ({"priority": "someday"}, "/priority"),
        ({"desk_id": "dsk_nowhere"}, "/desk_id"),
    ],
)
def test_an_unknown_code_is_named_and_no_case_is_opened(land: World, wrong: dict, pointer: str):
    handler = land.at_desk("case_handler", "norvale")
    asked = {"governorate": "norvale", "path": "hello", **wrong}
    with pytest.raises(NotValid) as refused:
        cases.open_case(handler, land.person(), **asked)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert land.session.execute(select(Case)).all() == []


def test_only_those_who_must_know_know_of_a_case(land: World):
    handler, case_id = opened(land)
    assert sees(land, handler, case_id, writing=True)
    assert sees(land, land.at_desk("supervisor", "norvale"), case_id, writing=True)
    assert sees(land, land.at_desk("coordinator", "norvale"), case_id)
    assert not sees(land, land.at_desk("coordinator", "norvale"), case_id, writing=True)
    assert not sees(land, land.at_desk("case_handler", "lakemar"), case_id)
    assert not sees(land, land.receiver_of("open_door"), case_id)
    with pytest.raises(NotFound):
        cases.add_note(land.at_desk("case_handler", "lakemar"), case_id, text="hello")
    with pytest.raises(NotAllowed):
        cases.add_note(land.at_desk("coordinator", "norvale"), case_id, text="hello")


def test_a_strict_case_is_never_known_through_an_organisation(land: World):
    handler, case_id = opened(land)
    case = stored(land, case_id)
    seat = Seat(
        organisation_id=case.organisation_id, desk_id=None, role="administrator", permissions=frozenset({"case.read"})
    )
    head = Actor(kind=ActorKind.USER, id="usr_" + "0" * 26, seats=(seat,))
    assert sees(land, head, case_id)
    cases.set_level(land.at_desk("supervisor", "norvale"), case_id, level="strict", version=case.version)
    assert not sees(land, head, case_id)
    assert sees(land, handler, case_id, writing=True)
    levels = land.session.execute(select(Task.level).where(Task.case_id == case_id)).scalars().all()
    assert set(levels) == {"strict"}


def test_a_case_that_begins_strict_has_a_named_team(land: World):
    handler, case_id = opened(land, level="strict")
    kinds = land.session.execute(select(CaseAccess.holder_kind).where(CaseAccess.case_id == case_id)).scalars()
    assert set(kinds) == {"desk", "user"}
    assert not sees(land, land.at_desk("coordinator", "norvale"), case_id)
    assert sees(land, handler, case_id)


def test_moving_a_case_moves_its_tasks_and_ends_the_old_office_s_access(land: World):
    handler, case_id = opened(land)
    task = land.open_tasks(case_id)["ask"]
    new_handler = land.at_desk("case_handler", "hillin")
    case = stored(land, case_id)
    supervisor = land.at_desk("supervisor", "norvale")
    desk = new_handler.seats[0].desk_id
    assert desk is not None
    cases.transfer_case(supervisor, case_id, desk_id=desk, reason="moved", version=case.version)
    moved = stored(land, case_id)
    assert (moved.jurisdiction, moved.governorate, moved.desk_id) == ("hills", "hillin", desk)
    after = land.open_tasks(case_id)["ask"]
    assert (after.id, after.desk_id, after.due_at) == (task.id, desk, task.due_at)
    assert sees(land, new_handler, case_id, writing=True)
    assert not sees(land, handler, case_id)
    assert land.session.execute(select(Run.status)).scalars().all() == ["running"]


def test_changing_a_case_with_an_old_version_is_refused(land: World):
    handler, case_id = opened(land)
    version = stored(land, case_id).version
    cases.change_case(handler, case_id, version=version, changes={"priority": "urgent"})
    assert land.open_tasks(case_id)["ask"].priority == "urgent"
    with pytest.raises(StaleVersion):
        cases.change_case(handler, case_id, version=version, changes={"priority": "normal"})
    with pytest.raises(NotValid):
        cases.change_case(handler, case_id, version=None, changes={"number": "TL-00"})


def test_notes_are_sealed_and_cannot_hold_what_storage_cannot(land: World):
    handler, case_id = opened(land)
    note = cases.add_note(handler, case_id, text="Came with his brother")
    row = land.session.get(CaseNote, note)
    assert row is not None
    assert unseal(row.text, row=note, column="case_notes.text") == "Came with his brother"
    for text in ("", "nul\x00", "\ud800", "abc\u202ecba"):
        with pytest.raises(NotValid):
            cases.add_note(handler, case_id, text=text)


def test_a_closed_case_has_an_outcome_and_nothing_that_runs(land: World):
    _, case_id = opened(land)
    supervisor = land.at_desk("supervisor", "norvale")
    version = stored(land, case_id).version
    with pytest.raises(NotValid):
        cases.close_case(supervisor, case_id, outcome="fine", reason="left_area", version=version)
    cases.close_case(supervisor, case_id, outcome="progressing", reason="left_area", version=version)
    case = stored(land, case_id)
    assert (case.status, case.outcome) == ("closed", "progressing")
    assert land.open_tasks(case_id) == {}
    assert set(land.session.execute(select(Run.status)).scalars()) == {"cancelled"}
    codes = land.session.execute(select(Outcome.code).where(Outcome.subject_id == case_id)).scalars().all()
    assert codes == ["progressing"]
    with pytest.raises(IllegalMove):
        cases.close_case(supervisor, case_id, outcome="progressing", reason="left_area", version=None)


def test_a_closed_case_is_opened_again_on_a_path(land: World):
    _, case_id = opened(land)
    supervisor = land.at_desk("supervisor", "norvale")
    cases.close_case(supervisor, case_id, outcome="progressing", reason="left_area", version=None)
    version = stored(land, case_id).version
    cases.reopen_case(supervisor, case_id, reason="new_need", version=version, path="hello")
    assert stored(land, case_id).status == "open"
    assert set(land.open_tasks(case_id)) == {"ask"}


def test_a_case_whose_main_path_ends_early_is_closed_with_the_reason(land: World):
    _, case_id = opened(land, path="reintegration_case", arrived_on=land.clock.now().date())
    handler = land.at_desk("case_handler", "norvale")
    cases.tell_case(handler, case_id, message="person.deceased")
    case = stored(land, case_id)
    assert (case.status, case.outcome) == ("closed", "deceased")
    assert land.open_tasks(case_id) == {}


def test_the_history_of_a_case_is_a_chain(land: World):
    handler, case_id = opened(land)
    cases.add_note(handler, case_id, text="one")
    cases.add_note(handler, case_id, text="two")
    land.session.close()
    events = land.session.execute(select(Event).where(Event.stream == case_id).order_by(Event.seq)).scalars().all()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert all(later.prev_hash == earlier.hash for earlier, later in pairwise(events))
    case = stored(land, case_id)
    assert (case.event_seq, case.event_hash) == (events[-1].seq, events[-1].hash)
