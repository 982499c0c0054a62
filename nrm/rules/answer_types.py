"""Read one answer of each question type: what a browser, a phone or a partner's program sends becomes a clean value.

A clean value is what is stored, as JSON: dates and decimals are text. `typed_value` turns it into what conditions
compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

import phonenumbers

from nrm.expressions import Value
from nrm.rules.texts import WrongValue, clean_text, fold_digits

Clean: TypeAlias = bool | int | str | list["Clean"] | dict[str, "Clean"] | None
"""An answer as it is stored."""

_INTEGER: Final = re.compile(r"[+-]?\d{1,15}")
_DECIMAL: Final = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?")
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOOKS_LIKE_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False}
_MOST_CODES: Final = 50
_HUGE: Final = 10**15
_SMALLEST: Final = Decimal("1E-10")
TEXT_LENGTH: Final = 500
LONG_LENGTH: Final = 10_000


class Asks(Protocol):
    """What of a question its answers depend on.

    Attributes:
        type: one of the types of questions.
        appearance: "phone" makes a phone number of a text.
    """

    @property
    def type(self) -> str:
        """Type of the question."""

    @property
    def appearance(self) -> str | None:
        """How it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What reading an answer needs to know of the country.

    Attributes:
        code_lists: code list name → its codes.
        region: two-letter country of phone numbers that are written without a country code; None to ask for one.
        currency: currency of an amount that names none; None to ask for one.
        zone: time zone of a time that names none; None to ask for one.
    """

    code_lists: Mapping[str, Collection[str]] = field(default_factory=dict)
    region: str | None = None
    currency: str | None = None
    zone: tzinfo | None = None


def _text(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    return clean_text(value, longest=TEXT_LENGTH) or None


def _long(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    return clean_text(value, longest=LONG_LENGTH, lines=True) or None


def _digits(value: object, code: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise WrongValue(code)
    if not isinstance(value, str) and not -_HUGE < value < _HUGE:
        raise WrongValue(code)
    if isinstance(value, str):
        return fold_digits(clean_text(value, longest=100)) or None
    text = str(value)
    return text if "e" not in text.lower() else format(Decimal(text).quantize(_SMALLEST), "f")


def _integer(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    text = _digits(value, "not_an_integer")
    if text is None:
        return None
    if isinstance(value, float) and text.endswith(".0"):
        text = text[:-2]
    if not _INTEGER.fullmatch(text):
        raise WrongValue("not_an_integer")
    return int(text)


def _decimal(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    text = _digits(value, "not_a_number")
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text):
        raise WrongValue("not_a_number")
    return format(Decimal(text), "f")


def _money(value: object, item: Asks, codes: Collection[str], setting: Setting) -> Clean:
    parts = value if isinstance(value, Mapping) else {"amount": value}
    if set(parts) - {"amount", "currency"}:
        raise WrongValue("not_money")
    amount = _decimal(parts.get("amount", ""), item, codes, setting)
    if amount is None:
        return None
    if str(amount).startswith("-"):
        raise WrongValue("negative")
    currency = parts.get("currency") or setting.currency
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise WrongValue("currency_required")
    return {"amount": str(amount).removeprefix("+"), "currency": currency}


def _date(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    if type(value) is date:
        return value.isoformat()
    text = fold_digits(clean_text(value, longest=100))
    if not text:
        return None
    if not _ISO_DATE.fullmatch(text):
        raise WrongValue("date_not_iso" if _LOOKS_LIKE_DATE.fullmatch(text) else "not_a_date")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongValue("no_such_day") from None
    if not 1900 <= day.year <= 2200:
        raise WrongValue("year_out_of_range", least=1900, most=2200)
    return text


def _datetime(value: object, _item: Asks, _codes: Collection[str], setting: Setting) -> Clean:
    text = fold_digits(clean_text(value, longest=100))
    if not text:
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", text):
        raise WrongValue("not_a_datetime")
    try:
        moment = datetime.fromisoformat(text.replace(" ", "T"))
    except ValueError:
        raise WrongValue("no_such_day") from None
    if not 1900 <= moment.year <= 2200:
        raise WrongValue("year_out_of_range", least=1900, most=2200)
    if moment.tzinfo is None:
        if setting.zone is None:
            raise WrongValue("timezone_required")
        moment = moment.replace(tzinfo=setting.zone)
    return moment.isoformat(timespec="seconds")


def _select_one(value: object, _item: Asks, codes: Collection[str], _setting: Setting) -> Clean:
    if value in ("", None):
        return None
    if not isinstance(value, str) or value not in codes:
        raise WrongValue("not_a_choice", choices=_some(codes))
    return value


def _select_multiple(value: object, _item: Asks, codes: Collection[str], _setting: Setting) -> Clean:
    if not isinstance(value, list | tuple):
        raise WrongValue("not_a_list")
    if len(value) > _MOST_CODES:
        raise WrongValue("too_many_choices", most=_MOST_CODES)
    if not all(isinstance(code, str) and code in codes for code in value):
        raise WrongValue("not_a_choice", choices=_some(codes))
    return list(dict.fromkeys(value)) or None


def _some(codes: Collection[str]) -> str:
    listed = sorted(codes)
    return ", ".join(listed[:12]) + (", …" if len(listed) > 12 else "")


def _yes_no(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    if isinstance(value, bool):
        return value
    if value == "":
        return None
    if not isinstance(value, str) or value.lower() not in _BOOLEANS:
        raise WrongValue("not_yes_or_no")
    return _BOOLEANS[value.lower()]


def _acknowledge(value: object, item: Asks, codes: Collection[str], setting: Setting) -> Clean:
    return _yes_no(value, item, codes, setting) or None


def _id(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    if value == "":
        return None
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise WrongValue("not_an_id")
    return value


def _geopoint(value: object, _item: Asks, _codes: Collection[str], _setting: Setting) -> Clean:
    if isinstance(value, Mapping):
        parts = [str(value.get("lat", "")), str(value.get("lon", ""))] if set(value) == {"lat", "lon"} else []
    else:
        parts = fold_digits(clean_text(value, longest=100)).split()
        if not parts:
            return None
    if len(parts) != 2 or not all(re.fullmatch(r"-?\d{1,3}(\.\d{1,8})?", part, re.ASCII) for part in parts):
        raise WrongValue("not_a_point")
    lat, lon = (Decimal(part) for part in parts)
    if abs(lat) > 90 or abs(lon) > 180:
        raise WrongValue("not_a_point")
    return {"lat": str(lat), "lon": str(lon)}


def clean_phone(value: object, region: str | None) -> str | None:
    """Bring a phone number to E.164 ("+964770…").

    Args:
        value: as it was typed, with digits of any script.
        region: two-letter country of a number without a country code.

    Returns:
        The number, or None for an empty text.

    Raises:
        WrongValue: not a number that can exist in its country ("not_a_phone").
    """
    text = fold_digits(clean_text(value, longest=40))
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise WrongValue("not_a_phone") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise WrongValue("not_a_phone")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _phone(value: object, _item: Asks, _codes: Collection[str], setting: Setting) -> Clean:
    return clean_phone(value, setting.region)


_READERS: Final[Mapping[str, Callable[[object, Asks, Collection[str], Setting], Clean]]] = {
    "text": _text,
    "long": _long,
    "phone": _phone,
    "integer": _integer,
    "decimal": _decimal,
    "money": _money,
    "date": _date,
    "datetime": _datetime,
    "select_one": _select_one,
    "select_multiple": _select_multiple,
    "acknowledge": _acknowledge,
    "yes_no": _yes_no,
    "file": _id,
    "geopoint": _geopoint,
    "person": _id,
    "organisation": _id,
    "service": _id,
}


def read_answer(value: object, item: Asks, codes: Collection[str], setting: Setting) -> Clean:
    """Read the answer to one question.

    Args:
        value: as it came.
        item: the question; not a group, repeat, note or calculation.
        codes: the codes of its choice list.
        setting: what the country says.

    Returns:
        The clean value; None when nothing was answered.

    Raises:
        WrongValue: the value cannot be taken.
    """
    if value is None:
        return None
    kind = "phone" if item.type == "text" and item.appearance == "phone" else item.type
    return _READERS[kind](value, item, codes, setting)


def typed_value(item: Asks, clean: Clean) -> Value:
    """Turn a stored answer into what conditions compare: dates, decimals, tuples."""
    if clean is None:
        return None
    if isinstance(clean, str):
        makers: dict[str, Callable[[str], Value]] = {
            "date": date.fromisoformat,
            "datetime": datetime.fromisoformat,
            "decimal": Decimal,
        }
        maker = makers.get(item.type)
        return maker(clean) if maker else clean
    if item.type == "money" and isinstance(clean, dict):
        return Decimal(str(clean["amount"]))
    return clean
