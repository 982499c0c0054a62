"""Play the scenarios of a draft, or try it, in a process that can be killed: see `nrm.engine.confined`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from nrm.engine.confined import GaveUp, ask_child
from nrm.engine.finding_files import Json, finding_from_json, resources_to_json
from nrm.engine.findings import Finding
from nrm.engine.steps import Resources
from nrm.rules.answer_types import Setting

PLAY_SECONDS: Final = 20.0
"""Wall time in which all scenarios of a path must have been played."""
TRY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Theatre:
    """What playing a path needs beside its diagram.

    Attributes:
        resources: settings and tables.
        forms: form key → content.
        setting: what reading an answer needs to know of the country.
        zone: the time zone of `setting`, as the pack names it; None for none.
        check_values: registered check → names of the values that it sets.
    """

    resources: Resources
    forms: Mapping[str, object]
    setting: Setting
    zone: str | None
    check_values: Mapping[str, Collection[str]]

    def to_json(self) -> dict[str, object]:
        """Write it for the child."""
        setting = self.setting
        return {
            "resources": resources_to_json(self.resources),
            "forms": dict(self.forms),
            "setting": {
                "code_lists": {name: sorted(codes) for name, codes in setting.code_lists.items()},
                "region": setting.region,
                "currency": setting.currency,
                "zone": self.zone,
            },
            "check_values": {name: sorted(values) for name, values in self.check_values.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedScenario:
    """What came of a scenario.

    Attributes:
        findings: why it failed; empty when it passed.
        steps: steps that it passed.
        ways: flows that it took.
    """

    name: str
    findings: tuple[Finding, ...]
    steps: tuple[str, ...]
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of all scenarios of a path.

    Attributes:
        findings: why nothing could be played; empty otherwise.
        gaps: what no scenario that passed comes to.
    """

    findings: tuple[Finding, ...]
    played: tuple[PlayedScenario, ...]
    gaps: tuple[Finding, ...]


def rehearse(xml: bytes, scenarios: Mapping[str, object], theatre: Theatre) -> Rehearsal:
    """Play scenarios.

    Args:
        xml: the diagram.
        scenarios: name → content of a scenario file.
        theatre: what they are played with.

    Raises:
        Busy: too many diagrams are being worked on at this moment.
    """
    request = {"do": "play", **theatre.to_json(), "scenarios": dict(scenarios)}
    try:
        answer = ask_child(request, xml, seconds=PLAY_SECONDS)
    except GaveUp as problem:
        return Rehearsal(findings=(problem.finding,), played=(), gaps=())
    return Rehearsal(
        findings=_findings(answer["findings"]),
        played=tuple(
            PlayedScenario(
                name=str(each["name"]),
                findings=_findings(each["findings"]),
                steps=tuple(cast(list[str], each["steps"])),
                ways=tuple(cast(list[str], each["ways"])),
            )
            for each in cast(list[Json], answer["played"])
        ),
        gaps=_findings(answer["gaps"]),
    )


def try_diagram(
    xml: bytes, scenario: Json, theatre: Theatre, *, every_check: bool = False
) -> tuple[tuple[Finding, ...], Json]:
    """Make the moves of a scenario and give how everything stands, as JSON (see `nrm.engine.checker_plays`).

    Args:
        xml: the diagram.
        scenario: content of a scenario file.
        theatre: what it is played with.
        every_check: as for `nrm.engine.trials.try_path`.

    Returns:
        Why nothing could be tried, and how things stand; one of the two is empty.

    Raises:
        Busy: too many diagrams are being worked on at this moment.
    """
    try:
        request = {"do": "try", **theatre.to_json(), "scenario": dict(scenario), "every_check": every_check}
        answer = ask_child(request, xml, seconds=TRY_SECONDS)
    except GaveUp as problem:
        return (problem.finding,), {}
    return _findings(answer["findings"]), cast(Json, answer.get("trial", {}))


def _findings(data: object) -> tuple[Finding, ...]:
    return tuple(finding_from_json(each) for each in cast(list[Json], data))
