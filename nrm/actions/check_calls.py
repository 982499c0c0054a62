"""What a registered check gets, what it answers, and how it reads the answers of an earlier step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sqlalchemy import select

from nrm.actions._action import Work
from nrm.engine.effects import Value, Values
from nrm.engine.failures import StepFailed
from nrm.models import Case, TaskAnswers
from nrm.rules.texts import is_code
from nrm.sealing import Json, unseal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCall:
    """What a check is called with.

    Attributes:
        case: the locked case.
        run_id: the run.
        step: id of the step.
        token: the engine's token.
        params: the step's parameters, evaluated.
        item: the list item in multi-instance.
        context: ids that earlier checks of this run (or its parents) left.
        values: the run's decision values.
    """

    case: Case
    run_id: str
    step: str
    token: str
    params: Values
    item: str | None
    context: Mapping[str, str]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check answers: decision values for the path, and ids for later checks."""

    values: Values = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


Check: TypeAlias = Callable[[Work, CheckCall], CheckResult]
Answers: TypeAlias = Mapping[str, Json]

REGISTRY: Final[dict[str, Check]] = {}
"""Name in the diagram → check. `nrm.actions.checks` fills it when the package is imported: runs call checks, and checks
start further runs, so neither may import the other.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A check as it stands in the registry.

    Attributes:
        check: what it does.
        values: the decision values that it sets, with their types; what the linter knows of them.
    """

    check: Check
    values: Mapping[str, type] = field(default_factory=dict)


def latest_answers(work: Work, call: CheckCall) -> Answers:
    """Give the newest answers of the step that the parameter `from` names, in this run.

    Raises:
        StepFailed: nobody has answered that step in this run.
    """
    return who_answered(work, call, "from")[1]


def who_answered(work: Work, call: CheckCall, param: str) -> tuple[str, Answers]:
    """Give who answered the step that a parameter names last, in this run, and what.

    Raises:
        StepFailed: nobody has answered that step in this run.
    """
    step = str(call.params.get(param) or "")
    work.flush()
    row = work.session.execute(
        select(TaskAnswers.task_id, TaskAnswers.answers, TaskAnswers.answered_by)
        .where(TaskAnswers.case_id == call.case.id, TaskAnswers.run_id == call.run_id, TaskAnswers.step == step)
        .order_by(TaskAnswers.answered_at.desc(), TaskAnswers.task_id.desc())
    ).first()
    if row is None:
        raise StepFailed("no_answers", call.step, source=step)
    found = unseal(row[1], row=row[0], column="task_answers.answers")
    return row[2], found if isinstance(found, dict) else {}


def codes(value: Json | None) -> list[str]:
    """Give the codes of a list answer; an empty list for anything else."""
    return [str(code) for code in value] if isinstance(value, list) else []


def texts(value: Value) -> tuple[str, ...]:
    """Give the texts of a parameter that is one text or a list of them."""
    if isinstance(value, tuple | list):
        return tuple(map(str, value))
    return (str(value),) if value not in (None, "") else ()


def flag(value: Json | None) -> bool | None:
    """Give a yes/no answer; None for anything else."""
    return value if isinstance(value, bool) else None


def text(value: Json | None) -> str | None:
    """Give an answer as text; None where nothing was answered."""
    return str(value) if value not in (None, "") else None


def code(value: Json | None) -> str | None:
    """Give an answer that is a code; None for anything else, so that no story gets into events and code columns."""
    return value if isinstance(value, str) and is_code(value) else None
