"""Drafts of paths: begin, save, look at what is wrong with them; and what a diagram may name."""

from __future__ import annotations

from typing import Final

from flask import Response

from api.schemas.path_drafts import (
    BODY_LIMIT,
    AddComment,
    BeginDraft,
    Decide,
    DraftsQuery,
    LookAtDiagram,
    SaveDiagram,
    SaveForm,
    SaveScenario,
    TryDraft,
    VocabularyQuery,
)
from api.transport.endpoint import Ask, Noun, read_file
from api.transport.problems import language
from api.transport.shapes import Made, made
from nrm.actions import path_comments as remarks
from nrm.actions import path_drafts as actions
from nrm.actions import path_publishing as publishing
from nrm.actions import path_scenarios as scenarios
from nrm.actions.path_bundles import BroughtIn, bring_bundle, take_bundle
from nrm.actions.path_drafts import DiagramSaved, DraftChanged
from nrm.actions.path_findings import FindingView, draft_findings
from nrm.actions.path_publishing import Published
from nrm.actions.path_scenarios import Coverage, draft_coverage
from nrm.actions.path_trials import TrialView, try_draft
from nrm.actions.path_vocabulary import PathVocabulary
from nrm.actions.path_vocabulary import path_vocabulary as tell
from nrm.installation import installation
from nrm.queries import path_drafts as queries
from nrm.queries.path_differences import Newer, PathDifference, newer_than, path_difference
from nrm.queries.path_drafts import CommentRow, DraftRow, DraftView
from nrm.rules.bundles import LARGEST_FILE
from nrm.rules.drafts import UNTOUCHED

path_drafts = Noun("path_drafts")

ZIP: Final = "application/zip"


@path_drafts.get("/path-drafts", query=DraftsQuery, answer=tuple[DraftRow, ...])
def list_drafts(ask: Ask) -> tuple[DraftRow, ...]:
    """List the drafts of paths that are open, the last changed first; with `closed` the others too.

    With `untouched` only those that nobody has changed for 60 days, to be published or given up.
    """
    before = installation().clock.now() - UNTOUCHED if ask.query["untouched"] else None
    return queries.draft_list(ask.actor, path=ask.query["path"], closed=ask.query["closed"], before=before)


@path_drafts.post("/path-drafts", permission="path.edit", body=BeginDraft, answer=DraftChanged, status=201)
def begin(ask: Ask) -> DraftChanged:
    """Begin a draft of a path, of an older version of one to go back to it, or of a new path."""
    return actions.begin_draft(ask.actor, **ask.body)


@path_drafts.get("/path-drafts/<draft_id>", answer=DraftView)
def read_draft(ask: Ask, draft_id: str) -> DraftView:
    """Read a draft: its diagram, the forms that it changes, its scenarios."""
    return queries.draft(ask.actor, draft_id)


@path_drafts.put(
    "/path-drafts/<draft_id>/diagram",
    permission="path.edit",
    body=SaveDiagram,
    answer=DiagramSaved,
    versioned=True,
    limit=BODY_LIMIT,
)
def save_diagram(ask: Ask, draft_id: str) -> DiagramSaved:
    """Save the diagram of a draft, however unfinished; what is wrong with it comes back, and stops nothing."""
    version = ask.version or 0
    return actions.save_diagram(ask.actor, draft_id, diagram=ask.body["diagram"], version=version, language=language())


@path_drafts.post(
    "/path-drafts/<draft_id>/findings",
    body=LookAtDiagram,
    answer=tuple[FindingView, ...],
    status=200,
    limit=BODY_LIMIT,
    keyed=False,
)
def look_at(ask: Ask, draft_id: str) -> tuple[FindingView, ...]:
    """Say what is wrong with a diagram as part of a draft, without saving it."""
    return draft_findings(ask.actor, draft_id, diagram=ask.body["diagram"], language=language())


@path_drafts.put(
    "/path-drafts/<draft_id>/forms/<key>", permission="path.edit", body=SaveForm, answer=DraftChanged, versioned=True
)
def save_form(ask: Ask, draft_id: str, key: str) -> DraftChanged:
    """Change a form in a draft, or add one."""
    return actions.save_form(ask.actor, draft_id, key=key, content=ask.body["content"], version=ask.version or 0)


@path_drafts.delete("/path-drafts/<draft_id>/forms/<key>", permission="path.edit", answer=DraftChanged, versioned=True)
def drop_form(ask: Ask, draft_id: str, key: str) -> DraftChanged:
    """Take a changed form out of a draft: the path asks its newest version again."""
    return actions.drop_form(ask.actor, draft_id, key=key, version=ask.version or 0)


@path_drafts.post("/path-drafts/<draft_id>/discard", permission="path.edit", answer=DraftChanged, versioned=True)
def discard(ask: Ask, draft_id: str) -> DraftChanged:
    """Give a draft up; it stays to be read."""
    return actions.discard_draft(ask.actor, draft_id, version=ask.version or 0)


@path_drafts.put(
    "/path-drafts/<draft_id>/scenarios/<key>",
    permission="path.edit",
    body=SaveScenario,
    answer=DraftChanged,
    versioned=True,
)
def save_scenario(ask: Ask, draft_id: str, key: str) -> DraftChanged:
    """Keep a way through a draft as a scenario; all scenarios must pass before it is published."""
    return scenarios.save_scenario(ask.actor, draft_id, name=key, version=ask.version or 0, **ask.body)


@path_drafts.delete(
    "/path-drafts/<draft_id>/scenarios/<key>", permission="path.edit", answer=DraftChanged, versioned=True
)
def drop_scenario(ask: Ask, draft_id: str, key: str) -> DraftChanged:
    """Take a scenario out of a draft."""
    return scenarios.drop_scenario(ask.actor, draft_id, name=key, version=ask.version or 0)


@path_drafts.get("/path-drafts/<draft_id>/coverage", answer=Coverage)
def read_coverage(ask: Ask, draft_id: str) -> Coverage:
    """Play the scenarios of a draft, and name the steps and flows that none of them takes."""
    return draft_coverage(ask.actor, draft_id, language=language())


@path_drafts.post(
    "/path-drafts/<draft_id>/trials",
    body=TryDraft,
    answer=TrialView,
    status=200,
    limit=BODY_LIMIT,
    keyed=False,
)
def make_trial(ask: Ask, draft_id: str) -> TrialView:
    """Play moves on a draft from its start, with a virtual clock, and say how everything stands; nothing is kept."""
    return try_draft(ask.actor, draft_id, language=language(), **ask.body)


@path_drafts.post(
    "/path-drafts/<draft_id>/submit", permission="path.edit", body=Decide, answer=DraftChanged, versioned=True
)
def submit(ask: Ask, draft_id: str) -> DraftChanged:
    """Ask a second person to look at a draft: it has no errors, and its scenarios pass."""
    return publishing.submit_draft(ask.actor, draft_id, version=ask.version or 0, note=ask.body["note"])


@path_drafts.post("/path-drafts/<draft_id>/send-back", body=Decide, answer=DraftChanged, versioned=True)
def send_back(ask: Ask, draft_id: str) -> DraftChanged:
    """Send a draft back for changes, or take it back."""
    return publishing.send_back_draft(ask.actor, draft_id, version=ask.version or 0, note=ask.body["note"])


@path_drafts.post(
    "/path-drafts/<draft_id>/take-newest-base", permission="path.edit", answer=DraftChanged, versioned=True
)
def take_newest_base(ask: Ask, draft_id: str) -> DraftChanged:
    """Let a draft stand on the version that was published since it began; its content stays."""
    return publishing.take_newest_base(ask.actor, draft_id, version=ask.version or 0)


@path_drafts.post("/path-drafts/<draft_id>/publish", permission="path.publish", answer=Published, versioned=True)
def publish(ask: Ask, draft_id: str) -> Published:
    """Publish a draft as the second person; new runs of the path use it at once."""
    return publishing.publish_draft(ask.actor, draft_id, version=ask.version or 0)


@path_drafts.post("/path-versions/<version_id>/retire", permission="path.publish")
def retire(ask: Ask, version_id: str) -> None:
    """Retire a version: nothing starts on it any more, what runs on it goes on."""
    publishing.retire_version(ask.actor, version_id)


@path_drafts.get("/path-versions/<version_id>/difference/<other_id>", answer=PathDifference)
def read_difference(ask: Ask, version_id: str, other_id: str) -> PathDifference:
    """Say how the second of two versions or drafts differs from the first, in words."""
    return path_difference(ask.actor, version_id, other_id, language=language())


@path_drafts.get("/path-drafts/<draft_id>/comments", answer=tuple[CommentRow, ...])
def list_comments(ask: Ask, draft_id: str) -> tuple[CommentRow, ...]:
    """List what was said about a draft and its elements."""
    return queries.comments(ask.actor, draft_id)


@path_drafts.post("/path-drafts/<draft_id>/comments", body=AddComment, answer=Made, status=201, shape=made)
def add_comment(ask: Ask, draft_id: str) -> str:
    """Say something about a draft, or about one element of it."""
    return remarks.add_comment(ask.actor, draft_id, **ask.body)


@path_drafts.post("/path-comments/<comment_id>/resolve")
def resolve_comment(ask: Ask, comment_id: str) -> None:
    """Say that a comment is settled."""
    remarks.resolve_comment(ask.actor, comment_id)


@path_drafts.get("/path-drafts/<draft_id>/bundle", answer=str, media=ZIP)
def take_draft(ask: Ask, draft_id: str) -> Response:
    """Take a draft as a file: a zip with its diagram, its forms and its scenarios."""
    return _file(*take_bundle(ask.actor, draft_id))


@path_drafts.get("/path-versions/<version_id>/bundle", answer=str, media=ZIP)
def take_version(ask: Ask, version_id: str) -> Response:
    """Take a version as such a file."""
    return _file(*take_bundle(ask.actor, version_id))


def _file(name: str, content: bytes) -> Response:
    return Response(content, content_type=ZIP, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@path_drafts.post(
    "/path-drafts/bundle",
    permission="path.edit",
    answer=BroughtIn,
    status=201,
    upload=(ZIP, "application/octet-stream"),
)
def bring_draft(ask: Ask) -> BroughtIn:
    """Begin a draft with such a file, of the path of its key or of a new one."""
    return bring_bundle(ask.actor, read_file(LARGEST_FILE), language=language())


@path_drafts.get("/path-drafts/<draft_id>/newer", answer=Newer | None)
def read_newer(ask: Ask, draft_id: str) -> Newer | None:
    """Say what was published since a draft began, and what of it the draft changes too; null when nothing was."""
    return newer_than(ask.actor, draft_id, language=language())


@path_drafts.get("/path-vocabulary", query=VocabularyQuery, answer=PathVocabulary)
def vocabulary(ask: Ask) -> PathVocabulary:
    """Give everything that a diagram may name, with names in the reader's language."""
    return tell(ask.actor, language=language(), draft_id=ask.query["draft"])
