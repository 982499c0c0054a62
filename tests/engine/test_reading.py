"""A file is read under limits, or refused by name."""

from __future__ import annotations

import pytest

from nrm.engine.reading import BPMN, MAX_BYTES, read_diagram
from nrm.errors import BadPath

HEAD = f'<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:nrm="urn:nrm-engine:bpmn:1" id="d" targetNamespace="x">'


def diagram(inner: str = '<bpmn:startEvent id="s"/>', after: str = "") -> bytes:
    return f'{HEAD}<bpmn:process id="p" isExecutable="true">{inner}</bpmn:process>{after}</bpmn:definitions>'.encode()


def refusal(xml: bytes) -> list[str]:
    with pytest.raises(BadPath) as caught:
        read_diagram(xml)
    return [finding.code for finding in caught.value.findings]


def test_a_small_diagram_is_read() -> None:
    root = read_diagram(diagram())
    assert root.find(f"{{{BPMN}}}process/{{{BPMN}}}startEvent") is not None


def test_one_byte_order_mark_and_a_declaration_are_fine() -> None:
    read_diagram(b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n" + diagram())


def test_an_old_arabic_encoding_is_read_when_it_is_declared() -> None:
    text = "<?xml version='1.0' encoding='windows-1256'?>" + diagram('<bpmn:startEvent id="s" name="إحالة"/>').decode()
    root = read_diagram(text.encode("windows-1256"))
    assert root[0][0].get("name") == "إحالة"


def test_comments_cannot_split_a_text() -> None:
    root = read_diagram(diagram("<bpmn:documentation>one<!-- hidden --> two</bpmn:documentation>"))
    assert root[0][0].text == "one two"


def test_a_pool_of_somebody_else_may_be_drawn_beside_the_path() -> None:
    read_diagram(diagram(after='<bpmn:process id="theirs" isExecutable="false"/><bpmn:collaboration id="c"/>'))


def test_foreign_elements_may_stand_in_extension_elements() -> None:
    read_diagram(diagram('<bpmn:extensionElements><v:x xmlns:v="urn:v"><v:y/></v:x></bpmn:extensionElements>'))


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"", "file_empty"),
        (b" \n ", "file_empty"),
        (b"x" * (MAX_BYTES + 1), "file_too_large"),
        (b"hello", "not_xml"),
        (diagram()[:-3], "not_xml"),
        (diagram().decode().encode("utf-16"), "wrong_encoding"),
        (diagram().decode().encode("utf-16-le"), "nul_character"),
        (diagram().decode().encode("utf-32"), "wrong_encoding"),
        (b"\xef\xbb\xbf\xef\xbb\xbf" + diagram(), "wrong_encoding"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?>" + diagram(), "wrong_encoding"),
        (b"<?xml version='1.0' encoding='utf-7'?>" + diagram(), "wrong_encoding"),
        (b"<?xml version='1.0' encoding='IBM037'?>" + diagram(), "wrong_encoding"),
        (b"<?xml version='1.0' encoding='shift_jis'?>" + diagram(), "wrong_encoding"),
        (diagram().replace(b'"s"', b'"\xed\xa0\x80"'), "not_decodable"),
        (diagram().replace(b'"s"', b'"&#xD800;"'), "not_xml"),
        (diagram().replace(b'"s"', b'"&#0;"'), "not_xml"),
        (diagram().replace(b'"s"', b'"\x00"'), "nul_character"),
        (diagram().replace(b'"s"', b'"\x08"'), "not_xml"),
        (b"<!DOCTYPE x>" + diagram(), "doctype"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + diagram(), "doctype"),
        (diagram('<bpmn:documentation a="&x;"/>'), "not_xml"),
        (b"<?xml-stylesheet href='x'?>" + diagram(), "processing_instruction"),
        (diagram("<?php x ?>"), "processing_instruction"),
        (diagram("<bpmn:x>" * 45 + "</bpmn:x>" * 45), ""),
        (diagram("<bpmn:x>" * 60 + "</bpmn:x>" * 60), "too_deep"),
        (diagram("<bpmn:x>" * 5000 + "</bpmn:x>" * 5000), "too_deep"),
        (diagram("<bpmn:x/>" * 5000), "too_many_elements"),
        (diagram("<bpmn:x " + " ".join(f'a{n}="1"' for n in range(60)) + "/>"), "too_many_attributes"),
        (diagram("<bpmn:documentation>" + "x" * 10_001 + "</bpmn:documentation>"), "text_too_long"),
        (diagram('<bpmn:task id="t" name="' + "x" * 2_001 + '"/>'), "text_too_long"),
        (diagram('<bpmn:task id="s"/><bpmn:task id="s"/>'), "duplicate_id"),
        (diagram('<bpmn:task id="p"/>'), "duplicate_id"),
        (diagram('<bpmn:task id="a\'b"/>'), "bad_id"),
        (diagram('<bpmn:task id="a b"/>'), "bad_id"),
        (diagram('<bpmn:task id=""/>'), "bad_id"),
        (diagram('<bpmn:task id="' + "x" * 65 + '"/>'), "bad_id"),
        (diagram("".join(f'<bpmn:task id="t{n}"/>' for n in range(301))), "too_many_steps"),
        (diagram('<bpmn:startEvent id="a"><bpmn:userTask id="b"/></bpmn:startEvent>'), "misplaced_element"),
        (diagram('<bpmn:extensionElements><bpmn:userTask id="b"/></bpmn:extensionElements>'), "misplaced_element"),
        (diagram('<bpmn:laneSet><bpmn:sequenceFlow id="b"/></bpmn:laneSet>'), "misplaced_element"),
        (diagram(after='<bpmn:process id="q"/>'), "several_processes"),
        (
            diagram(after='<bpmn:process id="q" isExecutable="false"/>').replace(b'"true"', b'"false"'),
            "no_executable_process",
        ),
        (diagram(after="<bpmn:process/>"), "process_without_id"),
        (f"{HEAD}</bpmn:definitions>".encode(), "no_process"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_bpmn"),
        (diagram().replace(b"20100524/MODEL", b"20110101/MODEL"), "not_bpmn"),
        (diagram("<task/>"), "foreign_element"),
        (diagram('<v:task xmlns:v="urn:v"/>'), "foreign_element"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(xml: bytes, code: str) -> None:
    if not code:
        read_diagram(xml)
        return
    assert code in refusal(xml)


def test_findings_name_the_element_and_its_line() -> None:
    with pytest.raises(BadPath) as caught:
        read_diagram(diagram('\n<bpmn:task id="t"/>\n<bpmn:task id="t"/>'))
    (finding,) = caught.value.findings
    assert (finding.code, finding.element, finding.line) == ("duplicate_id", "t", 3)


def test_a_file_of_a_thousand_mistakes_gives_a_list_that_ends() -> None:
    assert len(refusal(diagram('<bpmn:documentation id="a b"/>' * 1000))) == 200
