"""Every task of every path finds a desk, wherever in the country the case is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nrm.countries import ItemKind, Pack, read_pack
from nrm.engine.parsing import compile_path
from nrm.engine.steps import Resources, StepKind

WORKFLOWS = Path(__file__).parents[2] / "workflows"
COUNTRIES = sorted(folder.parent.name for folder in WORKFLOWS.glob("*/country.json"))


def has_desk(pack: Pack, role: str, governorate: str, jurisdiction: str | None) -> bool:
    return any(
        desk.role == role and desk.governorate in (None, governorate) and desk.jurisdiction in (None, jurisdiction)
        for desk in pack.desks
    )


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_task_has_a_desk_in_every_governorate(country: str):
    pack = read_pack(WORKFLOWS / country)
    roles = pack.contents(ItemKind.ROLE)
    settings = {key: item["value"] for key, item in pack.contents(ItemKind.SETTING).items()}
    calls = {key: item["entries"] for key, item in pack.contents(ItemKind.CALL_TABLE).items()}
    resources = Resources(settings=settings, tables=pack.contents(ItemKind.TABLE), call_tables=calls)
    nowhere = {
        (key, step.id, step.role, place.key)
        for key, xml in pack.paths.items()
        for step in compile_path(xml, resources=resources).steps.values()
        if step.kind is StepKind.TASK and step.role and roles[step.role]["scope"] != "provider"
        for place in pack.places
        if place.parent is None and not has_desk(pack, step.role, place.key, place.jurisdiction)
    }
    assert nowhere == set()
