"""How a person is called in a list: the name, or in a strict case only a code."""

from __future__ import annotations

from functools import cache

from nrm.installation import installation
from nrm.rules.redaction import may_show_name_in_lists, pseudonym
from nrm.sealing import Json, unseal
from nrm.vocabulary import Level

_ORDER = ("own", "father", "grandfather", "surname")


def full_name(identity: Json) -> str:
    """Write a person's name in one line: own, father's, grandfather's and family name, else in Latin letters."""
    names = identity.get("names") if isinstance(identity, dict) else None
    if not isinstance(names, dict):
        return ""
    parts = [str(names[part]) for part in _ORDER if names.get(part)]
    return " ".join(parts) or str(names.get("latin") or "")


@cache
def _shows_name(level: str) -> bool:
    return may_show_name_in_lists(Level(level))


def name_in_list(case_id: str, person_id: str, level: str, identity: str | None) -> str:
    """Say how a list calls the person of a case.

    Args:
        case_id: the case.
        person_id: the person.
        level: the case's level.
        identity: the sealed identity.
    """
    if not _shows_name(level):
        return pseudonym(case_id, installation().config.secret.encode())
    return full_name(unseal(identity, row=person_id, column="people.identity"))
