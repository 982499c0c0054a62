"""Write a pack back into a folder; reading it again gives the same pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import orjson

from nrm.countries.values import ItemKind, Json, Organisation, Pack, Service

_PARTS: Final = {
    "calendars": ItemKind.CALENDAR,
    "ladders": ItemKind.LADDER,
    "settings": ItemKind.SETTING,
    "referral_clocks": ItemKind.CLOCKS,
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


_LISTS: Final[Mapping[str, ItemKind]] = {
    "call_tables.json": ItemKind.CALL_TABLE,
    "indicators.json": ItemKind.INDICATOR,
    "surveys.json": ItemKind.SURVEY,
}
"""File that a country need not have → the kind of its entries."""


def _json(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _documents(pack: Pack) -> dict[str, object]:
    country = pack.contents(ItemKind.COUNTRY)["country"]
    head: dict[str, object] = dict(country) if isinstance(country, dict) else {}
    head["jurisdictions"] = _listed(pack, ItemKind.JURISDICTION, "key")
    head |= {name: pack.contents(kind) for name, kind in _PARTS.items() if pack.contents(kind)}
    documents: dict[str, object] = {
        "country.json": head,
        "places.json": [_plain(place) for place in pack.places],
        "organisations.json": [_organisation(pack, entry) for entry in pack.organisations],
        "services.json": [_service(service) for service in pack.services],
        "roles.json": _listed(pack, ItemKind.ROLE, "code"),
        "code_lists.json": _code_lists(pack),
    }
    for file, kind in _LISTS.items():
        if pack.contents(kind):
            documents[file] = _listed(pack, kind, "key")
    if pack.contents(ItemKind.MANIFEST):
        documents["manifest.json"] = pack.contents(ItemKind.MANIFEST)
    documents |= {f"labels/{key}.json": content for key, content in pack.contents(ItemKind.LABELS).items()}
    documents |= {f"letters/{key}.json": content for key, content in pack.contents(ItemKind.LETTER).items()}
    documents |= {
        f"scenarios/{path}/{name}.json": scenario
        for path, scenarios in pack.scenarios.items()
        for name, scenario in scenarios.items()
    }
    return documents | {f"forms/{key}.json": form for key, form in pack.forms.items()}


def _listed(pack: Pack, kind: ItemKind, name: str) -> list[dict[str, Json]]:
    contents = pack.contents(kind)
    return [{name: key, **content} for key, content in contents.items() if isinstance(content, dict)]


def _plain(entry: object, *leave: str) -> dict[str, object]:
    """Give an entry's fields without those that are empty: a missing field reads as the same."""
    fields: Mapping[str, object] = asdict(entry)  # type: ignore[call-overload]  # a frozen value
    return {name: value for name, value in fields.items() if name not in leave and value not in (None, "", (), {})}


def _organisation(pack: Pack, entry: Organisation) -> dict[str, object]:
    desks = [_plain(desk, "organisation") for desk in pack.desks if desk.organisation == entry.code]
    agreements = [
        _marked(pack, f"agreement:{entry.code}/{agreement.signed_on}", _plain(agreement, "organisation"))
        for agreement in pack.agreements
        if agreement.organisation == entry.code
    ]
    organisation = _marked(pack, f"organisation:{entry.code}", _plain(entry))
    return organisation | {"desks": desks, "agreements": agreements}


def _marked(pack: Pack, key: str, entry: dict[str, object]) -> dict[str, object]:
    marks = pack.contents(ItemKind.MARKS).get(key)
    return entry | marks if isinstance(marks, dict) else entry


def _service(service: Service) -> dict[str, object]:
    coverage = [
        {"governorate": governorate} if district is None else {"governorate": governorate, "district": district}
        for governorate, district in service.coverage
    ]
    return _plain(service, "coverage") | {"coverage": coverage}


def _code_lists(pack: Pack) -> list[dict[str, object]]:
    items: dict[str, list[dict[str, object]]] = {}
    for code in pack.codes:
        items.setdefault(code.list, []).append({**_plain(code, "list", "position", "extra"), **code.extra})
    return [{**entry, "items": items.get(str(entry["key"]), [])} for entry in _listed(pack, ItemKind.CODE_LIST, "key")]
