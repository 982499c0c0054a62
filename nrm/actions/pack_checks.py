"""Check a country pack without a database: forms, words of roles, calendars, ladders, clocks and diagrams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from nrm.actions.path_loading import compile_paths, pack_resources
from nrm.countries import BadPack, ItemKind, Json, Pack, PackProblem
from nrm.errors import NotValid
from nrm.queries.packs import read_clocks, read_ladder
from nrm.rules.deadlines import parse_calendar
from nrm.rules.forms import parse_form
from nrm.rules.permissions import PERMISSIONS


def check_pack(pack: Pack) -> tuple[PackProblem, ...]:
    """List what is wrong with a pack that could be read.

    Args:
        pack: from `nrm.countries.read_pack`.

    Returns:
        All problems; a pack with one that is not a mere warning is not loaded.
    """
    problems = [*_forms(pack), *_country(pack), *_roles(pack)]
    try:
        specs = compile_paths(pack.paths, pack_resources(pack.items))
    except BadPack as error:
        return (*problems, *error.problems)
    for key, spec in specs.items():
        for step in spec.steps.values():
            if step.form and step.form not in pack.forms:
                problems.append(_problem(f"paths/{key}.bpmn", step.id, "unknown_form", step.form))
            if step.role and step.role not in pack.contents(ItemKind.ROLE):
                problems.append(_problem(f"paths/{key}.bpmn", step.id, "unknown_role", step.role))
        problems += [
            _problem(f"paths/{key}.bpmn", "", "unknown_path", called)
            for called in sorted(spec.called - pack.paths.keys())
        ]
    return tuple(problems)


def _problem(file: str, pointer: str, code: str, value: str, *, warning: bool = False) -> PackProblem:
    return PackProblem(file=file, pointer=pointer, code=code, params={"value": value}, warning=warning)


def _forms(pack: Pack) -> Iterator[PackProblem]:
    lists = {code.list for code in pack.codes}
    for key, form in pack.forms.items():
        yield from _wrong(f"forms/{key}.json", "", partial(parse_form, form, code_lists=lists))


def _country(pack: Pack) -> Iterator[PackProblem]:
    file = "country.json"
    for key, content in pack.contents(ItemKind.CALENDAR).items():
        yield from _wrong(file, f"/calendars/{key}", partial(parse_calendar, _object(content)))
    for key, content in pack.contents(ItemKind.LADDER).items():
        yield from _wrong(file, f"/ladders/{key}/rungs", partial(read_ladder, content))
    yield from _wrong(file, "/referral_clocks", partial(read_clocks, pack.contents(ItemKind.CLOCKS)))


def _roles(pack: Pack) -> Iterator[PackProblem]:
    for role, content in pack.contents(ItemKind.ROLE).items():
        names = _object(content).get("permissions")
        for name in names if isinstance(names, list) else []:
            if name not in PERMISSIONS:
                # It allows nothing, so it is harmless; but its author meant something by it.
                yield _problem("roles.json", f"/{role}/permissions", "unknown_permission", str(name), warning=True)


def _object(data: Json) -> dict[str, Json]:
    return data if isinstance(data, dict) else {}


def _wrong(file: str, pointer: str, read: Callable[[], object]) -> Iterator[PackProblem]:
    try:
        read()
    except NotValid as error:
        for problem in error.problems:
            yield PackProblem(file=file, pointer=pointer + problem.pointer, code=problem.code, params=problem.params)
