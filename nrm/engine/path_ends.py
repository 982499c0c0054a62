"""How paths can end, for the paths that call them: with which outcomes and errors, and which values they can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nrm.engine.lint.known import KnownPath
from nrm.engine.parsing import PathSpec
from nrm.engine.steps import Resources, Step, StepKind


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
    while host is not None:
        for step in spec.steps.values():
            if step.host == host and step.event == "error" and step.code in (code, None):
                return True
        host = spec.steps[host].parent
    return False
