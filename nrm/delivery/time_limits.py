"""Limits of time that hold whatever the other side does, also when it sends a byte now and then."""

from __future__ import annotations

import heapq
import itertools
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from nrm.errors import DeliveryFailed


@dataclass(slots=True)
class Watch:
    """The socket of one request, so that it can be cut when its time is over."""

    connection: socket.socket | None = None
    late: bool = False

    def cut(self) -> None:
        """End it now, whatever it is doing."""
        self.late = True
        if self.connection is not None:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class Deadlines:
    """One thread that cuts what takes too long: a limit for each read would let a slow sender go on for ever."""

    _waiting: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _over: set[int] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _thread: threading.Thread | None = None

    @contextmanager
    def until(self, moment: float, cut: Callable[[], None]) -> Iterator[None]:
        """Call `cut` when the block has not ended at a moment of the monotonic clock."""
        with self._changed:
            number = next(self._numbers)
            heapq.heappush(self._waiting, (moment, number, cut))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._over.add(number)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0][0] > time.monotonic():
                    self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
                _, number, cut = heapq.heappop(self._waiting)
                if number in self._over:
                    self._over.discard(number)
                    continue
                cut()


DEADLINES: Final = Deadlines()
"""This process's."""


def in_time(call: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """Call something that has no limit of its own, in a thread that may be left behind.

    Raises:
        DeliveryFailed: "name_unknown", or "timeout" when it took too long.
    """
    answers: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(call())
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise DeliveryFailed("timeout") from None
    if isinstance(found, Exception):
        raise DeliveryFailed("name_unknown") from found
    return found
