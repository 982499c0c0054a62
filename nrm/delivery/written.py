"""Write an answer as a reader of its language writes it: days with the month's name, the chosen digits, no ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from nrm.rules.letters import write_digits

_NAMED: Final = frozenset({"person", "organisation", "service"})
_COUNTED: Final = frozenset({"integer", "decimal", "money", "phone", "calculate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How answers are written.

    Attributes:
        language: ar, ckb or en.
        territory: two-letter code of the country, which has its own names of months; "" for none.
        digits: latin or arab; English always has Latin ones.
        zone: time zone of moments.
        names: id of a person, organisation or service → how it is called.
    """

    language: str
    territory: str = ""
    digits: str = "latin"
    zone: tzinfo = UTC
    names: Mapping[str, str] = field(default_factory=dict)

    def number(self, text: str) -> str:
        """Write a number in the chosen digits."""
        return write_digits(text, "latin" if self.language == "en" else self.digits)

    def day(self, day: date) -> str:
        """Write a day with the name of its month, by the Unicode Common Locale Data Repository."""
        return self.number(format_date(day, "d MMMM y" if self.language != "ckb" else "long", locale=self._locale()))

    def weekday(self, day: date) -> str:
        """Write a day with its weekday in front."""
        return f"{format_date(day, 'EEEE', locale=self._locale())} {self.day(day)}"

    def _locale(self) -> Locale:
        try:
            return Locale.parse(f"{self.language}_{self.territory}" if self.territory else self.language)
        except (UnknownLocaleError, ValueError):
            return Locale.parse(self.language)


def write_answer(kind: str, answer: object, hand: Hand) -> str:
    """Write an answer.

    Args:
        kind: type of the question.
        answer: as it is stored.
        hand: how to write it.

    Returns:
        A dash for no answer; what cannot be read as its type stays as it was stored.
    """
    match answer:
        case None:
            return "–"
        case {"amount": amount, **rest}:
            return f"{hand.number(str(amount))} {rest.get('currency', '')}".strip()
        case {"lat": lat, "lon": lon}:
            return f"{lat}, {lon}"
    text = str(answer)
    if kind in _NAMED:
        return hand.names.get(text, text)
    if kind in _COUNTED:
        return hand.number(text)
    return _moment(kind, text, hand) if kind in ("date", "datetime") else text


def _moment(kind: str, text: str, hand: Hand) -> str:
    try:
        if kind == "date":
            return hand.day(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = moment.astimezone(hand.zone) if moment.tzinfo else moment
    return f"{hand.day(local.date())} – {hand.number(f'{local:%H:%M}')}"
