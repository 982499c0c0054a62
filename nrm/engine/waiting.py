"""What a stored run waits for, read from its state without running it: the other half of every row that says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from nrm.engine.boxes import Body
from nrm.engine.failures import StepFailed
from nrm.engine.parsing import PathSpec
from nrm.engine.steps import StepKind


class WaitKind(StrEnum):
    """The things a token may wait for."""

    TASK = "task"
    CHILD = "child"
    TIMER = "timer"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One thing that a run waits for.

    Attributes:
        token: the waiting token.
        step: element id.
        kind: what it waits for.
    """

    token: str
    step: str
    kind: WaitKind


def waits_of(spec: PathSpec, state: str) -> tuple[Wait, ...]:
    """List what a run waits for.

    Args:
        spec: the run's parsed path version.
        state: the run's stored state.

    Raises:
        StepFailed: `state_unreadable`, `state_other_path` when it names a step that this version does not have.
    """
    try:
        return tuple(_below(spec, json.loads(state)["t"]))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise StepFailed("state_unreadable", "") from None


def _below(spec: PathSpec, tokens: list[list[object]]) -> Iterator[Wait]:
    for name, number, _, *rest in tokens:
        box = spec.graph.boxes.get(str(name))
        if box is None:
            raise StepFailed("state_other_path", str(name), expected=spec.key)
        kind = None if isinstance(box, Body) else _kind(box.step.kind, box.step.event)
        if kind is not None:
            yield Wait(token=f"{box.step.id}.{number}", step=box.step.id, kind=kind)
        if len(rest) > 1 and isinstance(rest[1], list):
            yield from _below(spec, rest[1])


def _kind(kind: StepKind, event: str) -> WaitKind | None:
    if kind in {StepKind.CATCH, StepKind.BOUNDARY}:
        return WaitKind.TIMER if event == "timer" else WaitKind.MESSAGE
    return {StepKind.TASK: WaitKind.TASK, StepKind.CALL: WaitKind.CHILD}.get(kind)
