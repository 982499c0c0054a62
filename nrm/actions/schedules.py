"""Periodic work: each run writes its own next one in the same commit, so none is lost and none doubled.

A run that was missed while everything was down is done once, late, when a runner starts again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select

from nrm.actions import (
    capacity,
    digests,
    documents,
    housekeeping,
    key_reminders,
    manifest_checks,
    request_log,
    runs,
    tokens,
    webhook_sending,
)
from nrm.actions._action import Work, action
from nrm.actions.failures import open_incident
from nrm.jobs.table import enqueue
from nrm.models import Incident, Job, Schedule
from nrm.queries.verify import verify_all
from nrm.rules.deadlines import parse_duration

Prepared = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """One kind of periodic work.

    Attributes:
        every: an ISO 8601 duration ("PT1H"), or "daily 23:30" (UTC).
        run: what to do, in the transaction that also writes the next run.
        prepare: long reading, or work on files, before that, without a transaction that would keep writers away; gives
            counts.
        at_once: it is done as soon as the first runner starts; False where it would disturb people out of turn.
    """

    every: str
    run: Callable[[Work, Prepared], None]
    prepare: Callable[[], Prepared] | None = None
    at_once: bool = True


def next_run(every: str, after: datetime) -> datetime:
    """Give the next moment of a periodic work.

    Args:
        every: as in `Periodic`.
        after: the moment that it must be after.

    Raises:
        NotValid: when `every` is neither.
    """
    if not every.startswith("daily "):
        length = parse_duration(every)
        return after + timedelta(days=length.days) + length.time
    hour, minute = every.removeprefix("daily ").split(":")
    moment = after.astimezone(UTC).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return moment if moment > after else moment + timedelta(days=1)


def schedule_key(name: str) -> str:
    """Name the job of a periodic work."""
    return f"schedule:{name}"


@action("schedule.plan")
def plan_schedules(work: Work) -> int:
    """Make sure that each periodic work has its next run; a missed one is due at once.

    Returns:
        How many had none.
    """
    keys = [schedule_key(name) for name in SCHEDULES]
    there = set(
        work.session.execute(select(Job.dedup_key).where(Job.dedup_key.in_(keys), Job.state != "dead")).scalars()
    )
    last = {row.name: row.last_run_at for row in work.session.execute(select(Schedule)).scalars()}
    missing = [name for name in SCHEDULES if schedule_key(name) not in there]
    for name in missing:
        before = last.get(name)
        _plan(work, name, _first_run(SCHEDULES[name], before, work.now))
        if name not in last:
            work.add(Schedule, name=name, every=SCHEDULES[name].every, last_run_at=None)
    return len(missing)


def _first_run(periodic: Periodic, before: datetime | None, now: datetime) -> datetime:
    if before is None:
        return now if periodic.at_once else next_run(periodic.every, now)
    return next_run(periodic.every, before)


def prepare_schedule(name: str) -> Prepared:
    """Do the long reading of a periodic work, before its transaction."""
    periodic = SCHEDULES.get(name)
    return periodic.prepare() if periodic is not None and periodic.prepare is not None else {}


@action("schedule.run")
def run_schedule(work: Work, name: str, prepared: Prepared) -> None:
    """Do a periodic work and plan its next run, in one commit.

    Args:
        work: the transaction.
        name: one of `SCHEDULES`; a name that an older program planned is forgotten.
        prepared: what `prepare_schedule` gave.
    """
    periodic = SCHEDULES.get(name)
    if periodic is None:
        return
    periodic.run(work, prepared)
    row = work.session.get(Schedule, name)
    if row is None:
        work.add(Schedule, name=name, every=periodic.every, last_run_at=work.now)
    else:
        row.every, row.last_run_at = periodic.every, work.now
    _plan(work, name, next_run(periodic.every, work.now))


def _plan(work: Work, name: str, due_at: datetime) -> None:
    enqueue(work.session, "schedule", {"name": name}, due_at=due_at, now=work.now, dedup_key=schedule_key(name))


def _count_findings() -> Prepared:
    return Counter(finding.code for finding in verify_all())


def _report_findings(work: Work, counts: Prepared) -> None:
    known = select(Incident.id).where(Incident.kind == "verify", Incident.status == "open")
    if counts and work.session.execute(known).first() is None:
        open_incident(work, kind="verify", code="records_disagree", params=dict(counts))


SCHEDULES: Final[Mapping[str, Periodic]] = {
    "forget_keys": Periodic(every="PT1H", run=lambda work, _: housekeeping.forget_old_keys(work)),
    "forget_sessions": Periodic(every="PT6H", run=lambda work, _: housekeeping.forget_old_sessions(work)),
    "forget_tokens": Periodic(every="PT1H", run=lambda work, _: tokens.forget_old_tokens(work)),
    "forget_requests": Periodic(every="PT6H", run=lambda work, _: request_log.forget_old_requests(work)),
    "remind_of_keys": Periodic(every="daily 05:00", run=lambda work, _: key_reminders.remind_of_keys(work)),
    "forget_runners": Periodic(every="PT1H", run=lambda work, _: housekeeping.forget_silent_runners(work)),
    "sweep_files": Periodic(every="daily 22:45", run=lambda work, _: None, prepare=documents.sweep_files),
    "sweep_lists": Periodic(every="daily 22:50", run=lambda work, _: None, prepare=manifest_checks.sweep_lists),
    "forget_webhooks": Periodic(every="PT6H", run=lambda work, _: webhook_sending.forget_old_deliveries(work)),
    "expire_messages": Periodic(every="PT15M", run=lambda work, _: _expire(work)),
    "ask_stale": Periodic(every="daily 05:00", run=lambda work, _: _ask_stale(work), at_once=False),
    "digests": Periodic(every="daily 04:30", run=digests.send_digests, prepare=digests.find_news, at_once=False),
    "verify": Periodic(every="daily 23:30", run=_report_findings, prepare=_count_findings),
}
"""Every periodic work by its name."""


def _ask_stale(work: Work) -> None:
    capacity.ask_about_stale_entries(work)


def _expire(work: Work) -> None:
    runs.expire_messages(work, work.now)
