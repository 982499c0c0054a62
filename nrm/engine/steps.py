"""What a parsed path says about its steps: the facts that lint, actions and pages read.

All of them come from the diagram and its `nrm:` extension elements (declared in `workflows/nrm-moddle.json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Texts = Mapping[str, str]
"""Language code (ar, ckb, en) to text."""


class StepKind(StrEnum):
    """The kinds of boxes that the engine runs."""

    TASK = "task"  # user and manual tasks: a person does it
    CHECK = "check"  # service and send tasks: a registered check or effect
    TABLE = "table"  # business rule task: a decision table
    CALL = "call"  # call activity: a run of its own
    SUBPROCESS = "subprocess"
    EXCLUSIVE = "exclusive"
    PARALLEL = "parallel"
    INCLUSIVE = "inclusive"
    EVENT_GATEWAY = "event_gateway"
    START = "start"
    END = "end"
    CATCH = "catch"  # intermediate catch event and receive task
    THROW = "throw"
    BOUNDARY = "boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """`nrm:due`: when a task is due.

    Attributes:
        time: ISO 8601 duration; a setting's name has been resolved.
        calendar: "working" (working time of the country's calendar) or "clock" (all hours count).
        anchor: "opened", or a date of the case: "arrival", "return".
        reminder: share of the time after which to remind, per cent; None for no reminder.
        ladder: key of the pack's escalation ladder.
    """

    time: str
    calendar: str = "working"
    anchor: str = "opened"
    reminder: int | None = 75
    ladder: str = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call activity: which path, which version, what crosses.

    Attributes:
        path: path key; None when `table` chooses it.
        table: name of a pack table from a decision value to a path key ("service_paths").
        key: the decision value looked up in `table`.
        version: a pinned version number; None for the latest at start.
        passes: child's value name → parent's value name.
        takes: parent's value name → child's value name, when the child has finished.
        result: parent's value that gets the child's outcome code (a list in multi-instance).
    """

    path: str | None
    table: str | None = None
    key: str | None = None
    version: int | None = None
    passes: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Multi:
    """Multi-instance: one round per entry of a list value."""

    list: str
    item: str
    sequential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One box of a diagram.

    Attributes:
        id: element id in the diagram.
        kind: what the engine does with it.
        names: its label in each language.
        instructions: what the person should know before the first question.
        role: desk role that works on it (own `nrm:desk`, else the lane's).
        organisation: kind of organisation that the desk must belong to; None for the case's own.
        form: form key.
        due: when it is due.
        check: name of the registered check or effect.
        params: the check's parameters, each the text of an expression.
        service: service category code that the step is about.
        outcome: outcome code of an end.
        stage: stage of the case that begins here.
        call: for call activities.
        table: decision table key; `result` on it names the value that it sets.
        multi: for multi-instance.
        message: message name of a message event or receive task.
        correlation: "run" or "case".
        parent: id of the embedded sub-process that holds it, None at the top.
        host: id of the step that a boundary event sits on.
        interrupting: for boundary events.
        event: kind of event: none, message, timer, signal, error, escalation, terminate.
        code: code of an error, escalation or signal.
    """

    id: str
    kind: StepKind
    names: Texts = field(default_factory=dict)
    instructions: Texts = field(default_factory=dict)
    role: str | None = None
    organisation: str | None = None
    form: str | None = None
    due: Due | None = None
    check: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    service: str | None = None
    outcome: str | None = None
    stage: str | None = None
    call: Call | None = None
    table: str | None = None
    multi: Multi | None = None
    message: str | None = None
    correlation: str = "run"
    parent: str | None = None
    host: str | None = None
    interrupting: bool = True
    event: str = "none"
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a path may name and the pack gives; resolved when a version is parsed.

    Attributes:
        settings: setting name → ISO duration or number text.
        tables: decision table key → DMN 1.3 text.
        call_tables: pack table name → (value → path key).
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    call_tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
