"""Judge whether a diagram is sound, and check it whole: what `nrm path check` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from nrm.actions.path_checks import pack_facts
from nrm.actions.path_imports import entries
from nrm.countries import read_pack
from nrm.engine.confined import check_diagram, judge_diagram
from nrm.engine.findings import Finding, Severity
from nrm.engine.soundness import Answer, Verdict
from nrm.engine.steps import Resources
from nrm.engine.wording import render_finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found about one file.

    Attributes:
        file: its name, as the user gave it.
        verdict: whether it is sound, with the ways to what is not.
        findings: everything else that is wrong with it.
    """

    file: str
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def bad(self) -> bool:
        """Whether it may not be used: unsound, or with an error."""
        errors = any(finding.severity is Severity.ERROR for finding in self.findings)
        return errors or self.verdict.answer is Answer.UNSOUND

    def json(self, language: str) -> str:
        """Give it as one JSON object, with the texts in a language."""
        data = {
            "file": self.file,
            "verdict": str(self.verdict.answer),
            "states": self.verdict.states,
            "defects": [
                {
                    "code": each.code,
                    "severity": str(each.severity),
                    "element": each.element,
                    "text": render_finding(Finding(code=each.code), language),
                    "trace": list(each.trace),
                }
                for each in self.verdict.defects
            ],
            "findings": entries(self.findings, language),
        }
        return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()

    def lines(self, language: str) -> tuple[str, ...]:
        """Give it in words, one line for each thing."""
        head = f"{self.file}: {self.verdict.answer} ({self.verdict.states})"
        defects = [
            f"{each.severity} {each.element}: {render_finding(Finding(code=each.code), language)}"
            + (f" [{' > '.join(each.trace)}]" if each.trace else "")
            for each in self.verdict.defects
        ]
        others = [f"{each.severity} {each.element}: {render_finding(each, language)}" for each in self.findings]
        return (head, *defects, *others)


def judge_file(content: bytes, *, file: str, pack: Path | None) -> Judgement:
    """Judge and check a diagram, in a process that can be killed.

    Args:
        content: the file's bytes.
        file: its name for the report.
        pack: folder of the pack that it belongs to; None judges what the diagram itself can tell.

    Raises:
        BadPack: the pack cannot be read.
    """
    known, resources = (None, Resources()) if pack is None else pack_facts(read_pack(pack))
    verdict = judge_diagram(content, resources=resources, known=known)
    told = {(defect.code, defect.element) for defect in verdict.defects}
    findings = check_diagram(content, resources=resources, known=known)
    return Judgement(
        file=file,
        verdict=verdict,
        findings=tuple(finding for finding in findings if (finding.code, finding.element) not in told),
    )
