"""One entry of the directory or a code list as an object that people edit, and read again as a pack is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final, TypeAlias

from nrm.countries.entries import read_agreement, read_code, read_desk, read_organisation, read_service
from nrm.countries.nodes import Node
from nrm.countries.values import Agreement, Code, Desk, Json, Organisation, PackProblem, Service

Entry: TypeAlias = Organisation | Desk | Agreement | Service | Code
_SHOWN: Final = 200
"""Longest text of a difference."""
_MOST: Final = 20
"""Most differences that are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that differs.

    Attributes:
        place: where it stands ("names/ar").
        before: as it was; "" for nothing.
        after: as it is now.
    """

    place: str
    before: str
    after: str


def entry_json(entry: Entry) -> dict[str, Json]:
    """Write an entry as the object of a pack file, with every field of its own."""
    fields: dict[str, Json] = {name: _plain(value) for name, value in asdict(entry).items()}
    if isinstance(entry, Service):
        fields["coverage"] = [
            {"governorate": governorate, **({"district": district} if district else {})}
            for governorate, district in entry.coverage
        ]
    if isinstance(entry, Code):
        fields |= {name: _plain(value) for name, value in entry.extra.items()}
        del fields["extra"], fields["list"], fields["position"]
    if isinstance(entry, Desk | Agreement):
        del fields["organisation"]
    return fields


def _plain(value: object) -> Json:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    return value  # type: ignore[return-value]  # a text, number, flag or nothing


def read_entry(
    kind: str, data: Mapping[str, Json], *, under: Organisation | None = None, code: Code | None = None
) -> tuple[Entry | None, tuple[PackProblem, ...]]:
    """Read an entry with the reader of packs.

    Args:
        kind: organisation, desk, agreement, service or code.
        data: the object; a member that is None counts as missing.
        under: the organisation of a desk or agreement.
        code: for a code its list and position, whatever its words.

    Returns:
        The entry, None where it has mistakes, and the mistakes.
    """
    problems: list[PackProblem] = []
    node = Node(file="", pointer="", data={k: v for k, v in data.items() if v is not None}, problems=problems)
    entry: Entry
    if kind == "organisation":
        entry, _ = read_organisation(node)
        node.done()
    elif kind == "service":
        entry = read_service(node)
    elif kind == "code" and code is not None:
        entry = read_code(node, code.list, code.position)
    elif under is not None:
        entry = read_desk(node, under) if kind == "desk" else read_agreement(node, under)[0]
    else:
        raise ValueError(kind)
    return (None, tuple(problems)) if problems else (entry, ())


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """Name what differs between two objects, value by value; more than twenty are counted only."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    found = [
        Difference(place=place, before=old.get(place, "")[:_SHOWN], after=new.get(place, "")[:_SHOWN])
        for place in dict.fromkeys([*old, *new])
        if old.get(place) != new.get(place)
    ]
    left = len(found) - _MOST
    return tuple(found[:_MOST]) + ((Difference(place="…", before="", after=f"+{left}"),) if left > 0 else ())


def _leaves(value: Json, place: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in _leaves(part, f"{place}/{name}" if place else name)]
    if isinstance(value, list):
        if all(isinstance(part, str) for part in value):
            return [(place, ", ".join(str(part) for part in value))] if value else []
        return [leaf for number, part in enumerate(value) for leaf in _leaves(part, f"{place}/{number}")]
    return [] if value is None or value == "" else [(place, str(value))]
