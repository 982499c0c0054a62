"""Case numbers are random and short, so two may meet; nobody notices."""

from nrm.actions import cases, numbering
from nrm.actions.people import register_person
from nrm.actors import SYSTEM
from nrm.rules.numbers import case_number
from tests.people_data import AZAD, SHIRIN


def test_a_number_that_is_in_use_is_not_given_again(installed, monkeypatch):
    numbers = iter([1, 1, 1, 2])

    def unlucky(prefix, year, random):
        return case_number(prefix, year, next(numbers).to_bytes(4, "big"))

    monkeypatch.setattr(numbering, "case_number", unlucky)
    first = cases.open_case(SYSTEM, register_person(SYSTEM, AZAD).id, governorate="norvale", path=None)
    second = cases.open_case(SYSTEM, register_person(SYSTEM, SHIRIN).id, governorate="norvale", path=None)
    assert first.number != second.number
