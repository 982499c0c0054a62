"""Findings in words: the texts of `nrm/locale/<language>/findings.json`, and one JSON line per finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from nrm.engine.findings import Finding

DEFAULT_LANGUAGE: Final = "en"
_LOCALE: Final = Path(__file__).parents[1] / "locale"


def render_finding(finding: Finding, language: str) -> str:
    """Say in words what is wrong and what to do.

    Args:
        finding: any finding of this package.
        language: ar, ckb or en; another gives English.
    """
    texts = _texts("findings", language)
    text = texts.get(finding.code, finding.code)
    params = _Params({name: str(value) for name, value in finding.params.items()})
    reason = params.get("reason")
    if reason is not None:
        # A reason is itself a code: of the expression language, of a form's answer, of a failed step.
        params["reason"] = _reason(reason, language, params)
    return text.format_map(params)


def findings_json(findings: Iterable[Finding], language: str, *, file: str = "") -> Iterator[str]:
    """Give one line of JSON for each finding: file, code, element, severity, line, params and its text.

    Args:
        findings: what `lint_path` or `check_diagram` gave.
        language: of the text.
        file: name of the file that they are about, as the user gave it.
    """
    for finding in findings:
        yield json.dumps({"file": file, **finding_entry(finding, language)}, ensure_ascii=False)


def finding_entry(finding: Finding, language: str) -> dict[str, object]:
    """Give a finding as a JSON object: line, element, severity, code, params and its text in a language."""
    return {
        "line": finding.line,
        "element": finding.element,
        "severity": str(finding.severity),
        "code": finding.code,
        "params": dict(finding.params),
        "text": render_finding(finding, language),
    }


class _Params(dict[str, str]):
    """Values of a text; what is missing shows as three dots and never as an exception."""

    def __missing__(self, key: str) -> str:
        return "…"


def _reason(code: str, language: str, params: Mapping[str, str]) -> str:
    for name in ("expressions", "problems", "steps", "reasons", "findings"):
        text = _texts(name, language).get(code)
        if text is not None:
            return text.format_map(_Params(params)).rstrip(".")
    return code.replace("_", " ")


@lru_cache(maxsize=32)
def _texts(name: str, language: str) -> Mapping[str, str]:
    """Read one catalogue; one that does not exist is empty."""
    if language not in {"ar", "ckb", "en"}:
        language = DEFAULT_LANGUAGE
    file = _LOCALE / language / f"{name}.json"
    if not file.is_file():
        return {}
    texts = json.loads(file.read_text("utf-8"))
    return {str(code): str(text) for code, text in texts.items() if isinstance(text, str)}
