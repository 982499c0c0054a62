"""Where the time of a completion goes: the functions of each part, timed without what they call of other parts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from sqlalchemy.orm import Session

from nrm.actions import run_book, run_effects, task_loading, tasks
from nrm.actions._action import Work

PARTS: dict[str, list[tuple[object, str]]] = {
    "begin": [(Session, "connection"), (Session, "close")],
    "load": [(tasks, "load_task")],
    "permission": [(task_loading, "task_facts"), (task_loading.LoadedTask, "must")],
    "form": [(tasks, "check_answers"), (tasks, "decisions_of")],
    "engine": [(run_book, "feed")],
    "opening": [(run_effects, "open_task")],
    "rows": [(Work, "flush"), (Work, "change"), (Work, "change_soon"), (Work, "add"), (Work, "_run")],
    "events": [(Work, "_chained"), (Work, "record")],
    "jobs": [(Work, "enqueue"), (Work, "cancel_jobs")],
    "commit": [(Session, "commit")],
    "all": [(tasks, "complete_task")],
}
"""Part → the functions in which it lies; "all" is the completion, and what is left of it is "rest"."""


class Clocks:
    """Seconds by part; a part that calls another one stands still meanwhile."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._stack: list[list[float]] = []

    def timed(self, part: str, function: Callable[..., object]) -> Callable[..., object]:
        """Wrap a function so that its own time counts for a part."""

        def wrapped(*args: object, **kwargs: object) -> object:
            started = time.perf_counter()
            self._stack.append([0.0])
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.perf_counter() - started
                self.spent[part] += whole - self._stack.pop()[0]
                if self._stack:
                    self._stack[-1][0] += whole

        return wrapped


@contextmanager
def parted() -> Iterator[Clocks]:
    """Time the parts inside the block; slows a completion by about two hundredths."""
    clocks = Clocks()
    with ExitStack() as stack:
        for part, places in PARTS.items():
            for owner, name in places:
                stack.enter_context(patch.object(owner, name, clocks.timed(part, getattr(owner, name))))
        yield clocks


def milliseconds(clocks: Clocks, completions: int) -> dict[str, float]:
    """Give milliseconds per completion by part, the largest first."""
    found = {
        ("rest" if part == "all" else part): round(1000 * seconds / completions, 3)
        for part, seconds in clocks.spent.items()
    }
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))
