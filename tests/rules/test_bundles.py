"""A bundle is read into memory under limits, whatever whoever brought it meant by it."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.errors import NotValid
from nrm.rules.bundles import LARGEST_FILE, LARGEST_PART, MOST_PARTS, Bundle, read_bundle, write_bundle

WHOLE = Bundle(
    path="hello",
    names={"ar": "مرحبا", "ckb": "سڵاو", "en": "Hello"},
    diagram=b"<a/>",
    forms={"ask": {"form": "ask"}},
    scenarios={"tea": {"path": "hello"}},
)
LIST = orjson.dumps({"format": 1, "path": "hello", "names": {}})


def packed(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as file:
        for name, content in {"bundle.json": LIST, "diagram.bpmn": b"<a/>", **parts}.items():
            file.writestr(name, content)
    return into.getvalue()


def code(content: bytes) -> str:
    with pytest.raises(NotValid) as refused:
        read_bundle(content)
    return refused.value.problems[0].code


def test_what_was_written_is_read_again_and_is_always_the_same_file():
    assert read_bundle(write_bundle(WHOLE)) == WHOLE
    assert write_bundle(WHOLE) == write_bundle(WHOLE)


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "/etc/passwd",
        "forms/../../outside.json",
        "forms\\..\\x.json",
        "C:/x.json",
        "forms/A.json",
        "forms/ask.json/x",
        "run.py",
        "scenarios/" + "x" * 65 + ".json",
    ],
)
def test_a_name_that_no_bundle_has_is_refused(name: str):
    assert code(packed({name: b"{}"})) in {"bundle_holds_other", "not_a_bundle"}


def test_a_small_file_that_unpacks_to_a_large_one_is_refused():
    bomb = packed({"forms/ask.json": b"0" * (LARGEST_PART + 1)})
    assert len(bomb) < 10_000
    assert code(bomb) == "bundle_too_large"
    many = packed({f"forms/f{number}.json": b" " * LARGEST_PART for number in range(11)})
    assert code(many) == "bundle_too_large"


def test_a_list_that_lies_about_sizes_is_not_believed():
    bomb = bytearray(packed({"forms/ask.json": b"0" * (LARGEST_PART * 3)}))
    size = (LARGEST_PART * 3).to_bytes(4, "little")
    place = bomb.rfind(size)
    bomb[place : place + 4] = (5).to_bytes(4, "little")
    assert code(bytes(bomb)) in {"bundle_too_large", "not_a_bundle", "bundle_part_unreadable"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_everything_at_once_is_refused_before_anything_is_unpacked(method: int):
    bomb = packed({"diagram.bpmn": b"0" * 40_000_000}, method)
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        assert code(bomb) == "not_a_bundle"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_too_many_parts_and_too_large_a_file_are_refused():
    assert code(packed({f"forms/f{number}.json": b"{}" for number in range(MOST_PARTS)})) == "too_many_entries"
    assert code(b"PK" + b"0" * LARGEST_FILE) == "bundle_too_large"


def test_the_same_name_twice_is_refused():
    into = io.BytesIO(packed({}))
    with zipfile.ZipFile(into, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("diagram.bpmn", b"<b/>")
    assert code(into.getvalue()) == "bundle_holds_other"


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (b"[]", "bundle_part_unreadable"),
        (b"{", "bundle_part_unreadable"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "bundle_part_unreadable"),
    ],
)
def test_a_part_that_is_no_object_is_named(part: bytes, wanted: str):
    assert code(packed({"forms/ask.json": part})) == wanted


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", b"PK\x03\x04", packed({})[:-10], packed({}, zipfile.ZIP_BZIP2)[:60]],
    ids=["nothing", "words", "first bytes", "without its end", "begun"],
)
def test_what_is_no_zip_is_refused(content: bytes):
    assert code(content) == "not_a_bundle"


def test_a_zip_without_the_list_is_no_bundle():
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as file:
        file.writestr("diagram.bpmn", b"<a/>")
    assert code(into.getvalue()) == "not_a_bundle"


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=600), st.integers(min_value=0, max_value=255))
def test_a_damaged_bundle_is_refused_or_read_but_never_breaks(place: int, byte: int):
    content = bytearray(write_bundle(WHOLE))
    content[place % len(content)] = byte
    try:
        read_bundle(bytes(content))
    except NotValid as refused:
        assert refused.problems
