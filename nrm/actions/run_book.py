"""The runs that one input wakes, loaded once each, with the effects that still wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.closing import end_if_over
from nrm.actions.inputs import Input, feed, values_to_json
from nrm.engine import effects as fx
from nrm.engine import runtime
from nrm.engine.failures import StepFailed
from nrm.engine.parsing import PathSpec
from nrm.engine.steps import StepKind
from nrm.errors import NotFound
from nrm.models import Case, Job, Run
from nrm.queries import paths

MAX_DEPTH: Final = 8
"""How deep runs may call runs; a path that calls itself without end stops here with an incident."""


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
    is_new: bool = False

    def only_waits(self, step: str) -> bool:
        """Tell a step that only waits from an event on the border of a step, whose wait is that step's."""
        known = self.spec.steps.get(step)
        return known is not None and known.kind is StepKind.CATCH


def timer_key(run_id: str, token: str) -> str:
    """Name the job of a timer."""
    return f"timer:{run_id}:{token}"


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
    waited: dict[tuple[str, str], datetime] = field(default_factory=dict)
    applied: int = 0

    def load(self, run_id: str, row: Run | None = None) -> LiveRun:
        """Give a run of this case, loading it once."""
        if run_id in self.runs:
            return self.runs[run_id]
        found = row or self._row_of(run_id)
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

    def _row_of(self, run_id: str) -> Run | None:
        self.work.flush()
        found = select(Run).where(Run.id == run_id, Run.case_id == self.case.id)
        return self.work.session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()

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
            is_new=True,
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
        self.take(live, runtime.start_run(spec, values=values, now=self.work.now))
        return live

    def give(self, run: LiveRun, given: Input) -> None:
        """Give one input to a run and line up what it asks for."""
        if given.kind == "timer" and given.token and run.only_waits(step := given.token.rpartition(".")[0]):
            name = timer_key(run.id, given.token)
            since = self.work.session.execute(select(Job.created_at).where(Job.dedup_key == name)).scalars().first()
            if since is not None:
                self.waited[run.id, step] = since
        self.take(run, feed(run.spec, run.state, given, now=self.work.now))

    def take(self, run: LiveRun, advance: fx.Advance) -> None:
        """Keep what an advance made of a run, and line up what it asks for."""
        run.state, run.values, run.status, run.changed = advance.state, advance.values, advance.status, True
        closed = {effect.token for effect in advance.effects if isinstance(effect, fx.CloseTask)}
        if closed:
            # A check that waits here and is closed before its turn is no longer wanted.
            self.waiting = deque(entry for entry in self.waiting if not _is_dropped(entry, run, closed))
        self.waiting.extend((run, effect) for effect in advance.effects)

    def is_plain(self) -> bool:
        """Say whether what waits only adds rows, and nothing can fail once a statement has run.

        Opening a task fails before it writes; but it may write at once (a desk gets access), so a second one could
        fail after that.
        """
        kinds = [type(effect) for _, effect in self.waiting]
        return all(kind in _PLAIN for kind in kinds) and kinds.count(fx.OpenTask) <= 1

    def save(self) -> None:
        """Write what became of the runs."""
        for run in self.runs.values():
            if not run.changed:
                continue
            ended = run.status is not fx.RunStatus.RUNNING
            # What stays as it is is left out: SQLite would write the index of the status anew.
            ending = {"status": str(run.status), "ended_at": self.work.now} if ended else {}
            run.changed = False
            if run.is_new:
                self.work.flush()
                run.is_new = False
            self.work.change_soon(
                Run,
                run.id,
                version=run.row_version,
                state="" if ended else run.state,
                decision_values=values_to_json(run.values),
                context=run.context,
                outcome=run.outcome,
                steps=run.steps,
                **ending,
            )
            run.row_version += 1
            if run.parent_id is None and run.status is fx.RunStatus.FINISHED:
                end_if_over(self.work, self.case, path=run.spec.key, outcome=run.outcome)


def _is_dropped(entry: tuple[LiveRun, fx.Effect], run: LiveRun, closed: set[str]) -> bool:
    return entry[0] is run and isinstance(entry[1], fx.RunCheck) and entry[1].token in closed
