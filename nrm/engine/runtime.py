"""Advance a run: `(path, state, input, now)` becomes a new state and effects. The only door to the machine.

Every verb loads a fresh run, does one thing, takes all steps that need nobody, and writes the run again. When a verb
raises, nothing has changed: the caller's old state still stands, and the half-done object is thrown away.

What the effects promise to whoever carries them out:

- A `CloseTask` for a `RunCheck` that has not been carried out yet means that it is no longer wanted.
- A subscription ends with `Unsubscribe`, also when its message came; a timer that fired needs no `CancelTimer`.
- What was opened and closed within one advance does not appear.
- A run that goes on after its child was cancelled by hand is told so by `finish_child` or `fail_child`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nrm.engine.boxes import Box
from nrm.engine.effects import Advance, RunStatus, Value
from nrm.engine.events import Catching, throw_error, throw_escalation
from nrm.engine.failures import StepFailed
from nrm.engine.machine import Machine
from nrm.engine.parsing import PathSpec
from nrm.engine.state import load, save
from nrm.engine.work import CallRun

__all__ = [
    "StepFailed",
    "cancel_run",
    "complete_step",
    "escalate_child",
    "fail_child",
    "fail_step",
    "finish_child",
    "fire_timer",
    "receive_message",
    "repair_run",
    "start_run",
]

Input = Mapping[str, object]


def start_run(spec: PathSpec, *, values: Input, now: datetime) -> Advance:
    """Start a run.

    Args:
        spec: the parsed path version.
        values: what the caller passes; only names in `spec.decisions` are kept.
        now: the present moment, aware.

    Raises:
        StepFailed: a step could not be taken.
    """
    _refuse_naive(now)
    machine = Machine(spec.graph, now=now, values={})
    machine.set_values(spec.graph.kept(values, ""))
    machine.begin()
    return _advanced(machine)


def complete_step(spec: PathSpec, state: str, *, token: str, values: Input, now: datetime) -> Advance:
    """Go on after a person's task or a registered check is done.

    Args:
        spec: the parsed path version.
        state: the run's stored state.
        token: the token of the `OpenTask` or `RunCheck`.
        values: answers or the check's values by name; only names in `spec.decisions` are kept.
        now: the present moment, aware.

    Raises:
        StepFailed: `step_not_open` when the step does not wait for this, else what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, lambda box: box.completes)
    machine.set_values(spec.graph.kept(values, task.task_spec.step.id))
    task.complete()
    return _advanced(machine)


def fail_step(spec: PathSpec, state: str, *, token: str, code: str, now: datetime) -> Advance:
    """Raise a BPMN error in a task or check: the nearest boundary event catches it, else the run fails.

    Raises:
        StepFailed: `step_not_open`, or what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, lambda box: box.completes)
    machine.has_ended(task)
    throw_error(machine, task, code, task.task_spec.step.id)
    return _advanced(machine)


def receive_message(spec: PathSpec, state: str, *, token: str, values: Input, now: datetime) -> Advance:
    """Give a message, or a signal of another run, to a subscription.

    Args:
        spec: the parsed path version.
        state: the run's stored state.
        token: the token of the `Subscribe`.
        values: what the message carries; only what the event's `nrm:take` names is kept.
        now: the present moment, aware.

    Raises:
        StepFailed: `step_not_open`, or what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, lambda box: isinstance(box, Catching) and box.step.event in {"message", "signal"})
    task.task_spec.take(machine, values)
    task.task_spec.fire(machine, task)
    return _advanced(machine)


def fire_timer(spec: PathSpec, state: str, *, token: str, now: datetime) -> Advance:
    """Go on because a timer is due.

    Raises:
        StepFailed: `step_not_open`, or what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, lambda box: isinstance(box, Catching) and box.step.event == "timer")
    task.task_spec.fire(machine, task)
    return _advanced(machine)


def finish_child(
    spec: PathSpec, state: str, *, token: str, outcome: str | None, values: Input, now: datetime
) -> Advance:
    """Go on because a child run has ended.

    Args:
        spec: the parsed path version.
        state: the parent run's stored state.
        token: the token of the `StartChildRun`.
        outcome: the child's outcome code.
        values: the child's decision values (`Advance.values`); the call's `nrm:take` says which are kept.
        now: the present moment, aware.

    Raises:
        StepFailed: `step_not_open`, or what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, _is_call)
    task.task_spec.take(machine, task, outcome, values)
    task.complete()
    return _advanced(machine)


def fail_child(spec: PathSpec, state: str, *, token: str, code: str, now: datetime) -> Advance:
    """Tell a call activity that its child run failed: its boundary event catches it, or the error climbs.

    Raises:
        StepFailed: `step_not_open`, or what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, _is_call)
    # The child has ended by itself: there is nothing left to cancel.
    machine.has_ended(task)
    throw_error(machine, task, code, task.task_spec.step.id)
    return _advanced(machine)


def escalate_child(spec: PathSpec, state: str, *, token: str, code: str, now: datetime) -> Advance:
    """Tell a call activity of an escalation in its child run, which goes on unless a boundary event interrupts it.

    Raises:
        StepFailed: `step_not_open`, or what a later step raised.
    """
    machine = _loaded(spec, state, now)
    task = machine.find(token, _is_call)
    throw_escalation(machine, task, code, task.task_spec.step.id)
    return _advanced(machine)


def cancel_run(spec: PathSpec, state: str, *, now: datetime) -> Advance:
    """Cancel a run: tasks, timers, subscriptions and child runs that are open are closed.

    Raises:
        StepFailed: `run_ended`.
    """
    machine = _loaded(spec, state, now)
    if machine.status is not RunStatus.RUNNING:
        raise StepFailed("run_ended", "")
    machine.finish(RunStatus.CANCELLED, None)
    return _advanced(machine)


def repair_run(spec: PathSpec, state: str, *, values: Input, now: datetime) -> Advance:
    """Change decision values, and go on where the change makes it possible.

    After a `StepFailed` the stored state is the one before the input that failed: repair the values here, then give
    the same input again to the returned state. Where that input brings the wrong value itself, put the repaired
    values over its own.

    Raises:
        StepFailed: `run_ended`, `unknown_value` when the path reads no value of that name, `bad_value`, or what a step
            raised.
    """
    machine = _loaded(spec, state, now)
    if machine.status is not RunStatus.RUNNING:
        raise StepFailed("run_ended", "")
    for name in values:
        if name not in spec.decisions:
            raise StepFailed("unknown_value", "", name=name)
    machine.set_values(spec.graph.kept(values, ""))
    return _advanced(machine)


def _is_call(box: Box) -> bool:
    """Tell whether a box waits for a child run."""
    return isinstance(box, CallRun)


def _loaded(spec: PathSpec, state: str, now: datetime) -> Machine:
    """Load a fresh run for one advance."""
    _refuse_naive(now)
    return load(spec.graph, state, now=now)


def _refuse_naive(now: datetime) -> None:
    """Refuse a moment without a zone: it is a mistake of the caller and never of the data."""
    if now.tzinfo is None:
        message = "now must be aware"
        raise ValueError(message)


def _advanced(machine: Machine) -> Advance:
    """Take every step that needs nobody and give what came of it."""
    machine.run()
    values: dict[str, Value] = dict(machine.values)
    return Advance(state=save(machine), effects=machine.effects(), values=values, status=machine.status)
