"""Seats for requests that wait for something to happen: a few per process, so that they never take all its threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Seats:
    """The waiting room of one process: so many at a time, and one for each organisation."""

    def __init__(self) -> None:
        """Open it, empty."""
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    @contextmanager
    def take(self, owner: str, *, most: int) -> Iterator[bool]:
        """Take a seat for the length of a block, and say whether there was one.

        Args:
            owner: who waits; nobody waits twice at a time.
            most: seats in all.
        """
        with self._lock:
            seated = len(self._taken) < most and owner not in self._taken
            if seated:
                self._taken.add(owner)
        try:
            yield seated
        finally:
            if seated:
                with self._lock:
                    self._taken.discard(owner)


SEATS = Seats()
"""This process's."""
