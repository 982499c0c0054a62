"""Sharing with a desk of another organisation, and handing a person over to the main path."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from nrm import ids
from nrm.actions import cases, consents, runs
from nrm.actions._action import transact
from nrm.actions.checks import CHECKS, CheckCall
from nrm.actors import SYSTEM
from nrm.engine.failures import StepFailed
from nrm.models import Case, CaseAccess, ConsentOverride, Disclosure, Event, Run, SharingAgreement, TaskAnswers
from nrm.queries import packs
from nrm.sealing import seal
from tests.world import World

DATA = ("contact", "age")
HILLS = "hillin"


def opened(land: World, path: str | None = None) -> str:
    handler = land.at_desk("case_handler", "norvale")
    return cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def check(name: str, case_id: str, *, run_id: str = "", **params) -> dict:
    """Let a check do its work on a case, as a step of a diagram would."""

    def work_it(work):
        call = CheckCall(
            case=work.lock_case(case_id),
            run_id=run_id,
            step="here",
            token="1",
            params=params,
            item=None,
            context={},
            values={},
        )
        return dict(CHECKS[name](work, call).values)

    return transact(SYSTEM, work_it)


def beside(land: World, case_id: str, **answers) -> str:
    """Start a small path for the case, and let somebody answer a step of it."""
    run_id = transact(SYSTEM, lambda work: runs.begin(work, work.lock_case(case_id), "wait_for_answer"))
    task = land.open_tasks(case_id)["write"]
    transact(
        SYSTEM,
        lambda work: work.add(
            TaskAnswers,
            task_id=task.id,
            case_id=case_id,
            run_id=run_id,
            step="meet",
            form_version_id=task.form_version_id,
            answers=seal(answers, row=task.id, column="task_answers.answers"),
            answered_by=SYSTEM.id,
            answered_at=work.now,
        ),
    )
    land.session.close()
    return run_id


def case_of(land: World, case_id: str) -> Case:
    land.session.close()
    return land.session.execute(select(Case).where(Case.id == case_id)).scalar_one()


def ledger(land: World, case_id: str) -> list[Disclosure]:
    land.session.close()
    return list(land.session.execute(select(Disclosure).where(Disclosure.case_id == case_id)).scalars())


def agree(land: World, organisation_id: str) -> None:
    signed = {"signed_on": date(2025, 1, 1), "expires_on": None, "categories": [*DATA]}
    transact(
        SYSTEM,
        lambda work: work.add(SharingAgreement, id=ids.new_id("agr"), organisation_id=organisation_id, **signed),
    )


def test_a_desk_of_the_own_organisation_needs_no_gate(land: World):
    case_id = opened(land)
    assert check("share_with_desk", case_id, role="supervisor", data=DATA) == {"gate": "ok"}
    assert ledger(land, case_id) == []


def test_data_are_shown_to_another_organisations_desk_only_with_consent_and_agreement(land: World):
    elsewhere = packs.pack().find_desk("case_handler", governorate=HILLS)
    here = packs.pack().find_desk("supervisor", governorate="norvale")
    assert elsewhere is not None
    assert here is not None
    handler = land.at_desk("case_handler", HILLS)
    case_id = cases.open_case(handler, land.person(), governorate="norvale", desk_id=elsewhere.id, path=None).id
    ask = {"role": "supervisor", "data": DATA}
    assert check("share_with_desk", case_id, **ask) == {"gate": "no_consent"}
    consents.record_consent(
        handler, case_id, purposes=["casework", "share_ministry"], categories=[*DATA, "work"], mode="written"
    )
    assert check("share_with_desk", case_id, **ask) == {"gate": "no_agreement"}
    assert ledger(land, case_id) == []
    agree(land, here.organisation_id)
    assert check("share_with_desk", case_id, **ask) == {"gate": "ok"}
    (line,) = ledger(land, case_id)
    shown = (line.organisation_id, line.referral_id, line.purpose, line.kind, set(line.categories))
    assert shown == (here.organisation_id, None, "share_ministry", "shown", set(DATA))


def test_a_desk_that_does_not_exist_gets_nothing(land: World):
    assert check("share_with_desk", opened(land), role="no_such_role", data=DATA) == {"gate": "no_provider"}


def answered_by(land: World, case_id: str, *, ground: dict, approval: dict, second: str = "usr_second") -> str:
    """Start a small path for the case and let two people answer two steps of it; gives the run."""
    run_id = transact(SYSTEM, lambda work: runs.begin(work, work.lock_case(case_id), "parallel_pair"))
    tasks = list(land.open_tasks(case_id).values())

    def answer(work):
        for task, step, answers, by in (
            (tasks[0], "ground", ground, "usr_first"),
            (tasks[1], "second", approval, second),
        ):
            work.add(
                TaskAnswers,
                task_id=task.id,
                case_id=case_id,
                run_id=run_id,
                step=step,
                form_version_id=task.form_version_id,
                answers=seal(answers, row=task.id, column="task_answers.answers"),
                answered_by=by,
                answered_at=work.now,
            )

    transact(SYSTEM, answer)
    return run_id


def abroad(land: World) -> str:
    """A case of another organisation than the one whose supervisor would be told."""
    elsewhere = packs.pack().find_desk("case_handler", governorate=HILLS)
    assert elsewhere is not None
    handler = land.at_desk("case_handler", HILLS)
    return cases.open_case(handler, land.person(), governorate="norvale", desk_id=elsewhere.id, path=None).id


GROUND = {"report_ground": "life_threat", "report_why": "Followed to the door"}
TELL = {"from": "ground", "approved_in": "second", "role": "supervisor", "data": DATA}


def test_what_leaves_without_consent_stands_in_the_ledger_with_both_people(land: World):
    case_id = abroad(land)
    run_id = answered_by(land, case_id, ground=GROUND, approval={"report_approved": True})
    assert check("share_on_ground", case_id, run_id=run_id, **TELL) == {"disclosed": True}
    here = packs.pack().find_desk("supervisor", governorate="norvale")
    (line,) = ledger(land, case_id)
    assert here is not None
    assert (line.organisation_id, line.consent_id, set(line.categories)) == (here.organisation_id, None, set(DATA))
    override = land.session.get_one(ConsentOverride, line.override_id)
    people = (override.asked_by, override.approved_by, override.ground)
    assert people == ("usr_first", "usr_second", "life_threat")
    assert "Followed" not in str(
        [row.data for row in land.session.execute(select(Event).where(Event.stream == case_id)).scalars()]
    )


@pytest.mark.parametrize(
    ("approval", "second"), [({"report_approved": False}, "usr_second"), ({"report_approved": True}, "usr_first")]
)
def test_nothing_leaves_when_it_was_refused_or_one_person_did_both(land: World, approval, second):
    case_id = abroad(land)
    run_id = answered_by(land, case_id, ground=GROUND, approval=approval, second=second)
    assert check("share_on_ground", case_id, run_id=run_id, **TELL) == {"disclosed": False}
    assert ledger(land, case_id) == []


def test_a_ground_that_the_law_does_not_know_opens_nothing(land: World):
    case_id = abroad(land)
    run_id = answered_by(land, case_id, ground={"report_ground": "curiosity"}, approval={"report_approved": True})
    with pytest.raises(StepFailed):
        check("share_on_ground", case_id, run_id=run_id, **TELL)
    assert ledger(land, case_id) == []


def test_a_person_met_at_the_border_gets_a_case_of_the_main_path_that_the_border_does_not_read(land: World):
    first = opened(land)
    run_id = beside(land, first, governorate="norvale", note="Met at the gate")
    assert check("hand_over_case", first, run_id=run_id, **{"from": "meet"}, arrived=True) == {"already_open": False}
    old = case_of(land, first)
    assert (old.status, old.outcome) == ("closed", "transferred")
    new = land.session.execute(select(Case).where(Case.person_id == old.person_id, Case.id != first)).scalar_one()
    assert new.arrived_on == land.clock.now().date()
    started = land.session.execute(select(Run.id).where(Run.case_id == new.id)).all()
    assert len(started) == 1
    holders = set(land.session.execute(select(CaseAccess.holder_id).where(CaseAccess.case_id == new.id)).scalars())
    assert SYSTEM.id not in holders


def test_an_announced_person_stays_in_the_case_that_waits(land: World):
    case_id = opened(land, "reintegration_case")
    run_id = beside(land, case_id, governorate="norvale")
    assert check("hand_over_case", case_id, run_id=run_id, **{"from": "meet"}, arrived=True) == {"already_open": True}
    check("end_side_case", case_id, outcome="not_arrived", reason="not_arrived")
    assert case_of(land, case_id).status == "open"


def test_a_case_that_was_opened_for_a_side_path_alone_ends_with_it(land: World):
    case_id = opened(land)
    check("end_side_case", case_id, outcome="not_arrived", reason="not_arrived")
    ended = case_of(land, case_id)
    assert (ended.status, ended.outcome, ended.closing_reason) == ("closed", "not_arrived", "not_arrived")
