"""The one small expression language of gateways, forms, decision tables and multi-instance.

`parse` a text once, `evaluate` it as often as needed. The meaning is total and fixed by
`tests/expressions/golden.json`, which runs in Python, in JavaScript and through the XLSForm export.
"""

from nrm.expressions.evaluation import evaluate
from nrm.expressions.functions import FUNCTIONS
from nrm.expressions.mistakes import BadExpression, ExpressionProblem, LimitExceeded
from nrm.expressions.parsing import parse
from nrm.expressions.tokens import is_name
from nrm.expressions.tree import Expression, Scalar, Value
from nrm.expressions.values import truthy

__all__ = [
    "FUNCTIONS",
    "BadExpression",
    "Expression",
    "ExpressionProblem",
    "LimitExceeded",
    "Scalar",
    "Value",
    "evaluate",
    "is_name",
    "parse",
    "truthy",
]
