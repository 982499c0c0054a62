"""Documents: who may know of one, and its bytes.

Somebody may open a document in one of three ways: as one who reads the case (and may open documents), as the one who
works on the task that it was added to, or as the receiver of the referral that it was added to, where the file is the
receiver's own or the consent's scope includes documents. What was entered in error is listed, and opened by nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import structlog
from sqlalchemy import Boolean, ColumnElement, Select, and_, bindparam, exists, false, or_, select

from nrm import files
from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.installation import installation
from nrm.models import Case, Disclosure, Document, Referral, Run, Task
from nrm.queries.cases import must_read
from nrm.queries.referrals import GONE, received_by, receiver, receiving_shape, referral
from nrm.queries.rows import read
from nrm.queries.scope import Standing, asker, seen_by, standing_of
from nrm.queries.tasks import task
from nrm.rules.redaction import Relation, may_open_documents
from nrm.sealing import unseal
from nrm.vocabulary import APART, TaskStatus

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """A document in a list.

    Attributes:
        task_id: the task that it was added to.
        referral_id: the referral that it was added to.
        size: bytes.
        note: what its sender wrote to it.
        error_reason: why it was entered in error; None for one that was not.
    """

    id: str
    case_id: str | None
    task_id: str | None
    referral_id: str | None
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime
    note: str | None = None
    error_reason: str | None = None
    error_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFile:
    """A document with its bytes."""

    name: str
    content: bytes


def of_case(actor: Actor, now: datetime, case_id: str) -> tuple[DocumentRow, ...]:
    """List the documents of a case, the latest first.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
    """
    must_read(actor, now, case_id)
    return _list(actor, now, "case_id", case_id)


def of_task(actor: Actor, now: datetime, task_id: str) -> tuple[DocumentRow, ...]:
    """List the documents of a task, the latest first.

    Raises:
        NotFound: it is not the actor's to know of.
    """
    task(actor, now, task_id)
    return _list(actor, now, "task_id", task_id)


def of_referral(actor: Actor, now: datetime, referral_id: str) -> tuple[DocumentRow, ...]:
    """List the documents of a referral that the actor may open, the latest first.

    Raises:
        NotFound: it is not the actor's to know of.
    """
    referral(actor, now, referral_id)
    return _list(actor, now, "referral_id", referral_id)


def open_document(actor: Actor, now: datetime, document_id: str) -> DocumentFile:
    """Give a document with its bytes.

    Raises:
        NotFound: there is none that the actor may open, it was entered in error
            ("document_in_error"), or its file is gone or damaged ("document_lost").
    """
    found = [row for row in _rows(actor, now, "id", document_id) if _opens(row)]
    if not found:
        raise NotFound
    row = found[0]
    if row.error_at is not None:
        raise NotFound("document_in_error")
    content = files.fetch(installation().config.data_dir, row.stored_as, row=row.id, column="documents.content")
    if content is None or hashlib.sha256(content).hexdigest() != row.sha256:
        _log.error("document_lost", document=row.id)
        raise NotFound("document_lost")
    return DocumentFile(name=_name(row), content=content)


def must_know(actor: Actor, now: datetime, document_id: str) -> None:
    """Stop unless an actor may know of a document.

    Raises:
        NotFound: it is not the actor's to know of.
    """
    if not any(_opens(row) for row in _rows(actor, now, "id", document_id)):
        raise NotFound


_LIVE: Final = [str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD)]


def _rows(actor: Actor, now: datetime, by: str, value: str) -> Sequence[Any]:
    """Read documents of which an actor may know, with the part in which the actor knows of each.

    Returns:
        Rows of `Document`, with `in_team`: the actor reads the case; `at_work`: the actor works on the task;
        `receiver`: the receiving organisation where that is one's own.
    """
    statement = _statement(by, standing_of(actor), receiving_shape(actor), reads_cases=_reads_cases(actor))
    given = {**asker(actor, now), **receiver(actor), "value": value, "actor": actor.id, "live": actor.livemode}
    return read(statement, given)


def _reads_cases(actor: Actor) -> bool:
    return actor.may("document.read") and actor.may("case.read")


@lru_cache(maxsize=256)
def _statement(by: str, standing: Standing, seats: tuple[bool, ...], *, reads_cases: bool) -> Select[*tuple[Any, ...]]:
    """Build the statement once for each shape of who asks."""
    team, worker = _in_team(standing) if reads_cases else false(), _at_work()
    received = and_(Referral.id == Document.referral_id, received_by(seats), Referral.state.not_in(map(str, GONE)))
    parts = (team.label("in_team"), worker.label("at_work"), Referral.to_organisation_id.label("receiver"))
    return (
        select(Document, *parts)
        .outerjoin(Referral, received)
        .where(getattr(Document, by) == bindparam("value"), or_(team, worker, Referral.id.is_not(None)))
        .order_by(Document.added_at.desc(), Document.id)
        .limit(500)
    )


def _in_team(standing: Standing) -> ColumnElement[bool]:
    # What belongs to a run that is kept apart is not for the case's own team.
    apart = (
        exists()
        .where(Task.id == Document.task_id, Run.id == Task.run_id, Run.context[APART].as_string().is_not(None))
        .correlate(Document)
    )
    return and_(Document.case_id.in_(select(Case.id).where(seen_by(standing, reading=True))), ~apart)


def _at_work() -> ColumnElement[bool]:
    return (
        exists()
        .where(Task.id == Document.task_id, Task.assignee_id == bindparam("actor"), Task.status.in_(_LIVE))
        .where(Task.livemode == bindparam("live", type_=Boolean()))
        .correlate(Document)
    )


def _opens(row: Any) -> bool:  # noqa: ANN401 - a row of the statement above
    if row.in_team or row.at_work:
        return True
    if row.receiver is None:
        return False
    return row.organisation_id == row.receiver or may_open_documents(Relation.RECEIVER, _disclosed(row.referral_id))


def _disclosed(referral_id: str | None) -> frozenset[str]:
    lines = db.session.scalars(
        select(Disclosure.categories).where(Disclosure.referral_id == referral_id, Disclosure.restricted_at.is_(None))
    )
    return frozenset(category for line in lines for category in line)


def _list(actor: Actor, now: datetime, by: str, value: str) -> tuple[DocumentRow, ...]:
    return tuple(_row(row) for row in _rows(actor, now, by, value) if _opens(row))


def _row(row: Any) -> DocumentRow:  # noqa: ANN401 - a row of the statement above
    return DocumentRow(
        id=row.id,
        # A receiver knows the referral, not the sender's case.
        case_id=row.case_id if row.in_team else None,
        task_id=row.task_id,
        referral_id=row.referral_id,
        kind=row.kind,
        name=_name(row),
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        added_by=row.added_by,
        added_at=row.added_at,
        note=str(unseal(row.note, row=row.id, column="documents.note")) if row.note is not None else None,
        error_reason=row.error_reason,
        error_at=row.error_at,
    )


def _name(row: Any) -> str:  # noqa: ANN401 - a row of the statement above
    return str(unseal(row.name, row=row.id, column="documents.name"))
