"""The token machine of one run: SpiffWorkflow's tasks and states, without its history, its data and its clock.

SpiffWorkflow keeps every finished task, copies the data from task to task, foresees the rest of the path and searches
the whole tree at each join; the cost of a step then grows with the past. Here a token that is done leaves the tree at
once and what follows is hung under the *scope* (the run, or the sub-process it stands in), so the tree is exactly the
set of live tokens: nothing to fold, nothing to search, and a loop of 400 rounds costs the same in each of them.

```
run ── user task (STARTED)        a person works on it
    │    └─ boundary timer (WAITING)
    ├─ parallel join (WAITING)    one token per flow that has arrived
    └─ sub-process (STARTED)
         ├─ boundary message (WAITING)
         └─ multi-instance body (STARTED)
              ├─ call activity [child] (STARTED)
              └─ call activity [child] (STARTED)
```
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from nrm.engine.effects import Effect, EnterStage, FinishRun, PassedStep, RunStatus, Value
from nrm.engine.failures import StepFailed
from nrm.engine.values import merged

if TYPE_CHECKING:
    from nrm.engine.boxes import Box, Way
    from nrm.engine.graph import Graph

MAX_STEPS: Final = 5_000
"""Steps that one advance may take; a path has at most 300 and a list at most 50 entries."""
MAX_TOKENS: Final = 1_000
"""Tokens that may be alive at once."""
ROOT: Final = "0"

# The library logs every change of a token with what the token keeps; list entries are nobody's business.
for _name in ("spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Machine(Workflow):  # type: ignore[misc]  # SpiffWorkflow has no types
    """One run during one advance; made afresh for each, thrown away after it or after any exception."""

    def __init__(self, graph: Graph, *, now: datetime, values: dict[str, Value]) -> None:
        """Make an empty run.

        Args:
            graph: the parsed path, shared and never changed here.
            now: the moment of this advance, aware.
            values: the run's decision values.
        """
        super().__init__(graph.top.scope, deserializing=True)
        self.graph = graph
        self.now = now
        self.values = values
        self.counter = 0
        self.outcome: str | None = None
        self.status = RunStatus.RUNNING
        self.task_tree = Task(self, graph.top, state=TaskState.STARTED, id=ROOT)
        self.last_end: str | None = None
        self._log: list[Effect | None] = []
        self._opened: dict[str, int] = {}
        self._ready: deque[Task] = deque()
        self._taken = 0

    # ---- effects -------------------------------------------------------------------------------------------------

    def emit(self, effect: Effect) -> None:
        """Ask for something."""
        self._log.append(effect)

    def emit_opening(self, task: Task) -> None:
        """Ask for what a token that begins to wait needs: a task, a timer, a subscription, a child run."""
        opening = task.task_spec.opening(self, task)
        if opening is not None:
            self._opened[task.id] = len(self._log)
            self._log.append(opening)

    def effects(self) -> tuple[Effect, ...]:
        """Give what was asked for, in order; what was opened and closed in this same advance is left out."""
        return tuple(effect for effect in self._log if effect is not None)

    def enter_stage(self, box: Box) -> None:
        """Ask for the case's stage that begins at a step."""
        if box.step.stage is not None:
            self.emit(EnterStage(step=box.step.id, stage=box.step.stage))

    def _task_removed_notify(self, task: Task) -> None:
        """Close what a token had opened, when it is taken away unfinished (called by SpiffWorkflow)."""
        box: Box = task.task_spec
        if task.has_state(TaskState.COMPLETED | TaskState.ERROR) and not box.closes_when_done:
            return
        opened = self._opened.pop(task.id, None)
        if opened is not None:
            self._log[opened] = None
            return
        closing = box.closing(task.id)
        if closing is not None:
            self._log.append(closing)

    # ---- tokens --------------------------------------------------------------------------------------------------

    def add(self, box: Box, parent: Task, state: int) -> Task:
        """Put a new token into the tree; a READY one is queued to run.

        Raises:
            StepFailed: `too_many_tokens`.
        """
        if len(self.tasks) > MAX_TOKENS:
            raise StepFailed("too_many_tokens", box.step.id, limit=MAX_TOKENS)
        self.counter += 1
        task = Task(self, box, parent, state=state, id=f"{box.step.id}.{self.counter}")
        if state == TaskState.READY:
            self._ready.append(task)
        return task

    def look_at(self, task: Task) -> None:
        """Queue a token that waits at a join, to see whether the join may go on."""
        self._ready.append(task)

    def is_live(self, task: Task) -> bool:
        """Tell whether a token is still in the tree."""
        return task.id in self.tasks

    def drop(self, task: Task) -> None:
        """Take a token and all below it away; what they had opened is closed."""
        if task.id in self.tasks:
            self._remove_task(task.id)

    def done(self, task: Task) -> None:
        """Take a token away that has done its work; what stands below it is closed."""
        task._set_state(TaskState.COMPLETED)
        self.drop(task)

    def scope_of(self, task: Task) -> Task:
        """Give the run or the sub-process in whose scope a token stands.

        A boundary event hangs below the step that it watches but acts beside it, an arm of an event gateway hangs
        below the gateway, a round of a multi-instance step below its body.
        """
        at = task.parent.parent if task.task_spec.is_boundary else task.parent
        while not at.task_spec.is_scope:
            at = at.parent
        return at

    def tokens_in(self, scope: Task) -> Iterator[Task]:
        """Give the tokens directly inside a scope, oldest first."""
        below = (self.tasks[token] for token in scope._children)
        return (task for task in below if not task.task_spec.is_boundary)

    def scopes(self) -> list[Task]:
        """Give the run and every open sub-process."""
        return [task for task in self.in_order() if task.task_spec.is_scope]

    def item_of(self, task: Task) -> str | None:
        """Give the list entry of the innermost multi-instance round around a token."""
        at = task
        while at is not None:
            if "item" in at.internal_data:
                return str(at.internal_data["item"])
            at = at.parent
        return None

    def values_at(self, task: Task) -> dict[str, Value]:
        """Give the run's values and, over them, the list entries of the rounds around a token."""
        items: dict[str, Value] = {}
        at = task
        while at is not None:
            if "item" in at.internal_data:
                items.setdefault(at.parent.task_spec.item_name, str(at.internal_data["item"]))
            at = at.parent
        return {**self.values, **items} if items else self.values

    def set_values(self, new: dict[str, Value]) -> None:
        """Write decision values; the last write stands."""
        self.values = merged(self.values, new)

    def has_ended(self, task: Task) -> None:
        """Note that what a token waits for has failed by itself, so that nothing is left to be closed."""
        task._set_state(TaskState.ERROR)

    def in_order(self) -> list[Task]:
        """Give all tokens in the order in which they were made, the same after save and load."""
        return sorted(self.tasks.values(), key=lambda task: int(task.id.rpartition(".")[2]))

    # ---- moving --------------------------------------------------------------------------------------------------

    def leave(self, task: Task, ways: Sequence[Way] | None = None) -> None:
        """Pass a step: take its token away and go on along its flows.

        Args:
            task: a token; nothing happens when it is gone already.
            ways: the flows that are taken; all of them when None.
        """
        if not self.is_live(task):
            return
        scope = self.scope_of(task)
        self.done(task)
        self.go_on(scope, task.task_spec, task.task_spec.ways if ways is None else ways)

    def go_on(self, scope: Task, box: Box, ways: Sequence[Way]) -> None:
        """Record that a step was passed and put tokens on the flows that leave it."""
        if not ways:
            self.emit(PassedStep(step=box.step.id))
        for way in ways:
            self.emit(PassedStep(step=box.step.id, way=way.id))
        for way in ways:
            way.target.arrive(self, scope, way)
        self.settle(scope)

    def settle(self, scope: Task) -> None:
        """Complete a scope in which no token is left."""
        if self.status is RunStatus.RUNNING and self.is_live(scope) and next(self.tokens_in(scope), None) is None:
            scope.complete()

    def begin(self) -> None:
        """Put a token on the start of the path."""
        self.add(self.graph.top.start, self.task_tree, TaskState.READY)

    def run(self) -> None:
        """Take every step that needs nobody, until only waiting tokens are left.

        Raises:
            StepFailed: `endless_loop`, `join_never_complete`, or what a step raised.
        """
        while self._ready or self._fire_inclusive():
            while self._ready:
                task = self._ready.popleft()
                if not self.is_live(task):
                    continue
                self.count(task.task_spec)
                if task.has_state(TaskState.WAITING):
                    task.task_spec.try_join(self, task.parent)
                else:
                    task.run()
        self._refuse_stuck()

    def count(self, box: Box) -> None:
        """Count a step that is taken, to stop a path that goes round without ever waiting.

        Raises:
            StepFailed: `endless_loop`.
        """
        self._taken += 1
        if self._taken > MAX_STEPS:
            raise StepFailed("endless_loop", box.step.id, limit=MAX_STEPS)

    def _fire_inclusive(self) -> bool:
        """Let one inclusive gateway go on for which no other token can come; tell whether there was one."""
        if not self.graph.has_inclusive_joins:
            return False
        waiting = {(task.task_spec, task.parent): None for task in self.in_order() if task.task_spec.is_inclusive_join}
        return any(box.try_join(self, scope) for box, scope in waiting)

    def _refuse_stuck(self) -> None:
        """Refuse a state in which a scope waits only for tokens that cannot come."""
        for scope in self.scopes():
            waiting = [task.task_spec for task in self.tokens_in(scope)]
            if waiting and all(box.is_join for box in waiting):
                raise StepFailed("join_never_complete", waiting[0].step.id)

    # ---- the end -------------------------------------------------------------------------------------------------

    def finish(self, status: RunStatus, outcome: str | None) -> None:
        """End the run: whatever is still open is closed."""
        for task in list(self.task_tree.children):
            self.drop(task)
        self.status = status
        self.emit(FinishRun(outcome=outcome, status=status))

    def find(self, token: str, accepts: Callable[[Box], bool]) -> Task:
        """Give the token that waits for something.

        Raises:
            StepFailed: `step_not_open` when it does not wait, or not for this.
        """
        task = self.tasks.get(token)
        if task is None or not task.has_state(TaskState.WAITING | TaskState.STARTED) or not accepts(task.task_spec):
            raise StepFailed("step_not_open", token.rpartition(".")[0])
        return task
