"""Diagrams of other tools load; what was changed is told; each can be drawn, with a drawing of its own or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nrm.engine import confined
from nrm.engine.drawing import SVG, draw_path
from nrm.engine.importing import import_diagram
from nrm.engine.lint import lint_path
from nrm.engine.reading import BPMN, BPMNDI, FLOW_NODES, local_name, processes, read_diagram
from nrm.engine.steps import Resources
from nrm.engine.wording import render_finding
from nrm.errors import BadPath
from tests.engine.dialects import DIALECTS, bare, row

REFERENCE = sorted((Path(__file__).parent / "foreign").glob("*.bpmn"))
OURS = sorted((Path(__file__).parents[2] / "workflows").glob("*/paths/*.bpmn"))
FILES = {path.stem: path.read_bytes() for path in REFERENCE} | {name: xml for name, (xml, _) in DIALECTS.items()}


def codes(xml: bytes) -> set[str]:
    return {finding.code for finding in import_diagram(xml).findings}


def steps(root: etree._Element) -> list[str]:
    return [each.get("id", "") for each in root.iter(f"{{{BPMN}}}*") if local_name(each) in FLOW_NODES]


def test_the_reference_set_is_here() -> None:
    assert [path.stem for path in REFERENCE] == ["A.1.0", "A.2.0", "A.2.1", "A.3.0", "A.4.0", "A.4.1", "B.1.0", "B.2.0"]


@pytest.mark.parametrize("name", FILES)
def test_a_foreign_diagram_loads_and_is_read_again(name: str) -> None:
    imported = import_diagram(FILES[name])
    (process,) = processes(read_diagram(imported.xml))
    assert [each.id for each in imported.processes if each.chosen] == [process.get("id")]
    findings = lint_path(imported.xml, resources=Resources(), known=None)
    refused = {"foreign_element", "misplaced_element", "unknown_attribute", "unknown_element", "bad_id", "duplicate_id"}
    assert not refused & {finding.code for finding in findings}


@pytest.mark.parametrize("name", DIALECTS)
def test_each_change_is_told(name: str) -> None:
    assert codes(DIALECTS[name][0]) >= DIALECTS[name][1]


@pytest.mark.parametrize("name", FILES)
def test_each_change_is_said_in_words_and_points_into_the_imported_file(name: str) -> None:
    imported = import_diagram(FILES[name])
    there = {element.get("id") for element in etree.fromstring(imported.xml).iter()} | {""}
    for finding in imported.findings:
        assert finding.element in there
        for language in ("ar", "ckb", "en"):
            text = render_finding(finding, language)
            assert text != finding.code and "…" not in text.replace("<?…?>", "")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_foreign_diagram_is_drawn_as_it_came_and_as_imported(name: str, *, mirrored: bool) -> None:
    for xml in (FILES[name], import_diagram(FILES[name]).xml):
        assert etree.fromstring(draw_path(xml, language="en", mirrored=mirrored)).tag == f"{{{SVG}}}svg"


@pytest.mark.parametrize("name", FILES)
def test_an_imported_diagram_shows_every_step_and_flow_of_its_path(name: str) -> None:
    xml = import_diagram(FILES[name]).xml
    (process,) = processes(etree.fromstring(xml))
    svg = etree.fromstring(draw_path(xml, language="en"))
    drawn = {*svg.xpath("//@data-step"), *svg.xpath("//@data-flow")}
    assert set(steps(process)) <= drawn


@pytest.mark.parametrize("path", REFERENCE + OURS, ids=lambda path: path.stem)
def test_a_diagram_without_its_drawing_is_laid_out(path: Path) -> None:
    root = etree.fromstring(import_diagram(path.read_bytes()).xml)
    for old in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        root.remove(old)
    svg = etree.fromstring(draw_path(etree.tostring(root), language="en"))
    assert set(steps(root)) <= set(svg.xpath("//@data-step"))
    boxes = [
        tuple(float(rect.get(name)) for name in ("x", "y", "width", "height"))
        for rect in svg.iter(f"{{{SVG}}}rect")
        if rect.get("class", "").startswith("shape")
    ]
    for number, one in enumerate(boxes):
        assert not any(overlap(one, two) for two in boxes[number + 1 :]), (path.stem, one)


def overlap(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    apart_x = one[0] + one[2] <= two[0] or two[0] + two[2] <= one[0]
    apart_y = one[1] + one[3] <= two[1] or two[1] + two[3] <= one[1]
    return not apart_x and not apart_y


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_own_paths_are_imported_unchanged_in_meaning(path: Path) -> None:
    imported = import_diagram(path.read_bytes())
    assert {finding.code for finding in imported.findings} <= {"import_comments"}
    before, after = (lint_path(xml, resources=Resources(), known=None) for xml in (path.read_bytes(), imported.xml))
    assert {(each.code, each.element) for each in before} == {(each.code, each.element) for each in after}


def test_what_another_engine_says_of_people_becomes_our_words() -> None:
    xml = import_diagram(DIALECTS["camunda 7"][0]).xml.decode()
    assert '<nrm:form key="ask_guest"/>' in xml
    assert '<nrm:desk role="reception"/>' in xml
    assert '<nrm:due time="P3D"/>' in xml
    assert "camunda" not in xml


def test_lists_decisions_and_times_of_other_engines_become_our_words() -> None:
    seven = import_diagram(DIALECTS["lists and decisions of camunda 7"][0]).xml.decode()
    assert '<nrm:multi list="people" item="person"/>' in seven
    assert '<nrm:table key="priority"/>' in seven
    eight = import_diagram(DIALECTS["lists, decisions and times of camunda 8"][0]).xml.decode()
    assert '<nrm:multi list="items" item="item"/>' in eight
    assert '<nrm:table key="priority"/>' in eight
    assert ">PT1H</bpmn:timeDuration>" in eight and ">P3D</bpmn:timeDuration>" in eight


def test_what_was_left_out_of_another_program_is_named() -> None:
    found = import_diagram(DIALECTS["camunda 7"][0]).findings
    texts = [render_finding(each, "en") for each in found if each.code == "import_vendor"]
    assert any("candidateGroups, dueDate, formKey, taskListener" in text for text in texts)
    (several,) = [
        each
        for each in import_diagram(DIALECTS["lists and decisions of camunda 7"][0]).findings
        if each.params.get("value") == "reception, night"
    ]
    assert several.severity == "warning"


def test_letters_that_no_declaration_names_are_read_as_the_machines_of_the_country_write_them() -> None:
    assert "تسجيل العائد في IOM" in import_diagram(DIALECTS["letters of an Arabic machine"][0]).xml.decode()
    assert "سؤال" in import_diagram(DIALECTS["Java's name of an encoding"][0]).xml.decode()
    assert "Rechnung klären" in import_diagram(DIALECTS["letters that are no utf-8"][0]).xml.decode()


def test_nothing_is_told_that_was_not_changed() -> None:
    assert "import_made_executable" not in codes(DIALECTS["several processes of which none says whether it runs"][0])


def test_conditions_of_other_engines_are_read_where_nothing_must_be_guessed() -> None:
    assert 'approved == "yes"  and  amount &gt; 3' in import_diagram(DIALECTS["flowable"][0]).xml.decode()
    assert "${is it = fine?}" in import_diagram(DIALECTS["a condition in words"][0]).xml.decode()


def test_one_may_say_which_process_becomes_the_path() -> None:
    xml = DIALECTS["pools"][0]
    assert [each.chosen for each in import_diagram(xml).processes] == [True, False]
    assert [each.chosen for each in import_diagram(xml, process="two").processes] == [False, True]
    with pytest.raises(BadPath) as refused:
        import_diagram(xml, process="three")
    assert [finding.code for finding in refused.value.findings] == ["import_no_such_process"]


HOSTILE = {
    "empty": (b"", "file_empty"),
    "no xml": (b"hello", "not_xml"),
    "html": (b"<html/>", "not_bpmn"),
    "xpdl": (b'<Package xmlns="http://www.wfmc.org/2009/XPDL2.2"/>', "not_bpmn"),
    "doctype": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "doctype"),
    "doctype in utf-16": ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"), "doctype"),
    "large": (bare(row() + "<!--" + " " * 5_000_000 + "-->").encode(), "file_too_large"),
    "deep": (bare("<subProcess>" * 60 + "</subProcess>" * 60).encode(), "too_deep"),
    "many": (bare('<userTask id="t"/>' * 6_000).encode(), "too_many_elements"),
    "no process": (bare("").replace('<process id="path"></process>', '<collaboration id="c"/>').encode(), "no_process"),
    "an encoding nobody knows": (b'<?xml version="1.0" encoding="utf-7"?><x/>', "wrong_encoding"),
    "broken text": (b'<?xml version="1.0" encoding="utf-8"?><x a="\x81\xfe"/>', "not_decodable"),
    "a hidden end": (b"<x>\x00</x>", "nul_character"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_loaded_is_refused_with_its_reason(name: str) -> None:
    xml, code = HOSTILE[name]
    with pytest.raises(BadPath) as refused:
        import_diagram(xml)
    assert [finding.code for finding in refused.value.findings][:1] == [code]
    with pytest.raises(BadPath) as confined_too:
        confined.import_diagram(xml)
    assert confined_too.value.findings == refused.value.findings


@pytest.mark.parametrize("name", ["B.2.0", "windows arabic", "pools"])
def test_the_child_imports_the_same(name: str) -> None:
    assert confined.import_diagram(FILES[name]) == import_diagram(FILES[name])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 200_000), st.binary(max_size=8))
def test_damaged_files_are_refused_or_loaded_and_never_raise(name: str, at: int, bytes_in: bytes) -> None:
    whole = FILES[name]
    xml = whole[: at % (len(whole) + 1)] + bytes_in + whole[at % (len(whole) + 1) + len(bytes_in) :]
    try:
        imported = import_diagram(xml)
    except BadPath:
        return
    read_diagram(imported.xml)
    draw_path(imported.xml, language="ar")
