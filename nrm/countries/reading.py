"""Read a pack folder and list everything that is wrong with it, by file and pointer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    "calendars": ItemKind.CALENDAR,
    "ladders": ItemKind.LADDER,
    "settings": ItemKind.SETTING,
    "referral_clocks": ItemKind.CLOCKS,
}
_NEEDED: Final = frozenset({"calendars"})

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


def _key(entry: Place | Item) -> str:
    return entry.key


def _code(entry: Organisation | Desk | Service | Code) -> str:
    return entry.code


def _marks(key: str, said: dict[str, Json]) -> list[Item]:
    return [Item(kind=ItemKind.MARKS, key=key, content=said)] if said else []


class _Reading:
    """One reading of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[PackProblem] = []

    def wrong(self, file: str, code: str, pointer: str = "", **params: str | int | None) -> None:
        self.problems.append(PackProblem(file=file, pointer=pointer, code=code, params=params))

    def json(self, name: str, *, required: bool = True) -> Json:
        content = self.content(name, required=required)
        if content is None:
            return None
        try:
            data: Json = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            self.wrong(name, "not_json", line=error.lineno, column=error.colno)
            return None
        return data

    def facts(self, name: str, *, required: bool = True) -> dict[str, Json]:
        data = self.json(name, required=required)
        if data is not None and not isinstance(data, dict):
            self.wrong(name, "wrong_type", expected="object")
        return data if isinstance(data, dict) else {}

    def listed(self, name: str, *, required: bool = True) -> Iterator[Node]:
        data = self.json(name, required=required)
        if data is not None:
            yield from Node(file=name, pointer="", data={"": data}, problems=self.problems).children("")

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

    def pack(self) -> Pack:
        key, items = self.country()
        organisations, desks, agreements, marks = self.organisations()
        code_lists, codes = self.codes()
        pack = Pack(
            key=key,
            places=self.unique("places.json", [read_place(entry) for entry in self.listed("places.json")], _key),
            organisations=organisations,
            desks=desks,
            agreements=agreements,
            services=self.unique(
                "services.json", [read_service(entry) for entry in self.listed("services.json")], _code
            ),
            codes=codes,
            items=(
                *items,
                *self.keyed("roles.json", "code", ItemKind.ROLE),
                *self.keyed("call_tables.json", "key", ItemKind.CALL_TABLE, required=False),
                *self.keyed("indicators.json", "key", ItemKind.INDICATOR, required=False),
                *self.keyed("surveys.json", "key", ItemKind.SURVEY, required=False),
                *self.tables(),
                *code_lists,
                *self.manifest(),
                *self.labels(),
                *self.letters(),
                *marks,
            ),
            forms=self.forms(),
            paths=dict(self.files("paths", ".bpmn")),
            scenarios=self.scenarios(),
        )
        if not self.problems:
            # References are only worth checking when everything could be read.
            self.problems.extend(broken_references(pack))
        return pack

    def scenarios(self) -> dict[str, dict[str, dict[str, Json]]]:
        """Give the scenario files by path and name; playing tells what is wrong with one."""
        found: dict[str, dict[str, dict[str, Json]]] = {}
        for file in sorted(self.folder.glob("scenarios/*/*.json")):
            try:
                data = orjson.loads(file.read_bytes())
            except orjson.JSONDecodeError:
                continue
            if isinstance(data, dict):
                found.setdefault(str(data.get("path")), {})[file.stem] = data
        return found

    def country(self) -> tuple[str, list[Item]]:
        data = self.facts("country.json")
        # What is missing inside a file that could not be read at all is no news.
        node = Node(file="country.json", pointer="", data=data, problems=self.problems if data else [])
        key = node.text("key")
        if key and not _KEY.fullmatch(key):
            node.wrong("key", "bad_code")
        node.names()
        items = self.items(node.children("jurisdictions", required=True), "key", ItemKind.JURISDICTION)
        for name, kind in _COUNTRY_PARTS.items():
            part = node.object(name, required=name in _NEEDED)
            items += [Item(kind=kind, key=entry, content=value) for entry, value in part.items()]
        node.taken -= {"key", "names"}
        return key, [Item(kind=ItemKind.COUNTRY, key="country", content=node.rest()), *items]

    def keyed(self, file: str, name: str, kind: ItemKind, *, required: bool = True) -> list[Item]:
        return self.items(self.listed(file, required=required), name, kind)

    def items(self, nodes: Iterable[Node], name: str, kind: ItemKind) -> list[Item]:
        found = []
        for node in nodes:
            key = node.code(name)
            node.names()
            node.taken.discard("names")
            found.append((node.file, Item(kind=kind, key=key, content=node.rest())))
        items = [item for _, item in found]
        return list(self.unique(found[0][0], items, _key)) if found else []

    def organisations(
        self,
    ) -> tuple[tuple[Organisation, ...], tuple[Desk, ...], tuple[Agreement, ...], list[Item]]:
        file = "organisations.json"
        organisations, desks, agreements, marks = [], [], [], []
        for entry in self.listed(file):
            organisation, said = read_organisation(entry)
            organisations.append(organisation)
            marks += _marks(f"organisation:{organisation.code}", said)
            desks += [read_desk(child, organisation) for child in entry.children("desks")]
            for child in entry.children("agreements"):
                agreement, said = read_agreement(child, organisation)
                agreements.append(agreement)
                marks += _marks(f"agreement:{agreement.organisation}/{agreement.signed_on}", said)
            entry.done()
        return (
            self.unique(file, organisations, _code),
            self.unique(file, desks, _code),
            self.unique(file, agreements, lambda entry: f"{entry.organisation} {entry.signed_on}"),
            marks,
        )

    def codes(self) -> tuple[list[Item], tuple[Code, ...]]:
        file = "code_lists.json"
        lists: list[Item] = []
        found: list[Code] = []
        for node in self.listed(file):
            key = node.code("key")
            codes = [read_code(entry, key, place) for place, entry in enumerate(node.children("items"))]
            found += self.unique(file, codes, _code)
            node.names()
            node.taken.discard("names")
            lists.append(Item(kind=ItemKind.CODE_LIST, key=key, content=node.rest()))
        return list(self.unique(file, lists, _key)), tuple(found)

    def tables(self) -> list[Item]:
        items = []
        for name, content in self.files("tables", ".dmn"):
            try:
                items.append(Item(kind=ItemKind.TABLE, key=name, content=content.decode()))
            except UnicodeDecodeError:
                self.wrong(f"tables/{name}.dmn", "not_utf8")
        return items

    def manifest(self) -> list[Item]:
        data = self.facts("manifest.json", required=False)
        return [Item(kind=ItemKind.MANIFEST, key=name, content=value) for name, value in data.items()]

    def labels(self) -> list[Item]:
        return [
            Item(kind=ItemKind.LABELS, key=language, content=self.facts(f"labels/{language}.json"))
            for language in Language
        ]

    def letters(self) -> list[Item]:
        items = []
        for name, _ in self.files("letters", ".json"):
            data = self.facts(f"letters/{name}.json")
            if data and data.get("letter") != name:
                self.wrong(f"letters/{name}.json", "name_differs_from_file", "/letter")
            items.append(Item(kind=ItemKind.LETTER, key=name, content=data))
        return items

    def forms(self) -> dict[str, dict[str, Json]]:
        forms = {}
        for name, _ in self.files("forms", ".json"):
            data = self.facts(f"forms/{name}.json")
            if data and data.get("form") != name:
                self.wrong(f"forms/{name}.json", "name_differs_from_file", "/form")
            forms[name] = data
        return forms

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
