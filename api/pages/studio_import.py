"""Take over a diagram of another tool: what was changed is shown before anything is kept."""

from __future__ import annotations

from typing import Final

from api.pages.kit.visits import Answer, Pages, Visit, see
from nrm.actions.path_findings import FindingView
from nrm.actions.path_imports import ImportLook, draft_of_import, look_at_import, why_refused
from nrm.errors import BadPath, NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.queries.path_list import draw_for

studio_import = Pages("studio_import")

LARGEST: Final = 5_000_000
LARGEST_FORM: Final = 400_000
"""A page sends no larger text back; such a diagram comes in by `nrm path import`."""


_RANK: Final = {"error": 0, "warning": 1, "note": 2}


@studio_import.get("/studio/import", permission="path.edit")
def choose(visit: Visit) -> Answer:
    """Ask for the file."""
    return _page(visit)


@studio_import.post("/studio/import", permission="path.edit")
def look(visit: Visit) -> Answer:
    """Show what was changed in the file, and what is left to do."""
    given = visit.files.get("file")
    content = given.stream.read(LARGEST + 1) if given is not None else b""
    if not content:
        return _page(visit, problems=(("file", visit.problem("required")),), status=422)
    return _looked(visit, content)


def _looked(visit: Visit, content: bytes, *, problems: tuple[tuple[str, str], ...] = (), status: int = 200) -> Answer:
    try:
        found = look_at_import(visit.actor, content, process=visit.text("process") or None, language=visit.language)
    except BadPath as error:
        reasons = tuple(
            ("file", visit.words.t("studio_import.refused", reason=each)) for each in why_refused(error, visit.language)
        )
        return _page(visit, problems=reasons, status=422)
    drawing = draw_for(visit.actor, found.diagram, language=visit.language)
    return _page(visit, found=found, drawing=drawing, problems=problems, status=status)


def _grouped(rows: tuple[FindingView, ...]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Say each thing once, with all elements that it is about, the worst first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in rows:
        groups.setdefault((one.severity, one.text), []).extend([one.element] if one.element else [])
    ranked = sorted(groups.items(), key=lambda group: _RANK.get(group[0][0], 9))
    return tuple((severity, text, tuple(elements)) for (severity, text), elements in ranked)


def _page(
    visit: Visit,
    *,
    found: ImportLook | None = None,
    drawing: str = "",
    problems: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Answer:
    return visit.show(
        "studio/import.html",
        status=status,
        found=found,
        changes=() if found is None else _grouped(found.changes),
        findings=() if found is None else _grouped(found.findings),
        drawing=drawing,
        problems=problems,
        languages=LANGUAGES,
        large=found is not None and len(found.diagram) > LARGEST_FORM,
    )


@studio_import.post("/studio/import/draft", permission="path.edit")
def keep(visit: Visit) -> Answer:
    """Make the draft of a new path of the diagram."""
    names = {language: visit.text(f"name_{language}") for language in LANGUAGES}
    diagram = visit.form.get("diagram", "")
    if not diagram:
        raise NotValid([Problem(pointer="/file", code="required")])
    try:
        draft = draft_of_import(visit.actor, diagram=diagram, key=visit.text("key"), names=names)
    except NotValid as error:
        told = tuple(
            (each.pointer.strip("/").replace("names/", "name_"), visit.problem(each.code, each.params))
            for each in error.problems
        )
        return _looked(visit, diagram.encode(), problems=told, status=422)
    return see(f"/studio/drafts/{draft.id}")
