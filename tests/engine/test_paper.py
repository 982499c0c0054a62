"""A path can be read on paper: cut into A4 pages between its steps, never smaller than a reader can read."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from nrm.engine.drawing import SVG, draw_path
from nrm.engine.paper import LABEL, SMALLEST, cut_pages, draw_pages
from nrm.errors import BadPath

WORKFLOWS = Path(__file__).parents[2] / "workflows"
ALL = sorted(WORKFLOWS.glob("*/paths/*.bpmn"))
REFERRAL = (WORKFLOWS / "testland/paths/service_referral.bpmn").read_bytes()
HELLO = (WORKFLOWS / "testland/paths/hello.bpmn").read_bytes()


def sections(html: str) -> list[str]:
    return re.findall(r"<section>.*?</section>", html, re.DOTALL)


def letters(section: str, edge: str) -> set[str]:
    """The letters of the lines that go over one edge of a page."""
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', section)[1])
    found = re.findall(r'<text class="small" x="([-\d.]+)"[^>]*>([A-Z]+)<', section)
    return {letter for x, letter in found if (float(x) > width / 2) == (edge == "right")}


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_path_is_readable_on_a4_and_no_step_is_cut(path, language):
    xml = path.read_bytes()
    cut = cut_pages(xml, language=language)
    assert cut.scale * LABEL >= SMALLEST - 0.01
    width, height = (277, 190) if cut.landscape else (190, 277)
    svg = etree.fromstring(draw_path(xml, language=language).encode())
    left, _, whole, high = map(float, svg.get("viewBox").split())
    assert high * cut.scale + 8 <= height
    assert all((page.end - page.start + 36 * (page.start > 0)) * cut.scale <= width + 0.01 for page in cut.pages)
    assert [page.end for page in cut.pages[:-1]] == [page.start for page in cut.pages[1:]]
    assert (cut.pages[0].start, cut.pages[-1].end) == (0, whole)
    for box in svg.iter(f"{{{SVG}}}rect"):
        if (box.get("class") or "").startswith("shape"):
            low = float(box.get("x")) - left
            end = low + float(box.get("width"))
            if language == "ar":
                low, end = whole - end, whole - low
            assert any(page.start <= low and end <= page.end for page in cut.pages), etree.tostring(box.getparent())


def test_a_line_that_goes_on_has_the_same_letter_on_both_pages():
    pages = sections(draw_pages(REFERRAL, language="en"))
    assert len(pages) > 2
    for before, after in pairwise(pages):
        assert letters(before, "right") == letters(after, "left") != set()


def test_a_reader_of_arabic_begins_with_the_page_at_the_right():
    pages = sections(draw_pages(REFERRAL, language="ar"))
    for before, after in pairwise(pages):
        assert letters(before, "left") == letters(after, "right") != set()
    assert 'dir="rtl"' in draw_pages(REFERRAL, language="ar")
    assert 'dir="rtl"' in draw_pages(REFERRAL, language="en", mirrored=True)


def test_each_page_says_which_path_it_is_and_names_the_lanes_again():
    html = draw_pages(REFERRAL, language="en")
    pages = sections(html)
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
        assert "<b" in page and ">Service referral</b>" in page
        assert page.count("<use ") == (1 if number == 1 else 2)


def test_a_small_path_stays_on_one_page_and_is_not_blown_up():
    cut = cut_pages(HELLO, language="en")
    assert len(cut.pages) == 1 and cut.landscape
    assert len(sections(draw_pages(HELLO, language="en"))) == 1


def test_names_in_a_diagram_cannot_become_marks_on_the_page():
    named = re.sub(rb'lang="en">[^<]*<', b'lang="en">&lt;script&gt;x&lt;/script&gt;<', HELLO)
    assert "<script" not in draw_pages(named, language="en")


def test_a_file_that_is_no_diagram_is_refused_and_an_empty_one_gives_one_page():
    with pytest.raises(BadPath):
        draw_pages(b"<svg/>", language="en")
    bare = re.sub(rb"<bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>", b"", HELLO, flags=re.DOTALL)
    assert len(sections(draw_pages(bare, language="en"))) == 1
