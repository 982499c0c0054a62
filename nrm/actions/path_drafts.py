"""Drafts of paths: begin one, change it, give it up. What a diagram says is checked before the transaction begins."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.path_findings import FindingView, inspect_draft, told
from nrm.actors import Actor
from nrm.countries import Json
from nrm.engine.blank import blank_diagram
from nrm.engine.reading import MAX_BYTES
from nrm.errors import BadPath, IllegalMove, NotFound, NotValid, Problem, StaleVersion
from nrm.models import Path, PathDraft, PathVersion
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import outdated_forms
from nrm.queries.path_turns import turn
from nrm.rules.drafts import EDIT, MOST_OF_PATH, MOST_OF_PERSON, PUBLISH, draft_moves
from nrm.rules.forms import LANGUAGES, parse_form
from nrm.rules.texts import WrongValue, clean_text, is_code
from nrm.vocabulary import DraftStatus

LONGEST_NAME: Final = 200
LONGEST_DIAGRAM: Final = MAX_BYTES
MOST_FORMS: Final = 60
SITTING: Final = timedelta(minutes=10)
"""Changes of one person closer together than this are one event."""
_DECLARATION: Final = re.compile(r"^\ufeff?\s*<\?xml[^>]{0,200}\?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftChanged:
    """A draft after a change of it."""

    id: str
    version: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramSaved:
    """A diagram that was saved, and what is wrong with it in the reader's language."""

    version: int
    saved_at: datetime
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What a new draft begins with."""

    path: str
    base: str | None
    names: Mapping[str, str]
    diagram: str
    forms: Mapping[str, object]
    scenarios: Mapping[str, object]


@action("path_draft.begin", permission=EDIT)
def begin_draft(
    work: Work,
    *,
    path: str | None = None,
    from_version: str | None = None,
    key: str | None = None,
    names: Mapping[str, str] | None = None,
) -> DraftChanged:
    """Begin a draft: of a path as it is now, of an older version of it (to go back to it), or of a new path.

    Args:
        work: the transaction.
        path: key of the path; give this, or `from_version`, or `key` and `names`.
        from_version: id of a version.
        key: key of the new path.
        names: name of the new path in each language.

    Raises:
        NotFound: there is no such path or version.
        NotValid: none or several of the three were given; the key is taken or no code; a name is missing; the actor
            or the path has too many open drafts.
    """
    if sum(value is not None for value in (path, from_version, key)) != 1:
        raise NotValid([Problem(pointer="/path", code="give_one", params={"fields": "path, from_version, key"})])
    if key is not None:
        content = _new_path(work, key, names or {})
    else:
        content = _of_version(work, _version_of(work, path) if path is not None else str(from_version))
    return _begin(work, content)


@action("path_draft.begin_imported", permission=EDIT)
def begin_imported(
    work: Work,
    *,
    key: str,
    names: Mapping[str, str],
    diagram: str,
    forms: Mapping[str, Mapping[str, Json]] | None = None,
    scenarios: Mapping[str, Mapping[str, Json]] | None = None,
) -> DraftChanged:
    """Begin a draft with content from outside, of a path that is there or of a new one.

    Args:
        work: the transaction.
        key: key of the path.
        names: name of a new path in each language; a path that is there keeps its own.
        diagram: the BPMN text, read under limits by the caller in a process that can be killed.
        forms: forms that it brings, each as in a form file.
        scenarios: scenarios that it brings.

    Raises:
        NotValid: a name is missing, the key is no code, a form has mistakes, or the actor or the path has too many
            open drafts; nothing was begun.
    """
    path = work.session.execute(select(Path).where(Path.key == key)).scalar_one_or_none()
    if path is None:
        problems = [] if is_code(key) else [Problem(pointer="/key", code="not_a_code")]
        known, base = _clean_names(names, problems), None
        if problems:
            raise NotValid(problems)
    else:
        known, base = dict(path.names), path.latest_id
    for name, form in (forms or {}).items():
        _must_be_form(name, form)
    content = _Content(
        path=key, base=base, names=known, diagram=diagram, forms=dict(forms or {}), scenarios=dict(scenarios or {})
    )
    return _begin(work, content)


def _must_be_form(key: str, content: Mapping[str, Json]) -> None:
    if parse_form(dict(content)).key != key:
        raise NotValid([Problem(pointer="/form", code="form_key_differs", params={"key": key})])


def _new_path(work: Work, key: str, names: Mapping[str, str]) -> _Content:
    problems = [] if is_code(key) else [Problem(pointer="/key", code="not_a_code")]
    if work.session.execute(select(Path.id).where(Path.key == key)).first():
        problems.append(Problem(pointer="/key", code="key_taken"))
    clean = _clean_names(names, problems)
    if problems:
        raise NotValid(problems)
    diagram = blank_diagram(key, clean)
    return _Content(path=key, base=None, names=clean, diagram=diagram, forms={}, scenarios={})


def _clean_names(names: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    """Give the names as they are stored; what is wrong with them is added to the problems."""
    clean: dict[str, str] = {}
    for language in LANGUAGES:
        try:
            clean[language] = clean_text(names.get(language, ""), longest=LONGEST_NAME)
        except WrongValue as wrong:
            problems.append(Problem(pointer=f"/names/{language}", code=wrong.code, params=wrong.params))
            continue
        if not clean[language]:
            problems.append(Problem(pointer=f"/names/{language}", code="required"))
    unknown = sorted(set(names) - set(LANGUAGES))
    problems += [Problem(pointer=f"/names/{name}", code="unknown_field") for name in unknown]
    return clean


def _version_of(work: Work, path: str) -> str:
    latest = select(Path.latest_id).where(Path.key == path)
    found = work.session.execute(latest).scalar_one_or_none()
    if found is None:
        last = select(PathVersion.id).join(Path, Path.id == PathVersion.path_id).where(Path.key == path)
        found = work.session.execute(last.order_by(PathVersion.number.desc()).limit(1)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _of_version(work: Work, version_id: str) -> _Content:
    found = work.session.execute(
        select(PathVersion, Path).join(Path, Path.id == PathVersion.path_id).where(PathVersion.id == version_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    version, path = found
    return _Content(
        path=path.key,
        base=path.latest_id,
        names=path.names,
        diagram=version.diagram,
        forms=outdated_forms(version.forms.values()),
        scenarios=version.scenarios,
    )


def _must_have_room(work: Work, path: str) -> None:
    """Stop where somebody, or a path, has so many open drafts that they are forgotten rather than worked on."""
    still_open = select(func.count()).select_from(PathDraft).where(PathDraft.status.in_(queries.OPEN))
    counted = (
        ("too_many_drafts_of_person", MOST_OF_PERSON, PathDraft.created_by == work.actor.id),
        ("too_many_drafts_of_path", MOST_OF_PATH, PathDraft.path_key == path),
    )
    for code, most, whose in counted:
        if work.session.execute(still_open.where(whose)).scalar_one() >= most:
            raise NotValid([Problem(pointer="/path", code=code, params={"most": most})])


def _begin(work: Work, content: _Content) -> DraftChanged:
    _must_have_room(work, content.path)
    draft_id = work.add(
        PathDraft,
        id=ids.new_id("drf"),
        path_key=content.path,
        base_version_id=content.base,
        names=dict(content.names),
        diagram=content.diagram,
        forms=dict(content.forms),
        scenarios=dict(content.scenarios),
        status=str(DraftStatus.DRAFT),
        note="",
        version=1,
        created_at=work.now,
        created_by=work.actor.id,
        changed_at=work.now,
        changed_by=work.actor.id,
        changers=[work.actor.id],
    )
    record(work, "path.draft_begun", draft_id, content.path)
    return DraftChanged(id=draft_id, version=1, status=DraftStatus.DRAFT)


def save_diagram(actor: Actor, draft_id: str, *, diagram: str, version: int, language: str) -> DiagramSaved:
    """Save the diagram of a draft, however unfinished it is, and say what is wrong with it.

    Args:
        actor: who saves.
        draft_id: the draft.
        diagram: the BPMN text.
        version: the version of the draft that was changed.
        language: of the findings.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not change paths.
        BadPath: the text is no BPMN diagram within the limits; nothing was changed.
        IllegalMove: it is not open for changes.
        StaleVersion: somebody changed it since.
        Busy: too many diagrams are being checked at this moment.
        TooMany: the actor has too many checks under way.
    """
    view = queries.draft(actor, draft_id)
    text = _DECLARATION.sub("", diagram)
    with turn(actor):
        inspected = inspect_draft(view, text)
    if inspected.key is None:
        raise BadPath(inspected.findings)
    changed = _store_diagram(actor, draft_id, diagram=text, version=version)
    return DiagramSaved(version=changed[0], saved_at=changed[1], findings=told(inspected.findings, language))


@action("path_draft.save", permission=EDIT)
def _store_diagram(work: Work, draft_id: str, *, diagram: str, version: int) -> tuple[int, datetime]:
    try:
        row = lock_draft(work, draft_id, "save", version=version)
    except StaleVersion as stale:
        row = work.session.execute(select(PathDraft).where(PathDraft.id == draft_id)).scalar_one()
        if (row.diagram, row.changed_by, row.version) != (diagram, work.actor.id, version + 1):
            raise stale from None
        # The same once more, from somebody whose line broke before the answer came.
    if row.diagram == diagram:
        return row.version, row.changed_at
    return change_draft(work, row, diagram=diagram).version, work.now


@action("path_draft.save_form", permission=EDIT)
def save_form(work: Work, draft_id: str, *, key: str, content: Mapping[str, Json], version: int) -> DraftChanged:
    """Change or add a form in a draft; it is frozen when the draft is published.

    Args:
        work: the transaction.
        draft_id: the draft.
        key: key of the form; the content must name the same.
        content: the form, as in a form file.
        version: the version of the draft that was changed.

    Raises:
        NotFound: there is no such draft.
        NotValid: the form has mistakes, each by its pointer.
        IllegalMove: the draft is not open for changes.
        StaleVersion: somebody changed it since.
    """
    row = lock_draft(work, draft_id, "save", version=version)
    _must_be_form(key, content)
    if key not in row.forms and len(row.forms) >= MOST_FORMS:
        raise NotValid([Problem(pointer="", code="too_many_entries", params={"most": MOST_FORMS})])
    return change_draft(work, row, forms={**row.forms, key: dict(content)})


@action("path_draft.drop_form", permission=EDIT)
def drop_form(work: Work, draft_id: str, *, key: str, version: int) -> DraftChanged:
    """Take a changed form out of a draft: the path uses its newest version again.

    Raises:
        NotFound: there is no such draft, or it does not change this form.
        IllegalMove: the draft is not open for changes.
        StaleVersion: somebody changed it since.
    """
    row = lock_draft(work, draft_id, "save", version=version)
    if key not in row.forms:
        raise NotFound
    return change_draft(work, row, forms={name: form for name, form in row.forms.items() if name != key})


@action("path_draft.discard", permission=EDIT)
def discard_draft(work: Work, draft_id: str, *, version: int) -> DraftChanged:
    """Give a draft up; it stays to be read.

    Raises:
        NotFound: there is no such draft.
        IllegalMove: it is in review, published or discarded.
        StaleVersion: somebody changed it since.
    """
    row = lock_draft(work, draft_id, "discard", version=version)
    decided = {"status": str(DraftStatus.DISCARDED), "decided_at": work.now, "decided_by": work.actor.id}
    work.change(PathDraft, row.id, version=row.version, **decided)
    record(work, "path.draft_discarded", row.id, row.path_key)
    return DraftChanged(id=row.id, version=row.version + 1, status=DraftStatus.DISCARDED)


def lock_draft(work: Work, draft_id: str, move: str, *, version: int) -> PathDraft:
    """Load a draft, keep everybody else from changing it, and make sure that a verb fits it.

    Raises:
        NotFound: there is no such draft.
        IllegalMove: the verb does not fit its state, or not this actor.
        StaleVersion: the stored version is another one.
    """
    statement = select(PathDraft).where(PathDraft.id == draft_id).with_for_update()
    row = work.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound
    actor = work.actor
    moves = draft_moves(
        queries.state_of(row), actor_id=actor.id, may_edit=actor.may(EDIT), may_publish=actor.may(PUBLISH)
    )
    if move not in moves:
        raise _refused(row, move, moves, actor)
    if row.version != version:
        raise StaleVersion(row.version)
    return row


def _refused(row: PathDraft, move: str, moves: tuple[str, ...], actor: Actor) -> IllegalMove:
    if move == "publish" and row.status == DraftStatus.IN_REVIEW and queries.state_of(row).own(actor.id):
        return IllegalMove(moves, "second_person_publishes")
    return IllegalMove(moves, "draft_not_open")


def change_draft(work: Work, row: PathDraft, **values: object) -> DraftChanged:
    """Write new content of a locked draft, in the name of whoever acts."""
    if row.changed_by != work.actor.id or work.now - row.changed_at >= SITTING:
        record(work, "path.draft_changed", row.id, row.path_key)
    changed = {"changed_at": work.now, "changed_by": work.actor.id, "changers": with_changer(row.changers, work.actor)}
    work.change(PathDraft, row.id, version=row.version, **values, **changed)
    return DraftChanged(id=row.id, version=row.version + 1, status=row.status)


def with_changer(changers: Collection[str], actor: Actor) -> list[str]:
    """Give those who changed something, with whoever changes it now."""
    return sorted({*changers, actor.id})


def record(work: Work, kind: str, draft_id: str, path: str, **more: int | str) -> None:
    """State a fact about a draft."""
    work.record(kind, stream="system", subject=("path_draft", draft_id), data={"path": path, **more})
