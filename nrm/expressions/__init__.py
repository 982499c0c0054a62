"""The one small expression language of gateways, forms, decision tables and multi-instance.

`parse` a text once, `evaluate` it as often as needed. The meaning is total and fixed by
`tests/expressions/golden.json`, which runs in Python, in JavaScript and through the XLSForm export.
"""

from nrm.expressions.cells import Cell, match_cell, parse_cell
from nrm.expressions.checking import check, check_tree
from nrm.expressions.evaluation import evaluate
from nrm.expressions.functions import FUNCTIONS
from nrm.expressions.mistakes import BadExpression, ExpressionProblem, LimitExceeded
from nrm.expressions.parsing import parse
from nrm.expressions.tokens import is_name
from nrm.expressions.transfer import from_json, to_json
from nrm.expressions.tree import Expression, Scalar, Value
from nrm.expressions.values import truthy
from nrm.expressions.xlsform_in import from_xlsform
from nrm.expressions.xlsform_out import to_xlsform

__all__ = [
    "FUNCTIONS",
    "BadExpression",
    "Cell",
    "Expression",
    "ExpressionProblem",
    "LimitExceeded",
    "Scalar",
    "Value",
    "check",
    "check_tree",
    "evaluate",
    "from_json",
    "from_xlsform",
    "is_name",
    "match_cell",
    "parse",
    "parse_cell",
    "to_json",
    "to_xlsform",
    "truthy",
]
