"""Move a running run to another version of its path: what it waits for stays, and nothing begins anew.

A plan says, for the steps at which runs may stand, at which step of the other version they then stand. Tokens keep
their numbers; only their steps are renamed. A timer that runs keeps its moment, a task its deadline, a message that is
waited for goes on being waited for. What the other version watches in addition begins when the run is moved; what it
watches no longer ends then. Whatever cannot be moved so is refused, by name, and the run stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from SpiffWorkflow.util.task import TaskState

from nrm.engine.boxes import Body, Box
from nrm.engine.effects import Advance, Effect, PassedStep, Value
from nrm.engine.events import Boundary, Catching, EventGateway
from nrm.engine.failures import StepFailed
from nrm.engine.findings import Finding, Severity
from nrm.engine.joins import Joining
from nrm.engine.machine import Machine
from nrm.engine.parsing import PathSpec
from nrm.engine.starving import Joins
from nrm.engine.state import load, save
from nrm.engine.steps import Step, StepKind

Token = list[object]
"""A stored token, see `nrm.engine.state`."""

_CHILD: Final = " [child]"
_WAITING: Final = frozenset(
    {StepKind.TASK, StepKind.CALL, StepKind.CATCH, StepKind.SUBPROCESS, StepKind.EVENT_GATEWAY, StepKind.CHECK}
)


class Choice(StrEnum):
    """What becomes of something that an open task has: it stays as it was, or follows the other version."""

    KEEP = "keep"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMove:
    """Where the runs go that stand at one step.

    Attributes:
        to: step of the other version; None lets go of a timer or a message that the other version does not watch.
        form: whether an open task keeps its form or gets that of the other version.
        desk: whether an open task that nobody has taken stays at its desk or goes to that of the other version.
    """

    to: str | None
    form: Choice = Choice.NEW
    desk: Choice = Choice.NEW


Plan = Mapping[str, StepMove]
"""Step of the version that is left → where its runs go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What moving one run does.

    Attributes:
        findings: what is lost, begins, or stops the move; with an error in it, the run cannot be moved.
        renamed: old token → new token, for what is waited for before and after.
        advance: the new state and what is to be done; None when the run cannot be moved.
        goes_on: whether the run takes steps by being moved, which nobody can take back.
    """

    findings: tuple[Finding, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    advance: Advance | None = None
    goes_on: bool = False


def may_wait(spec: PathSpec, step: Step) -> bool:
    """Tell whether runs may stand at a step: only those need a place in a plan."""
    box = spec.graph.boxes[step.id]
    if isinstance(box, Boundary):
        return box.waits
    if isinstance(box, Joining):
        return box.joins
    return step.kind in _WAITING and (step.kind is not StepKind.CHECK or step.multi is not None)


def is_watcher(spec: PathSpec, step: Step) -> bool:
    """Tell whether a step waits beside another one: a boundary event, or an arm of an event gateway."""
    if step.kind is StepKind.BOUNDARY:
        return True
    return step.kind is StepKind.CATCH and gateway_of(spec, step.id) is not None


def gateway_of(spec: PathSpec, step: str) -> str | None:
    """Give the event gateway whose arm a step is, None when it is none."""
    sources = (spec.steps[flow.source] for flow in spec.flows.values() if flow.target == step)
    return next((source.id for source in sources if source.kind is StepKind.EVENT_GATEWAY), None)


def suggest_plan(source: PathSpec, target: PathSpec) -> dict[str, StepMove]:
    """Propose a plan: each step goes to the one of the same id and kind; what has none is left to a person.

    A timer or message that the other version no longer watches is let go.
    """
    plan: dict[str, StepMove] = {}
    for step in source.steps.values():
        if not may_wait(source, step):
            continue
        twin = target.steps.get(step.id)
        if twin is not None and twin.kind is step.kind and twin.event == step.event:
            plan[step.id] = StepMove(to=step.id)
        elif is_watcher(source, step):
            plan[step.id] = StepMove(to=None)
    return plan


class Mover:
    """Moves runs by one plan; made once, used for many runs."""

    def __init__(self, source: PathSpec, target: PathSpec, plan: Plan) -> None:
        """Work out what does not depend on a run.

        Args:
            source: the version that runs leave.
            target: the version that they go to.
            plan: a plan without errors, see `nrm.engine.move_checks.check_plan`.
        """
        self.source, self.target, self.plan = source, target, plan
        self._joins = (Joins(source.graph), Joins(target.graph))
        self._taken = frozenset(move.to for move in plan.values() if move.to is not None)

    def move(self, state: str, *, now: datetime) -> Moved:
        """Move one run.

        Args:
            state: its stored state.
            now: the moment of the move, aware.

        Returns:
            The new state and what to do, or the findings that stop it. Nothing is raised for a run that cannot move.
        """
        try:
            before = load(self.source.graph, state, now=now)
        except StepFailed as failure:
            return Moved(findings=(Finding(code="move_unreadable", params={"reason": failure.code}),))
        written = json.loads(state)
        passage = _Passage(self)
        written["t"] = [token for old in written["t"] for token in passage.carry(old, self.source.graph.top, None)]
        if passage.stopped:
            return Moved(findings=tuple(passage.findings))
        try:
            return self._arrive(before, json.dumps(written, separators=(",", ":")), passage, now)
        except StepFailed as failure:
            found = Finding(code="move_fails", element=failure.element, params={"reason": failure.code})
            return Moved(findings=(*passage.findings, found))

    def _arrive(self, before: Machine, state: str, passage: _Passage, now: datetime) -> Moved:
        """Let a carried run settle in the other version."""
        machine = load(self.target.graph, state, now=now)
        starving = [*self._starving(before, machine)]
        if starving:
            return Moved(findings=(*passage.findings, *starving))
        for closing in passage.closings:
            machine.emit(closing)
        self._open_what_changed(machine, passage)
        self._watch(machine, passage)
        for task in machine.in_order():
            if isinstance(task.task_spec, Joining) and "via" in task.internal_data:
                machine.look_at(task)
        machine.run()
        effects = machine.effects()
        goes_on = any(isinstance(effect, PassedStep) for effect in effects)
        if goes_on:
            passage.note("move_goes_on", "", Severity.WARNING)
        values: dict[str, Value] = dict(machine.values)
        return Moved(
            findings=tuple(passage.findings),
            renamed=passage.renamed,
            advance=Advance(state=save(machine), effects=effects, values=values, status=machine.status),
            goes_on=goes_on,
        )

    def _starving(self, before: Machine, after: Machine) -> Iterator[Finding]:
        """Find joins that would wait for ever in the other version and did not before."""
        already = self._joins[0].starving(before)
        there = {move.to: old for old, move in self.plan.items()}
        for join in sorted(self._joins[1].starving(after)):
            if there.get(join, join) not in already:
                yield Finding(code="move_join_starves", element=join)

    def _open_what_changed(self, machine: Machine, passage: _Passage) -> None:
        """Subscribe anew where the other version waits for another message."""
        for token in passage.changed:
            machine.emit_opening(machine.tasks[token])

    def _watch(self, machine: Machine, passage: _Passage) -> None:
        """Begin to watch what only the other version watches."""
        for task in machine.in_order():
            box: Box = task.task_spec
            if isinstance(box, EventGateway):
                arms: list[Box] = [way.target for way in box.ways]
            else:
                arms = [boundary for boundary in box.boundaries if boundary.waits]
            for arm in arms:
                if arm.step.id not in self._taken:
                    passage.note(f"move_{_sort(arm.step)}_begins", arm.step.id, Severity.WARNING)
                    machine.emit_opening(machine.add(arm, task, TaskState.WAITING))


class _Passage:
    """One run on its way: what was renamed, what ended, what was found."""

    def __init__(self, mover: Mover) -> None:
        self.mover = mover
        self.findings: list[Finding] = []
        self.renamed: dict[str, str] = {}
        self.closings: list[Effect] = []
        self.changed: list[str] = []
        self.stopped = False

    def note(self, code: str, element: str, severity: Severity) -> None:
        """Keep a finding once."""
        found = Finding(code=code, element=element, severity=severity)
        if found not in self.findings:
            self.findings.append(found)
        self.stopped = self.stopped or severity is Severity.ERROR

    def carry(self, token: Token, parent: Box, new_parent: Box | None) -> Iterator[Token]:
        """Give a stored token, and all below it, as the other version stores it; nothing when it ends.

        Args:
            token: the token.
            parent: the box that it stands below.
            new_parent: where that one has gone; None for the top.
        """
        name, number, state, *rest = token
        graph = self.mover.source.graph
        old = graph.boxes[str(name)]
        move = self.mover.plan.get(old.step.id)
        if move is None:
            self.note("move_stands_unmapped", old.step.id, Severity.ERROR)
            return
        if move.to is None:
            yield from self._end(old, parent, int(str(number)))
            return
        new = self.mover.target.graph.boxes.get(move.to + _CHILD * (str(name).endswith(_CHILD)))
        if new is None or not _fits(old, new, new_parent):
            self.note("move_does_not_fit", old.step.id, Severity.ERROR)
            return
        self._rename(old, new, int(str(number)))
        kept = self._kept(rest[0] if rest else {}, old, new)
        below = rest[1] if len(rest) > 1 and isinstance(rest[1], list) else []
        carried = [inner for one in below for inner in self.carry(one, old, new)]
        yield [new.name, number, state, *([kept] if kept or carried else []), *([carried] if carried else [])]

    def _end(self, old: Box, parent: Box, number: int) -> Iterator[Token]:
        """End what the other version does not wait for; only what waits beside something else may end."""
        if not (isinstance(old, Boundary) or isinstance(parent, EventGateway)):
            self.note("move_cannot_drop", old.step.id, Severity.ERROR)
            return
        self.note(f"move_{_sort(old.step)}_ends", old.step.id, Severity.WARNING)
        self._close(old, f"{old.step.id}.{number}")
        yield from ()

    def _rename(self, old: Box, new: Box, number: int) -> None:
        """Note under which name a token goes on; a message that differs is unsubscribed and subscribed anew."""
        before, after = f"{old.step.id}.{number}", f"{new.step.id}.{number}"
        if _heard(old) == _heard(new):
            self.renamed[before] = after
            return
        self.note("move_message_changes", old.step.id, Severity.WARNING)
        self._close(old, before)
        self.changed.append(after)

    def _close(self, old: Box, token: str) -> None:
        closing = old.closing(token)
        if closing is not None:
            self.closings.append(closing)

    def _kept(self, kept: object, old: Box, new: Box) -> dict[str, object]:
        """Give what a token keeps; one that waits at a join must have come along a flow of the new one."""
        found = dict(kept) if isinstance(kept, dict) else {}
        if "via" not in found:
            return found
        via = str(found["via"])
        if via not in new.incoming:
            via = self._twin_of_flow(via, new)
        if not via:
            self.note("move_flow_gone", old.step.id, Severity.ERROR)
        return {**found, "via": via}

    def _twin_of_flow(self, flow: str, join: Box) -> str:
        """Give the flow into the new join that comes from where this one came from; "" when that is not one flow."""
        came_from = self.mover.source.flows[flow].source
        move = self.mover.plan.get(came_from)
        source = move.to if move is not None else came_from
        flows = self.mover.target.flows
        found = [name for name in join.incoming if flows[name].source == source]
        return found[0] if len(found) == 1 else ""


def _fits(old: Box, new: Box, new_parent: Box | None) -> bool:
    """Tell whether a token of one box may stand in another one, below where its parent has gone."""
    if type(old) is not type(new) or old.step.event != new.step.event:
        return False
    if isinstance(old, Body) and isinstance(new, Body) and _rounds(old) != _rounds(new):
        return False
    if isinstance(new_parent, EventGateway):
        return any(way.target is new for way in new_parent.ways)
    below = "" if new_parent is None else new_parent.step.id
    if isinstance(new, Boundary):
        return new.step.host == below
    return new.name == below + _CHILD or (new.step.parent or "") == below


def _rounds(body: Body) -> tuple[type[Box], bool]:
    return type(body.inner), body.sequential


def _heard(box: Box) -> tuple[str | None, str] | None:
    """Give the message that a box waits for and for whom it is; None where it waits for none."""
    if not isinstance(box, Catching) or box.step.event == "timer":
        return None
    return box.message, "case" if box.step.event == "signal" else box.step.correlation


def _sort(step: Step) -> str:
    """Say what a watcher waits for, as it stands in the codes of findings: a timer or a message."""
    return "timer" if step.event == "timer" else "message"
