"""Where cases wait: counts, medians and percentiles as one works them out by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from nrm.actions import cases, runs, tasks
from nrm.actions._action import transact
from nrm.actors import SYSTEM, Actor
from nrm.errors import NotAllowed, NotFound, NotValid
from nrm.models import Job, Subscription
from nrm.queries.verify import verify_all
from nrm.queries.waiting import Waiting, WaitingStep, draw_waiting, waiting_cases, where_cases_wait
from nrm.rules.small_numbers import LEAST, hidden
from tests.drafting import designer
from tests.moving import carried_out, latest_version, next_version
from tests.world import World

HOUR = 3_600


def opened(land: World, many: int, place: str = "norvale") -> list[str]:
    handler = land.at_desk("case_handler", place)
    return [
        cases.open_case(handler, land.person(governorate=place), governorate=place, path="wait_for_answer").id
        for _ in range(many)
    ]


def complete(land: World, case_id: str, step: str, place: str = "norvale") -> None:
    handler = land.at_desk("case_handler", place)
    taken = tasks.claim_task(handler, land.open_tasks(case_id)[step].id)
    tasks.complete_task(handler, taken.id, answers={"note": "Done"}, version=taken.version)


def look(land: World, actor: Actor, days: int = 90) -> Waiting:
    now = land.clock.now()
    land.session.close()
    return where_cases_wait(actor, now, "wait_for_answer", begin=now - timedelta(days=days), until=now)


def step(found: Waiting, name: str) -> WaitingStep:
    return next(one for one in found.steps if one.id == name)


def supervisor(land: World) -> Actor:
    return land.at_desk("supervisor", "norvale")


def unit(land: World) -> Actor:
    return land.at_desk("national_unit", "norvale")


def test_medians_and_ninetieth_percentiles_are_those_of_the_nearest_rank(land: World):
    for case_id in opened(land, 10):
        land.move(hours=1)
        complete(land, case_id, "write")
    land.move(hours=1)
    figures = step(look(land, unit(land)), "write").figures
    # 1, 2, … 10 hours: the fifth and the ninth.
    assert (figures.completed, figures.median, figures.ninetieth) == (10, 5 * HOUR, 9 * HOUR)
    assert (figures.waiting, figures.late) == (0, 0)


def test_one_more_case_moves_the_median_to_the_next_rank(land: World):
    for case_id in opened(land, 11):
        land.move(hours=1)
        complete(land, case_id, "write")
    land.move(hours=1)
    figures = step(look(land, unit(land)), "write").figures
    # Of eleven: the sixth, and the tenth (nine tenths of eleven are 9.9).
    assert (figures.median, figures.ninetieth) == (6 * HOUR, 10 * HOUR)


def test_the_period_counts_what_was_completed_in_it_and_now_counts_what_waits(land: World):
    first, *rest = opened(land, 8)
    complete(land, first, "write")
    land.move(days=40)
    for case_id in rest[:2]:
        complete(land, case_id, "write")
    land.move(hours=1)
    figures = step(look(land, unit(land), days=30), "write").figures
    assert (figures.completed, figures.late, figures.waiting, figures.overdue) == (2, 2, 5, 5)
    whole = look(land, unit(land))
    assert step(whole, "write").figures.completed == 3
    assert step(whole, "answered").figures.waiting == 3, "those that wait for the message"


def test_numbers_below_five_are_hidden_from_those_who_do_not_see_the_cases_of_the_whole_country(land: World):
    few = opened(land, 3)
    for case_id in few[:2]:
        complete(land, case_id, "write")
    land.move(hours=1)
    for actor in (designer(land), supervisor(land)):
        hidden_ones = step(look(land, actor), "write")
        assert hidden_ones.figures.waiting is None
        assert (hidden_ones.figures.completed, hidden_ones.figures.median) == (None, None)
        assert {figures.completed for figures in hidden_ones.organisations.values()} == {None}
    seen = step(look(land, unit(land)), "write")
    assert (seen.figures.waiting, seen.figures.completed) == (1, 2)
    assert sum(figures.waiting or 0 for figures in seen.organisations.values()) == 1


def test_a_case_that_was_moved_waits_under_the_new_name_of_its_step(land: World):
    source = latest_version("wait_for_answer")
    opened(land, 2)
    land.session.close()
    target = next_version(land, "wait_for_answer", (">Write the letter<", ">Write it<"))
    carried_out(land, source, target)
    found = look(land, unit(land))
    assert (found.number, step(found, "write").figures.waiting) == (2, 2)


def test_the_list_behind_a_number_holds_only_cases_that_one_may_know_of(land: World):
    opened(land, 2)
    opened(land, 1, "hillin")
    land.session.close()
    now = land.clock.now()
    mine = waiting_cases(supervisor(land), now, "wait_for_answer", "write")
    assert len(mine.items) == 2
    first = waiting_cases(supervisor(land), now, "wait_for_answer", "write", limit=1)
    rest = waiting_cases(supervisor(land), now, "wait_for_answer", "write", limit=1, after=first.next_key)
    assert [row.task_id for row in (*first.items, *rest.items)] == [row.task_id for row in mine.items]
    assert waiting_cases(designer(land), now, "wait_for_answer", "write").items == ()
    assert waiting_cases(supervisor(land), now, "wait_for_answer", "nowhere").items == ()
    with pytest.raises(NotAllowed):
        waiting_cases(land.at_desk("case_handler", "norvale"), now, "wait_for_answer", "write")


def test_the_drawing_carries_counts_heats_and_links(land: World):
    for case_id in opened(land, 7)[:1]:
        land.move(hours=3)
        complete(land, case_id, "write")
    land.move(hours=1)
    drawn = draw_waiting(look(land, unit(land)), language="en", linked=True)
    assert 'class="count-text"' in drawn
    assert ">6<" in drawn
    assert "heat-1" in drawn
    assert 'href="/studio/paths/wait_for_answer/waiting/write"' in drawn
    hidden_drawn = draw_waiting(look(land, designer(land)), language="ar", linked=False)
    assert "/waiting/" not in hidden_drawn


def test_a_period_that_is_none_and_a_path_that_is_none_are_refused(land: World):
    now = land.clock.now()
    actor = supervisor(land)
    with pytest.raises(NotValid):
        where_cases_wait(actor, now, "wait_for_answer", begin=now, until=now)
    with pytest.raises(NotValid):
        where_cases_wait(actor, now, "wait_for_answer", begin=now - timedelta(days=2_000), until=now)
    with pytest.raises(NotFound):
        where_cases_wait(actor, now, "nowhere", begin=now - timedelta(days=1), until=now)


@given(st.dictionaries(st.text(alphabet="abcdef", min_size=1, max_size=3), st.integers(0, 12), max_size=6))
def test_no_hidden_count_can_be_worked_out_from_the_total(counts):
    gone = hidden(counts)
    assert all(name in gone for name, count in counts.items() if 0 < count < LEAST)
    there = {name for name, count in counts.items() if count}
    assert len(gone) != 1 or there == set(gone)


def waiting_runs(land: World) -> list[tuple[str, str]]:
    waits = select(Subscription.case_id, Subscription.run_id).where(Subscription.step == "answered")
    found = [(case_id, run_id) for case_id, run_id in land.session.execute(waits)]
    land.session.close()
    return found


def answer(case_id: str, run_id: str) -> None:
    transact(
        SYSTEM,
        lambda work: runs.send_message(
            work, work.lock_case(case_id), "letter.answered", values={"answer": "yes"}, run_id=run_id, message_id=run_id
        ),
    )


def test_how_long_messages_and_times_are_waited_for_is_measured_too(land: World):
    for case_id in opened(land, 10):
        complete(land, case_id, "write")
    for case_id, run_id in waiting_runs(land)[:6]:
        land.move(hours=2)
        answer(case_id, run_id)
    land.move(hours=1)
    whole = look(land, unit(land))
    answered, too_late = step(whole, "answered"), step(whole, "too_late")
    # 2, 4, … 12 hours: the third and the sixth.
    assert (answered.figures.completed, answered.figures.median, answered.figures.ninetieth) == (6, 6 * HOUR, 12 * HOUR)
    assert (answered.figures.late, answered.organisations) == (None, {})
    assert (answered.figures.waiting, too_late.figures.waiting) == (4, 4), (
        "the message and the time, whichever is first"
    )
    assert step(look(land, designer(land)), "answered").figures.waiting is None, "four are too few to be shown"

    timers = land.session.scalars(select(Job).where(Job.kind == "timer")).all()
    due = max(job.due_at for job in timers)
    waits = [(job.args["run"], job.args["token"]) for job in timers]
    land.session.close()
    passed = due - land.clock.now()
    land.move(hours=passed.total_seconds() / 3600)
    for run_id, token in waits:
        assert runs.fire_timer(SYSTEM, run_id, token)
    transact(SYSTEM, lambda work: work.session.execute(delete(Job).where(Job.kind == "timer")))  # as the runner does
    land.move(hours=1)
    late = step(look(land, unit(land)), "too_late").figures
    assert (late.completed, late.waiting) == (4, 0)
    assert late.median == round((passed + timedelta(hours=13)).total_seconds())
    few = step(look(land, designer(land)), "too_late").figures
    assert (few.completed, few.median, few.ninetieth) == (None, None, None)
    assert step(look(land, designer(land)), "answered").figures.median == 6 * HOUR
    assert list(verify_all()) == []
