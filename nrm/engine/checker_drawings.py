"""The child's side of `nrm.engine.confined_drawings`: draws and compares diagrams, under the child's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from nrm.engine.compare import Compared, compare_diagrams, forms_named
from nrm.engine.drawing import draw_path
from nrm.engine.finding_files import Json, finding_to_json
from nrm.engine.findings import Finding
from nrm.engine.paper import draw_pages
from nrm.engine.walking import walk_diagram
from nrm.errors import BadPath


def draw(data: Json, xml: bytes) -> Json:
    """Draw a diagram as SVG, or on pages."""
    mirrored = data["mirrored"]
    shown = None if mirrored is None else bool(mirrored)
    language = str(data["language"])
    try:
        if data["on_paper"]:
            return {"drawn": draw_pages(xml, language=language, mirrored=shown)}
        return {"drawn": draw_path(xml, language=language, mirrored=shown, styled=bool(data["styled"]))}
    except BadPath as problem:
        return _refused(problem)


def name_forms(_: Json, xml: bytes) -> Json:
    """Name the forms of a diagram."""
    try:
        return {"forms": sorted(forms_named(xml))}
    except BadPath as problem:
        return _refused(problem)


def walk(_: Json, xml: bytes) -> Json:
    """Read the steps of a diagram in their order."""
    try:
        return {"steps": [asdict(step) for step in walk_diagram(xml)]}
    except BadPath as problem:
        return _refused(problem)


def compare(data: Json, xml: bytes) -> Json:
    """Compare a diagram with an earlier one, and draw both where a language is given."""
    before, language = str(data["before"]).encode(), data["language"]
    try:
        compared = compare_diagrams(before, xml)
        drawn = [] if language is None else _draw_both(compared, before, xml, str(language))
    except BadPath as problem:
        return _refused(problem)
    return {"compared": asdict(compared), "drawn": drawn}


def _draw_both(compared: Compared, before: bytes, after: bytes, language: str) -> list[str]:
    """Draw both diagrams with what differs marked."""
    changed = {each.element: "changed" for each in compared.changed}
    old: Mapping[str, str] = {**changed, **{each.id: "removed" for each in compared.removed}}
    new: Mapping[str, str] = {**changed, **{each.id: "added" for each in compared.added}}
    return [
        draw_path(xml, language=language, states=states, styled=False) for xml, states in ((before, old), (after, new))
    ]


def _refused(problem: BadPath) -> Json:
    return {"findings": [finding_to_json(each) for each in problem.findings if isinstance(each, Finding)]}
