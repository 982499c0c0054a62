"""Every text that people see, gathered from the files in which authors write it, and written back into them.

Gathered are the objects {"ar", "ckb", "en"} of a pack's JSON files, its labels, the texts of its diagrams, the
program's catalogues, and the few texts that stand in Python modules.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

from nrm.countries.marked_text import read_marks, replace_marks
from nrm.i18n import LANGUAGES, LOCALE

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
REVIEWS: Final = "reviewed.json"
VOCABULARY: Final = "vocabulary.json"
_OTHER_FILES: Final = frozenset({REVIEWS, VOCABULARY})
_NOT_TEXTS: Final = frozenset({"scenarios", "labels"})
_NAMES: Final = ("key", "code", "name", "date", "id")
_CATALOGUE: Final = "catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One text in its languages.

    Attributes:
        file: where it is written, relative to the pack; "catalogue/NAME" for the program's catalogues, "labels" for
            the pack's, "program/…" for a Python module.
        key: its place in that file; stable when entries are moved.
        texts: language → text; a language that is missing there is missing here.
    """

    file: str
    key: str
    texts: Mapping[str, str]

    @property
    def stamp(self) -> str:
        """A short hash of the place and all texts: two equal stamps mean that nothing was changed between."""
        return _hash(self.file, self.key, *(self.texts.get(language, "") for language in LANGUAGES))

    def mark(self, language: str) -> str:
        """Give the hash under which a review of one language is kept; another text is another hash."""
        return _hash(self.file, self.key, language, self.texts.get(language, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChange:
    """A text that becomes another."""

    file: str
    key: str
    language: str
    before: str
    after: str


def _hash(*parts: str) -> str:
    return sha256("\x00".join(parts).encode()).hexdigest()[:24]


def read_wording(folder: Path, *, sources: Sequence[Path] = ()) -> tuple[Wording, ...]:
    """Gather all texts.

    Args:
        folder: a pack's folder.
        sources: folders of Python packages whose texts are gathered too.

    Raises:
        ValueError: a JSON file of the pack cannot be read.
    """
    found: list[Wording] = []
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder)
        if name.name not in _OTHER_FILES and name.parts[0] not in _NOT_TEXTS:
            data: Json = json.loads(path.read_text(encoding="utf-8"))
            found += [Wording(file=str(name), key=key, texts=texts) for key, texts, _ in _texts_in(data, "")]
    for path in sorted(folder.glob("paths/*.bpmn")):
        found += _diagram(path, str(path.relative_to(folder)))
    found += _parallel("labels", {language: folder / "labels" / f"{language}.json" for language in LANGUAGES})
    for catalogue in sorted({path.stem for path in LOCALE.glob("*/*.json")}):
        files = {language: LOCALE / language / f"{catalogue}.json" for language in LANGUAGES}
        found += _parallel(f"{_CATALOGUE}/{catalogue}", files)
    for source in sources:
        found += _program(source)
    return tuple(found)


def _texts_in(data: Json, pointer: str) -> Iterator[tuple[str, dict[str, str], dict[str, Json]]]:
    if isinstance(data, dict):
        if data and set(data) <= set(LANGUAGES) and all(isinstance(text, str) for text in data.values()):
            yield pointer, {language: str(text) for language, text in data.items()}, data
            return
        for key, value in data.items():
            yield from _texts_in(value, f"{pointer}/{key}")
    elif isinstance(data, list):
        for name, entry in zip(_entry_names(data), data, strict=True):
            yield from _texts_in(entry, f"{pointer}[{name}]")


def _entry_names(entries: list[Json]) -> list[str]:
    """Name the entries of a list by what tells them apart, so that moving one does not rename the others."""
    if all(isinstance(entry, dict) for entry in entries):
        for name in _NAMES:
            found = [entry.get(name) for entry in entries if isinstance(entry, dict)]
            if all(isinstance(value, str) for value in found) and len(set(map(str, found))) == len(found):
                return list(map(str, found))
    return list(map(str, range(len(entries))))


def _diagram(path: Path, name: str) -> list[Wording]:
    found: dict[str, dict[str, str]] = {}
    for mark in read_marks(path.read_text(encoding="utf-8")):
        found.setdefault(f"{mark.element}#{mark.kind}", {})[mark.language] = mark.text
    return [Wording(file=name, key=key, texts=texts) for key, texts in found.items()]


def _parallel(name: str, files: Mapping[str, Path]) -> list[Wording]:
    found: dict[str, dict[str, str]] = {}
    for language, path in files.items():
        if path.is_file():
            for key, text in _flat(json.loads(path.read_text(encoding="utf-8")), ""):
                found.setdefault(key, {})[language] = text
    return [Wording(file=name, key=key, texts=texts) for key, texts in sorted(found.items())]


def _flat(data: Json, pointer: str) -> Iterator[tuple[str, str]]:
    for key, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, dict):
            yield from _flat(value, f"{pointer}/{key}")
        else:
            yield f"{pointer}/{key}", str(value)


def _program(source: Path) -> Iterator[Wording]:
    for path in sorted(source.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if '"ckb":' not in text:
            continue
        name = f"program/{path.relative_to(source.parent)}"
        for statement in ast.parse(text).body:
            yield from (
                Wording(file=name, key=f"{_target(statement)}{key}", texts=texts)
                for key, texts in _literals(statement, "")
            )


def _target(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
    return ""


def _literals(node: ast.AST, pointer: str) -> Iterator[tuple[str, dict[str, str]]]:
    if not isinstance(node, ast.Dict):
        for place, child in enumerate(ast.iter_child_nodes(node)):
            yield from _literals(child, f"{pointer}/{place}" if pointer else pointer)
        return
    pairs = {
        key.value: value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    texts = {
        key: value.value
        for key, value in pairs.items()
        if key in LANGUAGES and isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    if texts and len(texts) == len(node.keys):
        yield pointer, texts
        return
    for name, value in pairs.items():
        yield from _literals(value, f"{pointer}/{name}")


def write_wording(folder: Path, changes: Iterable[TextChange]) -> tuple[str, ...]:
    """Write changed texts into the files from which they were read.

    Args:
        folder: the pack's folder.
        changes: what to change; those of "program/…" are left out, as only a programmer writes there.

    Returns:
        The files that were written.
    """
    by_file: dict[Path, list[TextChange]] = {}
    for change in changes:
        if not change.file.startswith("program/"):
            by_file.setdefault(_file_of(folder, change), []).append(change)
    for path, wanted in by_file.items():
        before = path.read_text(encoding="utf-8")
        path.write_text(_rewritten(path, before, wanted), encoding="utf-8")
    return tuple(map(str, by_file))


def _file_of(folder: Path, change: TextChange) -> Path:
    if change.file == "labels":
        return folder / "labels" / f"{change.language}.json"
    if change.file.startswith(f"{_CATALOGUE}/"):
        return LOCALE / change.language / f"{change.file.removeprefix(f'{_CATALOGUE}/')}.json"
    return folder / change.file


def _rewritten(path: Path, before: str, changes: list[TextChange]) -> str:
    if path.suffix == ".bpmn":
        return replace_marks(
            before, {(*_element_and_kind(change.key), change.language): change.after for change in changes}
        )
    data: Json = json.loads(before)
    if changes[0].file == "labels" or changes[0].file.startswith(_CATALOGUE):
        for change in changes:
            _put(data, change.key, change.after)
    else:
        wanted = {(change.key, change.language): change.after for change in changes}
        for key, _, holder in _texts_in(data, ""):
            holder.update({name: wanted[key, name] for name in LANGUAGES if (key, name) in wanted})
    return write_json(data, like=before)


def _element_and_kind(key: str) -> tuple[str, str]:
    element, _, kind = key.rpartition("#")
    return element, kind


def _put(data: Json, key: str, text: str) -> None:
    *way, last = key.removeprefix("/").split("/")
    for part in way:
        data = data.setdefault(part, {}) if isinstance(data, dict) else {}
    if isinstance(data, dict):
        data[last] = text


def write_json(data: object, *, like: str = "{\n ") -> str:
    """Write JSON with the indentation that a file already has.

    Args:
        data: what to write.
        like: the file as it was; its second line shows the indentation.
    """
    lines = like.splitlines()
    second = lines[1] if len(lines) > 1 else " "
    indent = max(1, len(second) - len(second.lstrip(" ")))
    return json.dumps(data, ensure_ascii=False, indent=indent) + ("\n" if like.endswith("\n") or not lines[1:] else "")
