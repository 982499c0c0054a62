"""Who may not see cases learns no small number of them from plans, versions and dry runs; who may see them does."""

from __future__ import annotations

from nrm.actions import migrations
from nrm.queries.migration_list import migration_view, versions_with_cases
from nrm.queries.migration_list import migrations as listed
from nrm.queries.path_list import running_on
from tests.actions.test_migrations import complete, opened
from tests.drafting import designer
from tests.moving import latest_version, next_version, work_off
from tests.world import World


def planned(land: World, *, standing: int, waiting: int) -> str:
    """Look at cases that can go on in a new version, and at others that stand where the plan sends nobody."""
    source = latest_version("wait_for_answer")
    for number in range(standing + waiting):
        case_id = opened(land, "wait_for_answer")
        if number < waiting:
            complete(land, case_id, "write")
    target = next_version(land, "wait_for_answer", ("P2D", "P9D"))
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    steps = migrations.read_steps(
        {"wait": {"to": "wait"}, "answered": {"to": "answered"}, "too_late": {"to": "too_late"}}
    )
    migrations.change_migration(maker, plan_id, steps=steps, version=None)
    migrations.check_migration(maker, plan_id, version=None)
    work_off(plan_id)
    return plan_id


def test_small_numbers_of_a_dry_run_are_for_those_who_may_see_cases(land: World):
    plan_id = planned(land, standing=5, waiting=2)
    maker, unit = designer(land, "maker"), land.at_desk("national_unit", "norvale")
    seen, exact = (migration_view(actor, plan_id, language="en") for actor in (maker, unit))
    assert (exact.plan.counts["refused"], exact.plan.counts["ready"], exact.exact) == (5, 2, True)
    assert [one.count for one in exact.reasons if one.severity == "error"] == [5]
    assert seen.running == 7, "a whole of five and more is told"
    assert (seen.plan.counts["ready"], seen.exact) == (None, False)
    assert seen.plan.counts["refused"] is None, "from it and the whole the small one would follow"
    assert seen.plan.counts["moved"] == 0
    assert {one.count for one in seen.reasons if one.severity == "error"} == {None}
    (row,) = listed(maker, path="wait_for_answer")
    assert row.counts == seen.plan.counts


def test_small_numbers_of_cases_on_a_version_are_for_those_who_may_see_cases(land: World):
    plan_id = planned(land, standing=3, waiting=0)
    maker, unit = designer(land, "maker"), land.at_desk("national_unit", "norvale")
    assert migration_view(maker, plan_id, language="ar").running is None
    assert migration_view(unit, plan_id, language="ar").running == 3
    for actor, wanted in ((maker, [0, None]), (unit, [0, 3]), (land.at_desk("supervisor", "norvale"), [0, None])):
        _, versions = versions_with_cases(actor, "wait_for_answer")
        assert [one.running for one in versions] == wanted
        assert list(running_on(actor, "wait_for_answer").values()) == wanted[1:]
