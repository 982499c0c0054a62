"""Conditions, parameters and dates in a path: expressions, read with the values that stand where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from SpiffWorkflow.task import Task

from nrm import expressions
from nrm.engine.effects import Value
from nrm.engine.failures import StepFailed
from nrm.engine.values import checked
from nrm.expressions import Expression, LimitExceeded, evaluate, truthy

if TYPE_CHECKING:
    from nrm.engine.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An expression and the element that holds it."""

    expression: Expression
    element: str


class Reader:
    """Evaluates expressions with the values that a token sees."""

    def __init__(self, machine: Machine, task: Task) -> None:
        """Look from a token: the run's values and the list entries of the rounds around it."""
        self._values = machine.values_at(task)
        self._today = machine.now.date()

    def value(self, condition: Condition) -> Value:
        """Give an expression's value.

        Raises:
            StepFailed: `expression_limit`, or `bad_value` when the result is nothing that a run may keep.
        """
        found = {"value": self._evaluate(condition)}
        return checked(found, keep=frozenset(found), element=condition.element)["value"]

    def is_true(self, condition: Condition) -> bool:
        """Tell whether an expression is true.

        Raises:
            StepFailed: `expression_limit`.
        """
        return truthy(self._evaluate(condition))

    def _evaluate(self, condition: Condition) -> expressions.Value:
        """Evaluate under the language's limits."""
        try:
            return evaluate(condition.expression, self._values, today=self._today)
        except LimitExceeded:
            raise StepFailed("expression_limit", condition.element) from None
