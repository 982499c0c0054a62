"""What an intake form says about the person and the case, written to their records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from nrm.actions._action import Work
from nrm.actions.people import change_identity
from nrm.models import Case
from nrm.queries import packs
from nrm.sealing import Json

_IDENTITY: Final[Mapping[str, str]] = {
    "own_name": "own",
    "father_name": "father",
    "grandfather_name": "grandfather",
    "great_grandfather_name": "great_grandfather",
    "surname": "surname",
    "mother_name": "mother",
    "latin_name": "latin",
}
"""Question of an intake form → part of the name."""

_CODED: Final[Mapping[str, tuple[str, str]]] = {
    "return_type": ("return_type", "return_type"),
    "host_country": ("host_country", "host_country"),
    "programme": ("programme", "programme"),
}
"""Question → column of the case and the code list that its answer must be in."""

_DAYS: Final[Mapping[str, str]] = {
    "returned_on": "returned_on",
    "return_date": "returned_on",
    "arrived_on": "arrived_on",
    "arrived_at": "arrived_on",
}


def change_from_answers(work: Work, case: Case, answers: Mapping[str, Json]) -> None:
    """Write what an intake or reception form says; questions that it does not have change nothing.

    Args:
        work: the transaction.
        case: the locked case.
        answers: clean answers of the form.
    """
    _change_case(case, answers)
    names = {part: str(answers[name]) for name, part in _IDENTITY.items() if answers.get(name)}
    facts = {name: answers[name] for name in ("sex", "language", "nationality", "governorate") if answers.get(name)}
    phones = answers.get("phones") or answers.get("phone")
    born = answers.get("born") or answers.get("birth_date")
    change_identity(
        work,
        case.person_id,
        names=names,
        born=str(born) if born else None,
        phones=[str(entry) for entry in phones] if isinstance(phones, list) else [str(phones)] if phones else None,
        facts={name: str(value) for name, value in facts.items()},
        stream=case.id,
    )


def _change_case(case: Case, answers: Mapping[str, Json]) -> None:
    data = packs.pack()
    for name, (column, codes) in _CODED.items():
        value = answers.get(name)
        if isinstance(value, str) and value in data.codes_of(codes):
            setattr(case, column, value)
    for name, column in _DAYS.items():
        value = answers.get(name)
        if isinstance(value, str) and value:
            setattr(case, column, date.fromisoformat(value[:10]))
