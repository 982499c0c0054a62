"""Every seeded defect is found, with its code, at its element, as bad as it is; nothing else is claimed."""

from __future__ import annotations

import pytest

from nrm.engine.checker import check_here
from nrm.engine.findings import Finding
from nrm.engine.soundness import Answer, check_soundness
from tests.engine.defects.base import BASE, KNOWN, RESOURCES
from tests.engine.defects.table import TABLE, Seeded


def findings(xml: bytes) -> list[Finding]:
    """What is said of a path; its drawing shows only what the base has."""
    found = check_here(xml, resources=RESOURCES, known=KNOWN)
    return [finding for finding in found if finding.code != "step_not_drawn"]


def test_nothing_is_said_of_the_base_and_it_is_sound() -> None:
    assert findings(BASE.encode()) == []
    assert check_soundness(BASE.encode(), resources=RESOURCES, known=KNOWN).answer is Answer.SOUND


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 40
    assert len({(seeded.code, seeded.element) for seeded in TABLE}) >= 40


@pytest.mark.parametrize("seeded", TABLE, ids=lambda seeded: f"{seeded.code}-{seeded.element}")
def test_a_seeded_defect_is_found_at_its_element(seeded: Seeded) -> None:
    found = findings(seeded.xml)
    (own,) = [each for each in found if (each.code, each.element) == (seeded.code, seeded.element)][:1]
    assert own.severity is seeded.severity
    others = {each.code for each in found if (each.code, each.element) != (seeded.code, seeded.element)}
    assert others == set(seeded.also)


@pytest.mark.parametrize(
    "seeded",
    [seeded for seeded in TABLE if seeded.code.startswith("soundness") and seeded.code != "soundness_dead_step"],
    ids=lambda seeded: f"{seeded.code}-{seeded.element}",
)
def test_a_way_leads_to_each_defect_of_soundness(seeded: Seeded) -> None:
    verdict = check_soundness(seeded.xml, resources=RESOURCES, known=KNOWN)
    assert verdict.answer is (Answer.UNSOUND if seeded.severity == "error" else Answer.UNKNOWN)
    (defect,) = [each for each in verdict.defects if (each.code, each.element) == (seeded.code, seeded.element)]
    assert defect.trace[-1] == seeded.element
    (own,) = [each for each in findings(seeded.xml) if (each.code, each.element) == (seeded.code, seeded.element)]
    assert own.params["trace"] == " ".join(defect.trace)


def test_a_defect_that_hangs_on_answers_is_only_possible() -> None:
    """Two gateways ask the same answer: the branches that would not meet are never chosen together."""
    xml = _twice("met", "not met")
    verdict = check_soundness(xml, resources=RESOURCES, known=KNOWN)
    assert {(each.code, each.element, str(each.severity)) for each in verdict.defects} == {
        ("soundness_deadlock", "together", "warning")
    }
    assert verdict.answer is Answer.UNKNOWN
    # Asked the other way round, every answer leads there.
    surely = check_soundness(_twice("met", "met"), resources=RESOURCES, known=KNOWN)
    assert [(each.element, str(each.severity)) for each in surely.defects] == [("together", "error")]


def _twice(first: str, second: str) -> bytes:
    from tests.engine import samples as s

    inner = (
        s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "split") + s.gateway("split", "parallel")
        + s.flow("split", "x") + s.flow("split", "y")
        + s.gateway("x", default="x.out") + s.flow("x", "together", first) + s.flow("x", "left", name="x.out")
        + s.gateway("y", default="y.out") + s.flow("y", "right", second) + s.flow("y", "together", name="y.out")
        + s.end("left", "unmet") + s.end("right", "unmet")
        + s.gateway("together", "parallel") + s.flow("together", "done") + s.end("done")
    )  # fmt: skip
    return s.whole(inner)


@pytest.mark.parametrize(
    "condition",
    [
        "road == 'land'",
        "road in ['land', 'air']",
        "road == None",
        "road != None and visits == 3",
        "selected(service_ids, 'housing')",
        "'health' in service_ids",
        "met == true",
        "met == false or visits &gt;= 2.5",
        "day &lt; date('2026-01-01')",
        "priority == 'of a table'",
        "concat(road, '') == 'sea'",
    ],
)
def test_a_comparison_that_can_be_true_is_left_alone(condition: str) -> None:
    assert "visits &gt; 1" in BASE
    xml = BASE.replace("visits &gt; 1", condition).encode()
    assert not [each for each in findings(xml) if each.code in {"choice_not_offered", "compared_with_other_kind"}]
