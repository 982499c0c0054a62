"""Write a pack back into a folder; reading it again gives the same pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import orjson

from nrm.countries.values import Agreement, Desk, ItemKind, Json, Organisation, Pack, Service

_PARTS: Final = {
    "jurisdictions": ItemKind.JURISDICTION,
    "calendars": ItemKind.CALENDAR,
    "ladders": ItemKind.LADDER,
    "settings": ItemKind.SETTING,
    "clocks": ItemKind.CLOCKS,
}


def write_pack(pack: Pack, folder: Path) -> tuple[str, ...]:
    """Write a pack's files; files that lie there and do not belong to it stay.

    Args:
        pack: what to write.
        folder: created when it is missing.

    Returns:
        The paths of the files inside the folder, sorted.
    """
    files = {name: _json(content) for name, content in _documents(pack).items()}
    files |= {f"paths/{key}.bpmn": diagram for key, diagram in pack.paths.items()}
    files |= {f"tables/{key}.dmn": str(text).encode() for key, text in pack.contents(ItemKind.TABLE).items()}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tuple(sorted(files))


def _json(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _documents(pack: Pack) -> dict[str, object]:
    country = pack.contents(ItemKind.COUNTRY)["country"]
    head: dict[str, Json] = dict(country) if isinstance(country, dict) else {}
    documents: dict[str, object] = {
        "country.json": head | {name: pack.contents(kind) for name, kind in _PARTS.items() if pack.contents(kind)},
        "places.json": {"places": [_plain(place) for place in pack.places]},
        "organisations.json": {"organisations": [_organisation(pack, entry) for entry in pack.organisations]},
        "services.json": {"services": [_service(service) for service in pack.services]},
        "roles.json": pack.contents(ItemKind.ROLE),
        "code_lists.json": _code_lists(pack),
    }
    for name, kind in (("call_tables.json", ItemKind.CALL_TABLE), ("manifest.json", ItemKind.MANIFEST)):
        if pack.contents(kind):
            documents[name] = pack.contents(kind)
    documents |= {f"labels/{key}.json": content for key, content in pack.contents(ItemKind.LABELS).items()}
    return documents | {f"forms/{key}.json": form for key, form in pack.forms.items()}


def _plain(entry: object, *leave: str) -> dict[str, object]:
    """Give an entry's fields without those that are empty: a missing field reads as the same."""
    fields: Mapping[str, object] = asdict(entry)  # type: ignore[call-overload]  # a frozen value
    return {name: value for name, value in fields.items() if name not in leave and value not in (None, "", (), {})}


def _organisation(pack: Pack, entry: Organisation) -> dict[str, object]:
    def of_it(part: Desk | Agreement) -> bool:
        return part.organisation == entry.code

    desks = [_plain(desk, "organisation") for desk in pack.desks if of_it(desk)]
    agreements = [_plain(agreement, "organisation") for agreement in pack.agreements if of_it(agreement)]
    return _plain(entry) | {"desks": desks, "agreements": agreements}


def _service(service: Service) -> dict[str, object]:
    coverage = [
        {"governorate": governorate} if district is None else {"governorate": governorate, "district": district}
        for governorate, district in service.coverage
    ]
    return _plain(service, "coverage") | {"coverage": coverage}


def _code_lists(pack: Pack) -> dict[str, list[dict[str, object]]]:
    lists: dict[str, list[dict[str, object]]] = {}
    for code in pack.codes:
        lists.setdefault(code.list, []).append({**_plain(code, "list", "position", "extra"), **code.extra})
    return lists
