"""Take diagrams of other tools in: what `nrm path import` and the page for it do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from nrm.actions.path_drafts import DraftChanged, begin_imported
from nrm.actions.path_facts import installed
from nrm.actions.path_findings import FindingView, told
from nrm.actors import Actor
from nrm.engine.confined import check_diagram, import_diagram
from nrm.engine.findings import Finding
from nrm.engine.importing import ImportedProcess
from nrm.engine.steps import Resources
from nrm.engine.wording import finding_entry, findings_json
from nrm.errors import BadPath, NotAllowed
from nrm.queries.path_turns import turn
from nrm.rules.drafts import EDIT
from nrm.rules.texts import is_code


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLook:
    """A diagram of another tool, before it becomes a draft.

    Attributes:
        diagram: the imported BPMN text.
        key: key that its path would get.
        changes: what the importer changed.
        findings: what is wrong with the imported diagram.
        processes: the processes of the file.
    """

    diagram: str
    key: str
    changes: tuple[FindingView, ...]
    findings: tuple[FindingView, ...]
    processes: tuple[ImportedProcess, ...]


def look_at_import(actor: Actor, content: bytes, *, process: str | None, language: str) -> ImportLook:
    """Import a diagram of another tool and say what was changed and what is left to do; nothing is kept.

    Args:
        actor: who asks.
        content: the file's bytes.
        process: id or name of the process that becomes the path; None for the executable or the largest one.
        language: of the texts.

    Raises:
        NotAllowed: the actor may not change paths.
        BadPath: the file cannot be loaded at all.
        Busy: too many diagrams are being checked at this moment.
        TooMany: the actor has too many checks under way.
    """
    _must_edit(actor)
    here = installed()
    with turn(actor):
        imported = import_diagram(content, process=process)
        findings = check_diagram(imported.xml, resources=here.resources, known=here.known)
    return ImportLook(
        diagram=_text(imported.xml),
        key=next(each.id for each in imported.processes if each.chosen),
        changes=told(imported.findings, language),
        findings=told(findings, language),
        processes=imported.processes,
    )


def why_refused(error: BadPath, language: str) -> tuple[str, ...]:
    """Say in words why a file could not be loaded."""
    return tuple(each.text for each in told([each for each in error.findings if isinstance(each, Finding)], language))


def draft_of_import(actor: Actor, *, diagram: str, key: str, names: Mapping[str, str]) -> DraftChanged:
    """Begin the draft of a new path with an imported diagram.

    Args:
        actor: who begins it.
        diagram: the BPMN text, which is imported once more: it came from outside.
        key: key of the new path.
        names: its name in each language.

    Raises:
        NotAllowed: the actor may not change paths.
        BadPath: the text cannot be loaded.
        NotValid: the key is taken or no code; a name is missing.
        Busy: too many diagrams are being checked at this moment.
        TooMany: the actor has too many checks under way.
    """
    _must_edit(actor)
    with turn(actor):
        imported = import_diagram(diagram.encode(), key=key if is_code(key) else None)
    return begin_imported(actor, key=key, names=names, diagram=_text(imported.xml))


def _must_edit(actor: Actor) -> None:
    if not actor.may(EDIT):
        raise NotAllowed("not_allowed", permission=EDIT)


def _text(xml: bytes) -> str:
    """Give the text of a file without its declaration: it is kept as text."""
    return xml.decode("utf-8").partition("?>")[2].lstrip()


def entries(findings: Iterable[Finding], language: str) -> list[dict[str, object]]:
    """Give findings as JSON objects with their texts in a language."""
    return [finding_entry(finding, language) for finding in findings]
