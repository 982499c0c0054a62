"""What stands between paths: how each can end and what it can give, and what those that call it expect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nrm.engine.lint.called import asked
from nrm.engine.lint.known import KnownCall, KnownPath
from nrm.engine.parsing import PathSpec
from nrm.engine.steps import Call, Resources, Step, StepKind


def path_ends(specs: Mapping[str, PathSpec], resources: Resources) -> dict[str, KnownPath]:
    """Say how each path can end.

    Args:
        specs: the newest version of each path, by key; an error of a path that is not among them is not seen.
        resources: the call tables.
    """
    errors = {key: set(_own_errors(spec)) for key, spec in specs.items()}
    grown = True
    while grown:
        grown = False
        for key, spec in specs.items():
            more = set(_errors_of_calls(spec, errors, resources)) - errors[key]
            errors[key] |= more
            grown = grown or bool(more)
    return {
        key: KnownPath(
            outcomes=frozenset(_outcomes(spec)), errors=frozenset(errors[key]), values=frozenset(spec.decisions)
        )
        for key, spec in specs.items()
    }


def path_callers(specs: Mapping[str, PathSpec]) -> dict[str, tuple[KnownCall, ...]]:
    """Say what each path is expected to give by those that call its newest version by its key.

    Args:
        specs: the newest version of each path, by key.
    """
    calls: dict[str, list[KnownCall]] = {}
    for key, spec in specs.items():
        for step in spec.steps.values():
            if step.call is None or step.call.path in (None, key) or step.call.version is not None:
                continue
            calls.setdefault(step.call.path or "", []).append(_expected(spec, key, step, step.call))
    return {path: tuple(each) for path, each in calls.items()}


def _expected(spec: PathSpec, key: str, step: Step, call: Call) -> KnownCall:
    wanted = {
        outcome for flow in spec.flows.values() for name, outcome in asked(flow.condition or "") if name == call.result
    }
    caught = set(_catches(spec, step.id))
    return KnownCall(
        caller=key,
        outcomes=frozenset(wanted),
        values=frozenset(call.takes.values()),
        errors=None if None in caught else frozenset(code for code in caught if code is not None),
    )


def _catches(spec: PathSpec, host: str | None) -> Iterator[str | None]:
    """Give the codes of the errors that are caught at a step or around it; None for all."""
    while host is not None:
        yield from (step.code for step in spec.steps.values() if step.host == host and step.event == "error")
        host = spec.steps[host].parent


def _outcomes(spec: PathSpec) -> Iterator[str]:
    """Give what a caller may get as the outcome: the code of a named end, else the id of the last one."""
    for step in spec.steps.values():
        if step.kind is StepKind.END:
            yield step.outcome or step.id


def _own_errors(spec: PathSpec) -> Iterator[str]:
    for step in spec.steps.values():
        if step.kind is StepKind.END and step.event == "error" and not _is_caught(spec, step.parent, step.code):
            yield step.code or ""


def _errors_of_calls(spec: PathSpec, errors: Mapping[str, set[str]], resources: Resources) -> Iterator[str]:
    for step in spec.steps.values():
        for path in _called(step, resources):
            yield from (code for code in errors.get(path, ()) if not _is_caught(spec, step.id, code))


def _called(step: Step, resources: Resources) -> Iterator[str]:
    if step.call is None or step.call.version is not None:
        return
    if step.call.path is not None:
        yield step.call.path
    else:
        yield from resources.call_tables.get(step.call.table or "", {}).values()


def _is_caught(spec: PathSpec, host: str | None, code: str | None) -> bool:
    """Tell whether an error that comes out of a step is caught there or further out."""
    return not {code, None}.isdisjoint(_catches(spec, host))
