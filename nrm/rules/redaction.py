"""Who sees which fields of a person, and the code that stands for a person in a strict case."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from nrm.rules.numbers import ALPHABET
from nrm.vocabulary import DataCategory, Level


class Relation(StrEnum):
    """In what relation an actor stands to a person's file."""

    TEAM = "team"
    RECEIVER = "receiver"
    OVERVIEW = "overview"
    NONE = "none"


FIELD_CATEGORIES: Final[Mapping[str, DataCategory]] = {
    "names": DataCategory.CONTACT,
    "latin": DataCategory.CONTACT,
    "phones": DataCategory.CONTACT,
    "safe_contact": DataCategory.CONTACT,
    "address": DataCategory.CONTACT,
    "governorate": DataCategory.CONTACT,
    "language": DataCategory.CONTACT,
    "sex": DataCategory.AGE,
    "age": DataCategory.AGE,
    "born": DataCategory.BIRTH,
    "mother": DataCategory.DOCUMENTS,
    "documents": DataCategory.DOCUMENTS,
    "nationality": DataCategory.DOCUMENTS,
    "household": DataCategory.HOUSEHOLD,
    "skills": DataCategory.WORK,
    "education": DataCategory.WORK,
    "occupation": DataCategory.WORK,
    "return_type": DataCategory.RETURN,
    "host_country": DataCategory.RETURN,
    "health": DataCategory.HEALTH,
    "disability": DataCategory.HEALTH,
    "adjustments": DataCategory.ADJUSTMENTS,
    "protection": DataCategory.PROTECTION,
    "vulnerabilities": DataCategory.PROTECTION,
}
"""Field of a person or subject → the category that a consent must cover for it to be seen elsewhere."""

_ALWAYS: Final = frozenset({"code", "state"})


def visible_fields(relation: Relation, level: Level, categories: Collection[str] = ()) -> frozenset[str]:
    """List the fields that may be shown.

    Args:
        relation: the actor's relation to the file. That a strict case has a named team only is decided by case
            access, before this.
        level: the case's level.
        categories: for a receiver, the categories that were disclosed to it.

    Returns:
        Names of `FIELD_CATEGORIES`, and "code" and "state". An overview of a standard case also shows the
        governorate, never a name.
    """
    if relation is Relation.NONE:
        return frozenset()
    if relation is Relation.TEAM:
        return _ALWAYS | frozenset(FIELD_CATEGORIES)
    if relation is Relation.OVERVIEW:
        return _ALWAYS | ({"governorate"} if level is Level.STANDARD else frozenset())
    return _ALWAYS | {name for name, category in FIELD_CATEGORIES.items() if category in categories}


RESTRICTED: Final = frozenset({str(DataCategory.HEALTH), str(DataCategory.PROTECTION)})
"""Categories for which a partner's program must say its purpose each time it reads them."""


def categories_for_program(
    categories: Collection[str], level: Level, *, scoped: bool, purpose: str | None
) -> frozenset[str]:
    """List the disclosed categories that a partner's program may read now.

    Args:
        categories: those that were disclosed to its organisation.
        level: the case's level.
        scoped: its key may read about people at all (scope subject:read).
        purpose: what it reads them for; None when it did not say. Without one, nothing of a restricted or strict
            case and no restricted category shows.
    """
    if not scoped or (purpose is None and level is not Level.STANDARD):
        return frozenset()
    return frozenset(categories) - (RESTRICTED if purpose is None else frozenset())


def may_open_documents(relation: Relation, categories: Collection[str] = ()) -> bool:
    """Tell whether files that the sender attached may be opened.

    Args:
        relation: the actor's relation to the file of the person.
        categories: for a receiver, the categories that were disclosed to it.
    """
    return relation is Relation.TEAM or (relation is Relation.RECEIVER and DataCategory.DOCUMENTS in categories)


def pseudonym(case_id: str, key: bytes) -> str:
    """Make the code that stands for a person in lists, messages and logs of a strict case.

    Args:
        case_id: id of the case.
        key: the installation's secret for pseudonyms; without it a code cannot be traced to a case.

    Returns:
        "P-" and eight characters without I, L, O, U: the same for the same case, always.
    """
    number = int.from_bytes(hmac.digest(key, case_id.encode(), hashlib.sha256)[:5], "big")
    return "P-" + "".join(ALPHABET[number >> 5 * place & 31] for place in range(8))


def may_show_name_in_lists(level: Level) -> bool:
    """Tell whether lists, messages and task titles may carry the name: never in a strict case."""
    return level is not Level.STRICT
