"""Diagrams that somebody has just made are drawn and compared in a child that can be killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nrm.engine import confined
from nrm.engine.compare import compare_diagrams, forms_named
from nrm.engine.confined_drawings import DRAW_SECONDS, compare_confined, draw_confined, forms_confined
from nrm.engine.drawing import draw_path
from nrm.engine.findings import Finding
from nrm.engine.importing.opening import MAX_IMPORT_BYTES
from nrm.engine.paper import draw_pages
from nrm.errors import BadPath
from tests.engine.hostile.corpus import CORPUS, Hostile
from tests.installations import TESTLAND

HELLO = (TESTLAND / "paths" / "hello.bpmn").read_bytes()
SLOW = (
    "import sys, time; sys.path.insert(0, sys.argv[1]); from nrm.engine import checker; "
    "slow = lambda *_: time.sleep(60); "
    "checker.WORKS = {**checker.WORKS, **dict.fromkeys(('draw', 'compare', 'name_forms'), slow)}; "
    "checker.main(int(sys.argv[2]))"
)
"""A child for which laying a drawing out takes for ever, and that does everything else as always."""


@pytest.fixture(autouse=True)
def _no_child_left() -> Iterator[None]:
    confined.close()
    yield
    confined.close()


def codes(problem: BadPath) -> list[str]:
    return [finding.code for finding in problem.findings if isinstance(finding, Finding)]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_child_draws_what_would_be_drawn_here(language: str) -> None:
    assert draw_confined(HELLO, language=language) == draw_path(HELLO, language=language)
    plain = draw_confined(HELLO, language=language, mirrored=False, styled=False)
    assert plain == draw_path(HELLO, language=language, mirrored=False, styled=False)
    assert draw_confined(HELLO, language=language, on_paper=True) == draw_pages(HELLO, language=language)


def test_the_child_compares_as_it_would_be_compared_here() -> None:
    changed = HELLO.replace(b'<nrm:due time="P1D"', b'<nrm:due time="P5D"').replace(b'"serve"', b'"pour"')
    found = compare_confined(HELLO, changed, language="en")
    assert found.compared == compare_diagrams(HELLO, changed)
    assert found.compared.touched >= {"ask", "serve", "pour"}
    assert "removed" in found.before
    assert "added" in found.after
    assert (compare_confined(HELLO, changed).before, compare_confined(HELLO, changed).after) == ("", "")
    assert forms_confined(HELLO) == forms_named(HELLO)


def draw(xml: bytes) -> object:
    return draw_confined(xml, language="ar", seconds=0.5)


def compare(xml: bytes) -> object:
    return compare_confined(HELLO, xml, language="ar", seconds=0.5)


def name_forms(xml: bytes) -> object:
    return forms_confined(xml, seconds=0.5)


@pytest.mark.parametrize("work", [draw, compare, name_forms])
def test_a_drawing_that_takes_for_ever_is_given_up(
    work: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "_CODE", SLOW)
    began = time.monotonic()
    with pytest.raises(BadPath) as refused:
        work(HELLO)
    assert codes(refused.value) == ["took_too_long"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("work", [draw, compare, name_forms])
@pytest.mark.parametrize("xml", [b"<svg/>", b"<", b"\xff\xfe\x00"], ids=["another_file", "no_xml", "no_text"])
def test_what_is_no_diagram_is_refused_with_its_reason(work: Callable[[bytes], object], xml: bytes) -> None:
    with pytest.raises(BadPath) as refused:
        work(xml)
    assert codes(refused.value)


@pytest.mark.parametrize("case", CORPUS, ids=[case.name for case in CORPUS])
def test_a_hostile_diagram_is_drawn_or_refused_soon_and_runs_nothing(case: Hostile, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    xml = case.xml.replace(b"CANARY", str(canary).encode())
    for work in (lambda: draw_confined(xml, language="ckb"), lambda: compare_confined(HELLO, xml, language="ckb")):
        began = time.monotonic()
        try:
            assert work()
        except BadPath as problem:
            assert codes(problem)
        assert time.monotonic() - began < DRAW_SECONDS + 2
    assert not canary.exists()


def wide(flows: int) -> bytes:
    """Give a diagram as large as may be, in which every step leads to many others."""
    steps = "".join(f'<userTask id="t{number}"/>' for number in range(290))
    ways = "".join(
        f'<sequenceFlow id="f{number}" sourceRef="t{number % 290}" targetRef="t{number * 7919 % 290}"/>'
        for number in range(flows)
    )
    text = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">'
        f'<process id="tangle" isExecutable="true">{steps}{ways}</process></definitions>'
    )
    return text.encode()


@pytest.mark.parametrize(
    ("xml", "refused"),
    [(wide(4_600), []), (wide(9_000), ["too_many_elements"]), (HELLO + b" " * MAX_IMPORT_BYTES, ["file_too_large"])],
    ids=["as_large_as_may_be", "too_many_elements", "too_many_bytes"],
)
def test_a_huge_diagram_has_its_answer_within_the_limit(xml: bytes, refused: list[str]) -> None:
    began = time.monotonic()
    told: list[str] = []
    try:
        assert "<svg" in draw_confined(xml, language="en")
    except BadPath as problem:
        told = codes(problem)
    assert told in (refused, ["took_too_long"])
    assert time.monotonic() - began < DRAW_SECONDS + 3
