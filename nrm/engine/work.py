"""Steps that somebody or something does: people, registered checks, decision tables, other runs."""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.task import Task

from nrm.engine.boxes import Activity, Scope, values_for
from nrm.engine.conditions import Condition, Reader
from nrm.engine.effects import CancelChildRun, CloseTask, Effect, OpenTask, RunCheck, StartChildRun
from nrm.engine.extensions import Wiring
from nrm.engine.failures import StepFailed
from nrm.engine.machine import Machine
from nrm.engine.steps import Call, Step
from nrm.engine.tables import Table


class Human(Activity):
    """A user or manual task."""

    completes = True

    def opening(self, machine: Machine, task: Task) -> Effect:
        """Open a task at the step's desk."""
        return OpenTask(token=task.id, step=self.step.id, item=machine.item_of(task))

    def closing(self, token: str) -> Effect:
        """Close the task."""
        return CloseTask(token=token, step=self.step.id)


class Check(Activity):
    """A service or send task: a registered check, never code from the diagram."""

    completes = True
    params: Mapping[str, Condition] = {}

    def opening(self, machine: Machine, task: Task) -> Effect:
        """Ask for the check with its parameters' values; what a send task passes is a parameter too."""
        reader = Reader(machine, task)
        return RunCheck(
            token=task.id,
            step=self.step.id,
            name=self.step.check or "",
            params={
                **values_for(dict(self.wiring.passes), machine.values_at(task)),
                **{name: reader.value(condition) for name, condition in self.params.items()},
            },
            item=machine.item_of(task),
        )

    def closing(self, token: str) -> Effect:
        """Say that the check is no longer wanted."""
        return CloseTask(token=token, step=self.step.id)


class Decision(Activity):
    """A business rule task: a decision table."""

    table: Table

    def begin(self, machine: Machine, task: Task) -> bool:
        """Decide and keep the results.

        Raises:
            StepFailed: `no_single_rule`, `expression_limit`, `bad_value`.
        """
        found = self.table.decide(machine.values_at(task), today=machine.now.date(), element=self.step.id)
        machine.set_values(machine.graph.kept(found, self.step.id))
        return True


class CallRun(Activity):
    """A call activity: a run of its own, in its own row, with its own path version."""

    def __init__(self, scope: Scope, name: str, *, step: Step, wiring: Wiring) -> None:
        super().__init__(scope, name, step=step, wiring=wiring)
        self.call = step.call or Call(path=None)
        self.table: Mapping[str, str] = {}

    def opening(self, machine: Machine, task: Task) -> Effect:
        """Start the child run.

        Raises:
            StepFailed: `no_path_for_value` when the pack's table has no path for the value.
        """
        values = machine.values_at(task)
        path = self.call.path
        if path is None:
            key = values.get(self.call.key or "")
            path = self.table.get(key) if isinstance(key, str) else None
        if path is None:
            raise StepFailed("no_path_for_value", self.step.id, table=self.call.table, name=self.call.key)
        return StartChildRun(
            token=task.id,
            step=self.step.id,
            path=path,
            version=self.call.version,
            values=values_for(dict(self.call.passes), values),
            item=machine.item_of(task),
        )

    def closing(self, token: str) -> Effect:
        """Cancel the child run."""
        return CancelChildRun(token=token, step=self.step.id)

    def take(self, machine: Machine, task: Task, outcome: str | None, values: Mapping[str, object]) -> None:
        """Keep what the child run gave: the values that the diagram takes, and its outcome.

        In multi-instance the outcomes become a list in the order of the entries, written when all rounds are done;
        of a value that each round takes, the last one stands.
        """
        taken: dict[str, object] = {
            name: values[source] for name, source in self.call.takes.items() if source in values
        }
        if self.body is not None:
            task.parent.internal_data["results"][task.internal_data["index"]] = outcome or ""
        elif self.call.result is not None:
            taken[self.call.result] = outcome
        machine.set_values(machine.graph.kept(taken, self.step.id))
