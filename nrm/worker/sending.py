"""The sender of webhooks: walks behind the events, and posts what is due without a receiver holding up another.

One thread looks; others send, one for each endpoint at a time. Receivers that fail or answer slowly stand in a line of
their own with threads of its own, so that however many of them there are, the others do not notice. A receiver that
begins to be slow costs the others one thread once, for the length of one answer. Across processes an endpoint is one
sender's by a lease in its row.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from typing import Final

from nrm.actions.webhook_sending import ANSWER, Lot, Parcel, Tried, begin_lot, feed_endpoint
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.delivery.outbound import Outbound, rules_of
from nrm.delivery.webhooks import headers_of
from nrm.errors import DeliveryFailed
from nrm.installation import installation
from nrm.queries import webhooks
from nrm.rules.webhooks import SLOW_MS, TIMEOUTS, is_good

log = logging.getLogger("nrm.worker")

QUICK_THREADS: Final = 4
SLOW_THREADS: Final = 2

TURN_SECONDS: Final = 30.0
"""After so long a receiver makes room for the next one, when others wait for its line."""

_LOOK_SECONDS: Final = (0.1, 1.0)
"""Shortest and longest pause between two looks."""

_IDLE_SECONDS: Final = 5.0
"""Pause while there is no endpoint at all."""


class Sender:
    """One sender of a runner."""

    def __init__(self, context: Callable[[], AbstractContextManager[object]], *, name: str) -> None:
        """Prepare.

        Args:
            context: opens an application context, in which `nrm.db.db` has a session.
            name: of the runner, at most 40 characters.
        """
        self._context = context
        self._name = name
        self._lock = threading.Lock()
        self._at_work: dict[str, tuple[bool, threading.Thread]] = {}
        self._stop = threading.Event()
        self._wanted = threading.Event()

    def look(self) -> float:
        """Take over what happened, hand out what is due, and give the seconds until the next look is worth it.

        Needs an application context.
        """
        self._wanted.clear()
        if not webhooks.any_enabled():
            db.session.remove()
            # No event can be for anybody: to be woken for each would be for nothing.
            self._stop.wait(_IDLE_SECONDS)
            return 0.0
        behind = webhooks.behind()
        db.session.remove()
        more = [feed_endpoint(SYSTEM, endpoint_id) for endpoint_id in behind]
        due = webhooks.due_endpoints(installation().clock.now(), datetime.now(UTC))
        db.session.remove()
        for endpoint in due:
            self._hand_out(endpoint.id, slow=endpoint.slow)
        return _LOOK_SECONDS[0] if any(more) else _LOOK_SECONDS[1]

    def rest(self, seconds: float) -> None:
        """Wait, but not longer than until `wake` is called."""
        # Waking for every commit of a busy system would be a look for each.
        self._stop.wait(_LOOK_SECONDS[0])
        self._wanted.wait(seconds)

    def wake(self) -> None:
        """Say that something may be due."""
        self._wanted.set()

    def stop(self) -> None:
        """Ask the threads to end after the request in hand."""
        self._stop.set()
        self._wanted.set()

    def wait(self, seconds: float) -> None:
        """Wait until all threads have ended, but not longer than this."""
        deadline = time.monotonic() + seconds
        with self._lock:
            threads = [thread for _, thread in self._at_work.values()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _hand_out(self, endpoint_id: str, *, slow: bool) -> None:
        with self._lock:
            room = SLOW_THREADS if slow else QUICK_THREADS
            taken = sum(1 for line, _ in self._at_work.values() if line is slow)
            if endpoint_id in self._at_work or taken >= room or self._stop.is_set():
                return
            # Daemons: a receiver must not keep a stopped process alive; the lease runs out by itself.
            thread = threading.Thread(target=self._serve, args=(endpoint_id, slow), name="webhooks", daemon=True)
            self._at_work[endpoint_id] = (slow, thread)
        thread.start()

    def _serve(self, endpoint_id: str, slow: bool) -> None:
        try:
            with self._context(), closing(Outbound(rules_of(installation().config))) as outbound:
                send_all(endpoint_id, owner=self._name, outbound=outbound, slow=slow, stopped=self._stop.is_set)
        except Exception as error:  # the lease runs out by itself
            log.warning("webhooks of %s broke off: %s", endpoint_id, type(error).__name__)
        finally:
            with self._lock:
                self._at_work.pop(endpoint_id, None)
            self.wake()


def send_all(
    endpoint_id: str, *, owner: str, outbound: Outbound, slow: bool = False, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Send what is due to one endpoint, lot by lot; no transaction is open while anything is sent.

    Args:
        endpoint_id: which.
        owner: the sender.
        outbound: the door.
        slow: it stands in the line of the slow ones; in the other one it ends when it turns out to be slow.
        stopped: asked after each lot.

    Returns:
        How many attempts were made.
    """
    end = time.monotonic() + TURN_SECONDS
    count = 0
    done: list[Tried] = []
    while True:
        last = stopped() or time.monotonic() > end or (not slow and bool(done) and _is_slow(done[-1]))
        lot = begin_lot(SYSTEM, endpoint_id, owner=owner, done=done, last=last)
        db.session.remove()
        if lot is None:
            return count
        done = send_lot(lot, outbound)
        count += len(done)


def _is_slow(tried: Tried) -> bool:
    return tried.ms > SLOW_MS or not is_good(tried.status)


def send_lot(lot: Lot, outbound: Outbound) -> list[Tried]:
    """Send a lot in order; it ends early at a receiver that does not answer or asks to wait."""
    done: list[Tried] = []
    until = time.monotonic() + TURN_SECONDS
    for parcel in lot.parcels:
        tried = send(lot, parcel, outbound)
        done.append(tried)
        if tried.cause in TIMEOUTS or tried.retry_after is not None or tried.status == 410:
            break
        if tried.ms > SLOW_MS or time.monotonic() > until:
            break
    return done


def send(lot: Lot, parcel: Parcel, outbound: Outbound) -> Tried:
    """Make one attempt."""
    now = installation().clock.now()
    # Receivers compare the moment of signing with their own clock: real time, also in a demonstration.
    headers = headers_of(parcel.id, parcel.body, signing=lot.signing, at=datetime.now(UTC))
    started = time.monotonic()
    try:
        answer = outbound.post(lot.url, parcel.body, headers)
    except DeliveryFailed as failure:
        ms = round(1000 * (time.monotonic() - started))
        return Tried(delivery_id=parcel.id, at=now, status=None, cause=failure.code, ms=ms)
    return Tried(
        delivery_id=parcel.id,
        at=now,
        status=answer.status,
        cause=None,
        ms=round(1000 * (time.monotonic() - started)),
        answer=answer.body[:ANSWER].decode("utf-8", "replace").replace("\x00", "\ufffd"),
        retry_after=None if is_good(answer.status) else answer.retry_after,
    )
