"""Take diagrams of other tools in: what `nrm path import` does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from nrm.engine.confined import check_diagram, import_diagram
from nrm.engine.findings import Finding
from nrm.engine.importing import ImportedProcess
from nrm.engine.steps import Resources
from nrm.engine.wording import finding_entry, findings_json
from nrm.errors import BadPath


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What came of importing one file.

    Attributes:
        file: its name, as the user gave it.
        xml: the imported diagram; None when the file cannot be loaded.
        changes: what the importer changed.
        findings: what is wrong with the imported diagram, or why the file cannot be loaded.
        processes: the processes of the file.
    """

    file: str
    xml: bytes | None
    changes: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    processes: tuple[ImportedProcess, ...]

    def json(self, language: str) -> str:
        """Give the report as one JSON object, with the texts in a language."""
        data = {
            "file": self.file,
            "loads": self.xml is not None,
            "changes": entries(self.changes, language),
            "findings": entries(self.findings, language),
            "processes": [
                {"id": each.id, "name": each.name, "steps": each.steps, "chosen": each.chosen}
                for each in self.processes
            ],
        }
        return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()

    def lines(self, language: str) -> tuple[str, ...]:
        """Give one line of JSON for each change, then one for each finding."""
        return tuple(findings_json((*self.changes, *self.findings), language, file=self.file))


def import_file(content: bytes, *, file: str, process: str | None = None) -> ImportReport:
    """Import a diagram of another tool and check what came out, both in a process that can be killed.

    Args:
        content: the file's bytes, from anybody.
        file: its name for the report.
        process: id or name of the process that becomes the path; None for the executable or the largest one.
    """
    try:
        imported = import_diagram(content, process=process)
    except BadPath as problem:
        found = tuple(each for each in problem.findings if isinstance(each, Finding))
        return ImportReport(file=file, xml=None, changes=(), findings=found, processes=())
    return ImportReport(
        file=file,
        xml=imported.xml,
        changes=imported.findings,
        findings=check_diagram(imported.xml, resources=Resources(), known=None),
        processes=imported.processes,
    )


def entries(findings: Iterable[Finding], language: str) -> list[dict[str, object]]:
    """Give findings as JSON objects with their texts in a language."""
    return [finding_entry(finding, language) for finding in findings]
