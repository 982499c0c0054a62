"""The path editor: a drawing that can be changed in the browser; without a script, its file and its findings."""

from __future__ import annotations

from flask import Response

from api.pages.kit.visits import Answer, Pages, Visit, own_names, see
from nrm.actions.path_drafts import LONGEST_DIAGRAM, save_diagram
from nrm.actions.path_findings import draft_findings
from nrm.errors import NotValid, Problem
from nrm.i18n import LANGUAGES, catalogue, say
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.queries.path_list import draw_for, steps_of

studio_editor = Pages("studio_editor")


@studio_editor.get("/studio/drafts/<draft_id>")
def edit(visit: Visit, draft_id: str) -> Answer:
    """Show a draft in the editor."""
    view = queries.draft(visit.actor, draft_id)
    return visit.show(
        "studio/editor.html",
        view=view,
        draft=view.draft,
        drawing=draw_for(visit.actor, view.diagram, language=visit.language),
        findings=draft_findings(visit.actor, draft_id, diagram=None, language=visit.language),
        told=_told(visit, view),
        writable="save" in view.draft.actions,
    )


def _told(visit: Visit, view: DraftView) -> dict[str, object]:
    """Give what the script needs to know before it asks the doors."""
    return {
        "draft": view.draft.id,
        "language": visit.language,
        "languages": {code: own_names()[code] for code in LANGUAGES},
        "digits": visit.words.digits,
        "texts": dict(catalogue("pages/editor", visit.language)),
    }


@studio_editor.get("/studio/drafts/<draft_id>/diagram.bpmn")
def take_file(visit: Visit, draft_id: str) -> Answer:
    """Give the diagram as a file."""
    view = queries.draft(visit.actor, draft_id)
    answer = Response(view.diagram, content_type="application/xml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{view.draft.path}.bpmn"'
    return answer


@studio_editor.get("/studio/drafts/<draft_id>/steps")
def read_aloud(visit: Visit, draft_id: str) -> Answer:
    """Show a draft as one reads it: step by step, and where each leads."""
    view = queries.draft(visit.actor, draft_id)
    steps = steps_of(visit.actor, view.diagram)
    return visit.show(
        "studio/steps.html",
        draft=view.draft,
        steps=steps,
        named={step.id: step.names for step in steps},
        kinds={step.kind: say("differences", f"kind.{step.kind}", visit.language) or step.kind for step in steps},
    )


@studio_editor.post("/studio/drafts/<draft_id>/diagram", permission="path.edit")
def bring_file(visit: Visit, draft_id: str) -> Answer:
    """Save a file that was changed in another editor as the draft's diagram."""
    given = visit.files.get("file")
    content = given.stream.read(LONGEST_DIAGRAM + 1) if given is not None else b""
    if not content:
        raise NotValid([Problem(pointer="/file", code="required")])
    if len(content) > LONGEST_DIAGRAM:
        raise NotValid([Problem(pointer="/file", code="too_long", params={"longest": LONGEST_DIAGRAM})])
    try:
        diagram = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotValid([Problem(pointer="/file", code="not_utf8")]) from None
    save_diagram(visit.actor, draft_id, diagram=diagram, version=visit.version() or 0, language=visit.language)
    return see(f"/studio/drafts/{draft_id}")
