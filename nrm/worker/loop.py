"""The runner: claims due jobs, does them, stays alive when the database goes away, and stops gracefully.

Threads: some that work, one that gives signs of life, prolongs leases and takes back what silent runners left,
one that waits for commits, and one that looks for webhooks to be sent. Everything a thread knows of a job it read from
the table; killing the process at any point loses nothing.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError

from nrm.actions._action import transact
from nrm.actions.housekeeping import end_runner, give_up, see_runner, sweep_jobs
from nrm.actions.schedules import plan_schedules
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.errors import Busy, NrmError
from nrm.installation import installation
from nrm.jobs import table
from nrm.jobs.hand import ClaimedJob, InHand, LostJob, holding
from nrm.jobs.kinds import BULK, DELIVERIES, KINDS, QUEUES
from nrm.worker.handlers import HANDLERS, Handler
from nrm.worker.sending import Sender
from nrm.worker.waking import make_waker

log = logging.getLogger("nrm.worker")

BATCH: Final = 20
"""Jobs claimed at once: the cost of claiming is shared, and a killed runner leaves few behind."""

GRACE: Final = 30.0
"""Seconds that a stopping runner gives its threads to end the job in hand."""

_RECONNECT: Final = (0.1, 5.0)
"""Shortest and longest pause, in seconds, while the database does not answer."""

Context = Callable[[], AbstractContextManager[object]]


class Runner:
    """One runner of a process; several processes may run at once, on PostgreSQL also on several machines."""

    def __init__(
        self,
        context: Context,
        *,
        threads: int = 2,
        queues: Sequence[str] = QUEUES,
        poll_seconds: float = 1.0,
        lease: timedelta = table.LEASE,
        batch: int = BATCH,
        handlers: Mapping[str, Handler] = HANDLERS,
        name: str | None = None,
    ) -> None:
        """Prepare; `run` starts it.

        Args:
            context: opens an application context, in which `nrm.db.db` has a session.
            threads: how many jobs at once, ≥ 1. With more than one, the first leaves bulk work to the others.
            queues: only these queues.
            poll_seconds: longest pause of an idle thread.
            lease: how long a claim holds without a sign of life.
            batch: how many jobs a thread claims at once.
            handlers: kind → handler.
            name: of this runner, at most 40 characters; made from machine and process when None.
        """
        self.name = name or f"{socket.gethostname()[:16]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._context = context
        self._threads = threads
        self._queues = tuple(queues)
        self._poll = poll_seconds
        self._lease = lease
        self._batch = batch
        self._handlers = handlers
        self._stop = threading.Event()
        self._bell = threading.Condition()
        self._rings = 0
        self._held: dict[int, tuple[ClaimedJob, float]] = {}
        self._sender = Sender(context, name=self.name) if DELIVERIES in self._queues else None
        self._counts = {"done": 0, "failed": 0}
        self._lock = threading.Lock()

    # -- life ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until `stop` is called from another thread or a signal handler; returns when all threads ended."""
        threads = [threading.Thread(target=self._keep_alive, name="alive"), threading.Thread(target=self._listen)]
        threads += [
            threading.Thread(target=self._work, args=(self._queues_of(number),), name=f"work-{number}")
            for number in range(self._threads)
        ]
        if self._sender is not None:
            threads.append(threading.Thread(target=self._send, name="send", args=(self._sender,)))
        for thread in threads:
            thread.daemon = True  # a hung handler must not keep a stopped process alive; its lease runs out
            thread.start()
        log.info("runner %s started with %d threads", self.name, self._threads)
        # A wait without an end would keep the main thread from seeing signals on some platforms.
        while not self._stop.wait(1):
            pass
        deadline = time.monotonic() + GRACE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._sender is not None:
            self._sender.wait(deadline - time.monotonic())
        self._leave()

    def stop(self) -> None:
        """Ask the runner to end after the jobs in hand; safe in a signal handler."""
        self._stop.set()
        if self._sender is not None:
            self._sender.stop()

    @property
    def counts(self) -> Mapping[str, int]:
        """Give how many jobs were done and how many attempts failed since the start."""
        return dict(self._counts)

    def _queues_of(self, number: int) -> tuple[str, ...]:
        if number == 0 and self._threads > 1:
            return tuple(queue for queue in self._queues if queue != BULK)
        return self._queues

    def _leave(self) -> None:
        try:
            with self._context():
                transact(SYSTEM, lambda work: table.release(work.session, [job for job, _ in self._held.values()]))
                end_runner(SYSTEM, self.name)
        except Exception as error:  # the leases run out by themselves
            log.warning("runner %s could not take its leave: %s", self.name, type(error).__name__)

    # -- work ------------------------------------------------------------------------------------------------

    def _work(self, queues: Sequence[str]) -> None:
        left: list[ClaimedJob] = []

        def turn() -> None:
            rings = self._rings
            if left:
                self._give_back(left)
            jobs, pause = self._take(queues)
            left.extend(jobs)
            self._do_all(left)
            if not jobs:
                self._rest(rings, pause)

        self._persist(turn)
        if left:
            self._persist_once(lambda: self._give_back(left))

    def _take(self, queues: Sequence[str]) -> tuple[tuple[ClaimedJob, ...], float]:
        """Claim what is due, or say in how many seconds the next look is worth it."""
        now = installation().clock.now()
        session = db.session()
        upcoming = table.next_due(session, queues)
        session.close()
        due = [queue for queue in queues if queue in upcoming and upcoming[queue] <= now]
        if not due:
            ahead = min(((moment - now).total_seconds() for moment in upcoming.values()), default=self._poll)
            return (), min(self._poll, max(ahead, 0.001))
        jobs = transact(
            SYSTEM,
            lambda work: table.claim(
                work.session, owner=self.name, queues=due, limit=self._batch, now=work.now, lease=self._lease
            ),
        )
        started = time.monotonic()
        with self._lock:
            self._held.update({job.id: (job, started) for job in jobs})
        # Somebody else was faster with all of them.
        return jobs, 0.01

    def _do_all(self, left: list[ClaimedJob]) -> None:
        waiting = deque(left)
        while waiting and not self._stop.is_set():
            job = waiting.popleft()
            with self._lock:
                self._held[job.id] = (job, time.monotonic())
            self._do(job)
            left.remove(job)
            with self._lock:
                self._held.pop(job.id, None)

    def _do(self, job: ClaimedJob) -> None:
        """Do one job; whatever it raises is dealt with here, but for a database that went away."""
        try:
            with holding(job) as held:
                self._handlers[job.kind](job)
                self._end(held)
            self._count("done")
        except LostJob:
            log.info("job %d (%s) was taken back meanwhile", job.id, job.kind)
        except table.Later as later:
            self._put_off(job, later.seconds)
        except Busy:
            self._put_off(job, 2)
        except Exception as error:
            if is_outage(error):
                raise
            self._fail(job, error)

    def _end(self, held: InHand) -> None:
        if not held.done:
            transact(SYSTEM, lambda work: None)

    def _put_off(self, job: ClaimedJob, seconds: float) -> None:
        moment = timedelta(seconds=seconds)
        transact(SYSTEM, lambda work: table.postpone(work.session, job, due_at=work.now + moment))

    def _fail(self, job: ClaimedJob, error: Exception) -> None:
        words = describe(error)
        log.warning("job %d (%s) failed at attempt %d: %s", job.id, job.kind, job.attempts, words)
        give_up(SYSTEM, job, error=words)
        self._count("failed")

    def _give_back(self, left: list[ClaimedJob]) -> None:
        transact(SYSTEM, lambda work: table.release(work.session, left))
        with self._lock:
            for job in left:
                self._held.pop(job.id, None)
        left.clear()

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    # -- rest and waking -------------------------------------------------------------------------------------

    def _rest(self, rings: int, seconds: float) -> None:
        """Wait until somebody rings, but not longer than this; a ring since `rings` was read counts."""
        with self._bell:
            if self._rings == rings and not self._stop.is_set():
                self._bell.wait(seconds)

    def _ring(self) -> None:
        with self._bell:
            self._rings += 1
            self._bell.notify_all()
        if self._sender is not None:
            self._sender.wake()

    def _listen(self) -> None:
        def turn() -> None:
            waker = make_waker(db.engine)
            try:
                # Something may have come while nobody listened.
                self._ring()
                while not self._stop.is_set():
                    if waker.wait(self._stop.wait):
                        self._ring()
            finally:
                waker.close()

        self._persist(turn)
        self._ring()

    def _send(self, sender: Sender) -> None:
        self._persist(lambda: sender.rest(sender.look()))

    def _keep_alive(self) -> None:
        started = datetime.now().astimezone()
        pause = min(5.0, self._lease.total_seconds() / 3)
        planned = False

        def turn() -> None:
            nonlocal planned
            if not planned:
                plan_schedules(SYSTEM)
                planned = True
            see_runner(SYSTEM, self.name, started_at=started, counts=self.counts)
            fresh = self._not_hung()
            if fresh:
                transact(
                    SYSTEM,
                    lambda work: table.renew(work.session, owner=self.name, job_ids=fresh, lease=self._lease),
                )
            sweep_jobs(SYSTEM)
            self._stop.wait(pause)

        self._persist(turn)

    def _not_hung(self) -> list[int]:
        now = time.monotonic()
        with self._lock:
            return [job.id for job, since in self._held.values() if now - since < KINDS[job.kind].time_limit]

    # -- a database that goes away ---------------------------------------------------------------------------

    def _persist(self, turn: Callable[[], None]) -> None:
        """Take turns until the runner stops; when one fails, wait longer and longer and begin again."""
        shortest, longest = _RECONNECT
        pause = shortest
        while not self._stop.is_set():
            try:
                with self._context():
                    turn()
                pause = shortest
            except Exception as error:
                log.warning("runner %s: %s; again in %.1f s", self.name, describe(error), pause)
                self._stop.wait(pause)
                pause = min(pause * 2, longest)

    def _persist_once(self, turn: Callable[[], None]) -> None:
        try:
            with self._context():
                turn()
        except Exception as error:  # the leases run out by themselves
            log.warning("runner %s: %s", self.name, describe(error))


def is_outage(error: BaseException) -> bool:
    """Say whether an error means that the database went away, so that no job is to blame."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    unreachable = isinstance(error.orig, psycopg.OperationalError) and not state
    # 08: connection; 57P01-57P03: shut down, crashed, starting up; 53: out of connections, memory or disk.
    return error.connection_invalidated or unreachable or state.startswith(("08", "57P", "53"))


def describe(error: BaseException) -> str:
    """Name an error by class, code and place; never by its text, which may hold personal values."""
    code = f" {error.code}" if isinstance(error, NrmError) else ""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_globals.get('__name__', '?')}:{place.tb_lineno}" if place is not None else ""
    return f"{type(error).__name__}{code}{where}"[:200]
