"""Dates as people write them in lists: many orders, many digits, and only sometimes a day.

This is for lists of others, where a wrong guess is shown to a person and the original is at hand. Forms never guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from nrm.rules.names import fold
from nrm.rules.texts import WrongValue, clean_text, fold_digits
from nrm.vocabulary import BirthPrecision

_NUMERIC: Final = re.compile(
    r"(\d{1,4})\s*[./\-\\ ،,]\s*(\d{1,2})\s*[./\-\\ ،,]\s*(\d{1,4})(?:[T ]+0{1,2}:00(?::00)?)?"
)
_MONTH_YEAR: Final = re.compile(r"(\d{1,2})\s*[./-]\s*(\d{4})")
_WORDED: Final = re.compile(r"(\d{1,2})[\s.\-/]*([^\d\s.\-/,]+(?:\s[^\d\s.\-/,]+)?)[\s.\-/,]*(\d{2,4})")
_SERIAL_START: Final = date(1899, 12, 30)
_MONTHS: Final = (
    ("january", "jan", "كانون الثاني", "يناير", "کانوونی دووەم"),
    ("february", "feb", "شباط", "فبراير", "شوبات"),
    ("march", "mar", "آذار", "مارس", "ئازار"),
    ("april", "apr", "نيسان", "أبريل", "نیسان"),
    ("may", "may", "أيار", "مايو", "ئایار"),
    ("june", "jun", "حزيران", "يونيو", "حوزەیران"),
    ("july", "jul", "تموز", "يوليو", "تەممووز"),
    ("august", "aug", "آب", "أغسطس", "ئاب"),
    ("september", "sep", "أيلول", "سبتمبر", "ئەیلوول"),
    ("october", "oct", "تشرين الأول", "أكتوبر", "تشرینی یەکەم"),
    ("november", "nov", "تشرين الثاني", "نوفمبر", "تشرینی دووەم"),
    ("december", "dec", "كانون الأول", "ديسمبر", "کانوونی یەکەم"),
)
_MONTH_OF: Final[Mapping[str, int]] = {
    fold(word): number for number, words in enumerate(_MONTHS, start=1) for word in words
} | {"sept": 9}


def parse_loose_date(value: object, *, today: date, longest_ago: int = 120) -> tuple[date, BirthPrecision]:
    """Read a date of the past from a list.

    Understood are real dates of a workbook and their serial numbers, ISO, day-month-year with any usual separator
    and with two-digit years, month names in English, Arabic and Sorani, month and year, and a year alone, with
    digits of any script. Day and month are never swapped to make a date possible.

    Args:
        value: a cell.
        today: the latest date that can be.
        longest_ago: years before today that can be.

    Returns:
        The date and how much of it is known. A missing month or day is 1; the first of July, the registries' default
        for an unknown day, is only a year.

    Raises:
        WrongValue: "not_a_date", "no_such_day", "date_order" (only month-day-year fits), "date_in_future",
            "year_out_of_range".
    """
    day, precision = _read(value, today)
    if day > today:
        raise WrongValue("date_in_future")
    if day.year < today.year - longest_ago:
        raise WrongValue("year_out_of_range", least=today.year - longest_ago, most=today.year)
    if precision is BirthPrecision.DAY and (day.day, day.month) == (1, 7):
        precision = BirthPrecision.YEAR
    return day, precision


def _read(value: object, today: date) -> tuple[date, BirthPrecision]:
    if isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value), BirthPrecision.DAY
    if isinstance(value, int | float):
        return _number(int(value), today)
    text = fold_digits(clean_text(value, longest=60))
    if text.isdecimal():
        return _number(int(text), today)
    found = _NUMERIC.fullmatch(text)
    if found:
        return _three(found[1], found[2], found[3], today), BirthPrecision.DAY
    found = _MONTH_YEAR.fullmatch(text)
    if found:
        return _day(int(found[2]), int(found[1]), 1), BirthPrecision.MONTH
    found = _WORDED.fullmatch(text)
    month = _MONTH_OF.get(fold(found[2])) if found else None
    if found and month:
        return _day(_year(found[3], today), month, int(found[1])), BirthPrecision.DAY
    raise WrongValue("not_a_date")


def _number(number: int, today: date) -> tuple[date, BirthPrecision]:
    if 1800 <= number <= today.year + 100:
        return _day(number, 1, 1), BirthPrecision.YEAR
    if 4000 <= number <= 80_000:
        return _SERIAL_START + timedelta(days=number), BirthPrecision.DAY
    if 19_000_101 <= number <= 21_001_231:
        return _day(number // 10_000, number // 100 % 100, number % 100), BirthPrecision.DAY
    raise WrongValue("not_a_date")


def _three(first: str, second: str, third: str, today: date) -> date:
    if len(first) > 2:
        return _day(_year(first, today), int(second), int(third))
    day, month = int(first), int(second)
    if month > 12 >= day:
        raise WrongValue("date_order")
    return _day(_year(third, today), month, day)


def _year(text: str, today: date) -> int:
    number = int(text)
    if len(text) == 4:
        return number
    if len(text) != 2:
        raise WrongValue("not_a_date")
    return number + (2000 if number <= today.year % 100 else 1900)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise WrongValue("no_such_day") from None
