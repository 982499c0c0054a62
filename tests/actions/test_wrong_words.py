"""Words that are none: ids, codes and texts that nothing knows are refused by name, and nothing is half written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions import cases, consents, overrides, referrals, runs, tasks
from nrm.actions.referral_changes import Given
from nrm.actors import Actor
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, NrmError
from nrm.models import Case, Consent, ConsentOverride, Event, Run, TaskDraft
from tests.actions.test_referrals import DATA, Loop
from tests.world import World

BROKEN = ("a\x00b", "a\ud800b")


@pytest.mark.parametrize("broken", BROKEN)
def test_an_id_that_no_database_can_hold_is_unknown(land: World, broken: str):
    supervisor = land.at_desk("supervisor", "norvale")
    verbs: tuple[Callable[[], object], ...] = (
        lambda: tasks.claim_task(supervisor, broken),
        lambda: runs.cancel_run(supervisor, broken, reason="mistake"),
        lambda: cases.add_note(supervisor, broken, text="hello"),
        lambda: referrals.do_verb(supervisor, broken, "cancel", version=1, given=Given(reason="moved")),
        lambda: consents.withdraw_consent(supervisor, broken),
        lambda: overrides.approve_override(supervisor, broken),
        lambda: runs.start_run(supervisor, broken, "hello"),
    )
    for verb in verbs:
        with pytest.raises(NotFound):
            verb()


@pytest.mark.parametrize("broken", BROKEN)
def test_a_field_that_no_database_can_hold_is_named(land: World, broken: str):
    loop = Loop(land)
    loop.consent()
    sent = loop.send()
    case = land.session.get(Case, loop.case.id)
    assert case is not None
    named: tuple[tuple[str, Callable[[], object]], ...] = (
        ("/text", lambda: cases.add_note(loop.handler, loop.case.id, text=broken)),
        ("/service_id", lambda: loop.send(service_id=broken)),
        ("/external_id", lambda: loop.send(external_id=broken)),
        ("/categories/0", lambda: loop.send(categories=[broken])),
        ("/organisation", lambda: loop.do(loop.provider, "redirect", sent.id, reason="other", organisation=broken)),
        (
            "/handler_id",
            lambda: cases.change_case(loop.handler, case.id, version=case.version, changes={"handler_id": broken}),
        ),
    )
    for pointer, verb in named:
        with pytest.raises(NotValid) as refused:
            verb()
        assert {problem.pointer for problem in refused.value.problems} == {pointer}
    assert loop.now(sent.id).state == "sent"


def test_a_reason_is_a_code_and_never_a_story_in_the_history(land: World):
    supervisor = land.at_desk("supervisor", "norvale")
    handler = land.at_desk("case_handler", "norvale")
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path="hello").id
    case = land.session.get(Case, case_id)
    run_id = land.session.execute(select(Run.id)).scalar_one()
    assert case is not None
    land.session.close()
    story = "Ali Example was afraid of his uncle"
    desk = land.at_desk("case_handler", "lakemar").seats[0].desk_id or ""
    for verb in (
        lambda: runs.cancel_run(supervisor, run_id, reason=story),
        lambda: cases.transfer_case(supervisor, case_id, desk_id=desk, reason=story, version=case.version),
        lambda: cases.tell_case(handler, case_id, message="risk.raised", values={"what": story}),
    ):
        with pytest.raises(NotValid):
            verb()
    cases.close_case(supervisor, case_id, outcome="not_achieved", reason="left_area", version=case.version)
    with pytest.raises(NotValid):
        cases.reopen_case(supervisor, case_id, reason=story, version=case.version + 1)
    land.session.close()
    assert not [event for event in land.session.execute(select(Event.data)).scalars() if "uncle" in str(event)]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"mode": "by a very long letter " * 10}, "/mode"),
        ({"language": "klingonian"}, "/language"),
        ({"purposes": ["gossip"]}, "/purposes/0"),
        ({"given_by": "neighbour"}, "/given_by"),
    ],
)
def test_a_consent_is_told_in_known_words(land: World, wrong: dict, pointer: str):
    loop = Loop(land)
    with pytest.raises(NotValid) as refused:
        loop.consent(**wrong)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    consent = loop.consent()
    with pytest.raises(NotValid) as refused:
        consents.withdraw_consent(loop.handler, consent, scope=["everything that I said"])
    assert [problem.pointer for problem in refused.value.problems] == ["/scope/0"]
    land.session.close()
    kept = land.session.get(Consent, consent)
    assert kept is not None
    assert kept.withdrawn_at is None


def test_a_programme_and_a_day_are_checked_when_a_case_is_opened_or_changed(land: World):
    handler = land.at_desk("case_handler", "norvale")
    with pytest.raises(NotValid) as refused:
        cases.open_case(handler, land.person(), governorate="norvale", programme="x" * 300)
    assert [problem.pointer for problem in refused.value.problems] == ["/programme"]
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path=None).id
    for changes, pointer in (({"programme": "x" * 300}, "/programme"), ({"returned_on": "yesterday"}, "/returned_on")):
        with pytest.raises(NotValid) as refused:
            cases.change_case(handler, case_id, version=1, changes=changes)
        assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_withdrawing_one_consent_leaves_what_stands_on_another(land: World):
    loop = Loop(land)
    first = loop.consent()
    land.move(hours=1)
    second = loop.consent()
    sent = loop.send()
    stands_on = loop.now(sent.id).consent_id
    other = first if stands_on == second else second
    assert consents.withdraw_consent(loop.handler, other) == 0
    assert loop.now(sent.id).state == "sent"
    assert consents.withdraw_consent(loop.handler, str(stands_on)) == 1
    assert loop.now(sent.id).state == "withdrawn"


def test_an_error_is_entered_only_with_a_second_person_who_may(land: World):
    loop = Loop(land)
    loop.consent()
    sent = loop.send()
    unit = land.at_desk("national_unit", "norvale")
    colleague = land.at_desk("national_unit", "norvale", "two")
    supervisor = land.at_desk("supervisor", "norvale")

    def share(somebody: Actor) -> None:
        cases.share_case(supervisor, loop.case.id, holder_kind="user", holder_id=somebody.id, access="read")

    share(unit)
    with pytest.raises(IllegalMove):
        loop.do(loop.handler, "enter_in_error", sent.id, reason="wrong_person")
    asked = loop.do(unit, "enter_in_error", sent.id, reason="wrong_person")
    assert asked.state == "sent", "one person's word ends nothing"
    with pytest.raises(NotAllowed):
        loop.do(unit, "enter_in_error", sent.id, reason="wrong_person")
    with pytest.raises(NotFound):
        loop.do(colleague, "enter_in_error", sent.id, reason="wrong_person")
    share(colleague)
    assert loop.do(colleague, "enter_in_error", sent.id, reason="wrong_person").state == "entered_in_error"
    said = select(Event.kind, Event.actor).where(Event.subject_id == sent.id).order_by(Event.seq.desc()).limit(3)
    found = [row for row in land.session.execute(said).all() if "error" in row.kind]
    assert [tuple(row) for row in reversed(found)] == [
        ("referral.error_reported", unit.id),
        ("referral.entered_in_error", colleague.id),
    ]


def test_a_draft_of_a_closed_case_does_not_leave(land: World):
    loop = Loop(land)
    loop.consent()
    draft = loop.send(draft=True)
    case = land.session.get(Case, loop.case.id)
    assert case is not None
    with pytest.raises(IllegalMove):
        cases.close_case(
            land.at_desk("supervisor", "norvale"),
            case.id,
            outcome="not_achieved",
            reason="left_area",
            version=case.version,
        )
    assert loop.now(draft.id).state == "draft"


@pytest.mark.parametrize("value", [10**40, 1.5e308 * 10, {"deep": {"deeper": [1]}}, "\ud800", b"bytes"])
def test_a_draft_keeps_what_it_can_and_refuses_the_rest(land: World, value: object):
    handler = land.at_desk("case_handler", "norvale")
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path="hello").id
    ask = land.open_tasks(case_id)["ask"]
    tasks.claim_task(handler, ask.id)
    try:
        tasks.save_draft(handler, ask.id, answers={"tea_kind": value})
    except NrmError:
        land.session.close()
        assert land.session.get(TaskDraft, (ask.id, handler.id)) is None


def test_two_people_who_approve_at_the_same_moment_are_one_approval(land: World):
    loop = Loop(land)
    asked = overrides.ask_override(
        land.at_desk("supervisor", "norvale"),
        loop.case.id,
        organisation_id=loop.service.organisation_id,
        ground="life_threat",
        reason="an emergency",
        categories=DATA,
    )
    approver = land.at_desk("supervisor", "norvale", "two")
    overrides.approve_override(approver, asked)
    with pytest.raises((IllegalMove, NotAllowed)):
        overrides.approve_override(approver, asked)
    land.session.close()
    row = land.session.get(ConsentOverride, asked)
    assert row is not None
    assert row.expires_at == land.clock.now() + timedelta(days=7)
