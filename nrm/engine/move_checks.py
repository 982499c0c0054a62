"""What is wrong or doubtful about a plan that moves runs: named validators, each about one thing.

An error stops the plan before any run is looked at; a warning tells what those who wait will lose or gain; a note tells
what stays as it was. Which runs it concerns is said by the dry run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nrm.engine.findings import Finding, Severity
from nrm.engine.joins import Joining
from nrm.engine.moving import Choice, Plan, StepMove, gateway_of, is_watcher, may_wait
from nrm.engine.parsing import PathSpec
from nrm.engine.steps import Call, Step, StepKind
from nrm.rules.forms import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What the validators look at.

    Attributes:
        source: the version that runs leave.
        target: the version that they go to.
        plan: the plan.
        old_forms: form key → form, as the source names them.
        new_forms: the same of the target.
    """

    source: PathSpec
    target: PathSpec
    plan: Plan
    old_forms: Mapping[str, Form] = field(default_factory=dict)
    new_forms: Mapping[str, Form] = field(default_factory=dict)

    def pairs(self) -> Iterator[tuple[Step, Step, StepMove]]:
        """Give each step that moves with the one that it moves to, where both are there."""
        for name, move in self.plan.items():
            old, new = self.source.steps.get(name), self.target.steps.get(move.to or "")
            if old is not None and new is not None:
                yield old, new, move

    def like(self) -> Iterator[tuple[Step, Step, StepMove]]:
        """Give the pairs of the same kind."""
        return (pair for pair in self.pairs() if (pair[0].kind, pair[0].event) == (pair[1].kind, pair[1].event))

    def goes_to(self, step: str | None) -> str | None:
        """Give where the runs of a step go; the step itself where the plan does not name it."""
        move = self.plan.get(step or "")
        return step if move is None else move.to


Validator = Callable[[Crossing], Iterator[Finding]]


def check_plan(crossing: Crossing) -> tuple[Finding, ...]:
    """Run every validator; errors come first.

    Args:
        crossing: both versions, the plan, and the forms of both.
    """
    found = [finding for validator in VALIDATORS.values() for finding in validator(crossing)]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: (order.index(finding.severity), finding.element, finding.code)))


def _error(code: str, element: str, **params: str | int) -> Finding:
    return Finding(code=code, element=element, params=params)


def _warning(code: str, element: str, **params: str | int) -> Finding:
    return Finding(code=code, element=element, severity=Severity.WARNING, params=params)


def _note(code: str, element: str, **params: str | int) -> Finding:
    return Finding(code=code, element=element, severity=Severity.NOTE, params=params)


# -- the shape --------------------------------------------------------------------------------------------------------


def same_path(on: Crossing) -> Iterator[Finding]:
    """Refuse versions of two paths: nothing says that their steps mean the same."""
    if on.source.key != on.target.key:
        yield _error("move_other_path", "", path=on.source.key, other=on.target.key)


def sources_exist(on: Crossing) -> Iterator[Finding]:
    """Refuse steps that the version that is left does not have, or at which no run ever stands."""
    for name in on.plan:
        step = on.source.steps.get(name)
        if step is None or not may_wait(on.source, step):
            yield _error("move_unknown_source", name)


def targets_exist(on: Crossing) -> Iterator[Finding]:
    """Refuse targets that the other version does not have, or at which no run may stand."""
    for name, move in on.plan.items():
        step = on.target.steps.get(move.to) if move.to is not None else None
        if move.to is not None and (step is None or not may_wait(on.target, step)):
            yield _error("move_unknown_target", name, target=move.to)


def kinds_equal(on: Crossing) -> Iterator[Finding]:
    """Refuse to move from one kind of step to another: a task is no timer."""
    for old, new, _ in on.pairs():
        if old.kind is not new.kind:
            yield _error("move_kind_differs", old.id, target=new.id)


def events_equal(on: Crossing) -> Iterator[Finding]:
    """Refuse to move a wait for a timer to a wait for a message, and the other way round."""
    for old, new, _ in on.pairs():
        if old.kind is new.kind and old.event != new.event:
            yield _error("move_event_differs", old.id, target=new.id)


def scopes_kept(on: Crossing) -> Iterator[Finding]:
    """Refuse to move a step into another sub-process, or out of one."""
    for old, new, _ in on.pairs():
        if on.goes_to(old.parent) != new.parent:
            yield _error("move_scope_differs", old.id, target=new.id)


def rounds_kept(on: Crossing) -> Iterator[Finding]:
    """Refuse to move into or out of a step that is repeated over a list."""
    for old, new, _ in on.pairs():
        if (old.multi is None) != (new.multi is None):
            yield _error("move_rounds_differ", old.id, target=new.id)


def order_kept(on: Crossing) -> Iterator[Finding]:
    """Refuse to let rounds that run side by side go on one after the other, and the other way round."""
    for old, new, _ in on.pairs():
        if old.multi is not None and new.multi is not None and old.multi.sequential != new.multi.sequential:
            yield _error("move_order_differs", old.id, target=new.id)


def hosts_kept(on: Crossing) -> Iterator[Finding]:
    """Refuse to hang a boundary event on another step."""
    for old, new, _ in on.pairs():
        if StepKind.BOUNDARY is old.kind is new.kind and on.goes_to(old.host) != new.host:
            yield _error("move_host_differs", old.id, target=new.id)


def arms_kept(on: Crossing) -> Iterator[Finding]:
    """Refuse to move an arm of an event gateway to where it is none, or one of another gateway."""
    for old, new, _ in on.like():
        gateway = gateway_of(on.source, old.id)
        goes_to = None if gateway is None else on.goes_to(gateway)
        if old.kind is StepKind.CATCH and goes_to != gateway_of(on.target, new.id):
            yield _error("move_arm_differs", old.id, target=new.id)


def one_on_each(on: Crossing) -> Iterator[Finding]:
    """Refuse two steps on one where a run can stand at both at once and the one could not tell them apart."""
    count = Counter(move.to for move in on.plan.values() if move.to is not None)
    for old, new, _ in on.pairs():
        if count[new.id] > 1 and old.kind not in {StepKind.TASK, StepKind.CALL}:
            yield _error("move_two_on_one", old.id, target=new.id)


def only_watchers_end(on: Crossing) -> Iterator[Finding]:
    """Refuse to drop a step at which the run itself stands."""
    for name, move in on.plan.items():
        step = on.source.steps.get(name)
        if move.to is None and step is not None and not is_watcher(on.source, step):
            yield _error("move_cannot_drop", name)


def every_step_mapped(on: Crossing) -> Iterator[Finding]:
    """Warn of steps without a target: runs that stand there stay where they are."""
    for step in on.source.steps.values():
        if may_wait(on.source, step) and step.id not in on.plan:
            yield _warning("move_unmapped", step.id)


def joins_equal(on: Crossing) -> Iterator[Finding]:
    """Warn of gateways at which other flows meet: a run past the split could wait for ever, which stops that run."""
    for old, new, _ in on.like():
        before, after = on.source.graph.boxes[old.id], on.target.graph.boxes[new.id]
        if isinstance(before, Joining) and set(before.incoming) != set(after.incoming):
            yield _warning("move_join_differs", old.id, target=new.id)


# -- what is waited for -----------------------------------------------------------------------------------------------


def watchers_end(on: Crossing) -> Iterator[Finding]:
    """Warn of timers and messages that are let go."""
    for name, move in on.plan.items():
        step = on.source.steps.get(name)
        if move.to is None and step is not None and is_watcher(on.source, step):
            yield _warning("move_timer_ends" if step.event == "timer" else "move_message_ends", name)


def watchers_begin(on: Crossing) -> Iterator[Finding]:
    """Warn of timers and messages that runs begin to wait for when they are moved."""
    taken = {move.to for move in on.plan.values()}
    for step in on.target.steps.values():
        if step.id in taken or not may_wait(on.target, step):
            continue
        beside = step.host if step.kind is StepKind.BOUNDARY else gateway_of(on.target, step.id)
        if beside in taken:
            yield _warning("move_timer_begins" if step.event == "timer" else "move_message_begins", step.id)


def interruptions_kept(on: Crossing) -> Iterator[Finding]:
    """Warn of boundary events that interrupt in one version only."""
    for old, new, _ in on.like():
        if old.kind is StepKind.BOUNDARY and old.interrupting != new.interrupting:
            yield _warning("move_interrupting_differs", old.id, target=new.id)


def timers_equal(on: Crossing) -> Iterator[Finding]:
    """Note timers that are set otherwise: one that runs keeps its moment."""
    for old, new, _ in on.like():
        before, after = on.source.graph.boxes[old.id].wiring, on.target.graph.boxes[new.id].wiring
        if old.event == "timer" and before.timer != after.timer:
            yield _note("move_timer_differs", old.id, target=new.id)


def messages_equal(on: Crossing) -> Iterator[Finding]:
    """Warn of other messages: the old one no longer wakes a run that is moved."""
    for old, new, _ in on.like():
        heard = (old.message, old.code, old.correlation) != (new.message, new.code, new.correlation)
        if old.event in {"message", "signal"} and heard:
            yield _warning("move_message_changes", old.id, target=new.id)


def _called(call: Call) -> tuple[object, ...]:
    return call.path, call.table, call.version


def _taken(call: Call) -> tuple[object, ...]:
    return dict(call.takes), call.result


def calls_equal(on: Crossing) -> Iterator[Finding]:
    """Warn of calls of another path: a run that was called goes on as it was begun."""
    for old, new, _ in on.like():
        if old.call is not None and new.call is not None and _called(old.call) != _called(new.call):
            yield _warning("move_call_differs", old.id, target=new.id)


def call_results_equal(on: Crossing) -> Iterator[Finding]:
    """Warn of calls that take other values back: a run that was called was not asked for them."""
    for old, new, _ in on.like():
        if old.call is not None and new.call is not None and _taken(old.call) != _taken(new.call):
            yield _warning("move_call_takes_differ", old.id, target=new.id)


def lists_equal(on: Crossing) -> Iterator[Finding]:
    """Note repeated steps that go over another list: rounds that were begun go on over the one that was read."""
    for old, new, _ in on.like():
        if old.multi is not None and new.multi is not None and old.multi.list != new.multi.list:
            yield _note("move_list_differs", old.id, target=new.id)


# -- what people see --------------------------------------------------------------------------------------------------


def forms_equal(on: Crossing) -> Iterator[Finding]:
    """Tell of tasks whose form is another one: which questions go or are asked otherwise, or that the form stays."""
    for old, new, move in on.like():
        if old.kind is not StepKind.TASK:
            continue
        before, after = on.old_forms.get(old.form or ""), on.new_forms.get(new.form or "")
        if before == after:
            continue
        if move.form is Choice.KEEP:
            yield _note("move_form_stays", old.id, target=new.id)
            continue
        gone, other = _lost_questions(before, after)
        if gone:
            yield _warning("move_questions_go", old.id, count=len(gone), names=", ".join(gone[:5]))
        if other:
            yield _warning("move_questions_differ", old.id, count=len(other), names=", ".join(other[:5]))
        if not gone and not other:
            yield _note("move_form_follows", old.id, target=new.id)


def _lost_questions(before: Form | None, after: Form | None) -> tuple[list[str], list[str]]:
    """Give the names of questions that are gone, and of those whose answers are of another type."""
    old, new = _questions(before), _questions(after)
    gone = [name for name in old if name not in new]
    return gone, [name for name in old if name in new and old[name] != new[name]]


def _questions(form: Form | None) -> dict[str, tuple[str, str | None]]:
    walked = () if form is None else form.walk()
    return {one.name: (one.type, one.list) for one in walked if one.type not in {"group", "note"}}


def lost_answers(before: Form | None, after: Form | None) -> frozenset[str]:
    """Give the names of the questions whose typed answers the other form cannot show."""
    gone, other = _lost_questions(before, after)
    return frozenset([*gone, *other])


def desks_equal(on: Crossing) -> Iterator[Finding]:
    """Tell of tasks that another desk works on."""
    for old, new, move in on.like():
        if old.kind is StepKind.TASK and (old.role, old.organisation) != (new.role, new.organisation):
            yield _note(
                "move_desk_follows" if move.desk is Choice.NEW else "move_desk_stays", old.id, role=str(new.role)
            )


def dues_equal(on: Crossing) -> Iterator[Finding]:
    """Note tasks that are due otherwise: an open one keeps its deadline, its reminder and its ladder."""
    for old, new, _ in on.like():
        if old.due != new.due:
            yield _note("move_due_stays", old.id, target=new.id)


def values_known(on: Crossing) -> Iterator[Finding]:
    """Warn of values by which only the other version decides: runs that are moved do not have them."""
    for name in sorted(on.target.decisions - on.source.decisions):
        yield _warning("move_value_unknown", "", name=name)


def levels_equal(on: Crossing) -> Iterator[Finding]:
    """Warn of versions for cases of different levels of confidentiality."""
    if on.source.level != on.target.level:
        yield _warning("move_level_differs", "", level=on.target.level)


VALIDATORS: Final[Mapping[str, Validator]] = {
    validator.__name__: validator
    for validator in (
        same_path,
        sources_exist,
        targets_exist,
        kinds_equal,
        events_equal,
        scopes_kept,
        rounds_kept,
        order_kept,
        hosts_kept,
        arms_kept,
        one_on_each,
        only_watchers_end,
        every_step_mapped,
        joins_equal,
        watchers_end,
        watchers_begin,
        interruptions_kept,
        timers_equal,
        messages_equal,
        calls_equal,
        call_results_equal,
        lists_equal,
        forms_equal,
        desks_equal,
        dues_equal,
        values_known,
        levels_equal,
    )
}
"""Every validator by its name."""
