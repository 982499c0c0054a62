"""What the importer changed: kept as elements until all ids are final, then told as findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from nrm.engine.findings import Finding, Severity
from nrm.engine.reading import PLAIN_ID, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    element: etree._Element
    holder: etree._Element | None
    code: str
    severity: Severity
    params: dict[str, str | int]


@dataclass(slots=True)
class Changes:
    """The changes of one import, in the order in which they were made."""

    made: list[_Change] = field(default_factory=list)

    def add(
        self, element: etree._Element, code: str, severity: Severity = Severity.NOTE, /, **params: str | int
    ) -> None:
        """Tell a change of an element; call it before the element is taken out of the tree."""
        clean = {name: printable(value) if isinstance(value, str) else value for name, value in params.items()}
        change = _Change(element=element, holder=element.getparent(), code=code, severity=severity, params=clean)
        self.made.append(change)

    def lost(self, element: etree._Element, code: str, /, **params: str | int) -> None:
        """Tell a change by which the diagram may now mean something else than its author drew."""
        self.add(element, code, Severity.WARNING, **params)

    def findings(self, root: etree._Element) -> tuple[Finding, ...]:
        """Give the changes, each at the nearest element that is still in the file and has an id."""
        there = {element.get("id") or "" for element in root.iter(etree.Element)}
        return tuple(
            Finding(
                code=change.code,
                element=_place(change, there),
                severity=change.severity,
                params=change.params,
                line=int(change.element.sourceline) if change.element.sourceline else None,
            )
            for change in self.made
        )


def _place(change: _Change, there: set[str]) -> str:
    at: etree._Element | None = change.element
    while at is not None:
        identity = at.get("id") or ""
        if identity in there and PLAIN_ID.fullmatch(identity):
            return identity
        at = change.holder if at is change.element else at.getparent()
    return ""
