"""A corpus of hostile diagrams: each gets its named finding within five seconds, and none runs code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nrm.engine import confined
from nrm.engine.checker import check_here
from nrm.engine.findings import Finding
from nrm.engine.parsing import compile_path
from nrm.engine.wording import render_finding
from nrm.errors import BadPath
from tests.engine.hostile.corpus import CORPUS, FILES, HERE, Hostile
from tests.engine.samples import KNOWN, RESOURCES

IDS = [case.name for case in CORPUS]


@pytest.fixture(scope="module", autouse=True)
def _one_warm_child() -> Iterator[None]:
    yield
    confined.close()


def armed(case: Hostile, canary: Path) -> bytes:
    """The file with the real path of the canary in its code."""
    return case.xml.replace(b"CANARY", str(canary).encode())


def matches(case: Hostile, findings: tuple[Finding, ...]) -> bool:
    return any(
        finding.code == case.code and case.element in {None, finding.element} and render_finding(finding, "ckb")
        for finding in findings
    )


@pytest.mark.parametrize("case", CORPUS, ids=IDS)
def test_a_hostile_diagram_gets_its_finding_soon_and_runs_nothing(case: Hostile, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    xml = armed(case, canary)
    began = time.monotonic()
    findings = confined.check_diagram(xml, resources=RESOURCES, known=KNOWN)
    assert time.monotonic() - began < confined.SECONDS + 2
    assert matches(case, findings), [(finding.code, finding.element) for finding in findings]
    assert len(findings) <= 500
    assert not canary.exists()


@pytest.mark.parametrize("case", CORPUS, ids=IDS)
def test_it_does_no_harm_without_the_child_either(case: Hostile, tmp_path: Path) -> None:
    """The limits hold by themselves: killing is the second wall, not the first."""
    canary = tmp_path / "canary"
    xml = armed(case, canary)
    began = time.monotonic()
    assert matches(case, check_here(xml, resources=RESOURCES, known=KNOWN))
    try:
        compile_path(xml, resources=RESOURCES)
    except BadPath as problem:
        assert problem.findings
    assert time.monotonic() - began < 5
    assert not canary.exists()


def test_the_corpus_is_large_and_names_every_file() -> None:
    assert len(CORPUS) >= 60
    assert len(set(IDS)) == len(IDS)
    assert {file.stem for file in HERE.glob("*.bpmn")} == set(FILES)


def test_the_canary_would_be_seen(tmp_path: Path) -> None:
    """The corpus is not blind: run as Python, its code does create the file."""
    canary = tmp_path / "canary"
    text = next(case for case in CORPUS if case.name == "condition: import").xml.decode()
    code = text.split("__import__", 1)[1].split("</bpmn:condition", 1)[0]
    eval("__import__" + code.replace("CANARY", str(canary)))
    assert canary.exists()
