"""What goes into a run, as a value that can wait in an incident and be fed in again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from nrm.engine import runtime
from nrm.engine.effects import Advance, Value, Values
from nrm.engine.parsing import PathSpec
from nrm.sealing import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input to one run.

    Attributes:
        kind: complete, fail, message, timer, child, child_failed, child_escalated, cancel or repair.
        token: the token that it is for; "" for cancel and repair.
        values: decision values that come in.
        code: error or escalation code.
        outcome: a child's outcome.
    """

    kind: str
    token: str = ""
    values: Values = field(default_factory=dict)
    code: str = ""
    outcome: str = ""


def feed(spec: PathSpec, state: str, given: Input, *, now: datetime) -> Advance:
    """Give an input to the engine.

    Args:
        spec: the run's parsed path version.
        state: the run's stored state.
        given: the input.
        now: the moment of the transaction.

    Raises:
        StepFailed: when the path cannot go on; the stored state is untouched.
        KeyError: when the kind is unknown.
    """
    if given.kind == "cancel":
        return runtime.cancel_run(spec, state, now=now)
    if given.kind == "repair":
        return runtime.repair_run(spec, state, values=given.values, now=now)
    return _FEEDS[given.kind](spec, state, given, now)


_FEEDS: Final[Mapping[str, Callable[[PathSpec, str, Input, datetime], Advance]]] = {
    "complete": lambda spec, state, given, now: runtime.complete_step(
        spec, state, token=given.token, values=given.values, now=now
    ),
    "fail": lambda spec, state, given, now: runtime.fail_step(spec, state, token=given.token, code=given.code, now=now),
    "message": lambda spec, state, given, now: runtime.receive_message(
        spec, state, token=given.token, values=given.values, now=now
    ),
    "timer": lambda spec, state, given, now: runtime.fire_timer(spec, state, token=given.token, now=now),
    "child": lambda spec, state, given, now: runtime.finish_child(
        spec, state, token=given.token, outcome=given.outcome, values=given.values, now=now
    ),
    "child_failed": lambda spec, state, given, now: runtime.fail_child(
        spec, state, token=given.token, code=given.code, now=now
    ),
    "child_escalated": lambda spec, state, given, now: runtime.escalate_child(
        spec, state, token=given.token, code=given.code, now=now
    ),
}


def values_to_json(values: Values) -> dict[str, Json]:
    """Write decision values as JSON; dates and decimals keep their type in a tag."""
    return {name: _to_json(value) for name, value in values.items()}


def values_from_json(data: Mapping[str, Json]) -> dict[str, Value]:
    """Read decision values back."""
    return {name: _from_json(value) for name, value in data.items()}


def input_to_json(given: Input) -> dict[str, Json]:
    """Write an input as JSON."""
    return {
        "kind": given.kind,
        "token": given.token,
        "values": values_to_json(given.values),
        "code": given.code,
        "outcome": given.outcome,
    }


def input_from_json(data: Mapping[str, Json]) -> Input:
    """Read an input back."""
    values = data.get("values")
    return Input(
        kind=str(data["kind"]),
        token=str(data.get("token", "")),
        values=values_from_json(values if isinstance(values, dict) else {}),
        code=str(data.get("code", "")),
        outcome=str(data.get("outcome", "")),
    )


def _to_json(value: Value) -> Json:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, tuple):
        return list(value)
    return value


def _from_json(value: Json) -> Value:
    if isinstance(value, dict):
        if "decimal" in value:
            return Decimal(str(value["decimal"]))
        return date.fromisoformat(str(value["date"]))
    if isinstance(value, list):
        return tuple(str(entry) for entry in value)
    if isinstance(value, float):
        return Decimal(str(value))
    return value
