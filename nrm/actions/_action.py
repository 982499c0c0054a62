"""The one wrapper of every change: permission, transaction, case lock, events, jobs, one commit, retries.

```
accept_referral(actor, …)            called by a door
  └─ @action("referral.accept")      permission → BEGIN → the verb → inserts, events, idempotency → COMMIT
       └─ accept(work, …)            may call other verbs' inner parts with the same `work`
```
"""

from __future__ import annotations

import functools
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Concatenate, Final, NoReturn, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from nrm import ids
from nrm.actions.statements import (
    ROW,
    SEEN,
    Step,
    delete_rows,
    insert_into,
    run_together,
    set_values,
    update_row,
)
from nrm.actors import Actor
from nrm.db import WRITING, Base, db, write_from_now_on
from nrm.errors import Busy, Conflict, NotAllowed, NotFound, NotValid, NrmError, Problem, StaleVersion
from nrm.events import KINDS, Data, chain_hash
from nrm.installation import installation
from nrm.jobs.hand import JOBS, in_hand
from nrm.jobs.table import CANCEL, end_own, job_row, wake_runners
from nrm.models import Case, Event, EventHead, IdempotencyKey
from nrm.rules.permissions import PERMISSIONS
from nrm.rules.step_up import require_proof
from nrm.rules.texts import unstorable

P = ParamSpec("P")
R = TypeVar("R")

Row = dict[str, Any]

# A mapped class has a Table, which its type does not say.
_CASES: Final = cast("Table", Case.__table__)
_EVENTS: Final = cast("Table", Event.__table__)
_HEADS: Final = cast("Table", EventHead.__table__)

_LOCKED_CASE: Final = (
    select(Case).where(Case.id == bindparam("case")).with_for_update(of=Case).execution_options(populate_existing=True)
)
_KNOWN_KEY: Final = select(IdempotencyKey).where(
    IdempotencyKey.owner == bindparam("owner"), IdempotencyKey.key == bindparam("key")
)

ATTEMPTS: Final = 5
"""How often a transaction is tried when the database says that it lost a race."""

_MET: Final = (
    "idempotency_keys",
    "form_versions",
    "path_versions",
    "paths.key",
    "uq_paths_key",
    "manifest_rows",
    "event_heads",
    "external_id",
    "letter_counters",
    "used_assertions",
    *("cases.number", "uq_cases_number"),
    *("referrals.number", "uq_referrals_number"),
)
"""What the unique indexes are called (SQLite names columns, PostgreSQL constraints) that two at once may meet in."""

_RACES: Final = frozenset({"40001", "40P01", "55P03", "25P02"})
"""PostgreSQL: serialization failure, deadlock, lock not available; a read before the action had failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An event that will be written at the end of the transaction."""

    stream: str
    kind: str
    subject: tuple[str, str]
    data: Data
    organisation_id: str | None
    sender_id: str | None


@dataclass(slots=True)
class Work:
    """One transaction in progress: who acts, when, and what will be written.

    Attributes:
        session: the database session; only `_action` commits it.
        actor: who acts.
        now: the moment of the whole transaction.
        before_finish: called once all verbs are done, before the last flush.
        after_commit: called when everything is stored (wake-ups; never a change).
        after_rollback: called when nothing was stored (files that lie beside the tables).
        memory: what inner parts keep for the length of the transaction, under their own name.
    """

    session: Session
    actor: Actor
    now: datetime
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    _cases: set[str] = field(default_factory=set)
    _events: list[Pending] = field(default_factory=list)
    _wakes: bool = False
    _changes: list[Step] = field(default_factory=list)
    _rows: dict[Table, list[Row]] = field(default_factory=lambda: defaultdict(list))
    before_finish: list[Callable[[], None]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    after_rollback: list[Callable[[], None]] = field(default_factory=list)
    memory: dict[str, object] = field(default_factory=dict)
    _connection: Connection | None = None

    def _run(self, steps: list[Step]) -> None:
        """Run steps on the transaction's own connection, past what the session would look for.

        Raises:
            NotFound: a row that changes is not there.
            StaleVersion: it has another version.
        """
        touched = run_together(self._open_connection(), steps)
        for step, count in zip(steps, touched, strict=True):
            if step.changes is not None and count != 1:
                self._raise_missed(*step.changes)

    def _raise_missed(self, table: Table, row_id: str) -> NoReturn:
        current = self.session.execute(select(table.c.version).where(table.c.id == row_id)).scalar_one_or_none()
        if current is None:
            raise NotFound
        raise StaleVersion(current)

    def _inserted(self, table: Table, rows: list[Row]) -> Step:
        """Make the insert of rows of the same columns."""
        return Step(statement=insert_into(table, tuple(rows[0]), self._open_connection().dialect), rows=rows)

    def _updated(self, table: Table, row_id: str, values: Row, *, key: str = "id", seen: int | None = None) -> Step:
        """Make the update of one row."""
        dialect = self._open_connection().dialect
        statement = update_row(table, key, tuple(values), dialect, versioned=seen is not None)
        row = {ROW: row_id, SEEN: seen, **set_values(values)}
        return Step(statement=statement, rows=[row], changes=(table, row_id) if key == "id" else None)

    def _open_connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.session.connection()
        return self._connection

    def lock_case(self, case_id: str) -> Case:
        """Load a case and keep everybody else from changing it until the end.

        Raises:
            NotFound: when there is no such case.
        """
        # What was changed and not yet written would be lost when the row is read again.
        self.session.flush()
        found = self.session.execute(_LOCKED_CASE, {"case": case_id}).scalar_one_or_none()
        if found is None:
            raise NotFound
        self.hold(found)
        return found

    def lock_case_new(self, case_id: str) -> Case:
        """Give a case that this transaction has just added; nobody else can hold it."""
        self.flush()
        return self.lock_case(case_id)

    def hold(self, case: Case) -> None:
        """Note that the case's row was locked by the caller's own loading query."""
        if case.id not in self._cases:
            self._cases.add(case.id)
            self._heads[case.id] = (case.event_seq, case.event_hash)

    def record(
        self,
        kind: str,
        *,
        stream: str,
        subject: tuple[str, str],
        data: Data | None = None,
        organisation_id: str | None = None,
        sender_id: str | None = None,
    ) -> None:
        """State a fact; it is written with the rest at the end.

        Args:
            kind: one of `nrm.events.KINDS`.
            stream: id of the locked case, of an organisation, or "system".
            subject: kind and id of what it happened to.
            data: ids and codes, never a personal value.
            organisation_id: the organisation that it is about, where there is one.
            sender_id: the organisation that sent the referral that it is about.

        Raises:
            KeyError: when the kind is not in the list of events.
        """
        KINDS[kind]
        self._events.append(
            Pending(
                stream=stream,
                kind=kind,
                subject=subject,
                data=data or {},
                organisation_id=organisation_id,
                sender_id=sender_id,
            )
        )

    def add(self, model: type[Base], **values: Any) -> str:  # noqa: ANN401 - column values
        """Insert a row at the next flush, by column names; column defaults apply.

        Returns:
            The id that the caller gave, "" for a table without one.
        """
        table: Table = model.__table__  # type: ignore[assignment]  # a mapped class has a Table
        self._rows[table].append(values)
        return str(values.get("id", ""))

    def flush(self) -> None:
        """Write the changes and rows that wait, parents before children, so that a following query sees them."""
        self.session.flush()
        if self._changes or self._rows:
            self._run(self._waiting())

    def _waiting(self) -> list[Step]:
        """Take what waits: changes first, in their order, since a row may take the place of one that goes."""
        steps, self._changes = self._changes, []
        waiting, self._rows = self._rows, defaultdict(list)
        places = _table_places()
        for table in sorted(waiting, key=places.__getitem__):
            steps += [self._inserted(table, group) for group in _by_columns(waiting[table])]
        return steps

    def change(self, model: type[Base], row_id: str, *, version: int | None = None, **values: Any) -> None:  # noqa: ANN401
        """Update one row by id, at once.

        Args:
            model: the table.
            row_id: the row's id.
            version: the version that the change is based on; the stored one is raised by one.
            values: the new values, plain ones.

        Raises:
            NotFound: when there is no such row.
            StaleVersion: when the stored version is another one.
        """
        # A change that waits may be one of the same row.
        steps, self._changes = self._changes, []
        self._run([*steps, self._changed(model, row_id, version, values)])

    def change_soon(self, model: type[Base], row_id: str, *, version: int | None = None, **values: Any) -> None:  # noqa: ANN401
        """Update one row by id with the next flush, in one trip; arguments and errors as for `change`.

        For rows that the case's lock keeps from others, and where nothing is read before the flush that should be new.
        """
        self._changes.append(self._changed(model, row_id, version, values))

    def _changed(self, model: type[Base], row_id: str, version: int | None, values: Row) -> Step:
        table: Table = model.__table__  # type: ignore[assignment]  # a mapped class has a Table
        if version is not None:
            values["version"] = version + 1
        return self._updated(table, row_id, values, seen=version)

    def require(self, permission: str, *, desk: str | None = None, organisation: str | None = None) -> None:
        """Stop unless the actor has a permission (at this desk, in this organisation).

        Raises:
            NotAllowed: when no seat of the actor gives it, or a fresh code of the second factor is needed.
        """
        if not self.actor.may(permission, desk=desk, organisation=organisation):
            raise NotAllowed("not_allowed", permission=permission)
        require_proof(self.actor, permission)

    def enqueue(
        self,
        kind: str,
        args: Mapping[str, Any],
        *,
        due_at: datetime,
        queue: str | None = None,
        case_id: str | None = None,
        dedup_key: str | None = None,
    ) -> None:
        """Ask the runner for something, in this transaction.

        Args:
            kind: kind of job, one of `nrm.jobs.kinds.KINDS`.
            args: ids and codes.
            due_at: not before this moment.
            queue: another queue than the kind's.
            case_id: the case that it is about.
            dedup_key: the name by which it is found again; at most one live job has it.

        Raises:
            KeyError: when the kind is unknown.
        """
        row = job_row(kind, args, due_at=due_at, now=self.now, queue=queue, case_id=case_id, dedup_key=dedup_key)
        self._rows[JOBS].append(row)
        self._wakes = self._wakes or due_at <= self.now

    def cancel_jobs(self, *dedup_keys: str) -> None:
        """Forget jobs by their keys, those that still wait to be written too.

        One that another runner has in hand is taken from it: that runner's transaction rolls back.
        """
        if self._rows.get(JOBS):
            self._rows[JOBS] = [row for row in self._rows[JOBS] if row.get("dedup_key") not in dedup_keys]
        for key in dedup_keys:
            end_own(self.session, key)
        rows = [{"key": key} for key in dedup_keys]
        self._changes.append(Step(statement=delete_rows(CANCEL, self._open_connection().dialect), rows=rows))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back everything written inside when it raises; what was written before stays."""
        self.flush()
        heads, events = dict(self._heads), len(self._events)
        job = in_hand()
        ended = job is not None and job.deleted
        nested = self.session.begin_nested()
        # The session opens the savepoint only when it is asked for its connection; `_run` does not ask.
        self._connection = self.session.connection()
        try:
            yield
            self.flush()
        except BaseException:
            nested.rollback()
            self._rows, self._changes = defaultdict(list), []
            self._heads = heads
            del self._events[events:]
            if job is not None:
                # When the job's row was deleted inside, it is there again.
                job.deleted = ended
            raise
        nested.commit()

    @contextmanager
    def buffered(self) -> Iterator[None]:
        """Take back rows, changes and events added inside when it raises; for parts that run no statement before."""
        rows = {table: len(waiting) for table, waiting in self._rows.items()}
        changes, events = len(self._changes), len(self._events)
        try:
            yield
        except BaseException:
            for table, waiting in self._rows.items():
                del waiting[rows.get(table, 0) :]
            del self._changes[changes:]
            del self._events[events:]
            raise

    def finish(self) -> None:
        """Write rows, events and chain heads; the transaction is complete after this."""
        for call in self.before_finish:
            call()
        self.session.flush()
        if any(pending.stream not in self._heads for pending in self._events):
            # The head of a chain is looked up; it may be that of a case which waits to be written.
            self.flush()
        rows, heads = self._chained()
        steps = self._waiting()
        if rows:
            steps += [self._inserted(_EVENTS, rows), *self._moved_heads(heads)]
        if steps:
            self._run(steps)
        if self._wakes:
            wake_runners(self.session)

    def _chained(self) -> tuple[list[Row], dict[str, tuple[int, str]]]:
        """Make the rows of the events, each with the hash of the one before it, and say where each chain ends now."""
        rows: list[Row] = []
        changed: dict[str, tuple[int, str]] = {}
        for pending in self._events:
            seq, previous = self._head(pending.stream)
            seq += 1
            digest = chain_hash(
                previous,
                stream=pending.stream,
                seq=seq,
                at=self.now,
                kind=pending.kind,
                actor=self.actor.id,
                subject=pending.subject,
                data=pending.data,
            )
            rows.append(
                {
                    "stream": pending.stream,
                    "seq": seq,
                    "id": ids.new_id("evt"),
                    "at": self.now,
                    "kind": pending.kind,
                    "actor": self.actor.id,
                    "organisation_id": pending.organisation_id,
                    "sender_id": pending.sender_id,
                    "subject_kind": pending.subject[0],
                    "subject_id": pending.subject[1],
                    "data": dict(pending.data),
                    "prev_hash": previous,
                    "hash": digest,
                }
            )
            self._heads[pending.stream] = changed[pending.stream] = (seq, digest)
        return rows, changed

    def _head(self, stream: str) -> tuple[int, str]:
        if stream in self._heads:
            return self._heads[stream]
        if stream.startswith("cas_"):
            # A case that this transaction has just made, or one that the caller forgot to lock.
            case = self.lock_case(stream)
            return case.event_seq, case.event_hash
        head = self.session.execute(
            select(EventHead).where(EventHead.stream == stream).with_for_update()
        ).scalar_one_or_none()
        if head is None:
            self._run([self._inserted(_HEADS, [{"stream": stream}])])
            return 0, ""
        return head.seq, head.hash

    def _moved_heads(self, changed: Mapping[str, tuple[int, str]]) -> Iterator[Step]:
        for stream, (seq, digest) in changed.items():
            if stream.startswith("cas_"):
                table, key = _CASES, "id"
                values: Row = {"event_seq": seq, "event_hash": digest, "active_at": self.now}
            else:
                table, key = _HEADS, "stream"
                values = {"seq": seq, "hash": digest}
            yield self._updated(table, stream, values, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInfo:
    """What the registry knows of an action."""

    name: str
    permission: str | None
    function: Callable[..., object]


ACTIONS: Final[dict[str, ActionInfo]] = {}
"""Every action by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A request key: the first request with it acts, the others get the first one's answer.

    Attributes:
        owner: id of the credential's organisation or user.
        key: the client's key, at most 200 characters.
        fingerprint: SHA-256 over method, path and body.
        render: turns the action's result into status and body of the answer.
    """

    owner: str
    key: str
    fingerprint: str
    render: Callable[[object], tuple[int, str]]


class Replayed(Exception):
    """The request was carried out before: here is its answer."""

    def __init__(self, status: int, body: str) -> None:
        """Keep the stored answer."""
        super().__init__("replayed")
        self.status = status
        self.body = body


_idempotency: ContextVar[Idempotency | None] = ContextVar("idempotency", default=None)


@contextmanager
def idempotent(request: Idempotency | None) -> Iterator[None]:
    """Let the next action in this context act at most once for this key."""
    token = _idempotency.set(request)
    try:
        yield
    finally:
        _idempotency.reset(token)


def action(
    name: str, *, permission: str | None = None
) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Make a function a verb: it gets a `Work`, its callers give an `Actor`.

    Args:
        name: "noun.verb", unique.
        permission: a permission that the actor must have in some seat; finer checks are the verb's own.

    Raises:
        NotAllowed: (the verb) when the actor lacks the permission, or a fresh code of the second factor is needed.
        Busy: (the verb) when the database lost every attempt.
    """

    def wrap(function: Callable[Concatenate[Work, P], R]) -> Callable[Concatenate[Actor, P], R]:
        @functools.wraps(function)
        def perform(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if permission is not None and not actor.may(permission):
                raise NotAllowed("not_allowed", permission=permission)
            require_proof(actor, permission)
            _refuse_unstorable(args, kwargs)
            return transact(actor, lambda work: function(work, *args, **kwargs))

        if permission is not None and permission not in PERMISSIONS:
            raise RuntimeError(f"{name} asks for an unknown permission, {permission}")
        if name in ACTIONS:
            raise RuntimeError(f"two actions are called {name}")
        ACTIONS[name] = ActionInfo(name=name, permission=permission, function=perform)
        return perform

    return wrap


def _refuse_unstorable(args: Iterable[object], named: Mapping[str, object]) -> None:
    """Stop at texts that no database holds, before one is asked: ids that are none, fields by name.

    Answers of a form are left to its own check, which names the question.
    """
    if any(unstorable(value) for value in args):
        raise NotFound
    problems = [
        Problem(pointer=f"/{name}", code=code)
        for name, value in _texts_in(named)
        if name != "answers" and (code := unstorable(value)) is not None
    ]
    if problems:
        raise NotValid(problems)


def _texts_in(named: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in named.items():
        if isinstance(value, Mapping) and name != "answers":
            yield from value.items()
        elif is_dataclass(value):
            yield from ((item.name, getattr(value, item.name)) for item in fields(value))
        else:
            yield name, value


def transact(actor: Actor, body: Callable[[Work], R]) -> R:
    """Run a body in one transaction and commit it; try again when it lost a race.

    Args:
        actor: who acts.
        body: reads, decides and writes through its `Work`; may run more than once.

    Raises:
        Busy: when the database lost every attempt.
    """
    session = db.session()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _open(session, again=attempt > 1)
            result, work = _attempt(session, actor, body)
        except (DBAPIError, StaleDataError) as error:
            session.rollback()
            if not _lost_race(error):
                raise
            if attempt == ATTEMPTS:
                raise Busy from error
        except NrmError:
            session.rollback()
            _look_again(session)
            raise
        except BaseException:
            session.rollback()
            raise
        else:
            # Outside the attempt: whatever goes wrong here, what is stored must not be done again.
            for call in work.after_commit:
                call()
            return result
        time.sleep(random.uniform(0.5, 1.5) * 0.01 * 2**attempt)  # noqa: S311 - spreads retries, hides nothing
    raise Busy


def _open(session: Session, *, again: bool) -> None:
    """Begin to write with nothing loaded before, on the connection of a read transaction where one is open.

    In it who asks was looked up: giving its connection back and taking one again costs as much as a statement.
    """
    if not again and session.in_transaction():
        session.expunge_all()
        write_from_now_on(session.connection())
        return
    session.close()
    session.connection(execution_options=WRITING)


def _attempt(session: Session, actor: Actor, body: Callable[[Work], R]) -> tuple[R, Work]:
    job = in_hand()
    if job is not None:
        job.begin()
    work = Work(session=session, actor=actor, now=installation().clock.now())
    request = _idempotency.get()
    if request is not None:
        _replay(session, request)
    try:
        result = body(work)
        if request is not None:
            _remember(work, request, result)
        work.finish()
        if job is not None:
            job.finish(session)
    except BaseException:
        # A commit that fails is left out: the database may have carried it out and only its answer was lost.
        for call in work.after_rollback:
            call()
        raise
    session.commit()
    if job is not None:
        job.done = True
    return result, work


def _replay(session: Session, request: Idempotency) -> None:
    known = session.execute(_KNOWN_KEY, {"owner": request.owner, "key": request.key}).scalar_one_or_none()
    if known is None:
        return
    if known.fingerprint != request.fingerprint:
        raise Conflict("idempotency_mismatch")
    raise Replayed(known.status, known.body)


def _look_again(session: Session) -> None:
    """Give the first answer to a request that was refused only because the same one, at the same moment, was quicker.

    Raises:
        Replayed: the request was carried out while this one waited for a lock.
    """
    request = _idempotency.get()
    if request is not None:
        _replay(session, request)
        session.rollback()


def _remember(work: Work, request: Idempotency, result: object) -> None:
    status, body = request.render(result)
    work.add(
        IdempotencyKey,
        owner=request.owner,
        key=request.key,
        fingerprint=request.fingerprint,
        status=status,
        body=body,
        created_at=work.now,
    )


def _lost_race(error: Exception) -> bool:
    if isinstance(error, StaleDataError):
        return True
    if isinstance(error, IntegrityError):
        # Two at once with one request key, number, row of a list or first fact of a stream: the second attempt finds
        # what the first one wrote.
        return any(name in str(error.orig) for name in _MET)
    original = getattr(error, "orig", None)
    return getattr(original, "sqlstate", None) in _RACES or "database is locked" in str(original)


@functools.cache
def _table_places() -> Mapping[Table, int]:
    """Give each table's place in an order in which parents come before children; sorting them takes 0.6 ms."""
    return {table: place for place, table in enumerate(Base.metadata.sorted_tables)}


def _by_columns(rows: list[Row]) -> list[list[Row]]:
    if len(rows) == 1:
        return [rows]
    groups: dict[frozenset[str], list[Row]] = {}
    for row in rows:
        groups.setdefault(frozenset(row), []).append(row)
    return list(groups.values())
