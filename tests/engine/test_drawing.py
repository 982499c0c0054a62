"""A path can be looked at: in every language, mirrored where one reads from the right, with the state of each step."""

import re
import time
from pathlib import Path

import pytest
from lxml import etree

from nrm.engine.drawing import STATES, SVG, draw_path
from nrm.errors import BadPath

PATHS = Path(__file__).parents[2] / "workflows" / "testland" / "paths"
HELLO = (PATHS / "hello.bpmn").read_bytes()
REFERRAL = (PATHS / "service_referral.bpmn").read_bytes()


def drawing(xml: bytes, **options: object) -> etree._Element:
    return etree.fromstring(draw_path(xml, **options))


def texts(svg: etree._Element) -> str:
    return " ".join(text.text or "" for text in svg.iter(f"{{{SVG}}}text"))


def step(svg: etree._Element, name: str) -> etree._Element:
    (found,) = svg.xpath("//*[@data-step=$name]", name=name)
    return found


def left_of(svg: etree._Element, name: str) -> float:
    (box,) = step(svg, name).findall(f"{{{SVG}}}rect")
    return float(box.get("x"))


def test_every_step_and_flow_of_the_diagram_is_drawn():
    svg = drawing(REFERRAL, language="en")
    root = etree.fromstring(REFERRAL)
    for flow in root.iter("{*}sequenceFlow"):
        assert svg.xpath("//*[@data-flow=$name]", name=flow.get("id"))
    for tag in ("userTask", "serviceTask", "callActivity", "endEvent", "boundaryEvent", "eventBasedGateway"):
        for element in root.iter(f"{{*}}{tag}"):
            assert step(svg, element.get("id")) is not None


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Ask the guest"), ("ar", "سؤال الضيف"), ("ckb", "پرسیار لە میوان")]
)
def test_a_path_is_drawn_in_the_readers_language(language, word):
    assert word in texts(drawing(HELLO, language=language))


def test_a_text_that_is_missing_in_a_language_is_given_as_the_diagram_names_it():
    bare = re.sub(rb'<nrm:text[^>]*lang="ar">[^<]*</nrm:text>', b"", HELLO)
    assert "Ask the" in texts(drawing(bare, language="ar"))


def test_arabic_is_drawn_from_right_to_left_and_english_from_left_to_right():
    english, arabic = drawing(HELLO, language="en"), drawing(HELLO, language="ar")
    assert left_of(english, "ask") < left_of(english, "serve")
    assert left_of(arabic, "ask") > left_of(arabic, "serve")
    assert {text.get("direction") for text in arabic.iter(f"{{{SVG}}}text")} == {"rtl"}


def test_mirroring_can_be_asked_for_apart_from_the_language():
    assert left_of(drawing(HELLO, language="en", mirrored=True), "ask") == left_of(drawing(HELLO, language="ar"), "ask")


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_step_shows_how_it_stands(state):
    svg = drawing(HELLO, language="en", states={"ask": state, "no_such_step": state})
    (box,) = step(svg, "ask").findall(f"{{{SVG}}}rect")
    assert f"state-{state}" in box.get("class")
    (other,) = step(svg, "serve").findall(f"{{{SVG}}}rect")
    assert "state-" not in other.get("class")


POOL = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI"
 xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" targetNamespace="x"><collaboration id="c"><participant id="p" name="Ministry"
 processRef="one"/></collaboration><process id="one"><laneSet id="ls"><lane id="l" name="Office"><flowNodeRef>t</flowNodeRef></lane></laneSet>
 <userTask id="t" name="Ask"/></process><di:BPMNDiagram><di:BPMNPlane bpmnElement="c"><di:BPMNShape id="p_di" bpmnElement="p" isHorizontal="{way}">
 <dc:Bounds x="0" y="0" width="400" height="600"/></di:BPMNShape><di:BPMNShape id="l_di" bpmnElement="l" isHorizontal="{way}">
 <dc:Bounds x="0" y="30" width="200" height="570"/></di:BPMNShape><di:BPMNShape id="t_di" bpmnElement="t">
 <dc:Bounds x="50" y="100" width="100" height="80"/></di:BPMNShape></di:BPMNPlane></di:BPMNDiagram></definitions>"""


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_pool_has_its_own_name_where_its_process_has_none_and_upright_ones_have_it_at_their_top(mirrored: bool):
    lying, upright = (
        drawing(POOL.format(way=way).encode(), language="en", mirrored=mirrored) for way in ("true", "false")
    )
    for svg in (lying, upright):
        assert {"Ministry", "Office", "Ask"} <= set(texts(svg).split())
    assert all(step(lying, name).xpath(".//*[starts-with(@transform, 'rotate')]") for name in ("p", "l"))
    for name, top in (("p", 0), ("l", 30)):
        (title,) = step(upright, name).findall(f"{{{SVG}}}text")
        assert top < float(title.get("y")) < top + 30


def test_an_unknown_state_draws_the_step_plain():
    svg = drawing(HELLO, language="en", states={"ask": '"><script>'})
    (box,) = step(svg, "ask").findall(f"{{{SVG}}}rect")
    assert box.get("class") == "shape"


def test_names_in_a_diagram_cannot_become_marks_in_the_drawing():
    evil = HELLO.replace(b">Ask the guest<", b">&lt;script&gt;alert(1)&lt;/script&gt;<")
    svg = drawing(evil, language="en")
    assert not svg.xpath("//*[local-name()='script']")
    assert "<script>alert(1)</script>" in texts(svg)


@pytest.mark.parametrize("number", [b"nan", b"inf", b"1e400", b"wide", b""])
def test_bounds_that_are_no_numbers_do_not_break_the_drawing(number):
    odd = re.sub(rb'(<dc:Bounds x=")[^"]*', rb"\g<1>" + number, HELLO)
    assert "nan" not in draw_path(odd, language="en")
    assert "inf" not in draw_path(odd, language="en")


def test_a_diagram_without_a_drawing_is_laid_out_from_left_to_right():
    bare = re.sub(rb"<bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>", b"", HELLO, flags=re.DOTALL)
    svg = drawing(bare, language="en")
    assert "Ask the" in texts(svg)
    assert left_of(svg, "ask") < left_of(svg, "serve")


def test_a_file_that_is_no_diagram_is_refused():
    with pytest.raises(BadPath):
        draw_path(b"<svg/>", language="en")


def test_a_tangle_without_a_drawing_is_drawn_before_anybody_waits_for_it():
    steps = "".join(f'<userTask id="t{number}"/>' for number in range(290))
    flows = "".join(
        f'<sequenceFlow id="f{number}" sourceRef="t{number % 290}" targetRef="t{number * 7919 % 290}"/>'
        for number in range(4000)
    )
    tangle = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">'
        f'<process id="tangle" isExecutable="true">{steps}{flows}</process></definitions>'
    )
    began = time.process_time()
    picture = draw_path(tangle.encode(), language="ar")
    assert len(picture) < 2_000_000
    assert time.process_time() - began < 5
