"""Parallel and inclusive gateways.

BPMN 2.0.2 (OMG formal/2013-12-09), 13.4.2 and 13.4.3: a parallel gateway takes one token from each incoming flow and
leaves the others where they are; an inclusive gateway goes on when it has a token and no other token can still come
to it along a flow that has none. One token stands below the scope for each flow that has arrived.
"""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from nrm.engine.boxes import Box, Scope, Way, chosen
from nrm.engine.conditions import Reader
from nrm.engine.extensions import Wiring
from nrm.engine.machine import Machine
from nrm.engine.steps import Step


class Joining(Box):
    """A gateway that may wait for several tokens."""

    def __init__(self, scope: Scope, name: str, *, step: Step, wiring: Wiring) -> None:
        super().__init__(scope, name, step=step, wiring=wiring)
        self.sources: Mapping[str, frozenset[str]] = {}

    @property
    def joins(self) -> bool:
        """Whether more than one flow comes in."""
        return len(self.incoming) > 1

    def arrive(self, machine: Machine, scope: Task, way: Way) -> None:
        """Wait for the other flows when there are any."""
        if not self.joins:
            super().arrive(machine, scope, way)
            return
        task = machine.add(self, scope, TaskState.WAITING)
        task.internal_data["via"] = way.id
        self.arrived(machine, task)

    def arrived(self, machine: Machine, task: Task) -> None:
        """Note that a token has come to the join."""

    def arrivals(self, scope: Task) -> dict[str, Task]:
        """Give the oldest waiting token of each flow."""
        found: dict[str, Task] = {}
        for task in scope.children:
            if task.task_spec is self and "via" in task.internal_data:
                found.setdefault(task.internal_data["via"], task)
        return found

    def go(self, machine: Machine, scope: Task, arrivals: Mapping[str, Task]) -> None:
        """Take one token from each flow that has one and go on."""
        machine.count(self)
        ways = self.choose(machine, next(iter(arrivals.values())))
        for task in arrivals.values():
            machine.done(task)
        machine.enter_stage(self)
        machine.go_on(scope, self, ways)

    def choose(self, machine: Machine, task: Task) -> tuple[Way, ...]:
        """Give the flows that are taken."""
        return self.ways


class Parallel(Joining):
    """A parallel gateway."""

    @property
    def is_join(self) -> bool:  # type: ignore[override]
        """Whether its waiting tokens wait for other tokens only."""
        return self.joins

    def arrived(self, machine: Machine, task: Task) -> None:
        """Look at the join in its turn, so that a row of joins does not become a stack of calls."""
        machine.look_at(task)

    def try_join(self, machine: Machine, scope: Task) -> bool:
        """Go on when every incoming flow has brought a token; tell whether it did."""
        arrivals = self.arrivals(scope)
        if len(arrivals) < len(self.incoming):
            return False
        self.go(machine, scope, arrivals)
        return True


class Inclusive(Joining):
    """An inclusive gateway.

    Attributes:
        sources: incoming flow → ids of the steps from which a token may still come along it without passing the
            gateway; filled when the path is parsed.
    """

    @property
    def is_join(self) -> bool:  # type: ignore[override]
        """Whether its waiting tokens wait for other tokens only."""
        return self.joins

    @property
    def is_inclusive_join(self) -> bool:  # type: ignore[override]
        """Whether it is to be asked again when everything else waits."""
        return self.joins

    def enter(self, machine: Machine, task: Task) -> bool | None:
        """Split without joining."""
        machine.leave(task, self.choose(machine, task))
        return True

    def choose(self, machine: Machine, task: Task) -> tuple[Way, ...]:
        """Give every flow whose condition is true, else the default flow.

        Raises:
            StepFailed: `no_way_out`.
        """
        return tuple(chosen(self, Reader(machine, task), several=True))

    def try_join(self, machine: Machine, scope: Task) -> bool:
        """Go on when no other token can still come along a flow that has none; tell whether it did."""
        arrivals = self.arrivals(scope)
        others = {task.task_spec.step.id for task in machine.tokens_in(scope) if task.task_spec is not self}
        if any(self._waits_for(other, arrivals) for other in others):
            return False
        self.go(machine, scope, arrivals)
        return True

    def _waits_for(self, other: str, arrivals: Mapping[str, Task]) -> bool:
        """Tell whether a token elsewhere holds the gateway back."""
        reaches = {flow for flow, sources in self.sources.items() if other in sources}
        return bool(reaches) and not reaches & arrivals.keys()
