"""Is a path sound? The verdict on a whole file, with the shortest way to each defect."""

from __future__ import annotations

from dataclasses import dataclass

from nrm.engine.findings import Finding
from nrm.engine.lint import ordered
from nrm.engine.lint.diagram import Pack, build
from nrm.engine.lint.known import Known
from nrm.engine.lint.sound import Answer, Defect, soundness_of
from nrm.engine.reading import read_diagram
from nrm.engine.steps import Resources
from nrm.errors import BadPath

__all__ = ["Answer", "Defect", "Verdict", "check_soundness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of a path's soundness.

    Attributes:
        answer: sound; unsound, when a defect surely can happen; unknown, when one is possible, when not every state
            was seen, or when the diagram cannot be read.
        states: how many states were seen.
        defects: what is not sound, the definite ones as errors.
        findings: why the diagram cannot be read or run at all; lint says more.
    """

    answer: Answer
    states: int
    defects: tuple[Defect, ...]
    findings: tuple[Finding, ...]


def check_soundness(xml: bytes, *, resources: Resources, known: Known | None = None) -> Verdict:
    """Explore the states of a path and judge it.

    Args:
        xml: a BPMN file; one that this engine cannot run is judged as BPMN means it.
        resources: the pack's settings and tables.
        known: what the pack has; with it, values that are asked anew are known to be free again.
    """
    try:
        root = read_diagram(xml)
    except BadPath as problem:
        found = tuple(each for each in problem.findings if isinstance(each, Finding))
        return Verdict(answer=Answer.UNKNOWN, states=0, defects=(), findings=found)
    diagram = build(root)
    told = soundness_of(diagram, Pack(resources=resources, known=known))
    return Verdict(
        answer=Answer.UNKNOWN if diagram.problems and told.answer is Answer.SOUND else told.answer,
        states=told.states,
        defects=told.defects,
        findings=ordered(diagram.problems),
    )
