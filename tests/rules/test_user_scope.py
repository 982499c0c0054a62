"""Whom a manager of users reaches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nrm.rules.user_scope import SOON, Area, Grasp, SatAt, grasp_on, lasts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOME, ELSEWHERE = Area(organisation_id="org_home"), Area(organisation_id="org_elsewhere")
NORTH, SOUTH = (Area(organisation_id="org_home", governorate=one) for one in ("north", "south"))


def sat(area: Area, days: int | None = None) -> SatAt:
    return SatAt(area=area, until=None if days is None else NOW + timedelta(days=days))


CASES = {
    "sits here": ((HOME,), [sat(NORTH)], Grasp.WHOLE),
    "sits elsewhere": ((HOME,), [sat(ELSEWHERE)], Grasp.NONE),
    "sits here and elsewhere": ((HOME,), [sat(HOME), sat(ELSEWHERE)], Grasp.PART),
    "sits here, left elsewhere": ((HOME,), [sat(HOME), sat(ELSEWHERE, -1)], Grasp.WHOLE),
    "left here, sits elsewhere": ((HOME,), [sat(HOME, -1), sat(ELSEWHERE, 400)], Grasp.NONE),
    "left here last": ((HOME,), [sat(ELSEWHERE, -9), sat(HOME, -1)], Grasp.WHOLE),
    "left elsewhere last": ((HOME,), [sat(ELSEWHERE, -1), sat(HOME, -9)], Grasp.NONE),
    "left both at one moment": ((HOME,), [sat(ELSEWHERE, -1), sat(HOME, -1)], Grasp.PART),
    "a seat that ends this moment has ended": ((HOME,), [sat(ELSEWHERE, 0), sat(HOME, -1)], Grasp.NONE),
    "another governorate": ((NORTH,), [sat(SOUTH)], Grasp.NONE),
    "the whole organisation from one governorate": ((NORTH,), [sat(HOME)], Grasp.NONE),
    "both governorates": ((NORTH, SOUTH), [sat(NORTH), sat(SOUTH)], Grasp.WHOLE),
    "manages nowhere": ((), [sat(HOME)], Grasp.NONE),
}


@pytest.mark.parametrize("name", CASES)
def test_a_manager_reaches_those_who_sit_or_last_sat_where_the_manager_manages(name: str):
    areas, seats, grasp = CASES[name]
    for added in (False, True):
        assert grasp_on(areas, seats, added=added, now=NOW) is grasp
    assert grasp_on(None, seats, added=False, now=NOW) is Grasp.WHOLE


def test_whoever_never_sat_anywhere_belongs_to_whoever_added_the_account():
    assert grasp_on((HOME,), [], added=True, now=NOW) is Grasp.WHOLE
    assert grasp_on((HOME,), [], added=False, now=NOW) is Grasp.NONE
    assert grasp_on(None, [], added=False, now=NOW) is Grasp.WHOLE


def test_a_seat_lasts_when_it_does_not_end_within_a_month():
    assert lasts(None, NOW)
    assert not lasts(NOW + SOON, NOW)
    assert lasts(NOW + SOON + timedelta(seconds=1), NOW)
