"""Read JSON objects by name and note every mistake with its pointer, going on with a harmless value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from nrm.countries.values import Json, PackProblem
from nrm.vocabulary import Channel, Language, Visibility

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def segment(key: str) -> str:
    """Write a key as one part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(slots=True)
class Node:
    """A JSON object being read: each getter notes its mistake and gives a harmless value."""

    file: str
    pointer: str
    data: Mapping[str, Json]
    problems: list[PackProblem]
    taken: set[str] = field(default_factory=set)

    def wrong(self, name: str, code: str, **params: str | int | None) -> None:
        """Note a mistake; `name` is the pointer from here, "" for this object."""
        pointer = f"{self.pointer}/{name}" if name else self.pointer
        self.problems.append(PackProblem(file=self.file, pointer=pointer, code=code, params=params))

    def _take(self, name: str, *, required: bool) -> Json:
        self.taken.add(name)
        value = self.data.get(name)
        if value is None and required:
            self.wrong(name, "required")
        return value

    def text(self, name: str, *, default: str = "", optional: bool = False) -> str:
        """Read a text; one without a default must be there and not be blank, unless it is optional."""
        value = self._take(name, required=not default and not optional)
        if value is None:
            return default
        if not isinstance(value, str) or not (value.strip() or optional):
            self.wrong(name, "wrong_type", expected="text")
            return default
        return value

    def maybe(self, name: str) -> str | None:
        """Read a text that may be missing or null."""
        return self.text(name, optional=True) or None

    def code(self, name: str) -> str:
        """Read a code: letters, digits, "_", "." and "-"."""
        value = self.text(name)
        if value and not _CODE.fullmatch(value):
            self.wrong(name, "bad_code")
        return value

    def choice(self, name: str, choices: type[Channel] | type[Visibility], default: str) -> str:
        """Read one of a list of words."""
        value = self.text(name, default=default)
        if value not in set(choices):
            self.wrong(name, "not_a_choice", choices=", ".join(choices))
        return value

    def names(self, name: str = "names", *, required: bool = True) -> dict[str, str]:
        """Read a text in every language."""
        value = self._take(name, required=required)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(name, "wrong_type", expected="texts")
            return {}
        texts = {key: text for key, text in value.items() if isinstance(text, str) and text.strip()}
        for language in Language:
            if language not in texts:
                self.wrong(name, "text_missing", language=language)
        for key in value:
            if key not in set(Language):
                self.wrong(f"{name}/{key}", "unknown_field")
        return texts

    def flag(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._take(name, required=False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(name, "wrong_type", expected="true or false")
            return default
        return value

    def whole(self, name: str) -> int | None:
        """Read a number of things, 0 to a million."""
        value = self._take(name, required=False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
            self.wrong(name, "wrong_type", expected="whole number")
            return None
        return value

    def day(self, name: str, *, required: bool = False) -> date | None:
        """Read a date (YYYY-MM-DD)."""
        value = self._take(name, required=required)
        if value is None:
            return None
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            self.wrong(name, "not_a_date")
            return None

    def codes(self, name: str) -> tuple[str, ...]:
        """Read a list of texts."""
        value = self._take(name, required=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            self.wrong(name, "wrong_type", expected="list of texts")
            return ()
        return tuple(str(entry) for entry in value)

    def object(self, name: str, *, required: bool = False) -> dict[str, Json]:
        """Read an object as it is."""
        value = self._take(name, required=required)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(name, "wrong_type", expected="object")
            return {}
        return value

    def children(self, name: str, *, required: bool = False) -> Iterator[Node]:
        """Give the objects of a list."""
        value = self._take(name, required=required)
        if value is None:
            return
        if not isinstance(value, list):
            self.wrong(name, "wrong_type", expected="list")
            return
        for place, entry in enumerate(value):
            # A whole file that is a list is read as the nameless part of an object.
            yield from self._child(f"{name}/{place}" if name else f"{place}", entry)

    def _child(self, place: str, entry: Json) -> Iterator[Node]:
        pointer = f"{self.pointer}/{place}"
        if isinstance(entry, dict):
            yield Node(file=self.file, pointer=pointer, data=entry, problems=self.problems)
        else:
            problem = PackProblem(file=self.file, pointer=pointer, code="wrong_type", params={"expected": "object"})
            self.problems.append(problem)

    def done(self) -> None:
        """Name what nobody asked for: a typing mistake must not be silently ignored."""
        for name in self.data:
            if name not in self.taken and not name.startswith("_"):
                self.wrong(name, "unknown_field")

    def some(self, *names: str) -> dict[str, Json]:
        """Take those of some members that are there, as they are."""
        self.taken.update(names)
        return {name: self.data[name] for name in names if name in self.data}

    def rest(self) -> dict[str, Json]:
        """Take everything that nobody has asked for."""
        left = {name: value for name, value in self.data.items() if name not in self.taken}
        self.taken.update(left)
        return left
