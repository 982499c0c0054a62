"""Whoever does the work of a step can be found: in every governorate there is a desk for every task of every path."""

from pathlib import Path

import pytest

from nrm.countries import ItemKind, Pack, read_pack
from nrm.engine.parsing import compile_path
from nrm.engine.steps import Resources, Step, StepKind

WORKFLOWS = Path(__file__).parents[2] / "workflows"
COUNTRIES = sorted(file.parent.name for file in WORKFLOWS.glob("*/country.json"))
RECEIVING = "receiving"


def tasks_of(pack: Pack) -> list[tuple[str, Step]]:
    settings = {key: item["value"] for key, item in pack.contents(ItemKind.SETTING).items()}
    calls = {key: item["entries"] for key, item in pack.contents(ItemKind.CALL_TABLE).items()}
    resources = Resources(settings=settings, tables=pack.contents(ItemKind.TABLE), call_tables=calls)
    specs = {key: compile_path(xml, resources=resources) for key, xml in pack.paths.items()}
    return [(key, step) for key, spec in specs.items() for step in spec.steps.values() if step.kind is StepKind.TASK]


def served(pack: Pack, role: str | None, kind: str | None, place: str, jurisdiction: str | None) -> bool:
    organisations = {entry.code: entry for entry in pack.organisations}
    for desk in pack.desks:
        owner = organisations[desk.organisation]
        if desk.role == role and kind in (None, owner.kind):
            under = desk.jurisdiction or owner.jurisdiction
            if desk.governorate == place or (desk.governorate is None and under in (None, jurisdiction)):
                return True
    return False


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_task_finds_a_desk_in_every_governorate(country: str):
    pack = read_pack(WORKFLOWS / country)
    places = {place.key: place.jurisdiction for place in pack.places if place.parent is None}
    nobody = {
        (path, step.role, place)
        for path, step in tasks_of(pack)
        for place, jurisdiction in places.items()
        if step.organisation not in (RECEIVING, "provider")
        and not served(pack, step.role, step.organisation, place, jurisdiction)
    }
    assert nobody == set()
