"""Findings: what is wrong, or doubtful, about a diagram; each has a code, an element and a severity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: an error stops publishing, a warning asks, a note tells."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a diagram.

    Attributes:
        code: stable code ("gateway_without_default"), key of the texts in ar, ckb and en.
        element: id of the element in the diagram, "" for the whole file.
        severity: error, warning or note.
        params: values for the text.
        line: line in the file, None when unknown.
    """

    code: str
    element: str = ""
    severity: Severity = Severity.ERROR
    params: Mapping[str, str | int] = field(default_factory=dict)
    line: int | None = None
