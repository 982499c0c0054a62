"""Add documents to a case, to a task that one works on, to a referral; say that one was entered in error."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update

from nrm import files, ids
from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.referral_loading import load_referral
from nrm.actions.task_loading import load_task
from nrm.actors import Actor
from nrm.db import db
from nrm.errors import AlreadyDone, Conflict, IllegalMove, NotAllowed, NotFound, NotValid, Problem
from nrm.installation import installation
from nrm.models import Case, Document, Referral
from nrm.queries import packs
from nrm.queries.cases import must_read
from nrm.queries.documents import must_know
from nrm.queries.referrals import GONE, referral
from nrm.queries.tasks import task
from nrm.rules.documents import MOST_PER_CASE, CheckedFile, check_file, clean_name
from nrm.rules.texts import WrongValue, clean_text, is_code
from nrm.sealing import seal
from nrm.vocabulary import CaseStatus, ReferralState

KEEP_UNNAMED: Final = timedelta(days=1)
"""How long a file may lie there without a row: longer than any transaction lasts."""

LONGEST_NOTE: Final = 500
"""Most characters of the note to a document."""

REASONS: Final = "error_reason"
"""The code list that says why something was entered in error."""

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAdded:
    """A document that was added.

    Attributes:
        size: bytes as kept; an image's differ from those that were sent.
        sha256: of the bytes as kept.
    """

    id: str
    media_type: str
    size: int
    sha256: str


def add_to_case(actor: Actor, case_id: str, *, content: bytes, name: str, kind: str, note: str = "") -> DocumentAdded:
    """Add a file to a case.

    Args:
        actor: who acts.
        case_id: a case that the actor works on.
        content: the file.
        name: its name, as the sender calls it; sealed.
        kind: code of what it is.
        note: what somebody should know of it; sealed.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor may only read, or may not add documents.
        NotValid: the file, its name or its kind is not taken, or the case has as many as it may.
        Conflict: the case is closed.
    """
    _must_add(actor)
    must_read(actor, installation().clock.now(), case_id)
    return _keep_in_case(actor, case_id, file=_checked(content, name, kind, note))


def add_to_task(actor: Actor, task_id: str, *, content: bytes, name: str, kind: str) -> DocumentAdded:
    """Add a file to a task that one holds; an answer of its form may name it. Arguments as for `add_to_case`.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor may not add documents.
        IllegalMove: the actor does not hold the task.
        NotValid: as for `add_to_case`.
        Conflict: the case is closed.
    """
    _must_add(actor)
    task(actor, installation().clock.now(), task_id)
    return _keep_in_task(actor, task_id, file=_checked(content, name, kind))


def add_to_referral(actor: Actor, referral_id: str, *, content: bytes, name: str, kind: str) -> DocumentAdded:
    """Add a file to a referral, as its sender or its receiver. Arguments as for `add_to_case`.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor stands in no part to it, or may not add documents.
        IllegalMove: it was taken back.
        NotValid: as for `add_to_case`.
        Conflict: the case is closed.
    """
    _must_add(actor)
    referral(actor, installation().clock.now(), referral_id)
    return _keep_in_referral(actor, referral_id, file=_checked(content, name, kind))


def _must_add(actor: Actor) -> None:
    if not actor.may("document.add"):
        raise NotAllowed("not_allowed", permission="document.add")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A file that may be kept, with what is said about it."""

    file: CheckedFile
    name: str
    kind: str
    note: str


def _checked(content: bytes, name: str, kind: str, note: str = "") -> _Given:
    """Look at a file before any row is locked: drawing an image anew takes a while."""
    if not is_code(kind):
        raise NotValid([Problem(pointer="/kind", code="not_a_code")])
    try:
        said = clean_text(note, longest=LONGEST_NOTE, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/note", code=error.code, params=error.params)]) from error
    return _Given(name=clean_name(name), kind=kind, note=said, file=check_file(content))


@action("document.add_to_case", permission="document.add")
def _keep_in_case(work: Work, case_id: str, *, file: _Given) -> DocumentAdded:
    return _add(work, lock_visible_case(work, case_id, writing=True), file)


@action("document.add_to_task", permission="document.add")
def _keep_in_task(work: Work, task_id: str, *, file: _Given) -> DocumentAdded:
    loaded = load_task(work, task_id, version=None)
    loaded.must("draft")
    return _add(work, loaded.case, file, task_id=task_id, organisation_id=loaded.task.organisation_id)


@action("document.add_to_referral", permission="document.add")
def _keep_in_referral(work: Work, referral_id: str, *, file: _Given) -> DocumentAdded:
    loaded = load_referral(work, referral_id)
    if not loaded.parties:
        raise NotAllowed("not_your_referral")
    sent = loaded.referral
    if ReferralState(sent.state) in GONE:
        raise IllegalMove(loaded.actions(), "referral_taken_back")
    sides = (sent.from_organisation_id, sent.to_organisation_id)
    mine = next((side for side in sides if side in work.actor.organisations), None)
    return _add(work, loaded.case, file, referral=sent, organisation_id=mine)


def _add(
    work: Work,
    case: Case,
    given: _Given,
    *,
    task_id: str | None = None,
    referral: Referral | None = None,
    organisation_id: str | None = None,
) -> DocumentAdded:
    if case.status != CaseStatus.OPEN:
        raise Conflict("case_closed")
    work.flush()
    count = select(func.count()).select_from(Document).where(Document.case_id == case.id, Document.error_at.is_(None))
    if work.session.execute(count).scalar_one() >= MOST_PER_CASE:
        raise NotValid([Problem(pointer="", code="too_many_documents", params={"most": MOST_PER_CASE})])
    content = given.file.content
    document_id = ids.new_id("doc")
    added = DocumentAdded(
        id=document_id,
        media_type=given.file.media_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    work.add(
        Document,
        id=document_id,
        case_id=case.id,
        person_id=case.person_id,
        task_id=task_id,
        referral_id=referral.id if referral is not None else None,
        organisation_id=organisation_id or case.organisation_id,
        kind=given.kind,
        name=seal(given.name, row=document_id, column="documents.name"),
        note=seal(given.note, row=document_id, column="documents.note") if given.note else None,
        media_type=added.media_type,
        size=added.size,
        sha256=added.sha256,
        stored_as=_store(work, document_id, content),
        added_by=work.actor.id,
        added_at=work.now,
    )
    if referral is not None:
        clocks.record(work, referral, "document.added", document=document_id)
    else:
        work.record(
            "document.added",
            stream=case.id,
            subject=("document", document_id),
            data={"kind": given.kind, "task": task_id},
            organisation_id=organisation_id,
        )
    return added


@action("document.enter_in_error", permission="document.add")
def enter_in_error(work: Work, document_id: str, *, reason: str) -> None:
    """Say that a document was a mistake: it stays in the list with the reason, and nobody opens it any more.

    Args:
        work: the transaction.
        document_id: a document of a case that the actor works on, or one that the actor added.
        reason: a code of `REASONS`.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor may only read the case.
        NotValid: the reason is unknown.
        AlreadyDone: somebody said so before.
        Conflict: the case is closed.
    """
    row = work.session.get(Document, document_id)
    if row is None:
        raise NotFound
    if work.actor.id == row.added_by:
        case = work.lock_case(row.case_id)
    else:
        case = lock_visible_case(work, row.case_id, writing=True)
        must_know(work.actor, work.now, document_id)
    if case.status != CaseStatus.OPEN:
        raise Conflict("case_closed")
    if reason not in packs.pack().codes_of(REASONS):
        raise NotValid([Problem(pointer="/reason", code="unknown_code")])
    row = work.session.get_one(Document, document_id, populate_existing=True)
    if row.error_at is not None:
        raise AlreadyDone("document_in_error")
    said = {"error_reason": reason, "error_by": work.actor.id, "error_at": work.now}
    work.session.execute(update(Document).where(Document.id == document_id).values(**said))
    _record_error(work, row, reason)


def _record_error(work: Work, row: Document, reason: str) -> None:
    sent = work.session.get(Referral, row.referral_id) if row.referral_id is not None else None
    if sent is not None:
        # Who received the file must hear of it.
        clocks.record(work, sent, "document.entered_in_error", document=row.id, reason=reason)
        return
    data = {"reason": reason, "task": row.task_id}
    work.record("document.entered_in_error", stream=row.case_id, subject=("document", row.id), data=data)


def _store(work: Work, document_id: str, content: bytes) -> str:
    """Write the file now; it goes again when the transaction does not end well."""
    folder = installation().config.data_dir
    stored_as = files.store(folder, content, row=document_id, column="documents.content")
    work.after_rollback.append(lambda: files.remove(folder, stored_as))
    return stored_as


def sweep_files() -> dict[str, int]:
    """Remove files that no row names: what was left when the machine stopped between file and commit.

    Returns:
        How many, under "removed".
    """
    folder = installation().config.data_dir
    # The files' times are the machine's, also where a demonstration moves the clock.
    waiting = list(files.stored(folder, before=datetime.now(UTC) - KEEP_UNNAMED))
    removed = 0
    for start in range(0, len(waiting), _AT_ONCE):
        some = waiting[start : start + _AT_ONCE]
        named = set(db.session.execute(select(Document.stored_as).where(Document.stored_as.in_(some))).scalars())
        for name in set(some) - named:
            files.remove(folder, name)
            removed += 1
    db.session.rollback()
    return {"removed": removed}
