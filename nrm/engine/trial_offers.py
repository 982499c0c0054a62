"""What a trial may be told at a step that waits: values that it takes over, errors and escalations that are caught."""

from __future__ import annotations

from collections.abc import Iterator

from nrm.engine.parsing import PathSpec
from nrm.engine.steps import Step, StepKind


def taken_from_message(spec: PathSpec, step: str) -> tuple[str, ...]:
    """Name the values of a message that the path keeps at a step."""
    return tuple(sorted(set(spec.graph.boxes[step].wiring.takes.values())))


def taken_from_child(spec: PathSpec, step: str) -> tuple[str, ...]:
    """Name the values of a called path that the calling path keeps."""
    call = spec.steps[step].call
    return () if call is None else tuple(sorted(set(call.takes.values())))


def caught_codes(spec: PathSpec, step: str, event: str) -> tuple[str, ...]:
    """Name the codes of errors or escalations of a called path for which something waits, here or further out.

    Args:
        spec: the path.
        step: the step that calls.
        event: "error" or "escalation".
    """
    hosts = {each.id for each in _around(spec, spec.steps[step])}
    catching = (
        each for each in spec.steps.values() if each.kind is StepKind.BOUNDARY and each.event == event and each.code
    )
    return tuple(sorted({str(each.code) for each in catching if each.host in hosts}))


def _around(spec: PathSpec, step: Step) -> Iterator[Step]:
    """Give a step and the sub-processes around it."""
    yield step
    while step.parent is not None:
        step = spec.steps[step.parent]
        yield step
