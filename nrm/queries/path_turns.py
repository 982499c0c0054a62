"""One designer's share of a web process: whoever asks for more checks and trials at once is told to come again.

Each of them keeps a thread of the process waiting for a child (`nrm.engine.confined`); without a share of each, one
browser could keep all of them waiting, and with them everybody else's pages.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nrm.actors import Actor
from nrm.errors import TooMany

AT_ONCE: Final = 3
"""Most checks, trials and rehearsals that one person has under way in one process: a save, a look and a trial."""


class _Turns:
    """Who has how many under way."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a process that was forked nobody has anything under way."""
        self.lock = threading.Lock()
        self.taken: Counter[str] = Counter()


_turns: Final = _Turns()
os.register_at_fork(after_in_child=_turns.forget)


@contextmanager
def turn(actor: Actor) -> Iterator[None]:
    """Take one of somebody's turns for the length of a block.

    Raises:
        TooMany: all of them are taken.
    """
    with _turns.lock:
        if _turns.taken[actor.id] >= AT_ONCE and not actor.is_system:
            raise TooMany(1)
        _turns.taken[actor.id] += 1
    try:
        yield
    finally:
        with _turns.lock:
            _turns.taken[actor.id] -= 1
            if not _turns.taken[actor.id]:
                del _turns.taken[actor.id]
