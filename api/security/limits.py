"""Buckets that all web processes of a machine share, in a small file mapped into memory.

Each bucket is one number, the moment at which it will be full again (the generic cell rate algorithm of ATM Forum
Traffic Management 4.0): a bucket that is full needs no place. Taking a request out costs a lock on the file and
sixteen bytes; no database is asked (docs/adr/0009).
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from math import ceil
from pathlib import Path
from typing import Final

from api.transport.rates import Policy, Taken
from nrm.config import Config

KEY: Final = "key"
SEARCH: Final = "search"
TOKEN: Final = "token"  # noqa: S105 - the name of a limit

PLACES: Final = 1 << 14
"""Buckets that are not full at one moment, at most; with more, the fullest of a neighbourhood is forgotten."""

_PLACE: Final = struct.Struct("<8sd")
_NEIGHBOURS: Final = 8


def policies_of(config: Config) -> Mapping[str, Policy]:
    """Give the limits of an installation, by name."""
    return {
        KEY: Policy(name=KEY, rate=config.key_rate, burst=config.key_burst),
        SEARCH: Policy(name=SEARCH, rate=config.search_rate, burst=5 * config.search_rate),
        TOKEN: Policy(name=TOKEN, rate=1, burst=config.key_burst),
    }


class SharedLimits:
    """Counts requests for all processes that have opened the same file."""

    def __init__(
        self, file: Path, policies: Mapping[str, Policy], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the file, or make it.

        Args:
            file: on a local disk.
            policies: by name.
            clock: seconds, the same for all processes of the machine.
        """
        self._policies = policies
        self._clock = clock
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, PLACES * _PLACE.size)
        self._places = mmap.mmap(self._file, PLACES * _PLACE.size)
        # A lock on a file is the whole process's, so its threads need one among themselves.
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._places.close()
        os.close(self._file)

    def take(self, who: str, kind: str) -> Taken:
        """Take one request of somebody out of the bucket of a kind.

        Args:
            who: id of the credential, or an address.
            kind: name of the policy.

        Raises:
            KeyError: there is no such policy.
        """
        policy = self._policies[kind]
        name = blake2b(f"{kind}\0{who}".encode("utf-8", "replace"), digest_size=8).digest()
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                return self._take(name, policy)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _take(self, name: bytes, policy: Policy) -> Taken:
        now, step = self._clock(), 1 / policy.rate
        whole = policy.burst * step
        place, full_at = self._find(name, now)
        # A moment further off than a bucket can be is from before the machine was started again.
        base = full_at if now < full_at <= now + whole + step else now
        allowed = base + step - now <= whole + 1e-9
        after = base + step if allowed else base
        if allowed:
            _PLACE.pack_into(self._places, place, name, after)
        return Taken(
            policy=policy,
            allowed=allowed,
            left=max(0, int((whole - (after - now)) / step + 1e-9)),
            full_after=max(0.0, after - now),
            retry_after=max(1, ceil(base + step - now - whole)),
        )

    def _find(self, name: bytes, now: float) -> tuple[int, float]:
        """Give the place of a bucket and its moment; a new one gets a place that nobody needs, or needs least."""
        first = int.from_bytes(name[:4], "little")
        best, earliest = 0, float("inf")
        for number in range(_NEIGHBOURS):
            place = (first + number) % PLACES * _PLACE.size
            known, full_at = _PLACE.unpack_from(self._places, place)
            if known == name:
                return place, full_at
            if full_at < earliest:
                best, earliest = place, full_at
        return best, now
