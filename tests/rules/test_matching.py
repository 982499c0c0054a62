"""Is this the same person? Records as two clerks write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from nrm.rules.matching import POINTS, Identity, Thresholds, document_token, match
from nrm.vocabulary import BirthPrecision

KNOWN = Identity(
    name="محمد علي حسين الدليمي",
    latin="Mohammed Ali Hussein Al-Dulaimi",
    mother="گوڵاڵە",
    born=date(1987, 3, 12),
    precision=BirthPrecision.DAY,
    documents=frozenset({"G58803500"}),
    phones=frozenset({"+9647701234567"}),
    governorate="north",
    sex="male",
)


def test_the_same_person_with_another_phone_is_likely() -> None:
    again = replace(KNOWN, documents=frozenset(), phones=frozenset({"+9647709999999"}))
    found = match(KNOWN, again)
    assert found.verdict() == "likely"
    assert found.reasons[0] == "name_same"


def test_the_same_person_on_a_latin_list_is_likely() -> None:
    latin = Identity(
        name="Muhammad Ali Husain Aldulaimi",
        mother="Gulala",
        born=date(1987, 3, 12),
        precision=BirthPrecision.DAY,
        sex="male",
    )
    assert match(replace(KNOWN, latin=""), latin).verdict() == "likely"


def test_the_same_paper_under_a_fitting_name_is_likely_whatever_else() -> None:
    other = Identity(name="محمد علي حسين", documents=frozenset({"g 588-035٠٠"}))
    assert match(KNOWN, other).verdict() == "likely"


def test_a_borrowed_paper_under_another_name_is_not_taken_for_one_person() -> None:
    other = Identity(name="سردار خضر يوسف", documents=frozenset({"G58803500"}), sex="male")
    assert match(KNOWN, other).verdict() == "none"


def test_brothers_share_phone_mother_and_town_and_stay_two() -> None:
    brother = replace(KNOWN, name="أحمد علي حسين الدليمي", latin="", born=date(1990, 5, 2), documents=frozenset())
    assert match(replace(KNOWN, latin=""), brother).verdict() == "none"


def test_twins_with_unlike_names_stay_two() -> None:
    twin = replace(KNOWN, name="أحمد علي حسين الدليمي", latin="", documents=frozenset())
    assert match(replace(KNOWN, latin=""), twin).verdict() != "likely"


def test_a_first_of_july_proves_nothing() -> None:
    one = replace(KNOWN, born=date(1987, 7, 1), documents=frozenset(), phones=frozenset())
    assert "same_birth_date" not in match(one, one).reasons
    assert match(one, one).verdict() == "possible"


@pytest.mark.parametrize("precision", [BirthPrecision.YEAR, BirthPrecision.MONTH, BirthPrecision.ESTIMATED])
def test_a_year_only_never_raises_the_score(precision: BirthPrecision) -> None:
    one = replace(KNOWN, precision=precision)
    without = replace(KNOWN, born=None)
    assert match(one, one).score == match(without, without).score


def test_a_year_only_that_is_far_away_lowers_it() -> None:
    far = replace(KNOWN, born=date(1960, 1, 1), precision=BirthPrecision.YEAR)
    near = replace(KNOWN, born=date(1988, 1, 1), precision=BirthPrecision.YEAR)
    assert "birth_year_far" in match(KNOWN, far).reasons
    assert match(KNOWN, near).reasons == match(KNOWN, replace(KNOWN, born=None)).reasons


def test_day_and_month_swapped_is_noticed() -> None:
    assert "birth_day_and_month_swapped" in match(KNOWN, replace(KNOWN, born=date(1987, 12, 3))).reasons


def test_two_records_without_anything_are_nobody() -> None:
    assert match(Identity(), Identity()).score == 0
    assert match(Identity(), KNOWN).verdict() == "none"


def test_the_order_does_not_matter_and_the_score_stays_in_bounds() -> None:
    people = [KNOWN, replace(KNOWN, name="زينب"), Identity(), replace(KNOWN, sex="female", born=None)]
    for one in people:
        for two in people:
            assert match(one, two) == match(two, one)
            assert 0 <= match(one, two).score <= 1
            assert set(match(one, two).reasons) <= set(POINTS)


def test_thresholds_are_the_countrys() -> None:
    found = match(KNOWN, replace(KNOWN, documents=frozenset(), phones=frozenset(), born=None))
    assert found.verdict(Thresholds(possible=0.3, likely=0.5)) == "likely"
    assert found.verdict(Thresholds(possible=0.95, likely=0.99)) == "none"


def test_short_paper_numbers_prove_nothing() -> None:
    assert (
        "same_document"
        not in match(Identity(documents=frozenset({"12"})), Identity(documents=frozenset({"12"}))).reasons
    )
    assert document_token("٤٥-a b") == "45AB"
