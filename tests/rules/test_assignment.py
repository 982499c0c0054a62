"""Work finds its desk; needs find their providers."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest

from nrm.expressions import parse
from nrm.rules.assignment import DeskFacts, resolve_desk
from nrm.rules.providers import Need, Offer, rank_providers, refused_offers, why_not
from nrm.vocabulary import Visibility

CITY = DeskFacts(id="3", code="city", role="handler", organisation="m", governorate="north", jurisdiction="region")
REGION = DeskFacts(id="2", code="region", role="handler", organisation="m", jurisdiction="region")
LAND = DeskFacts(id="1", code="land", role="handler", organisation="m")
FEDERAL = DeskFacts(id="4", code="federal", role="handler", organisation="n", jurisdiction="federal")


def find(desks: list[DeskFacts], **more: str | None) -> str | None:
    where: dict[str, str | None] = {"role": "handler", "governorate": "north", "jurisdiction": "region"}
    found = resolve_desk(desks, **(where | more))  # type: ignore[arg-type]
    return found.code if found else None


def test_the_desk_of_the_place_comes_first_whatever_the_order() -> None:
    for desks in itertools.permutations([CITY, REGION, LAND, FEDERAL]):
        assert find(list(desks)) == "city"
    assert find([LAND, REGION]) == "region"
    assert find([LAND, FEDERAL]) == "land"


def test_a_region_never_gets_the_work_of_the_federal_ministry_and_the_other_way() -> None:
    assert find([FEDERAL]) is None
    assert find([CITY, REGION, FEDERAL], governorate="south", jurisdiction="federal") == "federal"


def test_a_closed_desk_and_another_role_get_nothing() -> None:
    assert find([replace(CITY, active=False), REGION]) == "region"
    assert find([CITY], role="supervisor") is None
    assert find([CITY, replace(FEDERAL, jurisdiction=None)], organisation="n") == "federal"
    assert find([CITY, replace(LAND, organisation_kind="ngo")], organisation_kind="ngo") == "land"


def test_of_two_equal_desks_it_is_always_the_same() -> None:
    twins = [replace(CITY, id="9", code="b"), replace(CITY, id="8", code="a")]
    assert find(twins) == find(twins[::-1]) == "a"


def test_a_case_without_a_place_goes_to_a_desk_without_one() -> None:
    assert find([CITY, LAND], governorate=None, jurisdiction=None) == "land"


TODAY = date(2026, 3, 1)
GOOD = Offer(
    id="good",
    organisation="a",
    category="JOB",
    places=frozenset({("north", None)}),
    open_slots=3,
    waiting_days=3,
    acceptance_rate=0.9,
    last_verified_on=TODAY,
)
NEED = Need(category="JOB", governorate="north", district="old_town", facts={"age": 20})


def order(*offers: Offer, need: Need = NEED) -> list[str]:
    return [entry.offer.id for entry in rank_providers(offers, need, today=TODAY)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"visibility": Visibility.HIDDEN}, "hidden"),
        ({"category": "VT"}, "other_category"),
        ({"active": False}, "inactive"),
        ({"valid_until": TODAY - timedelta(days=1)}, "inactive"),
        ({"accepting": False}, "paused"),
        ({"paused_until": TODAY + timedelta(days=1)}, "paused"),
        ({"places": frozenset({("south", None)})}, "out_of_area"),
        ({"places": frozenset({("north", "new_town")})}, "out_of_area"),
        ({"eligibility": parse("age >= 21")}, "not_eligible"),
    ],
)
def test_a_service_that_cannot_serve_is_left_out_with_its_reason(change: dict[str, object], reason: str) -> None:
    offer = replace(GOOD, **change)  # type: ignore[arg-type]
    assert why_not(offer, NEED, today=TODAY) == reason
    assert order(offer) == []


def test_a_pause_that_is_over_and_the_last_valid_day_still_count() -> None:
    assert order(replace(GOOD, paused_until=TODAY, valid_until=TODAY)) == ["good"]


def test_a_provider_that_was_tried_is_not_asked_again() -> None:
    assert order(GOOD, need=replace(NEED, tried=frozenset({"a"}))) == []


def test_a_hidden_shelter_is_found_only_by_whom_it_may_be_found() -> None:
    shelter = replace(GOOD, visibility=Visibility.HIDDEN)
    assert order(shelter, need=replace(NEED, visibilities=frozenset(Visibility))) == ["good"]
    assert refused_offers([shelter], NEED, today=TODAY) == ()


def test_free_places_short_waits_and_fresh_entries_come_first() -> None:
    full = replace(GOOD, id="full", open_slots=0)
    slow = replace(GOOD, id="slow", waiting_days=60)
    stale = replace(GOOD, id="stale", last_verified_on=TODAY - timedelta(days=91))
    unsure = replace(GOOD, id="unsure", eligibility=parse("sex == 'female'"))
    near = replace(GOOD, id="near", places=frozenset({("north", "old_town")}))
    ranked = rank_providers([full, slow, stale, unsure, near, GOOD], NEED, today=TODAY)
    assert [entry.offer.id for entry in ranked] == ["near", "good", "stale", "unsure", "slow", "full"]
    reasons = {entry.offer.id: entry.reasons for entry in ranked}
    assert "stale" in reasons["stale"]
    assert "no_open_slots" in reasons["full"]
    assert "eligibility_unknown" in reasons["unsure"]
    assert "in_district" in reasons["near"]


def test_the_order_does_not_depend_on_the_order_of_the_directory() -> None:
    offers = [replace(GOOD, id=str(number), open_slots=number % 3) for number in range(6)]
    expected = order(*offers)
    assert all(order(*shuffled) == expected for shuffled in itertools.islice(itertools.permutations(offers), 100))


def test_who_was_refused_is_told_why() -> None:
    paused = replace(GOOD, accepting=False)
    assert refused_offers([paused, GOOD], NEED, today=TODAY) == ((paused, "paused"),)
