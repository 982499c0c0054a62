"""Findings, diagrams that were imported, and what a diagram may name, as JSON: what crosses the pipe to a child."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from nrm.engine.findings import Finding, Severity
from nrm.engine.importing import Imported, ImportedProcess
from nrm.engine.lint import Known, KnownCall, KnownCheck, KnownPath, KnownTable
from nrm.engine.soundness import Answer, Defect, Verdict
from nrm.engine.steps import Resources

Json = Mapping[str, object]


def finding_to_json(finding: Finding) -> Json:
    """Write a finding."""
    return {
        "code": finding.code,
        "element": finding.element,
        "severity": str(finding.severity),
        "params": dict(finding.params),
        "line": finding.line,
    }


def finding_from_json(data: Json) -> Finding:
    """Read a finding."""
    line = data["line"]
    return Finding(
        code=str(data["code"]),
        element=str(data["element"]),
        severity=Severity(str(data["severity"])),
        params=cast(Mapping[str, str | int], data["params"]),
        line=line if isinstance(line, int) else None,
    )


def verdict_to_json(verdict: Verdict) -> Json:
    """Write a verdict."""
    return {
        "answer": str(verdict.answer),
        "states": verdict.states,
        "defects": [
            {
                "code": each.code,
                "severity": str(each.severity),
                "element": each.element,
                "trace": list(each.trace),
            }
            for each in verdict.defects
        ],
        "findings": [finding_to_json(each) for each in verdict.findings],
    }


def verdict_from_json(data: Json) -> Verdict:
    """Read a verdict."""
    return Verdict(
        answer=Answer(str(data["answer"])),
        states=cast(int, data["states"]),
        defects=tuple(
            Defect(
                code=str(each["code"]),
                severity=Severity(str(each["severity"])),
                element=str(each["element"]),
                trace=tuple(cast(list[str], each["trace"])),
            )
            for each in cast(list[Json], data["defects"])
        ),
        findings=tuple(finding_from_json(each) for each in cast(list[Json], data["findings"])),
    )


def imported_to_json(imported: Imported) -> Json:
    """Write an imported diagram."""
    return {
        "xml": imported.xml.decode("utf-8"),
        "findings": [finding_to_json(each) for each in imported.findings],
        "processes": [
            {"id": each.id, "name": each.name, "steps": each.steps, "chosen": each.chosen}
            for each in imported.processes
        ],
    }


def imported_from_json(data: Json) -> Imported:
    """Read an imported diagram."""
    return Imported(
        xml=str(data["xml"]).encode("utf-8"),
        findings=tuple(finding_from_json(each) for each in cast(list[Json], data["findings"])),
        processes=tuple(
            ImportedProcess(
                id=str(each["id"]),
                name=str(each["name"]),
                steps=cast(int, each["steps"]),
                chosen=bool(each["chosen"]),
            )
            for each in cast(list[Json], data["processes"])
        ),
    )


def resources_to_json(resources: Resources) -> Json:
    """Write the resources."""
    return {
        "settings": dict(resources.settings),
        "tables": dict(resources.tables),
        "call_tables": {name: dict(table) for name, table in resources.call_tables.items()},
    }


def resources_from_json(data: Json) -> Resources:
    """Read the resources."""
    return Resources(
        settings=cast(Mapping[str, str], data["settings"]),
        tables=cast(Mapping[str, str], data["tables"]),
        call_tables=cast(Mapping[str, Mapping[str, str]], data["call_tables"]),
    )


_Call: TypeAlias = tuple[str, list[str], list[str], list[str] | None]
_SETS: Final = ("roles", "organisations", "services", "outcomes", "stages", "ladders", "messages", "chased", "values")


def known_to_json(known: Known) -> Json:
    """Write what a pack has."""
    return {
        **{name: sorted(getattr(known, name)) for name in _SETS},
        "languages": list(known.languages),
        "forms": {key: dict(fields) for key, fields in known.forms.items()},
        "choices": {
            key: {name: sorted(codes) for name, codes in fields.items()} for key, fields in known.choices.items()
        },
        "paths": {key: sorted(called) for key, called in known.paths.items()},
        "passed": {key: sorted(names) for key, names in known.passed.items()},
        "versions": {key: sorted(numbers) for key, numbers in known.versions.items()},
        "callers": {
            key: [
                [
                    call.caller,
                    sorted(call.outcomes),
                    sorted(call.values),
                    None if call.errors is None else sorted(call.errors),
                ]
                for call in calls
            ]
            for key, calls in known.callers.items()
        },
        "ends": {
            key: [sorted(path.outcomes), sorted(path.errors), sorted(path.values)] for key, path in known.ends.items()
        },
        "tables": {key: [sorted(table.inputs), sorted(table.outputs)] for key, table in known.tables.items()},
        "checks": {
            key: [sorted(check.params), sorted(check.required), sorted(check.values)]
            for key, check in known.checks.items()
        },
    }


def known_from_json(data: Json) -> Known:
    """Read what a pack has."""
    sets = {name: frozenset(cast(list[str], data[name])) for name in _SETS}
    tables = cast(Mapping[str, list[list[str]]], data["tables"])
    checks = cast(Mapping[str, list[list[str]]], data["checks"])
    return Known(
        **sets,
        languages=tuple(cast(list[str], data["languages"])),
        forms=cast(Mapping[str, Mapping[str, str]], data["forms"]),
        choices={key: _names(fields) for key, fields in cast(Mapping[str, object], data["choices"]).items()},
        paths=_names(data["paths"]),
        passed=_names(data["passed"]),
        versions={key: frozenset(each) for key, each in cast(Mapping[str, list[int]], data["versions"]).items()},
        callers={
            key: tuple(map(_call, calls)) for key, calls in cast(Mapping[str, list[_Call]], data["callers"]).items()
        },
        ends={
            key: KnownPath(outcomes=frozenset(parts[0]), errors=frozenset(parts[1]), values=frozenset(parts[2]))
            for key, parts in cast(Mapping[str, list[list[str]]], data["ends"]).items()
        },
        tables={
            key: KnownTable(inputs=frozenset(parts[0]), outputs=frozenset(parts[1])) for key, parts in tables.items()
        },
        checks={
            key: KnownCheck(params=frozenset(parts[0]), required=frozenset(parts[1]), values=frozenset(parts[2]))
            for key, parts in checks.items()
        },
    )


def _call(parts: _Call) -> KnownCall:
    caller, outcomes, values, errors = parts
    return KnownCall(
        caller=caller,
        outcomes=frozenset(outcomes),
        values=frozenset(values),
        errors=None if errors is None else frozenset(errors),
    )


def _names(data: object) -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in cast(Mapping[str, list[str]], data).items()}
