"""The path studio: all paths, their versions and drafts, what differs, and the second person's decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import Response

from api.pages.kit.visits import Answer, Pages, Visit, see
from nrm.actions import path_comments as remarks
from nrm.actions import path_drafts as drafting
from nrm.actions import path_publishing as publishing
from nrm.actions.path_bundles import bring_bundle, take_bundle
from nrm.actions.path_findings import draft_findings, say_finding
from nrm.actions.path_forms import forms_named
from nrm.actions.path_scenarios import Coverage, draft_coverage
from nrm.errors import BadPath, Conflict, NotFound, NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.queries import path_differences as differences
from nrm.queries import path_drafts as queries
from nrm.queries import path_list
from nrm.queries.path_drafts import DraftView
from nrm.queries.path_list import PathRow
from nrm.rules.bundles import LARGEST_FILE
from nrm.rules.drafts import UNTOUCHED

studio = Pages("studio")

_MINE: Final = ("path.edit", "path.publish")
_DECISIONS: Final[Mapping[str, Callable[..., object]]] = {
    "submit": publishing.submit_draft,
    "send_back": publishing.send_back_draft,
    "publish": publishing.publish_draft,
    "discard": drafting.discard_draft,
    "take_newest_base": publishing.take_newest_base,
}
_WITH_NOTE: Final = frozenset({"submit", "send_back"})


@studio.get("/studio", permission="path.read")
def show_paths(visit: Visit) -> Answer:
    """Show all paths, and what is being changed."""
    return _paths(visit)


def _paths(visit: Visit, *, problems: tuple[tuple[str, str], ...] = (), status: int = 200) -> Answer:
    mine = _drafts_too(visit)
    drafts = queries.draft_list(visit.actor) if mine else ()
    return visit.show(
        "studio/paths.html",
        status=status,
        paths=path_list.path_list(visit.actor),
        reviews=tuple(one for one in drafts if one.status == "in_review"),
        drafts=tuple(one for one in drafts if one.status == "draft"),
        untouched=queries.draft_list(visit.actor, before=visit.now - UNTOUCHED) if mine else (),
        untouched_days=UNTOUCHED.days,
        people=queries.names_of(one.changed_by for one in drafts),
        languages=LANGUAGES,
        problems=problems,
        mine=mine,
    )


def _drafts_too(visit: Visit) -> bool:
    return any(visit.may(permission) for permission in _MINE)


@studio.get("/studio/paths/<key>", permission="path.read")
def show_path(visit: Visit, key: str) -> Answer:
    """Show a path: its versions with the cases on each, and its drafts."""
    row = _path(visit, key)
    mine = _drafts_too(visit)
    drafts = queries.draft_list(visit.actor, path=key, closed=True) if mine else ()
    people = {one.published_by for one in row.versions} | {one.changed_by for one in drafts}
    return visit.show(
        "studio/path.html",
        path=row,
        running=path_list.running_on(visit.actor, key),
        drafts=drafts,
        people=queries.names_of(people),
        mine=mine,
    )


def _path(visit: Visit, key: str) -> PathRow:
    found = next((row for row in path_list.path_list(visit.actor) if row.key == key), None)
    if found is None:
        raise NotFound
    return found


@studio.get("/studio/versions/<version_id>", permission="path.read")
def show_version(visit: Visit, version_id: str) -> Answer:
    """Show a version: its drawing, its steps, and what differs from another version of the path."""
    view = path_list.path_version(visit.actor, version_id)
    row = _path(visit, view.path)
    others = tuple(one for one in row.versions if one.id != version_id)
    number = {one.id: one.number for one in row.versions}
    earlier = next((one.id for one in others if one.number < view.number), None)
    other = visit.query.get("with", earlier or "")
    comparing = other in number and other != version_id
    compared = _drawings(visit, other, version_id) if comparing else None
    version = next(one for one in row.versions if one.id == version_id)
    return visit.show(
        "studio/version.html",
        view=view,
        version=version,
        path=row,
        others=others,
        other=other,
        comparing=comparing,
        compared=compared,
        number=number,
        drawing=path_list.version_drawing(visit.actor, version_id, language=visit.language, styled=False),
        people=queries.names_of([version.published_by]),
    )


def _drawings(visit: Visit, before_id: str, after_id: str) -> differences.DrawnDifference | None:
    """Compare and draw; None where a diagram cannot be read, or not in time."""
    try:
        return differences.drawn_difference(visit.actor, before_id, after_id, language=visit.language)
    except BadPath:
        return None


@studio.post("/studio/drafts", permission="path.edit")
def begin(visit: Visit) -> Answer:
    """Begin a draft and open it in the editor."""
    given = {name: visit.text(name) or None for name in ("path", "from_version", "key")}
    names = {language: visit.text(f"name_{language}") for language in LANGUAGES} if given["key"] else None
    try:
        draft = drafting.begin_draft(visit.actor, names=names, **given)
    except NotValid as error:
        told = tuple(
            (one.pointer.strip("/").replace("names/", "name_"), visit.problem(one.code, one.params))
            for one in error.problems
        )
        return _paths(visit, problems=told, status=422)
    return see(f"/studio/drafts/{draft.id}")


@studio.get("/studio/reviews/<draft_id>")
def lead_to_review(visit: Visit, draft_id: str) -> Answer:
    """Lead from a notice to the review."""
    return see(f"/studio/drafts/{queries.draft(visit.actor, draft_id).draft.id}/review")


@studio.get("/studio/drafts/<draft_id>/review")
def review(visit: Visit, draft_id: str) -> Answer:
    """Show everything that a second person needs to decide."""
    return _review(visit, queries.draft(visit.actor, draft_id))


def _review(visit: Visit, view: DraftView, *, trouble: tuple[str, ...] = (), status: int = 200) -> Answer:
    draft = view.draft
    findings = draft_findings(visit.actor, draft.id, diagram=None, language=visit.language)
    wrong = any(one.severity == "error" for one in findings)
    coverage: Coverage | None = None if wrong else draft_coverage(visit.actor, draft.id, language=visit.language)
    compared = _drawings(visit, draft.base_version_id, draft.id) if draft.base_version_id else None
    said = queries.comments(visit.actor, draft.id)
    newer = _newer(visit, draft.id) if draft.is_outdated else None
    return visit.show(
        "studio/review.html",
        status=status,
        draft=draft,
        findings=findings,
        coverage=coverage,
        forms=forms_named(view),
        compared=compared,
        newer=newer,
        comments=said,
        people=queries.names_of([draft.changed_by, draft.submitted_by, draft.decided_by, draft.created_by]),
        trouble=trouble,
    )


def _newer(visit: Visit, draft_id: str) -> differences.Newer | None:
    try:
        return differences.newer_than(visit.actor, draft_id, language=visit.language)
    except BadPath:
        return None


@studio.get("/studio/drafts/<draft_id>/bundle.zip")
def take_draft(visit: Visit, draft_id: str) -> Answer:
    """Give a draft as a file."""
    return _file(*take_bundle(visit.actor, draft_id))


@studio.get("/studio/versions/<version_id>/bundle.zip", permission="path.read")
def take_version(visit: Visit, version_id: str) -> Answer:
    """Give a version as a file."""
    return _file(*take_bundle(visit.actor, version_id))


def _file(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type="application/zip", headers=headers)


@studio.post("/studio/bundles", permission="path.edit")
def bring(visit: Visit) -> Answer:
    """Begin a draft with a file that was taken from one, here or elsewhere."""
    given = visit.files.get("bundle")
    content = given.stream.read(LARGEST_FILE + 1) if given is not None else b""
    try:
        if not content:
            raise NotValid([Problem(pointer="/bundle", code="required")])
        brought = bring_bundle(visit.actor, content, language=visit.language)
    except NotValid as error:
        told = tuple(("bundle", visit.problem(one.code, one.params)) for one in error.problems)
        return _paths(visit, problems=told, status=422)
    except BadPath as error:
        told = tuple(("bundle", say_finding(one, visit.language)) for one in error.findings)
        return _paths(visit, problems=told, status=422)
    return see(f"/studio/drafts/{brought.id}/review")


@studio.post("/studio/drafts/<draft_id>/submit", permission="path.edit")
def submit(visit: Visit, draft_id: str) -> Answer:
    """Ask a second person."""
    return _decide(visit, draft_id, "submit")


@studio.post("/studio/drafts/<draft_id>/send_back")
def send_back(visit: Visit, draft_id: str) -> Answer:
    """Send a draft back, or take it back."""
    return _decide(visit, draft_id, "send_back")


@studio.post("/studio/drafts/<draft_id>/publish", permission="path.publish")
def publish(visit: Visit, draft_id: str) -> Answer:
    """Publish a draft as the second person."""
    return _decide(visit, draft_id, "publish")


@studio.post("/studio/drafts/<draft_id>/discard", permission="path.edit")
def discard(visit: Visit, draft_id: str) -> Answer:
    """Give a draft up."""
    return _decide(visit, draft_id, "discard")


@studio.post("/studio/drafts/<draft_id>/take_newest_base", permission="path.edit")
def take_newest_base(visit: Visit, draft_id: str) -> Answer:
    """Let a draft stand on the newest version."""
    return _decide(visit, draft_id, "take_newest_base")


def _decide(visit: Visit, draft_id: str, verb: str) -> Answer:
    """Carry a decision out; what stops it is told on the page of the review."""
    view = queries.draft(visit.actor, draft_id)
    note = {"note": visit.text("note")} if verb in _WITH_NOTE else {}
    try:
        _DECISIONS[verb](visit.actor, draft_id, version=visit.version() or 0, **note)
    except BadPath:
        # The page lists the findings itself.
        return _review(visit, view, trouble=(visit.words.t("studio.not_good_yet"),), status=422)
    except Conflict as error:
        again = queries.draft(visit.actor, draft_id)
        return _review(visit, again, trouble=(visit.problem(error.code, error.params),), status=409)
    if verb == "publish":
        return see(f"/studio/paths/{view.draft.path}")
    return see(f"/studio/drafts/{draft_id}/review" if verb != "discard" else "/studio")


@studio.post("/studio/drafts/<draft_id>/comments")
def add_comment(visit: Visit, draft_id: str) -> Answer:
    """Say something about a draft."""
    element = visit.text("element") or None
    remarks.add_comment(visit.actor, draft_id, text=visit.text("text"), element=element)
    return see(f"/studio/drafts/{draft_id}/review#comments")


@studio.post("/studio/drafts/<draft_id>/comments/<comment_id>/resolve")
def resolve_comment(visit: Visit, draft_id: str, comment_id: str) -> Answer:
    """Say that a comment is settled."""
    remarks.resolve_comment(visit.actor, comment_id)
    return see(f"/studio/drafts/{queries.draft(visit.actor, draft_id).draft.id}/review#comments")


@studio.post("/studio/versions/<version_id>/retire", permission="path.publish")
def retire(visit: Visit, version_id: str) -> Answer:
    """Retire a version."""
    key = path_list.path_version(visit.actor, version_id).path
    publishing.retire_version(visit.actor, version_id)
    return see(f"/studio/paths/{key}")
