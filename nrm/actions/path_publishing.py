"""From a draft to a frozen version: asked for by one person, published by another, retired when it has served.

Findings and scenarios are the gates. Both are looked at before the transaction, on the version of the draft that is
published; the transaction makes sure that it is still this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import func, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.closing import MAIN_PATH
from nrm.actions.migration_stops import stop_for_retired
from nrm.actions.path_drafts import DraftChanged, lock_draft, record, with_changer
from nrm.actions.path_facts import installed
from nrm.actions.path_findings import inspect_draft
from nrm.actions.path_loading import used_resources
from nrm.actions.path_scenarios import failures, rehearse_draft
from nrm.actors import Actor
from nrm.engine.confined_drawings import draw_confined
from nrm.engine.findings import Finding, Severity
from nrm.engine.parsing import PathSpec, compile_path
from nrm.errors import BadPath, Conflict, IllegalMove, NotFound, NotValid, Problem, StaleVersion
from nrm.events import Data
from nrm.models import FormVersion, Membership, Notification, Path, PathDraft, PathVersion, Run, User
from nrm.queries import packs, paths
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.queries.path_turns import turn
from nrm.queries.paths import resources_to_json
from nrm.rules.drafts import EDIT, PUBLISH
from nrm.rules.texts import WrongValue, clean_text
from nrm.vocabulary import DraftStatus, PathStatus

LONGEST_NOTE: Final = 1000
MOST_REVIEWERS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version that was published.

    Attributes:
        id: id of the version.
        draft_version: version of the draft afterwards.
    """

    id: str
    path: str
    number: int
    sha256: str
    draft_version: int


def submit_draft(actor: Actor, draft_id: str, *, version: int, note: str = "") -> DraftChanged:
    """Ask a second person to look at a draft.

    Args:
        actor: who asks.
        draft_id: the draft.
        version: the version of the draft that was looked at.
        note: what is new, for the reviewers.

    Raises:
        NotFound: there is no such draft.
        BadPath: it has errors, or scenarios that do not pass; all are listed.
        IllegalMove: it is not open for changes.
        StaleVersion: somebody changed it since.
        NotValid: the note cannot be stored.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    with turn(actor):
        _must_be_good(queries.draft(actor, draft_id), version)
    return _submit(actor, draft_id, version=version, note=note)


@action("path_draft.submit", permission=EDIT)
def _submit(work: Work, draft_id: str, *, version: int, note: str) -> DraftChanged:
    row = lock_draft(work, draft_id, "submit", version=version)
    asked = {"status": str(DraftStatus.IN_REVIEW), "submitted_at": work.now, "submitted_by": work.actor.id}
    work.change(PathDraft, row.id, version=row.version, note=_note(note), **asked)
    record(work, "path.submitted", row.id, row.path_key)
    for user_id in _reviewers(work, {*row.changers, work.actor.id}):
        _notice(work, "path.submitted", row.id, user_id)
    return DraftChanged(id=row.id, version=row.version + 1, status=DraftStatus.IN_REVIEW)


@action("path_draft.send_back")
def send_back_draft(work: Work, draft_id: str, *, version: int, note: str = "") -> DraftChanged:
    """Send a draft back for changes, as a reviewer, or take it back, as its author.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
        IllegalMove: it is not in review.
        StaleVersion: somebody decided on it since.
        NotValid: the note cannot be stored.
    """
    queries.must_see(work.actor)
    row = lock_draft(work, draft_id, "send_back", version=version)
    decided = {"decided_at": work.now, "decided_by": work.actor.id}
    work.change(PathDraft, row.id, version=row.version, status=str(DraftStatus.DRAFT), note=_note(note), **decided)
    record(work, "path.sent_back", row.id, row.path_key)
    if row.submitted_by is not None and row.submitted_by != work.actor.id:
        _notice(work, "path.sent_back", row.id, row.submitted_by)
    return DraftChanged(id=row.id, version=row.version + 1, status=DraftStatus.DRAFT)


@action("path_draft.take_newest_base", permission=EDIT)
def take_newest_base(work: Work, draft_id: str, *, version: int) -> DraftChanged:
    """Let a draft stand on the version that was published since it began.

    Its content stays as it is: what the newer version says differently is part of the difference from now on, and is
    mended in the draft by whoever wants to keep it. Who wrote the content stays who changed it last.

    Raises:
        NotFound: there is no such draft.
        IllegalMove: it is not open for changes.
        StaleVersion: somebody changed it since.
    """
    row = lock_draft(work, draft_id, "save", version=version)
    latest = work.session.execute(select(Path.latest_id).where(Path.key == row.path_key)).scalar_one_or_none()
    changed = {"changed_at": work.now, "changers": with_changer(row.changers, work.actor)}
    work.change(PathDraft, row.id, version=row.version, base_version_id=latest, **changed)
    record(work, "path.draft_changed", row.id, row.path_key)
    return DraftChanged(id=row.id, version=row.version + 1, status=row.status)


def publish_draft(actor: Actor, draft_id: str, *, version: int) -> Published:
    """Publish a draft, as the second person: new runs of the path use it at once, running ones stay where they are.

    Args:
        actor: who publishes: nobody who ever changed it, and not who asked for the review.
        draft_id: the draft.
        version: the version of the draft that was looked at.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not publish, or must show a fresh code of the second factor.
        BadPath: it has errors, or scenarios that do not pass; all are listed.
        IllegalMove: it is not in review, or the actor is no second person.
        Conflict: "draft_outdated" when another version was published since it began.
        StaleVersion: somebody decided on it since.
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    with turn(actor):
        _must_be_good(queries.draft(actor, draft_id), version)
    return _publish(actor, draft_id, version=version)


def _must_be_good(view: DraftView, version: int) -> None:
    """Stop at errors of the diagram and at scenarios that do not pass.

    What is looked at here must be what is decided on later: a change in between is another version.
    """
    if view.draft.version != version:
        raise StaleVersion(view.draft.version)
    found = [finding for finding in inspect_draft(view, view.diagram).findings if finding.severity is Severity.ERROR]
    if not found:
        found = list(failures(rehearse_draft(view)))
    if found:
        raise BadPath(found)
    # Pages draw what is published without a child: only what can be drawn in time comes so far.
    draw_confined(view.diagram.encode(), language="en")


@action("path_draft.publish", permission=PUBLISH)
def _publish(work: Work, draft_id: str, *, version: int) -> Published:
    row = lock_draft(work, draft_id, "publish", version=version)
    path = work.session.execute(
        select(Path).where(Path.key == row.path_key).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    latest = path.latest_id if path is not None else None
    if latest != row.base_version_id:
        raise Conflict("draft_outdated", number=_number_of(work, latest))
    spec = compile_path(row.diagram.encode(), resources=installed().resources)
    made = _freeze(work, row, spec, path)
    decided = {"decided_at": work.now, "decided_by": work.actor.id, "published_version_id": made.id}
    work.change(PathDraft, row.id, version=row.version, status=str(DraftStatus.PUBLISHED), **decided)
    data: Data = {"path": row.path_key, "number": made.number}
    work.record("path.published", stream="system", subject=("path_version", made.id), data=data)
    for user_id in sorted({row.submitted_by or "", *row.changers} - {work.actor.id}):
        if user_id.startswith("usr_"):
            _notice(work, "path.published", row.id, user_id)
    return made


def _number_of(work: Work, version_id: str | None) -> int | None:
    found = work.session.execute(select(PathVersion.number).where(PathVersion.id == version_id))
    return found.scalar_one_or_none()


def _freeze(work: Work, row: PathDraft, spec: PathSpec, path: Path | None) -> Published:
    named = sorted({step.form for step in spec.steps.values() if step.form})
    forms = _frozen_forms(work, row.forms, named)
    missing = [Finding(code="unknown_form", params={"form": name}) for name in named if name not in forms]
    if missing:
        raise BadPath(missing)
    version_id = ids.new_id("ver")
    facts: dict[str, Any] = {"names": dict(spec.names), "level": spec.level, "latest_id": version_id}
    if path is None:
        path_id, number = work.add(Path, id=ids.new_id("pth"), key=row.path_key, loaded_hash=None, **facts), 1
    else:
        path_id = path.id
        last = select(func.max(PathVersion.number)).where(PathVersion.path_id == path_id)
        number = (work.session.execute(last).scalar() or 0) + 1
        work.change(Path, path_id, **facts)
    digest = hashlib.sha256(row.diagram.encode()).hexdigest()
    work.add(
        PathVersion,
        id=version_id,
        path_id=path_id,
        number=number,
        status=str(PathStatus.PUBLISHED),
        diagram=row.diagram,
        sha256=digest,
        forms=forms,
        resources=resources_to_json(used_resources(spec, row.diagram, installed().resources)),
        scenarios=row.scenarios,
        created_at=row.created_at,
        created_by=row.changed_by,
        published_at=work.now,
        published_by=work.actor.id,
    )
    return Published(id=version_id, path=row.path_key, number=number, sha256=digest, draft_version=row.version + 1)


def _frozen_forms(work: Work, changed: Mapping[str, object], named: Collection[str]) -> dict[str, str]:
    """Give the version of each form that a diagram names: the draft's own, frozen now, else the newest."""
    rows = work.session.execute(
        select(FormVersion.key, FormVersion.number, FormVersion.sha256, FormVersion.id)
        .where(FormVersion.key.in_({*named, *changed}))
        .order_by(FormVersion.key, FormVersion.number)
    ).all()
    by_hash = {(key, digest): version_id for key, _, digest, version_id in rows}
    found = {key: version_id for key, _, _, version_id in rows}
    numbers = {key: number for key, number, _, _ in rows}
    for key, content in changed.items():
        digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
        if (key, digest) not in by_hash:
            by_hash[key, digest] = work.add(
                FormVersion,
                id=ids.new_id("frm"),
                key=key,
                number=numbers.get(key, 0) + 1,
                sha256=digest,
                content=content,
                created_at=work.now,
            )
        found[key] = by_hash[key, digest]
    return {key: found[key] for key in named if key in found}


@action("path_version.retire", permission=PUBLISH)
def retire_version(work: Work, version_id: str) -> None:
    """Retire a version: nothing starts on it any more, what runs on it goes on, and no case is moved to it any more.

    A path whose newest version is retired starts no more until a draft of it is published.

    Args:
        work: the transaction.
        version_id: a published version.

    Raises:
        NotFound: there is no such version.
        Conflict: "path_still_needed" when every case begins with the path, or other paths start it;
            "path_needed_by_cases" when cases run on older versions of paths that start it.
        IllegalMove: it is retired already.
    """
    stop_for_retired(work, version_id)
    found = work.session.execute(
        select(Path, PathVersion)
        .join(PathVersion, PathVersion.path_id == Path.id)
        .where(PathVersion.id == version_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    path, version = found
    if version.status != PathStatus.PUBLISHED:
        raise IllegalMove(())
    needing = _who_needs(work, path, version)
    if needing:
        raise Conflict("path_still_needed", paths=", ".join(sorted(needing)))
    waiting = _running_who_need(work, path) if path.latest_id == version_id else set()
    if waiting:
        raise Conflict("path_needed_by_cases", paths=", ".join(sorted(waiting)))
    retired = {"status": str(PathStatus.RETIRED), "retired_at": work.now}
    work.session.execute(update(PathVersion).where(PathVersion.id == version_id).values(**retired))
    if path.latest_id == version_id:
        work.session.execute(update(Path).where(Path.id == path.id).values(latest_id=None))
    data: Data = {"path": path.key, "number": version.number}
    work.record("path.retired", stream="system", subject=("path_version", version_id), data=data)


def _who_needs(work: Work, path: Path, version: PathVersion) -> set[str]:
    """Name the paths whose newest version starts this one, by its number or as the newest."""
    newest = path.latest_id == version.id
    needing = {MAIN_PATH} if newest and path.key == MAIN_PATH else set()
    latest = select(Path.key, Path.latest_id).where(Path.latest_id.is_not(None), Path.id != path.id)
    for key, latest_id in work.session.execute(latest).all():
        spec = paths.version(str(latest_id)).spec
        if newest and path.key in spec.called:
            needing.add(key)
        calls = (step.call for step in spec.steps.values() if step.call is not None)
        if any(call.path == path.key and call.version == version.number for call in calls):
            needing.add(key)
    return needing


def _running_who_need(work: Work, path: Path) -> set[str]:
    """Name the paths of which cases run on a version that starts this path: they could not go on without it."""
    running = select(Run.id).where(Run.path_version_id == PathVersion.id, Run.status == "running")
    found = select(Path.key, PathVersion.id).join(Path, Path.id == PathVersion.path_id).where(running.exists())
    return {
        key
        for key, version_id in work.session.execute(found).all()
        if path.key in paths.version(version_id).spec.called
    }


def _note(text: str) -> str:
    try:
        return clean_text(text, longest=LONGEST_NOTE, lines=True)
    except WrongValue as wrong:
        raise NotValid([Problem(pointer="/note", code=wrong.code, params=wrong.params)]) from None


def _reviewers(work: Work, without: Collection[str]) -> list[str]:
    """Give the users who may publish what these people have changed."""
    roles = [role for role, given in packs.pack().roles.items() if PUBLISH in given]
    lasting = Membership.until.is_(None) | (Membership.until > work.now)
    found = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.role.in_(roles), lasting, User.disabled_at.is_(None), Membership.user_id.not_in(without))
        .distinct()
        .order_by(Membership.user_id)
        .limit(MOST_REVIEWERS)
    )
    return list(work.session.execute(found).scalars())


def _notice(work: Work, kind: str, draft_id: str, user_id: str) -> None:
    work.add(
        Notification,
        id=ids.new_id("ntf"),
        user_id=user_id,
        kind=kind,
        subject_kind="path_draft",
        subject_id=draft_id,
        created_at=work.now,
    )
