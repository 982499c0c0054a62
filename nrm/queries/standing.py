"""Where a run stands and what may come next, by the names of the steps; for lists that are read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from nrm.engine.ahead import steps_ahead
from nrm.engine.steps import StepKind
from nrm.queries import paths

_LIVE: Final = frozenset({StepKind.TASK, StepKind.CATCH, StepKind.CALL})
_MOST_AHEAD: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A step at which a run stands.

    Attributes:
        names: what the step, or the path that it called, is called.
        state: open, overdue, waiting, failed, or running for a path of its own.
    """

    names: Mapping[str, str]
    state: str


def standing(states: Sequence[Any], version: paths.Version, now: datetime) -> Iterator[Standing]:
    """Give the steps at which a run stands; what is only watched for in the background is left out.

    Args:
        states: rows with kind, step and due_at, those that outweigh others last; "done" ones are left out.
        version: the path's version.
        now: the present moment.
    """
    found: dict[str, str] = {}
    for row in states:
        step = version.spec.steps.get(row.step)
        if row.kind == "done" or step is None or (step.kind not in _LIVE and row.kind != "failed"):
            continue
        late = row.kind == "open" and row.due_at is not None and row.due_at < now
        found[row.step] = "overdue" if late else row.kind
    for key, state in found.items():
        yield Standing(names=version.spec.steps[key].names, state=state)


def ahead(states: Sequence[Any], version: paths.Version) -> tuple[Mapping[str, str], ...]:
    """Give the names of the steps that may come next after those at which somebody or something is waited for."""
    spec = version.spec
    here = dict.fromkeys(
        row.step
        for row in states
        if row.kind in {"open", "waiting"} and row.step in spec.steps and spec.steps[row.step].kind in _LIVE
    )
    following = dict.fromkeys(key for step in here for key in _ahead(version.id, step) if key not in here)
    named = (spec.steps[key].names for key in following)
    return tuple(names for names in named if names)[:_MOST_AHEAD]


@lru_cache(maxsize=4_096)
def _ahead(version_id: str, step: str) -> tuple[str, ...]:
    return steps_ahead(paths.version(version_id).spec, step)
