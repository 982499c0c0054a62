"""A drawing that is filled in is the drawing that would have been made for the same states and links."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nrm.engine.drawing import STATES, SVG, draw_path

PATHS = Path(__file__).parents[2] / "workflows" / "testland" / "paths"
DIAGRAMS = [file.read_bytes() for file in sorted(PATHS.glob("*.bpmn"))]
STEPS = sorted({step.decode() for xml in DIAGRAMS for step in re.findall(rb'bpmnElement="([^"]+)"', xml)})
ADDRESSES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=30)


def changed_by_hand(plain: str, states: dict[str, str], links: dict[str, str]) -> str:
    """Put states and links into the elements of a drawing that has none."""
    svg = etree.fromstring(plain)
    if links:
        svg.set("role", "group")
    for group in list(svg.iter(f"{{{SVG}}}g")):
        step = group.get("data-step", "")
        for part in group:
            classes = part.get("class", "").split()
            if step in states and classes[:1] == ["shape"]:
                part.set("class", " ".join(["shape", f"state-{states[step]}", *classes[1:]]))
        if step in links:
            link = etree.Element(f"{{{SVG}}}a", href=links[step])
            group.getparent().replace(group, link)
            link.append(group)
    return etree.tostring(svg, encoding="unicode")


@settings(max_examples=60, deadline=None)
@given(
    xml=st.sampled_from(DIAGRAMS),
    language=st.sampled_from(["ar", "ckb", "en"]),
    mirrored=st.sampled_from([None, True, False]),
    states=st.dictionaries(st.sampled_from(STEPS), st.sampled_from(sorted(STATES)), max_size=20),
    links=st.dictionaries(st.sampled_from(STEPS), ADDRESSES, max_size=10),
)
def test_states_and_links_change_nothing_else_of_a_drawing(xml, language, mirrored, states, links):
    how = {"language": language, "mirrored": mirrored, "styled": False}
    filled = draw_path(xml, states=states, links=links, **how)
    assert filled == changed_by_hand(draw_path(xml, **how), states, links)


def test_what_one_reader_sees_does_not_stay_for_the_next():
    xml = DIAGRAMS[0]
    plain = draw_path(xml, language="en")
    step = STEPS[0]
    draw_path(xml, language="en", states=dict.fromkeys(STEPS, "done"), links=dict.fromkeys(STEPS, f"/tasks/{step}"))
    assert draw_path(xml, language="en") == plain


@pytest.mark.parametrize("name", ["place0-", "place0-1;", "place0-1; place1-2;", "&lt;/a&gt;"])
def test_a_diagram_that_says_what_stands_for_open_places_is_drawn_as_it_says(name):
    xml = (PATHS / "hello.bpmn").read_bytes()
    said = re.sub(rb'(<nrm:text[^>]*lang="en">)[^<]*', rb"\g<1>" + name.encode(), xml)
    assert said != xml
    words = etree.fromstring(draw_path(said, language="en", states={"ask": "done"}, links={"ask": "/tasks/1"}))
    written = " ".join(text.text for text in words.iter(f"{{{SVG}}}text"))
    assert name.replace("&lt;", "<").replace("&gt;", ">") in written
    assert "place2-" not in written
