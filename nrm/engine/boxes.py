"""The kinds of boxes: what a step of a diagram does when a token comes to it.

Each is a SpiffWorkflow task spec. The library creates, runs, completes, cancels and removes the tasks; what a step
means is said here, and no foreseeing, no data copying and no event manager of the library is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from nrm.engine.conditions import Condition, Reader
from nrm.engine.effects import Effect, RunStatus, Value
from nrm.engine.extensions import Wiring
from nrm.engine.failures import StepFailed
from nrm.engine.steps import Multi, Step

if TYPE_CHECKING:
    from nrm.engine.events import Boundary
    from nrm.engine.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A flow as the machine follows it: its id, the box it leads to, its condition; default has no condition."""

    id: str
    target: Box
    condition: Condition | None = None
    default: bool = False


class Scope(WorkflowSpec):  # type: ignore[misc]
    """The boxes of one process or sub-process."""


class Box(BpmnSpecMixin):  # type: ignore[misc]
    """What all boxes share.

    Attributes:
        step: the facts of the diagram.
        wiring: what the engine needs beyond them.
        ways: the flows that leave it, in the order of the file.
        incoming: ids of the flows that enter it.
        boundaries: the boundary events on it.
    """

    is_scope = False
    is_boundary = False
    is_join = False
    is_inclusive_join = False
    closes_when_done = False
    """Whether what the token had opened is to be closed also when it is done (subscriptions)."""
    completes = False
    """Whether `complete_step` and `fail_step` may be called for it."""

    def __init__(self, scope: Scope, name: str, *, step: Step, wiring: Wiring) -> None:
        super().__init__(scope, name)
        self.step = step
        self.wiring = wiring
        self.ways: tuple[Way, ...] = ()
        self.incoming: tuple[str, ...] = ()
        self.boundaries: tuple[Boundary, ...] = ()

    # What SpiffWorkflow calls.

    def _predict(self, my_task: Task, *_: object, **__: object) -> None:
        """Foresee nothing: the future is made when it comes."""

    def _on_ready(self, my_task: Task) -> None:
        """Do nothing before running: assignments before a step are not supported."""

    def _run_hook(self, my_task: Task) -> bool | None:
        """Run the step: True when it is done at once, None when it waits."""
        machine: Machine = my_task.workflow
        if "item" not in my_task.internal_data:
            machine.enter_stage(self)
        return self.enter(machine, my_task)

    def _on_complete(self, my_task: Task) -> None:
        """Go on after the step."""
        self.leave(my_task.workflow, my_task)

    # What boxes say.

    def arrive(self, machine: Machine, scope: Task, way: Way) -> None:
        """Take a token that came along a flow."""
        machine.add(self, scope, TaskState.READY)

    def enter(self, machine: Machine, task: Task) -> bool | None:
        """Begin the step: True when it is done at once, None when it waits."""
        return True

    def leave(self, machine: Machine, task: Task) -> None:
        """End the step."""
        machine.leave(task)

    def try_join(self, machine: Machine, scope: Task) -> bool:
        """Go on when the tokens that a join waits for have come; tell whether it did."""
        return False

    def opening(self, machine: Machine, task: Task) -> Effect | None:
        """Give the effect that makes others know that the step waits."""
        return None

    def closing(self, token: str) -> Effect | None:
        """Give the effect that takes it back."""
        return None

    def fire(self, machine: Machine, task: Task) -> None:
        """Go on because what the step waited for has happened."""
        task.complete()


class Start(Box):
    """The start of the run or of a sub-process."""


class Activity(Box):
    """A step that does something, may wait, may be repeated over a list, and may carry boundary events."""

    body: Body | None = None

    def enter(self, machine: Machine, task: Task) -> bool | None:
        """Watch for the boundary events, then begin."""
        self.watch(machine, task)
        return self.begin(machine, task)

    def begin(self, machine: Machine, task: Task) -> bool | None:
        """Begin the work: open what the step waits for."""
        machine.emit_opening(task)
        return None

    def watch(self, machine: Machine, task: Task) -> None:
        """Make the boundary events wait; those for errors and escalations are found when one is thrown."""
        for boundary in self.boundaries:
            if boundary.waits:
                machine.emit_opening(machine.add(boundary, task, TaskState.WAITING))

    def leave(self, machine: Machine, task: Task) -> None:
        """End one round for the body, or the step."""
        if self.body is not None and machine.is_live(task):
            self.body.end_round(machine, task)
        else:
            machine.leave(task)


class SubProcess(Activity):
    """An embedded sub-process: a scope of its own inside the run."""

    is_scope = True
    scope: Scope
    start: Start

    def begin(self, machine: Machine, task: Task) -> bool | None:
        """Put a token on the start."""
        machine.add(self.start, task, TaskState.READY)
        return None


class Top(SubProcess):
    """The scope of the whole run."""

    def leave(self, machine: Machine, task: Task) -> None:
        """Finish the run: the outcome is the code of the last named end, else the id of the last end."""
        machine.finish(RunStatus.FINISHED, machine.outcome or machine.last_end)


class Body(Activity):
    """A multi-instance step around its rounds: one token below it for each entry of a list that is being worked on.

    The list is read once, when the step begins. Boundary events watch the body, that is, all rounds together.
    """

    def __init__(self, scope: Scope, name: str, *, step: Step, wiring: Wiring, inner: Activity) -> None:
        super().__init__(scope, name, step=step, wiring=wiring)
        self.inner = inner
        inner.body = self
        multi = step.multi or Multi(list="", item="")
        self.list_name, self.item_name, self.sequential = multi.list, multi.item, multi.sequential

    def begin(self, machine: Machine, task: Task) -> bool | None:
        """Open all rounds, or the first; a list that is empty or missing has none.

        Raises:
            StepFailed: `not_a_list`.
        """
        items = machine.values_at(task).get(self.list_name)
        if items is None:
            items = ()
        if not isinstance(items, tuple):
            raise StepFailed("not_a_list", self.step.id, name=self.list_name)
        task.internal_data.update(items=list(items), results=[""] * len(items))
        for index in range(min(1, len(items)) if self.sequential else len(items)):
            self._round(machine, task, index)
        return None if items else True

    def _round(self, machine: Machine, task: Task, index: int) -> None:
        """Begin the round of one entry."""
        inner = machine.add(self.inner, task, TaskState.READY)
        inner.internal_data.update(index=index, item=task.internal_data["items"][index])

    def end_round(self, machine: Machine, inner: Task) -> None:
        """Begin the next round, or end the step after the last."""
        task, following = inner.parent, inner.internal_data["index"] + 1
        machine.done(inner)
        if self.sequential and following < len(task.internal_data["items"]):
            self._round(machine, task, following)
        elif all(child.task_spec is not self.inner for child in task.children):
            task.complete()

    def leave(self, machine: Machine, task: Task) -> None:
        """Keep the outcomes of the called runs, in the order of the list, and end the step."""
        call = self.step.call
        if call is not None and call.result is not None and machine.is_live(task):
            results: tuple[str, ...] = tuple(task.internal_data.get("results", ()))
            machine.set_values(machine.graph.kept({call.result: results}, self.step.id))
        machine.leave(task)


class Exclusive(Box):
    """An exclusive gateway: the first flow whose condition is true, else the default flow."""

    def enter(self, machine: Machine, task: Task) -> bool | None:
        """Choose.

        Raises:
            StepFailed: `no_way_out` when no condition is true and there is no default flow.
        """
        machine.leave(task, chosen(self, Reader(machine, task), several=False))
        return True


def chosen(box: Box, reader: Reader, *, several: bool) -> Sequence[Way]:
    """Give the flows that a gateway takes.

    Args:
        box: the gateway.
        reader: reads its conditions.
        several: take every flow whose condition is true and not just the first.

    Raises:
        StepFailed: `no_way_out`, `expression_limit`.
    """
    if len(box.ways) == 1 and box.ways[0].condition is None:
        return box.ways
    taken: list[Way] = []
    for way in box.ways:
        if way.condition is not None and reader.is_true(way.condition):
            taken.append(way)
            if not several:
                break
    taken = taken or [way for way in box.ways if way.default]
    if not taken:
        raise StepFailed("no_way_out", box.step.id)
    return taken


def values_for(names: dict[str, str], values: dict[str, Value]) -> dict[str, Value]:
    """Give values under other names: new name → old name; what is missing is left out."""
    found = {new: values.get(old) for new, old in names.items()}
    return {name: value for name, value in found.items() if value is not None}
