"""The stored form of a run: compact JSON text with a version number, made of plain data only.

```
{"v": 1, "path": "service_referral", "n": 17, "s": "running", "o": null,
 "x": {"attempt": 1, "due_on": {"date": "2026-03-01"}},
 "t": [["whole", 2, 1, {}, [["prepare", 5, 1], ["withdrawn", 3, 0]]]]}
```
`n` counts the tokens made so far, `x` holds the decision values, `t` the live tokens: box, number, 0 waiting or
1 started, what the box keeps, tokens below it. The order of tokens is the order in which they were made and matters
(which of two waiting branches moves first), so this is stored as text and never as JSONB.
Nothing in it names a class or a module: boxes come from the parsed path, and a name that is not there is refused.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from nrm.engine.effects import RunStatus, Value
from nrm.engine.failures import StepFailed
from nrm.engine.graph import Graph
from nrm.engine.machine import Machine

VERSION: Final = 1

_KEPT: Final = ("via", "items", "results", "index")
_STATES: Final = (TaskState.WAITING, TaskState.STARTED)


def save(machine: Machine) -> str:
    """Write a run as text.

    Args:
        machine: a run in which every token waits.
    """
    state = {
        "v": VERSION,
        "path": machine.graph.key,
        "n": machine.counter,
        "s": machine.status.value,
        "o": machine.outcome,
        "x": {name: _write_value(value) for name, value in machine.values.items()},
        "t": [_write_token(task) for task in machine.task_tree.children],
    }
    return json.dumps(state, separators=(",", ":"))


def load(graph: Graph, text: str, *, now: datetime) -> Machine:
    """Read a run from text.

    Args:
        graph: the parsed path version that the run belongs to.
        text: what `save` gave.
        now: the moment of the advance that follows.

    Raises:
        StepFailed: `state_unreadable`, `state_version` when another version of the program wrote it, or
            `state_other_path` when it belongs to another path or names a step that this version does not have.
    """
    try:
        state = json.loads(text)
        if not isinstance(state, dict) or state["v"] != VERSION:
            found = state.get("v") if isinstance(state, dict) else None
            raise StepFailed("state_version", "", found=str(found)[:20], expected=VERSION)
        if state["path"] != graph.key:
            raise StepFailed("state_other_path", "", expected=graph.key)
        machine = Machine(graph, now=now, values={name: _read_value(value) for name, value in state["x"].items()})
        machine.counter, machine.outcome = int(state["n"]), state["o"]
        machine.status = RunStatus(state["s"])
        for token in state["t"]:
            _read_token(machine, token, machine.task_tree)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError):
        raise StepFailed("state_unreadable", "") from None
    return machine


def _write_token(task: Task) -> list[object]:
    """Write one token and all below it."""
    number = int(task.id.rpartition(".")[2])
    kept = {key: value for key, value in task.internal_data.items() if key in _KEPT}
    below = [_write_token(child) for child in task.children]
    written: list[object] = [task.task_spec.name, number, _STATES.index(task.state)]
    if kept or below:
        written.append(kept)
    if below:
        written.append(below)
    return written


def _read_token(machine: Machine, written: list[object], parent: Task) -> None:
    """Read one token and all below it."""
    name, number, state, *rest = written
    box = machine.graph.boxes.get(str(name))
    if box is None:
        raise StepFailed("state_other_path", str(name), expected=machine.graph.key)
    token = f"{box.step.id}.{int(str(number))}"
    if token in machine.tasks:
        raise ValueError(token)
    task = Task(machine, box, parent, state=_STATES[int(str(state))], id=token)
    kept = rest[0] if rest else {}
    if not isinstance(kept, dict) or not kept.keys() <= set(_KEPT):
        raise ValueError(token)
    task.internal_data.update(kept)
    if "index" in kept:
        task.internal_data["item"] = parent.internal_data["items"][kept["index"]]
    below = rest[1] if len(rest) > 1 else []
    if not isinstance(below, list):
        raise TypeError(token)
    for child in below:
        _read_token(machine, child, task)


def _write_value(value: Value) -> object:
    """Write a decision value so that its type comes back."""
    if isinstance(value, Decimal):
        return {"number": str(value)}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return list(value) if isinstance(value, tuple) else value


def _read_value(written: object) -> Value:
    """Read a decision value."""
    if isinstance(written, list) and all(isinstance(item, str) for item in written):
        return tuple(written)
    if isinstance(written, dict):
        ((kind, text),) = written.items()
        return Decimal(text) if {"number": True, "date": False}[kind] else date.fromisoformat(text)
    if written is None or isinstance(written, (str, int)):
        return written
    raise TypeError
