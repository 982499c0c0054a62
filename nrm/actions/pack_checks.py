"""Check a country pack without a database: forms, words of roles, calendars, ladders, clocks and diagrams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import orjson

from nrm.actions.path_checks import pack_facts
from nrm.actions.path_loading import compile_paths, pack_resources, path_problem
from nrm.countries import BadPack, ItemKind, Json, Pack, PackProblem
from nrm.engine.confined import GAVE_UP, check_diagram
from nrm.engine.findings import Finding
from nrm.engine.lint import lint_path
from nrm.engine.steps import Resources
from nrm.engine.wording import render_finding
from nrm.errors import NotValid
from nrm.queries.packs import read_clocks, read_ladder
from nrm.queries.paths import resources_from_json, resources_to_json
from nrm.rules.deadlines import parse_calendar
from nrm.rules.forms import parse_form
from nrm.rules.indicators import check_indicator
from nrm.rules.letters import parse_letter
from nrm.rules.permissions import PERMISSIONS
from nrm.rules.surveys import parse_survey


def check_pack(pack: Pack) -> tuple[PackProblem, ...]:
    """List what is wrong with a pack that could be read; diagrams are looked at in a process that can be killed.

    Args:
        pack: from `nrm.countries.read_pack`.

    Returns:
        All problems; a pack with one that is not a mere warning is not loaded.
    """
    problems = [*_forms(pack), *_country(pack), *_letters(pack), *_roles(pack)]
    if not problems:
        problems += [*_indicators(pack), *_surveys(pack)]
    resources = pack_resources(pack.items)
    read: list[PackProblem] = []
    for key, diagram in pack.paths.items():
        read += [path_problem(key, finding) for finding in _findings(diagram, resources_key(resources))]
    if any(not problem.warning for problem in (*problems, *read)):
        return (*problems, *read)
    try:
        compile_paths(pack.paths, resources)
    except BadPack as error:
        return (*problems, *error.problems)
    return (*problems, *_with_names(pack))


def _with_names(pack: Pack) -> Iterator[PackProblem]:
    """Look again at diagrams that can be read, now knowing everything in the pack that they may name."""
    known, resources = pack_facts(pack)
    for key, diagram in pack.paths.items():
        for finding in lint_path(diagram, resources=resources, known=known):
            yield path_problem(key, finding)


def resources_key(resources: Resources) -> str:
    """Write resources as one text."""
    return orjson.dumps(resources_to_json(resources), option=orjson.OPT_SORT_KEYS).decode()


class _Unsettled(Exception):
    """The machine gave up, not the diagram: a busy one may answer the next time."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__()
        self.findings = findings


def _findings(diagram: bytes, resources: str) -> tuple[Finding, ...]:
    """Check a diagram; the same one with the same settings and tables is looked at once in a process."""
    try:
        return _settled(diagram, resources)
    except _Unsettled as unsettled:
        return unsettled.findings


@lru_cache(maxsize=256)
def _settled(diagram: bytes, resources: str) -> tuple[Finding, ...]:
    found = check_diagram(diagram, resources=resources_from_json(orjson.loads(resources)), known=None)
    if any(finding.code in GAVE_UP for finding in found):
        raise _Unsettled(found)
    return found


def _problem(file: str, pointer: str, code: str, value: str, *, warning: bool = False) -> PackProblem:
    return PackProblem(file=file, pointer=pointer, code=code, params={"value": value}, warning=warning)


def render_problem(problem: PackProblem, language: str) -> str:
    """Say a problem of a pack in words.

    Args:
        problem: from `check_pack` or `BadPack.problems`.
        language: ar, ckb or en.

    Returns:
        One sentence, without the place, which `file` and `pointer` name.
    """
    if problem.file.startswith("paths/") and problem.code in _texts("findings", language):
        params = {name: value for name, value in problem.params.items() if value is not None}
        return render_finding(Finding(code=problem.code, element=problem.pointer, params=params), language)
    text = _texts("packs", language).get(problem.code) or _texts("problems", language).get(problem.code)
    return text.format_map(dict(problem.params)) if text else problem.code


@lru_cache(maxsize=16)
def _texts(name: str, language: str) -> dict[str, str]:
    file = Path(__file__).parents[1] / "locale" / language / f"{name}.json"
    texts: dict[str, str] = orjson.loads(file.read_bytes())
    return texts


def _forms(pack: Pack) -> Iterator[PackProblem]:
    lists = {code.list for code in pack.codes}
    for key, form in pack.forms.items():
        yield from _wrong(f"forms/{key}.json", "", partial(parse_form, form, code_lists=lists))


def _letters(pack: Pack) -> Iterator[PackProblem]:
    for key, letter in pack.contents(ItemKind.LETTER).items():
        yield from _wrong(f"letters/{key}.json", "", partial(parse_letter, _object(letter)))


def _country(pack: Pack) -> Iterator[PackProblem]:
    file = "country.json"
    for key, content in pack.contents(ItemKind.CALENDAR).items():
        yield from _wrong(file, f"/calendars/{key}", partial(parse_calendar, _object(content)))
    for key, content in pack.contents(ItemKind.LADDER).items():
        yield from _wrong(file, f"/ladders/{key}/rungs", partial(read_ladder, content))
    yield from _wrong(file, "/referral_clocks", partial(read_clocks, pack.contents(ItemKind.CLOCKS)))


def _indicators(pack: Pack) -> Iterator[PackProblem]:
    objectives = {code.code for code in pack.codes if code.list == "gcm_objective"}
    for key, content in pack.contents(ItemKind.INDICATOR).items():
        yield from _wrong(
            "indicators.json", f"/{key}", partial(check_indicator, _object(content), objectives=objectives)
        )
    # A pack that lists no objectives may still carry the tags: then there is nothing to compare them with.
    for code in pack.codes if objectives else ():
        tag = code.extra.get("gcm")
        if code.list == "service_category" and tag is not None and str(tag) not in objectives:
            yield _problem("code_lists.json", f"/service_category/{code.code}/gcm", "unknown_objective", str(tag))


def _surveys(pack: Pack) -> Iterator[PackProblem]:
    lists = {code.list for code in pack.codes}
    forms = {key: parse_form(form, code_lists=lists) for key, form in pack.forms.items()}
    for key, content in pack.contents(ItemKind.SURVEY).items():
        yield from _wrong("surveys.json", f"/{key}", partial(parse_survey, _object(content), forms))


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
