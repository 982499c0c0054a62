"""What may come next on a path: the nearest steps that somebody does or waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nrm.engine.parsing import PathSpec
from nrm.engine.steps import StepKind

_STOPS: Final = frozenset({StepKind.TASK, StepKind.CALL, StepKind.CATCH})


def steps_ahead(spec: PathSpec, step_id: str) -> tuple[str, ...]:
    """Give the ids of the steps that may come next, the nearest first.

    Checks, tables and gateways are passed through, whichever way they may lead; what only an event on the border of
    a step would bring is left out.

    Args:
        spec: the parsed path.
        step_id: a step of it at which a run stands.
    """
    seen, found = {step_id}, []
    waiting = list(_after(spec, step_id))
    while waiting:
        here = waiting.pop(0)
        if here in seen or here not in spec.steps:
            continue
        seen.add(here)
        if spec.steps[here].kind in _STOPS:
            found.append(here)
        else:
            waiting += _after(spec, here)
    return tuple(found)


def _after(spec: PathSpec, step_id: str) -> Iterator[str]:
    step = spec.steps.get(step_id)
    if step is None:
        return
    if step.kind is StepKind.SUBPROCESS:
        inside = [one.id for one in spec.steps.values() if one.parent == step_id and one.kind is StepKind.START]
        if inside:
            yield from inside
            return
    if step.kind is StepKind.END and step.parent is not None:
        yield from (flow.target for flow in spec.flows.values() if flow.source == step.parent)
    yield from (flow.target for flow in spec.flows.values() if flow.source == step_id)
