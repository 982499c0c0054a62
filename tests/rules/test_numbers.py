"""Case numbers, read over a bad telephone line."""

from __future__ import annotations

import random

import pytest

from nrm.errors import NotValid
from nrm.rules.numbers import ALPHABET, case_number, check_character, parse_case_number

CORES = ["".join(random.Random(seed).choices(ALPHABET, k=7)) for seed in range(40)]


def test_a_number_has_the_prefix_the_year_five_characters_and_a_check() -> None:
    number = case_number("TL", 2026, b"\x12\x34\x56\x78")
    prefix, year, body, check = number.split("-")
    assert (prefix, year, len(body), len(check)) == ("TL", "26", 5, 1)
    assert parse_case_number(number, "TL") == number


@pytest.mark.parametrize("core", CORES)
def test_every_single_wrong_character_is_found(core: str) -> None:
    whole = core + check_character(core)
    for place in range(8):
        for other in ALPHABET:
            if other != whole[place]:
                typed = whole[:place] + other + whole[place + 1 :]
                assert check_character(typed[:-1]) != typed[-1], typed


def test_every_swap_of_two_characters_is_found() -> None:
    base = CORES[0]
    for one in range(8):
        for two in range(one + 1, 8):
            for left in ALPHABET:
                for right in ALPHABET:
                    if left == right:
                        continue
                    letters = list(base)
                    for place, letter in ((one, left), (two, right)):
                        if place < 7:
                            letters[place] = letter
                    whole = "".join(letters)
                    whole += check_character(whole)
                    swapped = list(whole)
                    swapped[one], swapped[two] = swapped[two], swapped[one]
                    typed = "".join(swapped)
                    if typed != whole:
                        assert check_character(typed[:-1]) != typed[-1], (whole, typed)


def test_all_bits_of_the_random_bytes_spread_over_all_characters() -> None:
    numbers = {case_number("TL", 2026, random.Random(seed).randbytes(4)) for seed in range(3000)}
    assert len(numbers) > 2990
    bodies = [number.split("-")[2] for number in numbers]
    for place in range(5):
        assert {body[place] for body in bodies} == set(ALPHABET)


@pytest.mark.parametrize("change", [
    str.lower,
    lambda text: text.replace("-", ""),
    lambda text: text.replace("-", " "),
    lambda text: text.replace("-", "–"),
    lambda text: f" {text}\n",
    lambda text: text.removeprefix("TL-"),
    lambda text: text.replace("0", "O").replace("1", "l"),
    lambda text: text.replace("0", "o").replace("1", "I"),
    lambda text: text.translate({ord("0") + digit: ord("٠") + digit for digit in range(10)}),
    lambda text: text.translate({ord("0") + digit: ord("۰") + digit for digit in range(10)}),
    lambda text: "\u200f" + text,
])  # fmt: skip
def test_people_write_numbers_in_many_ways(change) -> None:
    for seed in range(30):
        number = case_number("TL", 2010 + seed, random.Random(seed).randbytes(4))
        assert parse_case_number(change(number), "TL") == number


@pytest.mark.parametrize("text", ["", "TL", "TL-26-7F3K9", "TL-26-7F3K9-CC", "XX-26-7F3K9-C", "TL-2A-7F3K9-C",
                                  "TL-26-7F3U9-C", "٧" * 200, "\x00" * 8, "TL-26-٧F3K9-؟"])  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NotValid) as caught:
        parse_case_number(text, "TL")
    assert caught.value.problems[0].code == "bad_case_number"


def test_a_slip_is_told_apart_from_nonsense() -> None:
    number = case_number("TL", 2026, b"abcd")
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    with pytest.raises(NotValid) as caught:
        parse_case_number(wrong, "TL")
    assert caught.value.problems[0].code == "wrong_check_character"


def test_a_bad_prefix_or_too_few_bytes_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="capital"):
        case_number("t1", 2026, b"abcd")
    with pytest.raises(ValueError, match="four"):
        case_number("TL", 2026, b"abc")
