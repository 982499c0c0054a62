"""The child's side of `nrm.engine.rehearsals`: plays scenarios and makes trials, under the child's limits.

What comes in and goes out is JSON; forms, moves and values are from whoever drafts a path, so that anything may be
wrong with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import cast

from nrm.engine.coverage import uncovered
from nrm.engine.effects import OpenTask, RunCheck, SetTimer, StartChildRun, Subscribe, Value
from nrm.engine.finding_files import Json, finding_to_json, resources_from_json
from nrm.engine.findings import Finding
from nrm.engine.parsing import PathSpec, compile_path
from nrm.engine.scenario_files import Scenario, read_scenario
from nrm.engine.scenarios import Open, Played, play
from nrm.engine.steps import Resources
from nrm.engine.trial_offers import caught_codes, taken_from_child, taken_from_message
from nrm.engine.trials import Trial, try_path
from nrm.errors import BadPath, NotValid
from nrm.rules.answer_types import Setting
from nrm.rules.deadlines import parse_zone
from nrm.rules.forms import Form, parse_form


class _Stage:
    """What all scenarios of one request share."""

    def __init__(self, data: Json, xml: bytes) -> None:
        self.xml = xml
        self.resources = resources_from_json(cast(Json, data["resources"]))
        self.forms = dict(_forms(cast(Mapping[str, object], data["forms"])))
        self.setting = setting_from_json(cast(Json, data["setting"]))
        self.check_values = cast(Mapping[str, Collection[str]], data["check_values"])

    def spec(self, settings: Mapping[str, str]) -> PathSpec:
        """Compile the path with some settings changed."""
        changed = Resources(
            settings={**self.resources.settings, **settings},
            tables=self.resources.tables,
            call_tables=self.resources.call_tables,
        )
        return compile_path(self.xml, resources=changed)

    def play(self, scenario: Scenario, spec: PathSpec) -> Played:
        """Play one scenario."""
        fitting = self.spec(scenario.settings) if scenario.settings else spec
        return play(fitting, scenario, forms=self.forms, setting=self.setting, check_values=self.check_values)


def play_scenarios(data: Json, xml: bytes) -> Json:
    """Play all scenarios of a draft and name what they leave out."""
    stage = _Stage(data, xml)
    try:
        spec = stage.spec({})
    except BadPath as problem:
        return {"findings": _findings(problem), "played": [], "gaps": []}
    played = []
    kept: list[Played] = []
    for name, content in cast(Mapping[str, object], data["scenarios"]).items():
        try:
            done = stage.play(read_scenario(content), spec)
        except BadPath as problem:
            # Its settings make a path of it that cannot run.
            played.append({"name": name, "findings": _findings(problem), "steps": [], "ways": []})
            continue
        except ValueError as problem:
            unreadable = Finding(code="scenario_unreadable", params={"reason": _reason(problem)})
            played.append({"name": name, "findings": [finding_to_json(unreadable)], "steps": [], "ways": []})
            continue
        kept.append(done)
        findings = [finding_to_json(finding) for finding in done.findings]
        played.append({"name": name, "findings": findings, "steps": sorted(done.steps), "ways": sorted(done.ways)})
    gaps = [finding_to_json(finding) for finding in uncovered(spec, kept)]
    return {"findings": [], "played": played, "gaps": gaps}


def make_trial(data: Json, xml: bytes) -> Json:
    """Make the moves of a trial."""
    stage = _Stage(data, xml)
    try:
        scenario = read_scenario(data["scenario"])
        spec = stage.spec(scenario.settings)
    except BadPath as problem:
        return {"findings": _findings(problem)}
    except ValueError as problem:
        unreadable = Finding(code="scenario_unreadable", params={"reason": _reason(problem)})
        return {"findings": [finding_to_json(unreadable)]}
    trial = try_path(
        spec,
        scenario,
        forms=stage.forms,
        setting=stage.setting,
        check_values=stage.check_values,
        every_check=bool(data.get("every_check")),
    )
    return {"findings": [], "trial": _trial(trial, spec, stage.check_values)}


def _reason(problem: Exception) -> str:
    return str(problem)[:100]


def _findings(problem: BadPath) -> list[Json]:
    return [finding_to_json(finding) for finding in problem.findings if isinstance(finding, Finding)]


def _forms(contents: Mapping[str, object]) -> Iterator[tuple[str, Form]]:
    for key, content in contents.items():
        try:
            yield key, parse_form(content)
        except NotValid:
            # Without its form a task takes no answers; lint has said what is wrong with it.
            continue


def setting_from_json(data: Json) -> Setting:
    """Read what reading an answer needs to know of the country."""
    zone = data["zone"]
    region, currency = data["region"], data["currency"]
    return Setting(
        code_lists=cast(Mapping[str, Collection[str]], data["code_lists"]),
        region=str(region) if region else None,
        currency=str(currency) if currency else None,
        zone=parse_zone(zone) if zone else None,
    )


def _trial(trial: Trial, spec: PathSpec, check_values: Mapping[str, Collection[str]]) -> Json:
    return {
        "clock": trial.clock.isoformat(),
        "status": trial.status,
        "outcome": trial.outcome,
        "taken": trial.taken,
        "problem": None if trial.problem is None else finding_to_json(trial.problem),
        "open": [{**_open(each, spec), "since": trial.since[each.token].isoformat()} for each in trial.open],
        "checks": [_check(each, check_values) for each in trial.checks],
        "visits": dict(trial.visits),
        "ways": dict(trial.ways),
        "steps": list(spec.steps),
        "names": {step.id: dict(step.names) for step in spec.steps.values()},
        "values": {name: _shown(value) for name, value in trial.values.items()},
        "log": [{**asdict(line), "at": line.at.isoformat()} for line in trial.log],
    }


def _open(entry: Open, spec: PathSpec) -> Json:
    step = spec.steps[entry.step]
    shown: dict[str, object] = {"token": entry.token, "step": entry.step}
    if isinstance(entry, OpenTask):
        due = None if step.due is None else asdict(step.due)
        facts = {"form": step.form, "role": step.role, "organisation": step.organisation, "due": due}
        return {**shown, "kind": "task", "item": entry.item, **facts}
    if isinstance(entry, StartChildRun):
        values = {name: _shown(value) for name, value in entry.values.items()}
        caught = {f"{event}s": caught_codes(spec, entry.step, event) for event in ("error", "escalation")}
        more: Json = {"path": entry.path, "values": values, "takes": taken_from_child(spec, entry.step), **caught}
        return {**shown, "kind": "child", "item": entry.item, **more}
    if isinstance(entry, SetTimer):
        return {**shown, "kind": "timer", "at": entry.due_at.isoformat()}
    assert isinstance(entry, Subscribe)  # noqa: S101 - the last of the four kinds
    takes = taken_from_message(spec, entry.step)
    return {**shown, "kind": "message", "message": entry.message, "correlation": entry.correlation, "takes": takes}


def _check(effect: RunCheck, check_values: Mapping[str, Collection[str]]) -> Json:
    params = {name: _shown(value) for name, value in effect.params.items()}
    values = sorted(check_values.get(effect.name, ()))
    facts = {"name": effect.name, "params": params, "values": values, "item": effect.item}
    return {"token": effect.token, "step": effect.step, **facts}


def _shown(value: Value) -> object:
    """Give a value as JSON: numbers and dates as their texts."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return list(value) if isinstance(value, tuple) else str(value)
