"""Strict input fields: what is not exactly right is refused with a stable code, never bent into shape.

The fields of marshmallow accept 1.9 as the whole number 1, "on" as true, and a NUL inside a text; these do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields

_BAD_IN_LINE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BAD_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_ID: Final = re.compile(r"[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}")

_MESSAGES: Final[dict[str, str | list[Any] | dict[Any, Any]]] = {
    "required": "required",
    "null": "required",
    "validator_failed": "wrong_type",
    "type": "wrong_type",
    "invalid": "wrong_type",
    "invalid_utf8": "wrong_type",
}


@dataclass(frozen=True, slots=True)
class Coded:
    """A mistake with the values of its sentence."""

    code: str
    params: Mapping[str, str | int | None] = field(default_factory=dict)


def _wrong(code: str, **params: str | int | None) -> ValidationError:
    return ValidationError([Coded(code, params)])


class Body(Schema):
    """An object that comes in; unknown fields are refused."""

    class Meta:
        """Strictness."""

        unknown = RAISE

    error_messages = {"unknown": "unknown_field", "type": "wrong_type"}  # noqa: RUF012 - read by marshmallow


class Text(fields.String):
    """A text without control characters and direction tricks, in composed form (NFC)."""

    default_error_messages = _MESSAGES

    def __init__(self, *, longest: int, lines: bool = False, shortest: int = 0, **rest: Any) -> None:  # noqa: ANN401
        """Set the limits.

        Args:
            longest: most characters.
            lines: line breaks and tabs may be in it.
            shortest: fewest characters after trimming.
            rest: as for any marshmallow field.
        """
        metadata = {"maxLength": longest, **({"minLength": shortest} if shortest else {})}
        super().__init__(metadata=metadata, **rest)
        self.longest, self.shortest = longest, shortest
        self._bad = _BAD_IN_TEXT if lines else _BAD_IN_LINE

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str):
            raise _wrong("wrong_type", expected="text")
        if len(value) > self.longest:
            raise _wrong("too_long", longest=self.longest)
        if self._bad.search(value):
            raise _wrong("bad_characters")
        if not value.isascii():
            value = unicodedata.normalize("NFC", value)
        if len(value.strip()) < self.shortest:
            raise _wrong("required")
        return value


class Secret(fields.String):
    """A password or code, kept exactly as it was typed."""

    default_error_messages = _MESSAGES

    def __init__(self, *, longest: int, **rest: Any) -> None:  # noqa: ANN401
        """Set the most characters."""
        super().__init__(metadata={"maxLength": longest, "format": "password"}, **rest)
        self.longest = longest

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str):
            raise _wrong("wrong_type", expected="text")
        if len(value) > self.longest:
            raise _wrong("too_long", longest=self.longest)
        if "\x00" in value:
            raise _wrong("bad_characters")
        return value


class _Shaped(fields.String):
    default_error_messages = _MESSAGES
    shape: re.Pattern[str]
    mistake: str

    def __init__(self, **rest: Any) -> None:  # noqa: ANN401
        super().__init__(metadata={"pattern": f"^{self.shape.pattern}$"}, **rest)

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str):
            raise _wrong("wrong_type", expected="text")
        if not self.shape.fullmatch(value):
            raise _wrong(self.mistake)
        return value


class Code(_Shaped):
    """A code: Latin letters, digits, "_", "-", "." and ":"."""

    shape = _CODE
    mistake = "not_a_code"


class Id(_Shaped):
    """A public id."""

    shape = _ID
    mistake = "not_an_id"


class Choice(fields.String):
    """One of a few words that code knows."""

    default_error_messages = _MESSAGES

    def __init__(self, choices: Collection[str] | type[StrEnum], **rest: Any) -> None:  # noqa: ANN401
        """Set the words."""
        self.choices = tuple(str(choice) for choice in choices)
        super().__init__(metadata={"enum": list(self.choices)}, **rest)

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str):
            raise _wrong("wrong_type", expected="text")
        if value not in self.choices:
            raise _wrong("not_a_choice", choices=", ".join(self.choices))
        return value


class Whole(fields.Integer):
    """A whole number; neither 1.9 nor "1" nor true is one."""

    default_error_messages = _MESSAGES

    def __init__(self, *, low: int, high: int, from_text: bool = False, **rest: Any) -> None:  # noqa: ANN401
        """Set the range; `from_text` is for the query string."""
        super().__init__(strict=True, metadata={"minimum": low, "maximum": high}, **rest)
        self.low, self.high, self.from_text = low, high, from_text

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> int:  # noqa: ANN401
        if self.from_text and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong("wrong_type", expected="whole number")
        if not self.low <= value <= self.high:
            raise _wrong("out_of_range", least=self.low, most=self.high)
        return value


class Flag(fields.Boolean):
    """True or false; neither 1 nor "on" is one."""

    default_error_messages = _MESSAGES

    def __init__(self, *, from_text: bool = False, **rest: Any) -> None:  # noqa: ANN401
        """Set where it comes from: `from_text` is for the query string."""
        super().__init__(**rest)
        self.from_text = from_text

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> bool:  # noqa: ANN401
        if self.from_text and value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise _wrong("wrong_type", expected="true or false")
        return value


class Day(fields.Date):
    """A date, YYYY-MM-DD."""

    default_error_messages = _MESSAGES

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> date:  # noqa: ANN401
        if not isinstance(value, str) or len(value) != 10:
            raise _wrong("not_a_date")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _wrong("not_a_date") from None


class Moment(fields.DateTime):
    """A moment with its time zone, RFC 3339."""

    default_error_messages = _MESSAGES

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> datetime:  # noqa: ANN401
        if not isinstance(value, str) or not 20 <= len(value) <= 35:
            raise _wrong("not_a_moment")
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise _wrong("no_time_zone")
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            if isinstance(error, ValidationError):
                raise
            raise _wrong("not_a_moment") from None


class ListOf(fields.List[Any]):
    """A list of values of one kind, with a most length."""

    default_error_messages = _MESSAGES

    def __init__(self, inner: fields.Field[Any], *, most: int, least: int = 0, **rest: Any) -> None:  # noqa: ANN401
        """Set the limits."""
        super().__init__(inner, metadata={"maxItems": most, **({"minItems": least} if least else {})}, **rest)
        self.most, self.least = most, least

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> list[Any]:  # noqa: ANN401
        if not isinstance(value, list):
            raise _wrong("wrong_type", expected="list")
        if len(value) > self.most:
            raise _wrong("too_many_entries", most=self.most)
        if len(value) < self.least:
            raise _wrong("required")
        return list(super()._deserialize(value, attr, data, **kwargs))


class Object(fields.Nested):
    """An object with known fields."""

    default_error_messages = _MESSAGES


class Anything(fields.Dict):
    """An object whose content the action checks: answers to a form."""

    default_error_messages = _MESSAGES

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _wrong("wrong_type", expected="object")
        return value


class Versioned(Body):
    """A change of something that has a version; the header If-Match may carry it instead."""

    version = Whole(low=1, high=2**31 - 1)


class Stamped(Body):
    """A change of something that has a stamp of what it says; the header If-Match may carry it instead."""

    seen = Text(longest=64)


class Paged(Body):
    """The query of a list."""

    limit = Whole(low=1, high=100, from_text=True, load_default=50)
    cursor = Text(longest=400)
