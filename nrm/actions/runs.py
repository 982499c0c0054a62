"""Runs: an input goes into the engine, its effects become rows, all in the locked case's transaction.

Effects are worked off in order, over all runs that one input wakes (a child that ends wakes its parent, a thrown
message wakes other runs of the case). When something fails, everything that this input did is taken back, and
an incident keeps the input: the run waits there, visibly, until somebody retries, repairs or cancels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, assert_never

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case, review_access
from nrm.actions.check_calls import REGISTRY, CheckCall
from nrm.actions.closing import MAIN_PATH, end_if_over
from nrm.actions.failures import open_incident
from nrm.actions.inputs import Input, feed, input_to_json, values_from_json, values_to_json
from nrm.actions.openings import open_task
from nrm.engine import effects as fx
from nrm.engine import runtime
from nrm.engine.effects import SIGNAL
from nrm.engine.failures import StepFailed
from nrm.engine.parsing import PathSpec
from nrm.errors import IllegalMove, NotFound, NotValid, NrmError, Problem
from nrm.models import Case, InboxMessage, Outcome, Path, PathVersion, Run, RunStep, Subscription, Task
from nrm.queries import paths
from nrm.rules.texts import is_code
from nrm.vocabulary import TaskStatus

MAX_DEPTH: Final = 8
"""How deep runs may call runs; a path that calls itself without end stops here with an incident."""

MAX_EFFECTS: Final = 2_000
"""How many effects one input may have over all runs that it wakes."""

MESSAGE_TTL: Final = timedelta(days=30)
"""How long a message waits for a run that wants it."""

_PARENT: Final = aliased(Run)

_PLAIN: Final = (fx.OpenTask, fx.SetTimer, fx.PassedStep)
"""Effects that only add rows: they need no savepoint."""


@dataclass(slots=True)
class LiveRun:
    """A run in work: its row's content and what came of it so far."""

    id: str
    spec: PathSpec
    version_id: str
    state: str
    values: fx.Values
    context: dict[str, str]
    parent_id: str | None
    parent_token: str | None
    depth: int
    steps: int
    row_version: int
    started_at: datetime
    status: fx.RunStatus = fx.RunStatus.RUNNING
    outcome: str | None = None
    error: str | None = None
    is_sensitive: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What one input did.

    Attributes:
        effects: kinds of effects that were applied.
        opened: ids of opened tasks.
        timers: names of the timer jobs that were set.
        incident: id of the incident when it failed.
        run_version: the version of the run's row afterwards.
    """

    effects: frozenset[type[object]]
    opened: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    incident: str | None = None
    run_version: int = 0


@dataclass(slots=True)
class RunBook:
    """All runs that one input wakes, and the effects that still wait."""

    work: Work
    case: Case
    known_desks: frozenset[str] = frozenset()
    runs: dict[str, LiveRun] = field(default_factory=dict)
    waiting: deque[tuple[LiveRun, fx.Effect]] = field(default_factory=deque)
    opened: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)
    kinds: set[type[object]] = field(default_factory=set)
    subscribed: list[tuple[LiveRun, fx.Subscribe]] = field(default_factory=list)
    thrown: list[tuple[LiveRun, fx.ThrowMessage]] = field(default_factory=list)
    applied: int = 0

    # -- runs ------------------------------------------------------------------------------------------------

    def load(self, run_id: str, row: Run | None = None) -> LiveRun:
        """Give a run of this case, loading it once."""
        if run_id in self.runs:
            return self.runs[run_id]
        found = (
            row
            or self.work.session.execute(
                select(Run)
                .where(Run.id == run_id, Run.case_id == self.case.id)
                .execution_options(populate_existing=True)
            ).scalar_one_or_none()
        )
        if found is None:
            raise NotFound
        live = LiveRun(
            id=found.id,
            spec=paths.version(found.path_version_id).spec,
            version_id=found.path_version_id,
            state=found.state,
            values={},
            context=dict(found.context),
            parent_id=found.parent_id,
            parent_token=found.parent_token,
            depth=found.depth,
            steps=found.steps,
            row_version=found.version,
            started_at=found.started_at,
            status=fx.RunStatus(found.status),
            outcome=found.outcome,
            is_sensitive=found.is_sensitive,
        )
        self.runs[found.id] = live
        return live

    def start(
        self,
        path: str,
        *,
        version: int | None,
        values: fx.Values,
        context: Mapping[str, str],
        parent: LiveRun | None = None,
        token: str | None = None,
    ) -> LiveRun:
        """Start a run: its row first, since everything else points to it."""
        depth = parent.depth + 1 if parent else 0
        if depth > MAX_DEPTH:
            raise StepFailed("too_deep", "", depth=MAX_DEPTH)
        found = paths.published(path, number=version)
        if found is None:
            raise StepFailed("path_not_published", "", path=path)
        spec = paths.version(found).spec
        live = LiveRun(
            id=ids.new_id("run"),
            spec=spec,
            version_id=found,
            state="",
            values=values,
            context=dict(context),
            parent_id=parent.id if parent else None,
            parent_token=token,
            depth=depth,
            steps=0,
            row_version=1,
            started_at=self.work.now,
            is_sensitive=spec.sensitive or self.case.level == "strict",
            changed=True,
        )
        self.runs[live.id] = live
        self.work.add(
            Run,
            id=live.id,
            case_id=self.case.id,
            path_version_id=found,
            parent_id=live.parent_id,
            parent_token=token,
            state="",
            decision_values={},
            context=live.context,
            is_sensitive=live.is_sensitive,
            depth=depth,
            started_at=self.work.now,
            started_by=self.work.actor.id,
        )
        self.work.record("run.started", stream=self.case.id, subject=("run", live.id), data={"path": path})
        self._take(live, runtime.start_run(spec, values=values, now=self.work.now))
        return live

    def give(self, run: LiveRun, given: Input) -> None:
        """Give one input to a run and line up what it asks for."""
        self._take(run, feed(run.spec, run.state, given, now=self.work.now))

    def _take(self, run: LiveRun, advance: fx.Advance) -> None:
        run.state, run.values, run.status, run.changed = advance.state, advance.values, advance.status, True
        closed = {effect.token for effect in advance.effects if isinstance(effect, fx.CloseTask)}
        if closed:
            # A check that waits here and is closed before its turn is no longer wanted.
            self.waiting = deque(entry for entry in self.waiting if not _is_dropped(entry, run, closed))
        self.waiting.extend((run, effect) for effect in advance.effects)

    # -- effects ---------------------------------------------------------------------------------------------

    def is_plain(self) -> bool:
        """Say whether what waits only adds rows, and nothing can fail once a statement has run.

        Opening a task fails before it writes; but it may write at once (a desk gets access), so a second one could
        fail after that.
        """
        kinds = [type(effect) for _, effect in self.waiting]
        return all(kind in _PLAIN for kind in kinds) and kinds.count(fx.OpenTask) <= 1

    def drain(self) -> None:
        """Apply everything that waits, and everything that follows from it.

        Raises:
            StepFailed: when a path cannot go on.
        """
        while self.waiting or self.subscribed or self.thrown:
            self._apply_waiting()
            self._deliver_kept()
            if not self.waiting:
                self._deliver_thrown()

    def _apply_waiting(self) -> None:
        while self.waiting:
            self.applied += 1
            if self.applied > MAX_EFFECTS:
                raise StepFailed("too_many_effects", "", limit=MAX_EFFECTS)
            run, effect = self.waiting.popleft()
            self.kinds.add(type(effect))
            self._apply(run, effect)

    def _apply(self, run: LiveRun, effect: fx.Effect) -> None:  # noqa: C901, PLR0912 - one arm per kind of effect
        match effect:
            case fx.OpenTask():
                self._open_task(run, effect)
            case fx.CloseTask():
                self._close_task(run, effect)
            case fx.RunCheck():
                self._run_check(run, effect)
            case fx.StartChildRun():
                self._start_child(run, effect)
            case fx.CancelChildRun():
                self._cancel_child(run, effect)
            case fx.SetTimer():
                self._set_timer(run, effect)
            case fx.CancelTimer():
                self.work.cancel_jobs(timer_key(run.id, effect.token))
            case fx.Subscribe():
                self._subscribe(run, effect)
            case fx.Unsubscribe():
                self._unsubscribe(run, effect)
            case fx.ThrowMessage():
                self.thrown.append((run, effect))
            case fx.Escalate():
                self._to_parent(run, Input(kind="child_escalated", code=effect.code))
            case fx.EnterStage():
                self._enter_stage(effect)
            case fx.RecordOutcome():
                run.outcome = effect.code
            case fx.FailParent():
                run.error = effect.code
            case fx.FinishRun():
                self._finish(run, effect)
            case fx.PassedStep():
                self._passed(run, effect)
            case _:
                assert_never(effect)

    def _open_task(self, run: LiveRun, effect: fx.OpenTask) -> None:
        self.opened.append(
            open_task(
                self.work,
                self.case,
                run.spec.steps[effect.step],
                run_id=run.id,
                version_id=run.version_id,
                token=effect.token,
                item=effect.item,
                context=run.context,
                known_desks=self.known_desks,
            )
        )

    def _close_task(self, run: LiveRun, effect: fx.CloseTask) -> None:
        self.work.flush()
        task_id = self.work.session.execute(
            update(Task)
            .where(
                Task.run_id == run.id,
                Task.token == effect.token,
                Task.status.in_([TaskStatus.OPEN, TaskStatus.ON_HOLD]),
            )
            .values(
                status=TaskStatus.CANCELLED,
                ended_at=self.work.now,
                ended_by=self.work.actor.id,
                version=Task.version + 1,
            )
            .returning(Task.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if task_id is not None:
            self.work.cancel_jobs(f"task:{task_id}", f"resume:{task_id}")
            review_access(self.work, self.case.id)
            self.work.record("task.cancelled", stream=self.case.id, subject=("task", task_id), data={})

    def _run_check(self, run: LiveRun, effect: fx.RunCheck) -> None:
        check = REGISTRY.get(effect.name)
        if check is None:
            raise StepFailed("unknown_check", effect.step, check=effect.name)
        call = CheckCall(
            case=self.case,
            run_id=run.id,
            step=effect.step,
            token=effect.token,
            params=effect.params,
            item=effect.item,
            context=run.context,
            values=run.values,
        )
        try:
            result = check(self.work, call)
        except StepFailed:
            raise
        except NrmError as error:
            raise StepFailed("check_failed", effect.step, check=effect.name, cause=error.code) from error
        run.context.update(result.context)
        self.give(run, Input(kind="complete", token=effect.token, values=result.values))

    def _start_child(self, run: LiveRun, effect: fx.StartChildRun) -> None:
        context = dict(run.context)
        if effect.item is not None:
            context["item"] = effect.item
        try:
            self.start(
                effect.path,
                version=effect.version,
                values=effect.values,
                context=context,
                parent=run,
                token=effect.token,
            )
        except StepFailed as error:
            raise StepFailed(error.code, effect.step, **error.params) from error

    def _cancel_child(self, run: LiveRun, effect: fx.CancelChildRun) -> None:
        self.work.flush()
        child_id = self.work.session.execute(
            select(Run.id).where(Run.parent_id == run.id, Run.parent_token == effect.token, Run.status == "running")
        ).scalar_one_or_none()
        if child_id is not None:
            child = self.load(child_id)
            if child.status is fx.RunStatus.RUNNING:
                self.give(child, Input(kind="cancel"))

    def _set_timer(self, run: LiveRun, effect: fx.SetTimer) -> None:
        name = timer_key(run.id, effect.token)
        self.timers.append(name)
        self.work.enqueue(
            "timer",
            {"run": run.id, "token": effect.token},
            due_at=effect.due_at,
            queue="timers",
            case_id=self.case.id,
            dedup_key=name,
        )

    def _subscribe(self, run: LiveRun, effect: fx.Subscribe) -> None:
        self.work.add(
            Subscription,
            id=ids.new_id("sub"),
            case_id=self.case.id,
            run_id=run.id,
            token=effect.token,
            step=effect.step,
            message=effect.message,
            correlation=run.id if effect.correlation == "run" else self.case.id,
            created_at=self.work.now,
        )
        self.subscribed.append((run, effect))

    def _unsubscribe(self, run: LiveRun, effect: fx.Unsubscribe) -> None:
        self.work.flush()
        self.work.session.execute(
            delete(Subscription)
            .where(Subscription.run_id == run.id, Subscription.token == effect.token)
            .execution_options(synchronize_session=False)
        )
        self.subscribed = [
            entry for entry in self.subscribed if (entry[0].id, entry[1].token) != (run.id, effect.token)
        ]

    def _enter_stage(self, effect: fx.EnterStage) -> None:
        if self.case.stage == effect.stage:
            return
        self.work.record(
            "case.stage_entered",
            stream=self.case.id,
            subject=("case", self.case.id),
            data={"from": self.case.stage, "stage": effect.stage},
        )
        self.case.stage = effect.stage

    def _passed(self, run: LiveRun, effect: fx.PassedStep) -> None:
        run.steps += 1
        self.work.add(RunStep, run_id=run.id, number=run.steps, step=effect.step, way=effect.way, at=self.work.now)

    def _finish(self, run: LiveRun, effect: fx.FinishRun) -> None:
        run.status = effect.status
        run.outcome = effect.outcome or run.outcome
        run.changed = True
        kind = {"finished": "run.finished", "cancelled": "run.cancelled"}.get(effect.status, "run.failed")
        self.work.record(
            kind, stream=self.case.id, subject=("run", run.id), data={"outcome": run.outcome, "error": run.error}
        )
        if run.outcome is not None:
            self.work.add(
                Outcome,
                id=ids.new_id("out"),
                case_id=self.case.id,
                subject_kind="run",
                subject_id=run.id,
                code=run.outcome,
                actor=self.work.actor.id,
                at=self.work.now,
            )
        if effect.status is fx.RunStatus.FINISHED:
            self._to_parent(run, Input(kind="child", outcome=run.outcome or "", values=run.values))
        elif effect.status is fx.RunStatus.FAILED:
            code = run.error or "failed"
            if run.parent_id is None:
                open_incident(
                    self.work,
                    kind="step",
                    code="uncaught_error",
                    case_id=self.case.id,
                    run_id=run.id,
                    params={"error": code},
                    is_sensitive=run.is_sensitive,
                )
            self._to_parent(run, Input(kind="child_failed", code=code))

    def _to_parent(self, run: LiveRun, given: Input) -> None:
        if run.parent_id is None or run.parent_token is None:
            return
        parent = self.load(run.parent_id)
        if parent.status is not fx.RunStatus.RUNNING:
            return
        self.give(
            parent,
            Input(
                kind=given.kind,
                token=run.parent_token,
                values=given.values,
                code=given.code,
                outcome=given.outcome,
            ),
        )

    # -- messages --------------------------------------------------------------------------------------------

    def _deliver_kept(self) -> None:
        """Hand over messages that came before anybody waited for them.

        A word to the whole case is for the runs that there were when it came: one that begins later is not ended
        by a consent that was withdrawn, or an arrival that was reported, before it.
        """
        subscribed, self.subscribed = self.subscribed, []
        if not subscribed:
            return
        self.work.flush()
        names = {effect.message for _, effect in subscribed}
        places = {run.id for run, _ in subscribed} | {self.case.id}
        kept = self.work.session.execute(
            select(InboxMessage)
            .where(
                InboxMessage.correlation.in_(places),
                InboxMessage.name.in_(names),
                InboxMessage.status == "waiting",
            )
            .order_by(InboxMessage.received_at)
        ).scalars()
        for message in kept:
            for run, effect in subscribed:
                wanted = run.id if effect.correlation == "run" else self.case.id
                fits = message.name == effect.message and message.correlation == wanted
                if fits and message.status == "waiting" and run.started_at <= message.received_at:
                    message.status, message.delivered_to = "delivered", run.id
                    values = values_from_json(message.decision_values)
                    self.give(run, Input(kind="message", token=effect.token, values=values))

    def _deliver_thrown(self) -> None:
        thrown, self.thrown = self.thrown, []
        for run, effect in thrown:
            target = run.parent_id if effect.correlation == "run" else None
            self.send(effect.message, values=effect.values, run_id=target, message_id=ids.new_id("msg"), sender=run.id)

    def send(
        self, name: str, *, values: fx.Values, run_id: str | None, message_id: str, sender: str | None = None
    ) -> bool:
        """Give a message to everybody who waits for it, or keep it.

        Args:
            name: message name.
            values: its decision values.
            run_id: the run that it is for; None for the case.
            message_id: the sender's id of it; the same id again changes nothing.
            sender: the run that threw it, which does not hear itself: its own waiting signals have been served.

        Returns:
            Whether somebody took it. A signal is heard by those who wait for it now and is never kept for later.
        """
        self.work.flush()
        place = run_id or self.case.id
        session = self.work.session
        known = select(InboxMessage.id).where(InboxMessage.correlation == place, InboxMessage.message_id == message_id)
        if session.execute(known).first() is not None:
            return True
        found = session.execute(
            select(Subscription.run_id, Subscription.token)
            .where(Subscription.correlation == place, Subscription.message == name)
            .where(Subscription.run_id != (sender or ""))
            .order_by(Subscription.created_at, Subscription.id)
        ).all()
        if not found and name.startswith(SIGNAL):
            return False
        self.work.add(
            InboxMessage,
            id=ids.new_id("msg"),
            case_id=self.case.id,
            name=name,
            correlation=place,
            message_id=message_id,
            decision_values=values_to_json(values),
            status="delivered" if found else "waiting",
            received_at=self.work.now,
            expires_at=self.work.now + MESSAGE_TTL,
            delivered_to=found[0][0] if found else None,
        )
        for target, token in found:
            self._hand_over(target, token, values)
        return bool(found)

    def _hand_over(self, run_id: str, token: str, values: fx.Values) -> None:
        # An earlier receiver of the same message may have ended this one (a parent cancels its children).
        self.work.flush()
        still = select(Subscription.id).where(Subscription.run_id == run_id, Subscription.token == token)
        if self.work.session.execute(still).first() is None:
            return
        self.give(self.load(run_id), Input(kind="message", token=token, values=values))
        self._apply_waiting()

    # -- the end ---------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write what became of the runs."""
        for run in self.runs.values():
            if not run.changed:
                continue
            ended = run.status is not fx.RunStatus.RUNNING
            run.changed = False
            self.work.flush()
            self.work.change(
                Run,
                run.id,
                version=run.row_version,
                state="" if ended else run.state,
                decision_values=values_to_json(run.values),
                context=run.context,
                status=str(run.status),
                outcome=run.outcome,
                steps=run.steps,
                ended_at=self.work.now if ended else None,
            )
            run.row_version += 1
            if run.parent_id is None and run.status is fx.RunStatus.FINISHED:
                end_if_over(self.work, self.case, path=run.spec.key, outcome=run.outcome)


def _is_dropped(entry: tuple[LiveRun, fx.Effect], run: LiveRun, closed: set[str]) -> bool:
    return entry[0] is run and isinstance(entry[1], fx.RunCheck) and entry[1].token in closed


def _params(failure: StepFailed) -> dict[str, str | int | None]:
    return {name: value for name, value in failure.params.items() if name != "element"}


def timer_key(run_id: str, token: str) -> str:
    """Name the job of a timer."""
    return f"timer:{run_id}:{token}"


def drive(
    work: Work,
    case: Case,
    run_id: str,
    given: Input,
    *,
    row: Run | None = None,
    known_desks: frozenset[str] = frozenset(),
) -> Driven:
    """Give an input to a run and do everything that follows; a failure becomes an incident, not an exception.

    Args:
        work: the transaction; the case is locked.
        case: the run's case.
        run_id: the run.
        given: the input.
        row: the run's row, when the caller has loaded it under the lock.
        known_desks: desks that are known to have access to the case.

    Raises:
        NotFound: when the run is not one of this case.
    """
    book = RunBook(work=work, case=case, known_desks=known_desks)
    run = book.load(run_id, row)
    stage = case.stage
    try:
        book.give(run, given)
        with _guard(work, book):
            book.drain()
            book.save()
    except StepFailed as failure:
        case.stage = stage
        incident = open_incident(
            work,
            kind="step",
            code=failure.code,
            case_id=case.id,
            run_id=run_id,
            step=failure.element,
            params=_params(failure),
            retry=input_to_json(given),
            is_sensitive=run.is_sensitive,
        )
        return Driven(effects=frozenset(), incident=incident, run_version=run.row_version)
    return Driven(
        effects=frozenset(book.kinds),
        opened=tuple(book.opened),
        timers=tuple(book.timers),
        run_version=run.row_version,
    )


def _guard(work: Work, book: RunBook) -> AbstractContextManager[None]:
    return work.buffered() if book.is_plain() else work.savepoint()


def begin(
    work: Work,
    case: Case,
    path: str,
    *,
    values: fx.Values | None = None,
    context: Mapping[str, str] | None = None,
    version: int | None = None,
) -> str:
    """Start a path for a case, inside an action that has locked it.

    Args:
        work: the transaction.
        case: the locked case.
        path: path key.
        values: decision values to begin with.
        context: ids that registered checks will need.
        version: a version's number; None for the latest published.

    Returns:
        The run's id.

    Raises:
        IllegalMove: when the path cannot start; nothing was written for it.
    """
    book = RunBook(work=work, case=case)
    try:
        with work.savepoint():
            run = book.start(path, version=version, values=values or {}, context=context or {})
            book.drain()
            book.save()
    except StepFailed as failure:
        raise IllegalMove((), "path_cannot_start", path=path, cause=failure.code, step=failure.element) from failure
    return run.id


def send_message(
    work: Work,
    case: Case,
    name: str,
    *,
    values: fx.Values | None = None,
    run_id: str | None = None,
    message_id: str | None = None,
) -> None:
    """Give a message to the runs that wait for it, or keep it; a failure becomes an incident.

    Args:
        work: the transaction.
        case: the locked case.
        name: message name.
        values: its decision values.
        run_id: the run that it is for; None for all runs of the case.
        message_id: the sender's id of it; the same id again changes nothing.
    """
    book = RunBook(work=work, case=case)
    stage = case.stage
    key = message_id or ids.new_id("msg")
    try:
        with work.savepoint():
            book.send(name, values=values or {}, run_id=run_id, message_id=key)
            book.drain()
            book.save()
    except StepFailed as failure:
        case.stage = stage
        retry: dict[str, object] = {"kind": "send", "message": name, "run": run_id, "message_id": key}
        open_incident(
            work,
            kind="step",
            code=failure.code,
            case_id=case.id,
            run_id=run_id,
            step=failure.element,
            params=_params(failure),
            retry={**retry, "values": values_to_json(values or {})},  # type: ignore[dict-item]  # all of it is JSON
            is_sensitive=case.level == "strict",
        )


@action("run.start", permission="run.start")
def start_run(work: Work, case_id: str, path: str, *, version: int | None = None) -> str:
    """Start another path for a case: this is how a service is added at any time.

    Args:
        work: the transaction.
        case_id: the case.
        path: path key.
        version: a version's number; None for the latest published.

    Raises:
        NotFound: when the case is not one that the actor may know of.
        IllegalMove: when the case is closed, the path cannot start, or it is the main path and runs already.
    """
    case = lock_visible_case(work, case_id, writing=True)
    if case.status != "open":
        raise IllegalMove(("reopen",), "case_closed")
    if path == MAIN_PATH and _has_run_of(work, case, path):
        raise IllegalMove((), "path_is_running", path=path)
    return begin(work, case, path, version=version)


def _has_run_of(work: Work, case: Case, path: str) -> bool:
    versions = [PathVersion.id == Run.path_version_id, Path.id == PathVersion.path_id, Path.key == path]
    found = select(Run.id).where(Run.case_id == case.id, Run.status == "running", *versions)
    return work.session.execute(found).first() is not None


@action("run.cancel", permission="run.cancel")
def cancel_run(work: Work, run_id: str, *, reason: str) -> None:
    """Cancel a run with everything that it opened.

    Args:
        work: the transaction.
        run_id: a run of a case that the actor may work on.
        reason: code of the reason.

    Raises:
        NotFound: when there is no such run, or it is not the actor's to know of.
        NotValid: when the reason is no code.
        IllegalMove: when it has ended.
    """
    if not is_code(reason):
        raise NotValid([Problem(pointer="/reason", code="not_a_code")])
    case_id = work.session.execute(select(Run.case_id).where(Run.id == run_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = lock_visible_case(work, case_id, writing=True)
    status = work.session.execute(select(Run.status).where(Run.id == run_id)).scalar_one()
    if status != "running":
        raise IllegalMove((), "run_ended")
    work.record("run.cancelled", stream=case.id, subject=("run", run_id), data={"reason": reason})
    give_up(work, case, run_id)


def give_up(work: Work, case: Case, run_id: str) -> None:
    """Cancel a run inside an action that has locked its case; a run that called it sees its call fail.

    Args:
        work: the transaction.
        case: the locked case.
        run_id: a running run of it.
    """
    drive(work, case, run_id, Input(kind="cancel"))
    work.flush()
    parent = (
        select(Run.parent_id, Run.parent_token)
        .where(Run.id == run_id, Run.parent_token.is_not(None))
        .where(exists().where(_PARENT.id == Run.parent_id, _PARENT.status == "running"))
    )
    found = work.session.execute(parent).one_or_none()
    if found is not None:
        drive(work, case, found.parent_id, Input(kind="child_failed", token=found.parent_token, code="given_up"))


@action("run.fire_timer")
def fire_timer(work: Work, run_id: str, token: str) -> bool:
    """Let a timer of a run go off; only the runner does.

    Args:
        work: the transaction.
        run_id: the run.
        token: the timer's token.

    Returns:
        Whether the run still wanted it.

    Raises:
        NotFound: when anybody but the system asks, or there is no such run.
    """
    if not work.actor.is_system:
        raise NotFound
    case_id = work.session.execute(select(Run.case_id).where(Run.id == run_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = work.lock_case(case_id)
    status = work.session.execute(select(Run.status).where(Run.id == run_id)).scalar_one()
    if status != "running":
        return False
    drive(work, case, run_id, Input(kind="timer", token=token))
    return True


@action("run.receive")
def receive_message(
    work: Work, case_id: str, name: str, *, values: fx.Values | None = None, message_id: str | None = None
) -> None:
    """Give a case-level message to the runs of a case; only the system does.

    Args:
        work: the transaction.
        case_id: the case.
        name: message name.
        values: its decision values.
        message_id: the sender's id of it.

    Raises:
        NotFound: when anybody but the system asks, or there is no such case.
    """
    if not work.actor.is_system:
        raise NotFound
    send_message(work, work.lock_case(case_id), name, values=values, message_id=message_id)


def expire_messages(work: Work, now: datetime) -> int:
    """Give up messages that nobody wanted in time, and say how many.

    Args:
        work: the transaction.
        now: messages whose time ended before this.
    """
    found = work.session.execute(
        update(InboxMessage)
        .where(InboxMessage.status == "waiting", InboxMessage.expires_at < now)
        .values(status="expired")
        .execution_options(synchronize_session=False)
    )
    return int(found.rowcount)  # type: ignore[attr-defined]  # a CursorResult
