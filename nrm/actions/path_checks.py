"""Check and test diagrams without a database: what `nrm path lint` and `nrm path test` do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from nrm.actions import cases
from nrm.actions.case_opening import START_VALUES
from nrm.actions.checks import CHECK_VALUES
from nrm.actions.closing import MAIN_PATH
from nrm.actions.path_loading import pack_resources
from nrm.countries import ItemKind, Json, Pack, read_pack
from nrm.engine.confined import check_diagram
from nrm.engine.coverage import uncovered
from nrm.engine.findings import Finding, Severity
from nrm.engine.lint import CASE_MESSAGES, Known, KnownCheck, KnownTable
from nrm.engine.parsing import PathSpec, compile_path
from nrm.engine.path_ends import path_callers, path_ends
from nrm.engine.scenario_files import Scenario, read_scenario
from nrm.engine.scenarios import Played, play
from nrm.engine.steps import Resources
from nrm.engine.tables import read_table
from nrm.engine.wording import findings_json, render_finding
from nrm.errors import BadPath, NotValid
from nrm.rules.answer_types import Setting
from nrm.rules.deadlines import parse_zone
from nrm.rules.forms import Form, parse_form

CHECK_PARAMS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset({"from"})
    for name in (
        "record_intake", "resolve_duplicate", "record_screening", "record_needs", "record_plan", "draft_referral",
        "confirm_referral", "record_unmet_need", "record_followup", "close_case",
    )
} | {
    "set_priority": frozenset({"value"}),
    "close_referral": frozenset({"outcome"}),
    "share_with_desk": frozenset({"role", "data", "purpose"}),
    "share_on_ground": frozenset({"from", "approved_in", "role", "data"}),
    "register_letter": frozenset({"template", "organisation", "service", "role"}),
    "hand_over_case": frozenset({"from", "arrived"}),
    "end_side_case": frozenset({"outcome", "reason"}),
    "close_planned_service": frozenset({"outcome"}),
}  # fmt: skip
"""Registered check → the parameters that it takes."""

REFERRAL_MESSAGES: Final = frozenset(
    "referral." + verb
    for verb in (
        "acknowledged", "accepted", "declined", "redirected", "expired", "withdrawn", "cancelled", "completed",
        "not_completed",
    )
)  # fmt: skip
"""What a referral sends to its run."""

LETTER_ANSWERED: Final = "letter.answered"
"""The message by which a run hears that the answer to its letter was recorded."""

OUTCOME_LISTS: Final = ("run_outcome", "referral_outcome", "case_outcome")
"""Code lists of which an end may carry a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """How one path of a pack stands.

    Attributes:
        key: the path's key.
        lint: findings on its diagram.
        played: its scenarios.
        gaps: ends, boundary events and flows that no scenario takes.
    """

    key: str
    lint: tuple[Finding, ...]
    played: tuple[Played, ...]
    gaps: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether it could be published: no error, and every scenario passed."""
        return not any(each.severity is Severity.ERROR for each in self.lint) and all(
            each.passed for each in self.played
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReport:
    """How the paths of a pack stand.

    Attributes:
        paths: one report for each path, in the order of the keys.
        problems: scenario files that cannot be played at all: file name and finding.
    """

    paths: tuple[PathReport, ...]
    problems: tuple[tuple[str, Finding], ...]

    @property
    def ok(self) -> bool:
        """Whether every path could be published."""
        return not self.problems and all(path.ok for path in self.paths)

    @property
    def whole(self) -> bool:
        """Whether every path could be published, and its scenarios together take every way of it."""
        return self.ok and not any(path.gaps for path in self.paths)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many paths and scenarios there are, and how many ways no scenario takes."""
        played, gaps = (sum(map(len, parts)) for parts in zip(*((p.played, p.gaps) for p in self.paths), strict=True))
        return len(self.paths), played, gaps

    def lines(self, language: str) -> Iterator[str]:
        """Say it in lines of plain text: one for each path, and below it one for each thing that is wrong."""
        for file, finding in self.problems:
            yield f"{file}: {render_finding(finding, language)}"
        for path in self.paths:
            passed = sum(each.passed for each in path.played)
            word = "FAIL" if not path.ok else "GAPS" if path.gaps else "ok  "
            yield f"{word} {path.key}  {passed}/{len(path.played)}"
            for played in path.played:
                for finding in played.findings:
                    yield f"     {played.scenario.name}: {render_finding(finding, language)}"
            for finding in (*path.lint, *path.gaps):
                yield f"     {finding.severity} {finding.element}: {render_finding(finding, language)}"


def lint_files(files: Iterable[Path], *, pack: Path | None, language: str) -> tuple[tuple[str, ...], bool]:
    """Check diagram files, each in a child process that can be killed.

    Args:
        files: BPMN files.
        pack: folder of the pack that they belong to; None checks only what the diagrams themselves can tell.
        language: of the texts.

    Returns:
        One line of JSON for each finding, and whether one of them is an error.

    Raises:
        BadPack: the pack cannot be read.
        OSError: a file cannot be read.
    """
    known, resources = (None, Resources()) if pack is None else pack_facts(read_pack(pack))
    lines: list[str] = []
    wrong = False
    for file in files:
        findings = check_diagram(file.read_bytes(), resources=resources, known=known)
        lines += findings_json(findings, language, file=str(file))
        wrong = wrong or any(finding.severity is Severity.ERROR for finding in findings)
    return tuple(lines), wrong


def play_pack(folder: Path) -> PackReport:
    """Check every path of a pack, play all its scenarios on the real engine, and see what they leave out.

    Args:
        folder: the pack's folder; scenarios stand in `scenarios/<path>/<name>.json`.

    Raises:
        BadPack: the pack cannot be read.
    """
    pack = read_pack(folder)
    known, resources = pack_facts(pack)
    forms = {key: form for key, data in pack.forms.items() if (form := _form(data)) is not None}
    scenarios, problems = _scenarios(folder, pack)
    tester = _Tester(pack, resources, forms, answer_setting(pack))
    reports = []
    for key in sorted(pack.paths):
        lint = check_diagram(pack.paths[key], resources=resources, known=known)
        reports.append(tester.report(key, lint, [each for each in scenarios if each.path == key]))
    return PackReport(paths=tuple(reports), problems=tuple(problems))


class _Tester:
    """Plays the scenarios of one pack."""

    def __init__(self, pack: Pack, resources: Resources, forms: Mapping[str, Form], setting: Setting) -> None:
        self.pack, self.resources, self.forms, self.setting = pack, resources, forms, setting

    def report(self, key: str, lint: tuple[Finding, ...], scenarios: list[Scenario]) -> PathReport:
        """Play the scenarios of one path, unless it cannot be used."""
        if any(finding.severity is Severity.ERROR for finding in lint):
            return PathReport(key=key, lint=lint, played=(), gaps=())
        spec = self.compiled(key, {})
        played = tuple(
            play(
                self.compiled(key, each.settings) if each.settings else spec,
                each,
                forms=self.forms,
                setting=self.setting,
                check_values=CHECK_VALUES,
            )
            for each in scenarios
        )
        return PathReport(key=key, lint=lint, played=played, gaps=uncovered(spec, played))

    def compiled(self, key: str, settings: Mapping[str, str]) -> PathSpec:
        """Parse a path with some settings changed."""
        resources = Resources(
            settings={**self.resources.settings, **settings},
            tables=self.resources.tables,
            call_tables=self.resources.call_tables,
        )
        return compile_path(self.pack.paths[key], resources=resources)


def pack_facts(pack: Pack) -> tuple[Known, Resources]:
    """Give what the diagrams of a pack may name.

    Args:
        pack: from `read_pack`.
    """
    resources = pack_resources(pack.items)
    specs = {key: spec for key, xml in pack.paths.items() if (spec := _compiled(xml, resources)) is not None}
    languages = _country(pack).get("languages")
    codes = codes_by_list(pack)
    known = Known(
        languages=tuple(map(str, languages)) if isinstance(languages, list) else ("ar", "ckb", "en"),
        roles=frozenset(pack.contents(ItemKind.ROLE)),
        forms={key: form_fields(form) for key, data in pack.forms.items() if (form := _form(data)) is not None},
        choices={
            key: form_choices(form, codes) for key, data in pack.forms.items() if (form := _form(data)) is not None
        },
        services=codes.get("service_category", frozenset()),
        outcomes=frozenset().union(*(codes.get(name, frozenset()) for name in OUTCOME_LISTS)),
        stages=frozenset(),
        paths={key: specs[key].called if key in specs else frozenset() for key in pack.paths},
        ends=path_ends(specs, resources),
        callers=path_callers(specs),
        tables={key: table for key in resources.tables if (table := _table(key, resources)) is not None},
        ladders=frozenset(pack.contents(ItemKind.LADDER)),
        checks={
            name: KnownCheck(params=CHECK_PARAMS.get(name, frozenset()), values=frozenset(values))
            for name, values in CHECK_VALUES.items()
        },
        messages=REFERRAL_MESSAGES | frozenset(CASE_MESSAGES) | cases.CASE_MESSAGES | _sent(specs) | {LETTER_ANSWERED},
        chased=REFERRAL_MESSAGES,
        passed=_passed(specs, resources, pack.started_with),
    )
    return known, resources


def _country(pack: Pack) -> dict[str, Json]:
    """Give the country's own facts."""
    country = pack.contents(ItemKind.COUNTRY).get("country")
    return country if isinstance(country, dict) else {}


def codes_by_list(pack: Pack) -> dict[str, frozenset[str]]:
    """Give the codes of each code list of a pack, those that are no longer offered too."""
    lists = {code.list for code in pack.codes}
    return {name: frozenset(code.code for code in pack.codes if code.list == name) for name in lists}


def _compiled(xml: bytes, resources: Resources) -> PathSpec | None:
    try:
        return compile_path(xml, resources=resources)
    except BadPath:
        return None


def _form(data: object) -> Form | None:
    try:
        return parse_form(data)
    except NotValid:
        return None


def form_fields(form: Form) -> dict[str, str]:
    """Give the questions that answer once: those inside groups, not those inside repeats."""
    fields: dict[str, str] = {}
    waiting = list(form.fields)
    while waiting:
        item = waiting.pop(0)
        if item.type == "group":
            waiting += item.fields
        elif item.type != "note":
            fields[item.name] = item.type
    return fields


def form_choices(form: Form, codes: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Give the codes that each question with choices offers, of the questions that answer once.

    Args:
        form: the form.
        codes: code list of the pack → its codes.
    """
    found: dict[str, frozenset[str]] = {}
    waiting = list(form.fields)
    while waiting:
        item = waiting.pop(0)
        if item.type == "group":
            waiting += item.fields
        elif item.type in {"select_one", "select_multiple"} and item.list:
            own = frozenset(choice.name for choice in form.choices.get(item.list, ()))
            listed = codes.get(item.list.removeprefix("code_list:"), frozenset())
            found[item.name] = listed if item.list.startswith("code_list:") else own
    return found


def _table(key: str, resources: Resources) -> KnownTable | None:
    try:
        table = read_table(key, resources.tables[key])
    except BadPath:
        return None
    inputs = frozenset().union(*(expression.names for expression in table.inputs))
    return KnownTable(inputs=inputs, outputs=frozenset(table.outputs))


def _sent(specs: Mapping[str, PathSpec]) -> frozenset[str]:
    """Give the messages that the pack's own paths throw."""
    steps = [step for spec in specs.values() for step in spec.steps.values()]
    return frozenset(step.message for step in steps if step.kind in {"throw", "end"} and step.message)


def _passed(
    specs: Mapping[str, PathSpec], resources: Resources, started_with: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """Give the values that each path is started with: by other paths, and as its scenarios tell."""
    passed = {key: set(names) for key, names in started_with.items()}
    passed.setdefault(MAIN_PATH, set()).update(START_VALUES)
    for spec in specs.values():
        for step in spec.steps.values():
            if step.call is None:
                continue
            table = resources.call_tables.get(step.call.table or "", {})
            for path in {step.call.path or "", *table.values()} - {""}:
                passed.setdefault(path, set()).update(step.call.passes)
    return {key: frozenset(names) for key, names in passed.items()}


def answer_setting(pack: Pack) -> Setting:
    """Give what reading an answer needs to know of the country."""
    data = _country(pack)
    currency = data.get("currency")
    code = currency.get("code") if isinstance(currency, dict) else None
    region, zone = data.get("phone_region"), data.get("timezone")
    return Setting(
        code_lists=codes_by_list(pack),
        region=str(region) if region else None,
        currency=str(code) if code else None,
        zone=parse_zone(zone) if zone else None,
    )


def _scenarios(folder: Path, pack: Pack) -> tuple[list[Scenario], list[tuple[str, Finding]]]:
    scenarios: list[Scenario] = []
    problems: list[tuple[str, Finding]] = []
    for file in sorted(folder.glob("scenarios/*/*.json")):
        name = str(file.relative_to(folder))
        try:
            scenario = read_scenario(json.loads(file.read_bytes(), parse_float=Decimal))
        except ValueError as problem:
            problems.append((name, Finding(code="scenario_unreadable", params={"reason": str(problem)[:100]})))
            continue
        if scenario.path not in pack.paths:
            problems.append((name, Finding(code="scenario_unknown_path", params={"path": scenario.path})))
        scenarios.append(scenario)
    return scenarios, problems
