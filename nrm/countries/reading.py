"""Read a pack folder and list everything that is wrong with it, by file and pointer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import orjson

from nrm.countries.entries import (
    broken_references,
    read_agreement,
    read_code,
    read_desk,
    read_organisation,
    read_place,
    read_service,
)
from nrm.countries.nodes import Node
from nrm.countries.values import (
    Agreement,
    Code,
    Desk,
    Item,
    ItemKind,
    Json,
    Organisation,
    Pack,
    PackProblem,
    Place,
    Service,
)
from nrm.errors import NrmError
from nrm.vocabulary import Language

MAX_FILE_BYTES: Final = 5_000_000
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_COUNTRY_PARTS: Final = {
    "jurisdictions": ItemKind.JURISDICTION,
    "calendars": ItemKind.CALENDAR,
    "ladders": ItemKind.LADDER,
    "settings": ItemKind.SETTING,
    "clocks": ItemKind.CLOCKS,
}
_NEEDED: Final = frozenset({"jurisdictions", "calendars"})

T = TypeVar("T")


class BadPack(NrmError):
    """A pack has mistakes; `problems` lists all of them."""

    code = "bad_pack"

    def __init__(self, problems: Sequence[PackProblem]) -> None:
        """Keep the list.

        Args:
            problems: at least one.
        """
        super().__init__(problems=len(problems))
        self.problems = tuple(problems)


def read_pack(folder: Path) -> Pack:
    """Read a country pack.

    Args:
        folder: the pack's folder; its name is not significant, the key stands in country.json.

    Raises:
        BadPack: a file is missing, is not JSON, or holds mistakes; all of them are listed.
    """
    reading = _Reading(folder)
    pack = reading.pack()
    if reading.problems:
        raise BadPack(reading.problems)
    return pack


class _Reading:
    """One reading of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[PackProblem] = []

    def wrong(self, file: str, code: str, pointer: str = "", **params: str | int | None) -> None:
        self.problems.append(PackProblem(file=file, pointer=pointer, code=code, params=params))

    def json(self, name: str, *, required: bool = True) -> dict[str, Json]:
        content = self.content(name, required=required)
        if content is None:
            return {}
        try:
            data: Json = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            self.wrong(name, "not_json", line=error.lineno, column=error.colno)
            return {}
        if not isinstance(data, dict):
            self.wrong(name, "wrong_type", expected="object")
            return {}
        return data

    def content(self, name: str, *, required: bool = True) -> bytes | None:
        path = self.folder / name
        if not path.is_file():
            if required:
                self.wrong(name, "file_missing")
            return None
        if path.stat().st_size > MAX_FILE_BYTES:
            self.wrong(name, "file_too_large", limit=MAX_FILE_BYTES)
            return None
        return path.read_bytes()

    def node(self, name: str, *, required: bool = True) -> Node:
        data = self.json(name, required=required)
        # What is missing inside a file that could not be read at all is no news.
        return Node(file=name, pointer="", data=data, problems=self.problems if data else [])

    def pack(self) -> Pack:
        key, items = self.country()
        organisations, desks, agreements = self.organisations()
        items += self.roles() + self.call_tables() + self.tables() + self.manifest() + self.labels()
        pack = Pack(
            key=key,
            places=self.places(),
            organisations=organisations,
            desks=desks,
            agreements=agreements,
            services=self.services(),
            codes=self.codes(),
            items=tuple(items),
            forms=self.forms(),
            paths=self.paths(),
        )
        if not self.problems:
            # References are only worth checking when everything could be read.
            self.problems.extend(broken_references(pack))
        return pack

    def country(self) -> tuple[str, list[Item]]:
        node = self.node("country.json")
        key = node.text("key")
        if key and not _KEY.fullmatch(key):
            node.wrong("key", "bad_code")
        node.names()
        parts = [(kind, node.object(name, required=name in _NEEDED)) for name, kind in _COUNTRY_PARTS.items()]
        items = [Item(kind=kind, key=entry, content=value) for kind, part in parts for entry, value in part.items()]
        node.taken -= {"key", "names"}
        return key, [Item(kind=ItemKind.COUNTRY, key="country", content=node.rest()), *items]

    def places(self) -> tuple[Place, ...]:
        node = self.node("places.json")
        found = [read_place(entry) for entry in node.children("places", required=True)]
        node.done()
        return self.unique("places.json", found, lambda place: place.key)

    def organisations(self) -> tuple[tuple[Organisation, ...], tuple[Desk, ...], tuple[Agreement, ...]]:
        node = self.node("organisations.json")
        organisations, desks, agreements = [], [], []
        for entry in node.children("organisations", required=True):
            organisation = read_organisation(entry)
            organisations.append(organisation)
            desks += [read_desk(child, organisation) for child in entry.children("desks")]
            agreements += [read_agreement(child, organisation) for child in entry.children("agreements")]
            entry.done()
        node.done()
        return (
            self.unique("organisations.json", organisations, lambda entry: entry.code),
            self.unique("organisations.json", desks, lambda entry: entry.code),
            self.unique("organisations.json", agreements, lambda entry: f"{entry.organisation} {entry.signed_on}"),
        )

    def services(self) -> tuple[Service, ...]:
        node = self.node("services.json")
        found = [read_service(entry) for entry in node.children("services", required=True)]
        node.done()
        return self.unique("services.json", found, lambda service: service.code)

    def codes(self) -> tuple[Code, ...]:
        file = "code_lists.json"
        node = self.node(file)
        found: list[Code] = []
        for name in node.data:
            codes = [read_code(entry, name, place) for place, entry in enumerate(node.children(name))]
            found += self.unique(file, codes, lambda code: code.code)
        return tuple(found)

    def roles(self) -> list[Item]:
        items = []
        for name, entry in self.node("roles.json").entries():
            names, permissions = entry.names(), entry.codes("permissions")
            content: Json = {**entry.rest(), "names": dict(names), "permissions": list(permissions)}
            items.append(Item(kind=ItemKind.ROLE, key=name, content=content))
        return items

    def call_tables(self) -> list[Item]:
        data = self.json("call_tables.json", required=False)
        for name, table in data.items():
            if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
                self.wrong("call_tables.json", "wrong_type", f"/{name}", expected="object of texts")
        return [Item(kind=ItemKind.CALL_TABLE, key=name, content=table) for name, table in data.items()]

    def tables(self) -> list[Item]:
        items = []
        for name, content in self.files("tables", ".dmn"):
            try:
                items.append(Item(kind=ItemKind.TABLE, key=name, content=content.decode()))
            except UnicodeDecodeError:
                self.wrong(f"tables/{name}.dmn", "not_utf8")
        return items

    def manifest(self) -> list[Item]:
        data = self.json("manifest.json", required=False)
        return [Item(kind=ItemKind.MANIFEST, key=name, content=value) for name, value in data.items()]

    def labels(self) -> list[Item]:
        return [
            Item(kind=ItemKind.LABELS, key=language, content=self.json(f"labels/{language}.json"))
            for language in Language
        ]

    def forms(self) -> dict[str, dict[str, Json]]:
        forms = {}
        for name, _ in self.files("forms", ".json"):
            data = self.json(f"forms/{name}.json")
            if data and data.get("form") != name:
                self.wrong(f"forms/{name}.json", "name_differs_from_file", "/form")
            forms[name] = data
        return forms

    def paths(self) -> dict[str, bytes]:
        return dict(self.files("paths", ".bpmn"))

    def files(self, folder: str, suffix: str) -> Iterator[tuple[str, bytes]]:
        for path in sorted((self.folder / folder).glob(f"*{suffix}")):
            name = path.name.removesuffix(suffix)
            content = self.content(f"{folder}/{path.name}")
            if not _KEY.fullmatch(name):
                self.wrong(f"{folder}/{path.name}", "bad_file_name")
            elif content is not None:
                yield name, content

    def unique(self, file: str, entries: Sequence[T], key: Callable[[T], str]) -> tuple[T, ...]:
        seen: set[str] = set()
        for entry in entries:
            name = key(entry)
            if name and name in seen:
                self.wrong(file, "twice", key=name)
            seen.add(name)
        return tuple(entries)
