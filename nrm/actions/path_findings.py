"""Findings on a draft: checked in a process that can be killed, told in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nrm.actions.path_facts import installed, known_with
from nrm.actors import Actor
from nrm.countries import Json
from nrm.engine.confined import Inspected, inspect_diagram
from nrm.engine.findings import Finding
from nrm.engine.wording import render_finding
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.queries.path_turns import turn


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """Something that is wrong, or doubtful, about a diagram.

    Attributes:
        code: stable code.
        severity: error (stops publishing), warning or note.
        element: id of the element, "" for the whole diagram.
        line: line in the file, None when unknown.
        params: values of the text.
        text: what it is and what to do.
    """

    code: str
    severity: str
    element: str
    line: int | None
    params: Mapping[str, str | int]
    text: str


def draft_findings(actor: Actor, draft_id: str, *, diagram: str | None, language: str) -> tuple[FindingView, ...]:
    """Say what is wrong with a draft, or with a diagram that could become its own.

    Args:
        actor: who asks.
        draft_id: the draft, which gives forms and values.
        diagram: the BPMN text; None for the saved one.
        language: of the texts.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
        Busy: too many diagrams are being checked at this moment.
        TooMany: the actor has too many checks under way.
    """
    view = queries.draft(actor, draft_id)
    with turn(actor):
        inspected = inspect_draft(view, view.diagram if diagram is None else diagram)
    return told(inspected.findings, language)


def inspect_draft(view: DraftView, diagram: str) -> Inspected:
    """Check a diagram with the forms and values of a draft.

    Raises:
        Busy: too many diagrams are being checked at this moment.
    """
    here = installed()
    scenarios: dict[str, dict[str, Json]] = {name: dict(scenario) for name, scenario in view.scenarios.items()}
    known = known_with(here, view.draft.path, view.forms, scenarios)
    inspected = inspect_diagram(diagram.encode(), resources=here.resources, known=known)
    if inspected.key is None or inspected.key == view.draft.path:
        return inspected
    other = Finding(code="other_path", element=inspected.key, params={"path": view.draft.path})
    return replace(inspected, findings=(*inspected.findings, other))


def say_finding(finding: object, language: str) -> str:
    """Put a finding into words: those of `nrm.errors.BadPath` are only known as objects."""
    return render_finding(finding, language) if isinstance(finding, Finding) else ""


def told(findings: Iterable[Finding], language: str) -> tuple[FindingView, ...]:
    """Put findings into words."""
    return tuple(
        FindingView(
            code=finding.code,
            severity=str(finding.severity),
            element=finding.element,
            line=finding.line,
            params=finding.params,
            text=render_finding(finding, language),
        )
        for finding in findings
    )
