"""What stands in a form before anybody answers: the default of a question, as its file gives it.

A default is a beginning, not an answer: it counts once somebody sends it. It is read like an answer of its type, so a
form whose default could not be answered is refused when it is saved and not when somebody opens a task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Protocol

from nrm.rules.answer_types import Clean, Setting, read_answer
from nrm.rules.texts import WrongValue

WITHOUT_DEFAULT: Final = frozenset({"note", "file", "group", "repeat", "calculate", "person"})
"""Types that have none: nothing is answered there, or the answer is about this one case."""
_AS_WRITTEN: Final = frozenset({"money", "datetime", "phone"})
"""Types whose stored form needs the country (currency, zone, region): the text of the file is the beginning."""
_ANYWHERE: Final = Setting(region=None, currency="XTS", zone=UTC)
"""No country: XTS is the code of ISO 4217 that no money has."""


@dataclass(frozen=True, slots=True)
class _Question:
    type: str
    appearance: str | None


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def default_of(data: Mapping[str, object], lists: Mapping[str, Sequence[_Named]]) -> Clean:
    """Read the default of a question.

    Args:
        data: the question as a form file has it. Several codes are a list or a text with spaces between them, as in
            XLSForm.
        lists: the form's own choice lists; codes of the country's code lists are not known here, any will do.

    Returns:
        What stands in the form at first; None for nothing.

    Raises:
        WrongValue: the value could not be an answer to the question, or there can be none ("unknown_key").
    """
    value, kind, name = data.get("default"), str(data["type"]), str(data.get("list"))
    if value is None or value == "":
        return None
    if kind in WITHOUT_DEFAULT:
        raise WrongValue("unknown_key")
    if kind == "select_multiple" and isinstance(value, str):
        value = value.split()
    if name in lists:
        codes = [choice.name for choice in lists[name]]
    else:
        codes = [code for code in (value if isinstance(value, list) else [value]) if isinstance(code, str)]
    asked = _Question(kind, str(data["appearance"]) if "appearance" in data else None)
    clean = read_answer(value, asked, codes, _ANYWHERE)
    if kind in _AS_WRITTEN and isinstance(value, str):
        return value
    if isinstance(clean, dict) and clean.get("currency") == _ANYWHERE.currency:
        return {"amount": clean["amount"]}
    return clean
