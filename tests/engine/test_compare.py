"""What differs between two diagrams is told fact by fact, and the drawing apart from it."""

from __future__ import annotations

import pytest

from nrm.engine.compare import compare_diagrams, forms_named
from nrm.errors import BadPath
from tests.installations import TESTLAND

PATHS = sorted((TESTLAND / "paths").glob("*.bpmn"))
HELLO = (TESTLAND / "paths" / "hello.bpmn").read_bytes()


def changed(old: str, new: str, diagram: bytes = HELLO) -> list[tuple[str, str, str, str | None, str | None]]:
    text = diagram.decode()
    assert old in text
    found = compare_diagrams(diagram, text.replace(old, new, 1).encode())
    assert (found.added, found.removed) == ((), ())
    return [(each.element, each.what, each.detail, each.before, each.after) for each in found.changed]


@pytest.mark.parametrize("file", PATHS, ids=lambda file: file.stem)
def test_a_diagram_does_not_differ_from_itself(file):
    diagram = file.read_bytes()
    found = compare_diagrams(diagram, diagram)
    assert (found.added, found.removed, found.changed, found.layout_only) == ((), (), (), ())


def test_each_change_of_a_fact_is_told_with_before_and_after():
    assert changed('<nrm:due time="P1D"', '<nrm:due time="P5D"') == [("ask", "due.time", "", "P1D", "P5D")]
    assert changed('key="hello_serve"', 'key="hello_pour"') == [("serve", "form.key", "", "hello_serve", "hello_pour")]


def test_a_condition_is_a_fact_of_its_flow():
    text = HELLO.decode()
    start = text.index("<bpmn:conditionExpression")
    inner = text[text.index(">", start) + 1 : text.index("</bpmn:conditionExpression>")]
    ((element, what, _, before, after),) = changed(inner, "wants_tea == false")
    assert (what, after) == ("condition", "wants_tea == false")
    assert before == inner.strip()
    assert element.startswith("flow_")


def test_a_text_in_one_language_is_a_fact_of_that_language():
    text = HELLO.decode()
    place = text.index('<nrm:text kind="name" lang="ckb">', text.index('<bpmn:userTask id="ask"'))
    word = text[text.index(">", place) + 1 : text.index("</nrm:text>", place)]
    found = changed(f">{word}</nrm:text>", ">ناوێکی تر</nrm:text>")
    assert {(what, detail, after) for _, what, detail, _, after in found} == {("name", "ckb", "ناوێکی تر")}


def test_moving_a_shape_is_layout_only():
    text = HELLO.decode()
    place = text.index("<dc:Bounds", text.index('bpmnElement="ask"'))
    bounds = text[place : text.index("/>", place)]
    moved = bounds.replace('y="', 'y="9')
    assert moved != bounds
    found = compare_diagrams(HELLO, text.replace(bounds, moved, 1).encode())
    assert found.changed == ()
    assert found.layout_only == ("ask",)


def test_the_same_numbers_written_otherwise_are_no_change():
    text = HELLO.decode()
    place = text.index("<dc:Bounds", text.index('bpmnElement="ask"'))
    bounds = text[place : text.index("/>", place)]
    width = bounds.split('width="')[1].split('"')[0]
    again = text.replace(bounds, bounds.replace(f'width="{width}"', f'width="{float(width):.3f}"'), 1)
    assert compare_diagrams(HELLO, again.encode()).layout_only == ()


def test_an_element_with_another_id_is_removed_and_added():
    found = compare_diagrams(HELLO, HELLO.replace(b'"ask"', b'"ask_again"').replace(b">ask<", b">ask_again<"))
    assert [each.id for each in found.added] == ["ask_again"]
    assert [each.id for each in found.removed] == ["ask"]
    assert found.added[0].kind == "userTask"
    assert {"ask", "ask_again"} <= found.touched


def test_what_cannot_be_read_cannot_be_compared():
    with pytest.raises(BadPath):
        compare_diagrams(HELLO, b"<!DOCTYPE a><a/>")


def test_the_forms_of_a_diagram_are_named():
    assert forms_named(HELLO) == {"hello_ask", "hello_serve"}
