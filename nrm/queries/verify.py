"""Prove that the records agree with each other: what `nrm verify` says and the nightly check counts.

Most checks are one query that the database answers with the rows that are wrong. Two read every row once, in pages:
the chains of events, and the running runs, whose stored state says exactly which tasks, child runs, timers and
subscriptions must be there. Nothing is loaded as a whole: 100,000 cases need no more memory than one. All of it
sees one snapshot, so a busy service gives no false alarm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, and_, exists, func, literal, literal_column, or_, select, tuple_
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session, aliased

from nrm.db import db
from nrm.engine.failures import StepFailed
from nrm.engine.waiting import WaitKind, waits_of
from nrm.events import chain_hash
from nrm.jobs.kinds import KINDS
from nrm.models import Case, Delivery, Event, EventHead, Incident, Job, Referral, Run, Subscription, Task
from nrm.queries import packs, paths
from nrm.queries.verify_ends import wrong_ends
from nrm.rules.deadlines import EXPIRING, REFERRAL_LADDER
from nrm.rules.statuses import TERMINAL
from nrm.vocabulary import ReferralState, TaskStatus

Statement: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]

_PAGE: Final = 1_000
_LIVE: Final = (TaskStatus.OPEN, TaskStatus.ON_HOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One thing in the records that cannot be right.

    Attributes:
        code: stable code, the key of its sentence.
        subject: kind and id of the row.
        case_id: the case that it is about, where there is one.
        params: ids and codes that explain it.
    """

    code: str
    subject: tuple[str, str]
    case_id: str | None = None
    params: Mapping[str, str | int | None] = field(default_factory=dict)


def verify_all() -> Iterator[Disagreement]:
    """Go through all records and yield whatever does not agree; nothing when all is well."""
    with _snapshot() as session:
        for check in CHECKS.values():
            yield from check(session)


@contextmanager
def _snapshot() -> Iterator[Session]:
    options = {} if db.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with db.engine.connect().execution_options(**options) as connection, Session(connection) as session:
        yield session


def _rows(session: Session, statement: Statement) -> Iterator[AnyRow]:
    yield from session.execute(statement)


# -- runs against what waits for them --------------------------------------------------------------------------------


Token: TypeAlias = tuple[WaitKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """The rows that say what the runs of a page wait for, by run, and the runs that an incident holds."""

    tokens: Mapping[str, frozenset[Token]]
    incidents: frozenset[str]


def runs_wait_visibly(session: Session) -> Iterator[Disagreement]:
    """Compare each running run's state with its open tasks, child runs, timers and subscriptions, both ways.

    A run that an open incident holds is excused: the incident is the visible cause.
    """
    last = ""
    while True:
        page = session.execute(
            select(Run.id, Run.case_id, Run.path_version_id, Run.state)
            .where(Run.status == "running", Run.id > last)
            .order_by(Run.id)
            .limit(_PAGE)
        ).all()
        if not page:
            return
        last = page[-1].id
        there = _there(session, [row.id for row in page], {row.case_id for row in page})
        for row in page:
            if row.id not in there.incidents:
                yield from _compare(row, there)


def _compare(row: AnyRow, there: _There) -> Iterator[Disagreement]:
    try:
        waits = waits_of(paths.version(row.path_version_id).spec, row.state)
    except StepFailed as failure:
        yield Disagreement(code="run_unreadable", subject=("run", row.id), case_id=row.case_id, params=failure.params)
        return
    if not waits:
        yield Disagreement(code="run_without_cause", subject=("run", row.id), case_id=row.case_id)
    wanted = {(wait.kind, wait.token) for wait in waits}
    found = there.tokens.get(row.id, frozenset())
    yield from (_disagree(f"{kind}_lost", row, token) for kind, token in sorted(wanted - found))
    yield from (_disagree(f"{kind}_unknown_to_run", row, token) for kind, token in sorted(found - wanted))


def _disagree(code: str, row: AnyRow, token: str) -> Disagreement:
    return Disagreement(code=code, subject=("run", row.id), case_id=row.case_id, params={"token": token})


def _there(session: Session, run_ids: list[str], case_ids: set[str]) -> _There:
    tasks = select(Task.run_id, Task.token).where(Task.run_id.in_(run_ids), Task.status.in_(_LIVE))
    children = select(Run.parent_id, Run.parent_token).where(Run.parent_id.in_(run_ids), Run.status == "running")
    waiting = select(Subscription.run_id, Subscription.token).where(Subscription.run_id.in_(run_ids))
    # A literal text: only then do both databases see that the partial index fits.
    timers = select(Job.args).where(Job.case_id.in_(case_ids), Job.kind == literal_column("'timer'"))
    held = select(Incident.run_id).where(Incident.run_id.in_(run_ids), Incident.status == "open")
    tokens: defaultdict[str, set[Token]] = defaultdict(set)
    for kind, statement in (
        (WaitKind.TASK, tasks),
        (WaitKind.CHILD, children),
        (WaitKind.MESSAGE, waiting),
    ):
        for run_id, token in session.execute(statement):
            tokens[str(run_id)].add((kind, str(token)))
    for args in session.execute(timers).scalars():
        tokens[args["run"]].add((WaitKind.TIMER, args["token"]))
    return _There(
        tokens={run_id: frozenset(found) for run_id, found in tokens.items()},
        incidents=frozenset(str(run) for run in session.execute(held).scalars()),
    )


def nothing_waits_for_ended_runs(session: Session) -> Iterator[Disagreement]:
    """Find tasks, subscriptions, timers and child runs of runs that have ended."""
    parent = aliased(Run)
    statements: tuple[tuple[str, str, Statement], ...] = (
        ("task_of_ended_run", "task", _of_ended(Task.id, Task.case_id, Task.run_id).where(Task.status.in_(_LIVE))),
        ("subscription_of_ended_run", "run", _of_ended(Run.id, Run.case_id, Subscription.run_id)),
        (
            "child_of_ended_run",
            "run",
            select(Run.id.label("id"), Run.case_id.label("case_id"))
            .join(parent, parent.id == Run.parent_id)
            .where(Run.status == "running", parent.status != "running"),
        ),
        (
            "timer_of_ended_run",
            "run",
            _of_ended(Run.id, Run.case_id, Job.args["run"].as_string()).where(Job.kind == "timer"),
        ),
    )
    for code, kind, statement in statements:
        for row in _rows(session, statement):
            yield Disagreement(code=code, subject=(kind, row.id), case_id=row.case_id)


def _of_ended(row_id: Any, case_id: Any, run_id: Any) -> Statement:  # noqa: ANN401 - columns of any type
    return select(row_id.label("id"), case_id.label("case_id")).where(Run.id == run_id, Run.status != "running")


# -- clocks ----------------------------------------------------------------------------------------------------------


def clocks_run(session: Session) -> Iterator[Disagreement]:
    """Find tasks and deliveries whose job is gone: nobody would be reminded, nothing would be sent."""
    clock = _job_with_key(literal("task:") + Task.id)
    resume = _job_with_key(literal("resume:") + Task.id)
    send = _job_with_key(literal("delivery:") + Delivery.id)
    unclocked = select(Task.id, Task.case_id, Task.path_version_id, Task.step, Task.escalation).where(
        Task.status == str(TaskStatus.OPEN), Task.due_at.is_not(None), ~clock
    )
    for row in _rows(session, unclocked):
        if row.escalation < _rungs_of(row):
            yield Disagreement(code="task_without_clock", subject=("task", row.id), case_id=row.case_id)
    resting = and_(Task.status == str(TaskStatus.ON_HOLD), ~resume)
    statements: tuple[tuple[str, str, Statement], ...] = (
        ("held_task_without_end", "task", select(Task.id, Task.case_id).where(resting)),
        (
            "delivery_without_job",
            "delivery",
            select(Delivery.id, literal(None).label("case_id")).where(Delivery.state.in_(["waiting", "failed"]), ~send),
        ),
    )
    for code, kind, statement in statements:
        for row in _rows(session, statement):
            yield Disagreement(code=code, subject=(kind, row.id), case_id=row.case_id)


def _rungs_of(row: AnyRow) -> int:
    """Say how many rungs the ladder of a task has: once all are told, nothing more wakes it."""
    step = paths.version(row.path_version_id).spec.steps.get(row.step)
    return len(packs.pack().ladder(step.due.ladder)) if step is not None and step.due is not None else 0


def _job_with_key(key: Any) -> Any:  # noqa: ANN401 - SQL expressions
    # Two parts, each in the words of a partial index: otherwise SQLite reads all jobs for each row. A dead job
    # counts as there: its incident shows it.
    alive = exists().where(Job.dedup_key == key, Job.state != literal_column("'dead'"))
    dead = exists().where(Job.state == literal_column("'dead'"), Job.dedup_key == key)
    return or_(alive, dead)


def referrals_are_chased(session: Session) -> Iterator[Disagreement]:
    """Find referrals that nobody would chase."""
    clock = _job_with_key(literal("referral:") + Referral.id)
    rungs = len(packs.pack().ladder("referral") or REFERRAL_LADDER)
    # Somebody must come back to these by hand: no date was given.
    resting = or_(
        and_(Referral.state == str(ReferralState.ON_HOLD), Referral.hold_until.is_(None)),
        and_(Referral.state == str(ReferralState.WAITLISTED), Referral.review_on.is_(None)),
        # Everybody on the ladder knows, and this clock never gives up.
        and_(Referral.clock.not_in(EXPIRING), Referral.escalation >= rungs, Referral.paused_at.is_(None)),
    )
    ended = [str(state) for state in TERMINAL]
    unchased = and_(Referral.state.not_in([*ended, str(ReferralState.DRAFT)]), ~clock, ~resting)
    for row in _rows(session, select(Referral.id, Referral.case_id, Referral.state).where(unchased)):
        yield Disagreement(
            code="referral_without_clock",
            subject=("referral", row.id),
            case_id=row.case_id,
            params={"state": row.state},
        )


# -- ends ------------------------------------------------------------------------------------------------------------


def ends_are_right(session: Session) -> Iterator[Disagreement]:
    """Find ends without an outcome, and what an end should have taken along."""
    for code, kind, statement in wrong_ends():
        for row in _rows(session, statement):
            yield Disagreement(code=code, subject=(kind, row.id), case_id=row.case_id)


# -- jobs ------------------------------------------------------------------------------------------------------------


def dead_jobs_have_incidents(session: Session) -> Iterator[Disagreement]:
    """Find dead jobs that nobody sees, incidents whose job is gone, and kinds that no program knows."""
    seen = exists().where(Incident.job_id == Job.id, Incident.status == "open")
    for row in _rows(session, select(Job.id, Job.kind, Job.case_id).where(Job.state == "dead", ~seen)):
        yield Disagreement(
            code="dead_job_unseen", subject=("job", str(row.id)), case_id=row.case_id, params={"kind": row.kind}
        )
    gone = ~exists().where(Job.id == Incident.job_id)
    lost = select(Incident.id, Incident.case_id).where(Incident.status == "open", Incident.job_id.is_not(None), gone)
    for row in _rows(session, lost):
        yield Disagreement(code="incident_without_job", subject=("incident", row.id), case_id=row.case_id)
    for kind in session.execute(select(Job.kind).where(Job.kind.not_in(list(KINDS))).distinct()).scalars():
        yield Disagreement(code="job_of_unknown_kind", subject=("job", kind))


# -- events ----------------------------------------------------------------------------------------------------------


def chains_hold(session: Session) -> Iterator[Disagreement]:
    """Read every stream of events from its first row; the first broken row of each stream is named."""
    for stream, events in groupby(_events(session), key=lambda row: str(row.stream)):
        broken = _first_broken(stream, events)
        if broken is not None:
            case_id = stream if stream.startswith("cas_") else None
            yield Disagreement(code="event_chain_broken", subject=("stream", stream), case_id=case_id, params=broken)


def _events(session: Session) -> Iterator[AnyRow]:
    """Read all events in order, page by page: a cursor kept open on the server would not outlive its connection."""
    stream, seq = "", 0
    while True:
        after = tuple_(Event.stream, Event.seq) > (stream, seq)
        page = session.execute(
            select(Event.__table__).where(after).order_by(Event.stream, Event.seq).limit(_PAGE)
        ).all()
        if not page:
            return
        yield from page
        stream, seq = page[-1].stream, page[-1].seq


def _first_broken(stream: str, events: Iterator[AnyRow]) -> Mapping[str, int] | None:
    previous = ""
    for seq, row in enumerate(events, start=1):
        digest = chain_hash(
            previous,
            stream=stream,
            seq=seq,
            at=row.at,
            kind=row.kind,
            actor=row.actor,
            subject=(row.subject_kind, row.subject_id),
            data=row.data,
        )
        if (row.seq, row.prev_hash, row.hash) != (seq, previous, digest):
            # The rest of the stream is skipped by groupby.
            return {"seq": int(row.seq)}
        previous = digest
    return None


def heads_are_right(session: Session) -> Iterator[Disagreement]:
    """Find streams whose last event is not the one that their head names: rows were cut off at the end."""
    counts = select(Event.stream, func.max(Event.seq).label("seq")).group_by(Event.stream).subquery()
    tips = (
        select(Event.stream, Event.seq, Event.hash)
        .join(counts, and_(counts.c.stream == Event.stream, counts.c.seq == Event.seq))
        .subquery()
    )
    for stream, seq, digest in (
        (Case.id, Case.event_seq, Case.event_hash),
        (EventHead.stream, EventHead.seq, EventHead.hash),
    ):
        right = and_(tips.c.seq == seq, tips.c.hash == digest)
        empty = and_(tips.c.seq.is_(None), seq == 0)
        wrong = ~func.coalesce(or_(right, empty), False)
        statement = select(stream.label("stream")).outerjoin(tips, tips.c.stream == stream).where(wrong)
        for row in _rows(session, statement):
            yield Disagreement(code="event_head_wrong", subject=("stream", row.stream))


CHECKS: Final[Mapping[str, Callable[[Session], Iterator[Disagreement]]]] = {
    "runs": runs_wait_visibly,
    "ended": nothing_waits_for_ended_runs,
    "clocks": clocks_run,
    "referrals": referrals_are_chased,
    "ends": ends_are_right,
    "jobs": dead_jobs_have_incidents,
    "events": chains_hold,
    "heads": heads_are_right,
}
"""Every check by its name."""
