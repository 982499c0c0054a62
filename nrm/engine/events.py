"""Events: what is caught, what is thrown, and how far errors and escalations climb.

An error or escalation goes to the nearest boundary event around the step that threw it and to no other, so that two
parallel sub-processes never fire each other's handlers. A signal fires every catch event of this run that waits for
it, and leaves the run as a `ThrowMessage` named `signal:NAME` for the other runs of the case; what is thrown never
comes back to the run that threw it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from nrm.engine.boxes import Activity, Body, Box, values_for
from nrm.engine.conditions import Condition, Reader
from nrm.engine.durations import Duration, start_of
from nrm.engine.effects import (
    SIGNAL,
    CancelTimer,
    Effect,
    Escalate,
    FailParent,
    PassedStep,
    RecordOutcome,
    RunStatus,
    SetTimer,
    Subscribe,
    ThrowMessage,
    Unsubscribe,
    Value,
)
from nrm.engine.failures import StepFailed
from nrm.engine.machine import Machine


class Catching(Box):
    """What waits for a message, a signal or a timer."""

    duration: Duration | None = None
    date: Condition | None = None

    @property
    def closes_when_done(self) -> bool:  # type: ignore[override]
        """A subscription ends also when its message has come; a timer that has fired is over by itself."""
        return self.step.event != "timer"

    @property
    def message(self) -> str | None:
        """The name that it subscribes to."""
        return f"{SIGNAL}{self.step.code}" if self.step.event == "signal" else self.step.message

    def opening(self, machine: Machine, task: Task) -> Effect | None:
        """Set the timer or subscribe.

        Raises:
            StepFailed: `no_date` when the timer's date is missing or too far.
        """
        step = self.step
        if step.event == "timer":
            return SetTimer(token=task.id, step=step.id, due_at=self._due(machine, task))
        correlation = "case" if step.event == "signal" else step.correlation
        return Subscribe(token=task.id, step=step.id, message=self.message or "", correlation=correlation)

    def closing(self, token: str) -> Effect | None:
        """Forget the timer or stop waiting."""
        if self.step.event == "timer":
            return CancelTimer(token=token, step=self.step.id)
        return Unsubscribe(token=token, step=self.step.id)

    def take(self, machine: Machine, values: Mapping[str, object]) -> None:
        """Keep what `nrm:take` names of a message's values."""
        taken = {name: values[source] for name, source in self.wiring.takes.items() if source in values}
        machine.set_values(machine.graph.kept(taken, self.step.id))

    def _due(self, machine: Machine, task: Task) -> datetime:
        """Give the moment at which a timer is due, in UTC; a date means its first moment in UTC."""
        try:
            if self.duration is not None:
                return self.duration.after(machine.now)
        except OverflowError:
            raise StepFailed("no_date", self.step.id) from None
        found = None if self.date is None else Reader(machine, task).value(self.date)
        if not isinstance(found, date):
            raise StepFailed("no_date", self.step.id)
        return start_of(found)


class Catch(Catching):
    """An intermediate catch event: in the flow, or an arm of an event gateway."""

    def enter(self, machine: Machine, task: Task) -> None:
        """Wait."""
        machine.emit_opening(task)

    def fire(self, machine: Machine, task: Task) -> None:
        """Go on; at an event gateway the other arms lose."""
        if not isinstance(task.parent.task_spec, EventGateway):
            task.complete()
            return
        _fire_arm(machine, task)


class Receive(Catching, Activity):
    """A receive task: a catch event that may be repeated over a list and carry boundary events."""

    def fire(self, machine: Machine, task: Task) -> None:
        """Go on; at an event gateway the other arms lose."""
        if isinstance(task.parent.task_spec, EventGateway):
            _fire_arm(machine, task)
        else:
            task.complete()


class EventGateway(Box):
    """An event-based gateway: every arm waits with its own token; the first that fires wins."""

    def enter(self, machine: Machine, task: Task) -> None:
        """Let the arms wait."""
        for way in self.ways:
            machine.enter_stage(way.target)
            machine.emit_opening(machine.add(way.target, task, TaskState.WAITING))


def _fire_arm(machine: Machine, arm: Task) -> None:
    """Go on behind the arm that fired; the gateway and its other arms are gone."""
    gateway, box = arm.parent, arm.task_spec
    scope = machine.scope_of(gateway)
    way = next(way for way in gateway.task_spec.ways if way.target is box)
    machine.done(arm)
    machine.done(gateway)
    machine.emit(PassedStep(step=gateway.task_spec.step.id, way=way.id))
    machine.go_on(scope, box, box.ways)


class Boundary(Catching):
    """A boundary event. Its token hangs below the step that it watches and goes when that step goes."""

    is_boundary = True

    @property
    def waits(self) -> bool:
        """Whether it has a token of its own; errors and escalations find it when they are thrown."""
        return self.step.event in {"message", "timer", "signal"}

    def fire(self, machine: Machine, task: Task) -> None:
        """Act: take the watched step away, or go on beside it; a message that does not interrupt may come again."""
        host = task.parent
        if self.step.event == "timer" or self.step.interrupting:
            machine.done(task)
        self.act(machine, host)

    def act(self, machine: Machine, host: Task) -> None:
        """Put a token on the flow that leaves the event, beside the step that it watches."""
        scope = machine.scope_of(host)
        if self.step.interrupting:
            machine.drop(host)
        machine.enter_stage(self)
        machine.go_on(scope, self, self.ways)


class Throw(Box):
    """An intermediate throw event; with no event in it, a milestone."""

    def enter(self, machine: Machine, task: Task) -> bool:
        """Throw, then go on unless what was thrown took this token away."""
        throw(machine, self, task, machine.scope_of(task))
        return True


class End(Box):
    """An end event."""

    def enter(self, machine: Machine, task: Task) -> bool:
        """Record the outcome, throw what it throws, and take the token away."""
        scope, values = machine.scope_of(task), machine.values_at(task)
        machine.emit(PassedStep(step=self.step.id))
        self._record(machine, values)
        if self.step.event == "error":
            throw_error(machine, scope, self.step.code or "", self.step.id)
            return True
        throw(machine, self, task, scope)
        if self.step.event == "terminate" and machine.is_live(scope):
            for other in list(machine.tokens_in(scope)):
                if other is not task:
                    machine.drop(other)
        if machine.is_live(task):
            machine.done(task)
            machine.settle(scope)
        return True

    def _record(self, machine: Machine, values: dict[str, Value]) -> None:
        """Keep the outcome and the values that the path passes to whoever called it."""
        machine.last_end = self.step.id
        if self.step.outcome is not None:
            machine.outcome = self.step.outcome
            machine.emit(RecordOutcome(step=self.step.id, code=self.step.outcome))
        if self.step.event != "message":
            passed = {name: values.get(source) for name, source in self.wiring.passes.items()}
            machine.set_values(machine.graph.kept(passed, self.step.id))


def throw(machine: Machine, box: Box, task: Task, scope: Task) -> None:
    """Throw the message, signal or escalation of a throwing event; the other kinds throw nothing here."""
    step = box.step
    values = values_for(dict(box.wiring.passes), machine.values_at(task))
    if step.event == "message":
        machine.emit(
            ThrowMessage(step=step.id, message=step.message or "", correlation=step.correlation, values=values)
        )
    elif step.event == "signal":
        _throw_signal(machine, step.code or "", step.id)
    elif step.event == "escalation":
        throw_escalation(machine, scope, step.code or "", step.id)


def throw_error(machine: Machine, source: Task, code: str, step: str) -> None:
    """Let an error climb from a token outwards to the nearest boundary event that catches it.

    Args:
        machine: the run.
        source: the step or scope where the search begins, itself included.
        code: the error's code.
        step: id of the step that threw it.

    An error that nobody catches ends this run as failed and goes to the parent run.
    """
    host, catcher = _climb(machine, source, "error", code)
    if catcher is not None:
        catcher.act(machine, host)
        return
    machine.emit(FailParent(step=step, code=code))
    machine.finish(RunStatus.FAILED, code)


def throw_escalation(machine: Machine, source: Task, code: str, step: str) -> None:
    """Let an escalation climb outwards; one that nobody catches goes to the parent run, and this run goes on."""
    host, catcher = _climb(machine, source, "escalation", code)
    if catcher is not None:
        catcher.act(machine, host)
    else:
        machine.emit(Escalate(step=step, code=code))


def _climb(machine: Machine, source: Task, event: str, code: str) -> tuple[Task, Boundary | None]:
    """Find the nearest step around a token with a boundary event for this code; exact codes before catch-alls."""
    at = source
    while at is not machine.task_tree:
        host = at.parent if isinstance(at.parent.task_spec, Body) else at
        catchers = [boundary for boundary in host.task_spec.boundaries if boundary.step.event == event]
        for wanted in (code, None):
            for catcher in catchers:
                if catcher.step.code == wanted:
                    return host, catcher
        at = machine.scope_of(host)
    return at, None


def _throw_signal(machine: Machine, name: str, step: str) -> None:
    """Fire every catch event of this run that waits for the signal now, and tell the other runs of the case."""
    waiting = [
        task
        for task in machine.in_order()
        if isinstance(task.task_spec, Catching)
        and task.task_spec.step.event == "signal"
        and task.task_spec.step.code == name
        and task.has_state(TaskState.WAITING | TaskState.STARTED)
    ]
    machine.emit(ThrowMessage(step=step, message=f"{SIGNAL}{name}", correlation="case"))
    for task in waiting:
        if machine.is_live(task):
            task.task_spec.fire(machine, task)
