"""Whatever is done to a file, lint answers with findings and the engine with a path or a refusal."""

from __future__ import annotations

import copy
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nrm.engine.lint import has_errors, lint_path
from nrm.engine.parsing import compile_path
from nrm.engine.reading import BPMN
from nrm.errors import BadPath
from tests.engine.samples import KNOWN, RESOURCES, SMALL
from tests.engine.test_lint import DEFECTS

SOURCES = [etree.fromstring(case.xml) for case in DEFECTS] + [etree.fromstring(SMALL)]
VALUES = sorted(
    {value for _, value in re.findall(r'(\w+)="([^"]*)"', SMALL.decode())} | {"", "true", "0", "P3D", "x y"}
)
TAGS = sorted({element.tag for source in SOURCES for element in source.iter(f"{{{BPMN}}}*")})
NUMBER = st.integers(0, 10_000)
EDIT = st.tuples(st.sampled_from(["drop", "double", "move", "tag", "value", "unset", "text"]), NUMBER, NUMBER, NUMBER)


def twin(element: etree._Element, number: int) -> etree._Element:
    """A copy with ids of its own."""
    copied = copy.deepcopy(element)
    for place, inner in enumerate(copied.iter()):
        if inner.get("id"):
            inner.set("id", f"twin{number}.{place}")
    return copied


def edited(source: int, edits: list[tuple[str, int, int, int]]) -> bytes:
    """One of the sample files after some changes that keep it well-formed XML."""
    root = copy.deepcopy(SOURCES[source % len(SOURCES)])
    for kind, at, other, what in edits:
        elements = list(root.iter())
        element, place = elements[1:][at % (len(elements) - 1)], elements[other % len(elements)]
        parent = element.getparent()
        if kind == "drop":
            parent.remove(element)
        elif kind == "double":
            place.append(twin(element, what))
        elif kind == "move" and place not in list(element.iter()):
            place.append(element)
        elif kind == "tag":
            element.tag = TAGS[what % len(TAGS)]
        elif kind == "text":
            element.text = VALUES[what % len(VALUES)]
        elif element.attrib:
            name = sorted(element.attrib)[other % len(element.attrib)]
            if kind == "value":
                element.set(name, VALUES[what % len(VALUES)])
            else:
                del element.attrib[name]
    return etree.tostring(root)


@settings(max_examples=300, deadline=None)
@given(NUMBER, st.lists(EDIT, min_size=1, max_size=5))
def test_an_edited_file_never_raises(source: int, edits: list[tuple[str, int, int, int]]) -> None:
    xml = edited(source, edits)
    findings = lint_path(xml, resources=RESOURCES, known=KNOWN)
    try:
        compile_path(xml, resources=RESOURCES)
    except BadPath as problem:
        # What the engine refuses, lint has refused before, in more words.
        assert has_errors(findings), problem.findings


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SMALL)), st.binary(max_size=8))
def test_damaged_bytes_never_raise(at: int, bytes_in: bytes) -> None:
    xml = SMALL[:at] + bytes_in + SMALL[at + len(bytes_in) :]
    lint_path(xml, resources=RESOURCES, known=KNOWN)


def test_the_defects_that_lint_calls_harmless_can_run() -> None:
    for defect in DEFECTS:
        if not has_errors(lint_path(defect.xml, resources=RESOURCES, known=KNOWN)):
            compile_path(defect.xml, resources=RESOURCES)
