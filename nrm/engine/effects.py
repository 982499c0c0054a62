"""What the engine asks for: the words between a diagram and the rest of the program.

The engine never acts. An advance gives the new state and, in order, the effects that `nrm/actions/runs.py`
turns into rows in the same transaction. A `token` names one visit of one step in one run: opaque, at most 80
characters, unique in the run, the same after save and load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | bool | Decimal | date | None
"""A decision value: text of at most 200 characters, number, yes/no, date (a date, never a time), or missing."""
Value: TypeAlias = Scalar | tuple[str, ...]
"""A decision value or a list of at most 50 ids or codes."""
Values: TypeAlias = Mapping[str, Value]


SIGNAL: Final = "signal:"
"""How the names of signals begin where they are thrown and subscribed to like messages."""


GIVEN_UP: Final = "given_up"
"""Code of the error that a run sees when somebody cancels a run that it called."""


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """Open a task for a person at the step's desk; `item` is the list item in multi-instance."""

    token: str
    step: str
    item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTask:
    """Close a task, or forget a check, that is no longer wanted (a boundary event or a cancel took the token away)."""

    token: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCheck:
    """Run the registered check or effect of a service or send task now, then call `complete_step` with its values.

    It is done inside the same transaction, before anything is committed.
    """

    token: str
    step: str
    name: str
    params: Mapping[str, Value] = field(default_factory=dict)
    item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChildRun:
    """Start a run of another path below this one; `path` is a path key, `version` None for the latest published."""

    token: str
    step: str
    path: str
    version: int | None = None
    values: Values = field(default_factory=dict)
    item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChildRun:
    """Cancel the run that a call activity had started."""

    token: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Wake this run at `due_at` (aware, UTC) with `fire_timer(token)`."""

    token: str
    step: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """Forget a timer."""

    token: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Wait for a message; `correlation` is "run" (only for this run) or "case" (any message to the case)."""

    token: str
    step: str
    message: str
    correlation: str = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Stop waiting for a message: it came, or it is no longer wanted."""

    token: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowMessage:
    """Send a message to the case's other runs (or to this run's parent): an intermediate or end event threw it.

    It never comes back to the run that threw it. A name that begins with `SIGNAL` is a signal: whoever waits for it now
    hears it, and it is not kept for those who begin to wait later.
    """

    step: str
    message: str
    correlation: str = "case"
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Tell the parent run's call activity of an escalation that nobody caught here; the run goes on."""

    step: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterStage:
    """Move the case to a stage of reintegration."""

    step: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """Record the coded outcome of an end event."""

    step: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailParent:
    """End this run with an error that its parent's boundary event may catch."""

    step: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRun:
    """The run has ended.

    `outcome` is the code of the last named end, the id of the last end when no end has a code, the error's code when
    the run has failed, and None only when it was cancelled.
    """

    outcome: str | None
    status: RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedStep:
    """A step was passed (for the case's drawing and the time line); `way` is the outgoing flow that was taken."""

    step: str
    way: str | None = None


Effect: TypeAlias = (
    OpenTask
    | CloseTask
    | RunCheck
    | StartChildRun
    | CancelChildRun
    | SetTimer
    | CancelTimer
    | Subscribe
    | Unsubscribe
    | ThrowMessage
    | Escalate
    | EnterStage
    | RecordOutcome
    | FailParent
    | FinishRun
    | PassedStep
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What one input did to one run.

    Attributes:
        state: the run's new state, JSON text to store as it is (its key order is load-bearing: never JSONB).
        effects: what to do now, in order.
        values: the run's decision values after the advance.
        status: how the run stands.
    """

    state: str
    effects: tuple[Effect, ...]
    values: Values
    status: RunStatus
