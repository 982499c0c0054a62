"""A draft as one file: a zip with the diagram, its forms, its scenarios, and a list that says what it is.

Whoever brings a bundle may have made it to do harm, so that nothing is unpacked onto a disk: only the names that a
bundle may have are read, into memory, with limits on number and size that are kept while unpacking and not believed
from the file's own list (a "zip bomb").
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from nrm.errors import NotValid, Problem

LARGEST_FILE: Final = 5_000_000
"""Most bytes of the zip."""
LARGEST_PART: Final = 2_000_000
LARGEST_WHOLE: Final = 20_000_000
MOST_PARTS: Final = 300
DEEPEST: Final = 32
_LIST: Final = "bundle.json"
_NAME: Final = re.compile(r"(?:(forms|scenarios)/([a-z][a-z0-9_]{0,63})\.json|diagram\.bpmn|bundle\.json)")
_FORMAT: Final = 1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How a part may be packed: the other methods unpack a whole part at once, however little of it is asked for."""
_MADE: Final = (2026, 1, 1, 0, 0, 0)
"""The same content always gives the same file."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        path: key of the path.
        names: its name in each language.
        diagram: the BPMN file's bytes.
        forms: form key → content.
        scenarios: name → scenario.
    """

    path: str
    names: Mapping[str, str]
    diagram: bytes
    forms: Mapping[str, Mapping[str, object]]
    scenarios: Mapping[str, Mapping[str, object]]


def write_bundle(bundle: Bundle) -> bytes:
    """Write a bundle as a zip file."""
    parts: dict[str, bytes] = {
        _LIST: _json({"format": _FORMAT, "path": bundle.path, "names": dict(bundle.names)}),
        "diagram.bpmn": bundle.diagram,
    }
    parts |= {f"forms/{key}.json": _json(dict(form)) for key, form in sorted(bundle.forms.items())}
    parts |= {f"scenarios/{name}.json": _json(dict(told)) for name, told in sorted(bundle.scenarios.items())}
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, date_time=_MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return into.getvalue()


def _json(content: Json) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_bundle(content: bytes) -> Bundle:
    """Read a bundle that somebody brought.

    Args:
        content: the file's bytes.

    Raises:
        NotValid: it is no bundle, holds something else, or is larger than a bundle may be.
    """
    if len(content) > LARGEST_FILE:
        raise _wrong("bundle_too_large", limit=LARGEST_FILE // 1_000_000)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = dict(_parts(file))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        # Encrypted, of an unknown method, cut off, or no zip at all.
        raise _wrong("not_a_bundle") from None
    if _LIST not in parts or "diagram.bpmn" not in parts:
        raise _wrong("not_a_bundle")
    told = _object(_LIST, parts[_LIST])
    names = told.get("names")
    if told.get("format") != _FORMAT or not isinstance(told.get("path"), str) or not isinstance(names, dict):
        raise _wrong("not_a_bundle")
    found: dict[str, dict[str, Json]] = {"forms": {}, "scenarios": {}}
    for name, part in parts.items():
        kind, _, rest = name.partition("/")
        if rest:
            found[kind][rest.removesuffix(".json")] = _object(name, part)
    return Bundle(
        path=str(told["path"]),
        names={str(language): str(text) for language, text in names.items()},
        diagram=parts["diagram.bpmn"],
        forms=found["forms"],
        scenarios=found["scenarios"],
    )


def _parts(file: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = [
        entry for entry in file.infolist() if not (entry.is_dir() and entry.filename in {"forms/", "scenarios/"})
    ]
    if len(entries) > MOST_PARTS:
        raise _wrong("too_many_entries", most=MOST_PARTS)
    whole = 0
    seen: set[str] = set()
    for entry in entries:
        if not _NAME.fullmatch(entry.filename) or entry.filename in seen:
            raise _wrong("bundle_holds_other", name=_printable(entry.filename))
        seen.add(entry.filename)
        if entry.compress_type not in _METHODS:
            raise _wrong("not_a_bundle")
        with file.open(entry) as opened:
            # What the list says of the size is not believed.
            part = opened.read(LARGEST_PART + 1)
        whole += len(part)
        if len(part) > LARGEST_PART or whole > LARGEST_WHOLE:
            raise _wrong("bundle_too_large", limit=LARGEST_PART // 1_000_000)
        yield entry.filename, part


def _object(name: str, content: bytes) -> Json:
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise _wrong("bundle_part_unreadable", name=name) from None
    if not isinstance(data, dict) or _depth(data) > DEEPEST or b"\\u0000" in content:
        raise _wrong("bundle_part_unreadable", name=name)
    return data


def _depth(value: object) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        inner = current.values() if isinstance(current, dict) else current if isinstance(current, list) else ()
        deepest = max(deepest, depth)
        waiting.extend((entry, depth + 1) for entry in inner)
    return deepest


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in text[:60])


def _wrong(code: str, **params: str | int) -> NotValid:
    return NotValid([Problem(pointer="", code=code, params=params)])
