"""Decision tables (DMN 1.3 XML), read and decided by ourselves: cells are of the expression language, never code.

A table has inputs, each an expression; rules, each with one cell for each input; and named outputs. Hit policies:
UNIQUE (at most one rule may match), FIRST (the first that matches, in the order of the file) and ANY (those that
match must agree). A table in which no rule matches gives nothing: its outputs are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from nrm.engine.effects import Values
from nrm.engine.failures import StepFailed
from nrm.engine.findings import Finding
from nrm.engine.reading import local_name, printable, read_tree
from nrm.engine.values import is_name
from nrm.errors import BadPath
from nrm.expressions import BadExpression, Expression, LimitExceeded, evaluate, parse
from nrm.expressions.cells import Cell, match_cell, parse_cell

HIT_POLICIES: Final = ("UNIQUE", "FIRST", "ANY")
_WORDS: Final = {"true": "True", "false": "False", "null": "None"}
MAX_RULES: Final = 500
MAX_COLUMNS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: a test for each input, an expression for each output; None for an empty output."""

    cells: tuple[Cell, ...]
    results: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A decision table.

    Attributes:
        key: its key in the pack.
        policy: one of `HIT_POLICIES`.
        inputs: an expression for each input column.
        outputs: the value name that each output column sets.
        rules: in the order of the file.
    """

    key: str
    policy: str
    inputs: tuple[Expression, ...]
    outputs: tuple[str, ...]
    rules: tuple[Rule, ...]

    def decide(self, values: Values, *, today: date, element: str) -> dict[str, object]:
        """Decide with the values of a run.

        Args:
            values: what the inputs read.
            today: the date of the advance.
            element: id of the step, for the message.

        Returns:
            Output name → value, None for those that no rule gave.

        Raises:
            StepFailed: `no_single_rule` when rules contradict the hit policy, or `expression_limit`.
        """
        try:
            matching = [rule for rule in self.rules if self._matches(rule, values, today)]
            results = [_results(rule, values, today) for rule in matching]
        except LimitExceeded:
            raise StepFailed("expression_limit", element) from None
        agree = all(result == results[0] for result in results)
        if (self.policy == "UNIQUE" and len(results) > 1) or (self.policy == "ANY" and not agree):
            raise StepFailed("no_single_rule", element, table=self.key)
        chosen = results[0] if results else tuple(None for _ in self.outputs)
        return dict(zip(self.outputs, chosen, strict=True))

    def _matches(self, rule: Rule, values: Values, today: date) -> bool:
        """Tell whether every cell of a rule is true for its input."""
        return all(
            match_cell(cell, evaluate(column, values, today=today), values, today=today)
            for cell, column in zip(rule.cells, self.inputs, strict=True)
        )

    @property
    def names(self) -> frozenset[str]:
        """The value names that the table reads."""
        names = [column.names for column in self.inputs]
        for rule in self.rules:
            names += [cell.names for cell in rule.cells]
            names += [result.names for result in rule.results if result is not None]
        return frozenset().union(*names)


def _results(rule: Rule, values: Values, today: date) -> tuple[object, ...]:
    """Work out the outputs of a rule."""
    return tuple(None if result is None else evaluate(result, values, today=today) for result in rule.results)


def read_table(key: str, text: str) -> Table:
    """Read a decision table.

    Args:
        key: its key in the pack; the findings carry it.
        text: DMN 1.3 XML with one decision that holds one table.

    Raises:
        BadPath: it is not such a table; `findings` says what is wrong, where.
    """
    root = read_tree(text.encode())
    tables = [element for element in root.iter() if local_name(element) == "decisionTable"]
    if len(tables) != 1:
        raise BadPath([Finding(code="table_not_single", params={"table": key, "count": len(tables)})])
    reader = _TableReader(key)
    table = reader.read(tables[0])
    if table is None or reader.findings:
        raise BadPath(reader.findings)
    return table


class _TableReader:
    """Reads one table and gathers what is wrong with it."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.findings: list[Finding] = []

    def read(self, element: etree._Element) -> Table | None:
        """Read the table; None when its shape is wrong."""
        policy = (element.get("hitPolicy") or "UNIQUE").strip().upper()
        if policy not in HIT_POLICIES:
            self._find("table_policy", element, policy=printable(policy))
        inputs, outputs, rules = (_children(element, name) for name in ("input", "output", "rule"))
        if not outputs or not rules or len(inputs) + len(outputs) > MAX_COLUMNS or len(rules) > MAX_RULES:
            self._find("table_shape", element, rules=len(rules), columns=len(inputs) + len(outputs))
            return None
        names = tuple((output.get("name") or "").strip() for output in outputs)
        if len(set(names)) < len(names) or not all(is_name(name) for name in names):
            self._find("table_output_name", element)
        return Table(
            key=self.key,
            policy=policy,
            inputs=tuple(self._input(column) for column in inputs),
            outputs=names,
            rules=tuple(self._rule(row, len(inputs), len(outputs)) for row in rules),
        )

    def _input(self, column: etree._Element) -> Expression:
        """Read an input column's expression."""
        found = [child for child in column.iter() if local_name(child) == "inputExpression"]
        return self._expression(_text(found[0]) if found else "", column)

    def _rule(self, row: etree._Element, inputs: int, outputs: int) -> Rule:
        """Read one rule."""
        cells, results = _children(row, "inputEntry"), _children(row, "outputEntry")
        if len(cells) != inputs or len(results) != outputs:
            self._find("table_shape", row, rules=1, columns=len(cells) + len(results))
        return Rule(
            cells=tuple(self._cell(cell) for cell in cells),
            results=tuple(self._expression(_text(cell), cell) if _text(cell) else None for cell in results),
        )

    def _cell(self, cell: etree._Element) -> Cell:
        """Read a cell as a test of its input; a wrong one becomes a finding."""
        try:
            return parse_cell(_text(cell))
        except BadExpression as problem:
            self._find("table_expression", cell, reason=problem.code, text=printable(_text(cell)))
            return parse_cell("-")

    def _expression(self, text: str, element: etree._Element) -> Expression:
        """Parse an expression; a wrong one becomes a finding. DMN's own words for yes, no and nothing count too."""
        try:
            return parse(_WORDS.get(text, text))
        except BadExpression as problem:
            self._find("table_expression", element, reason=problem.code, text=printable(text))
            return parse("1")

    def _find(self, code: str, element: etree._Element, **params: str | int) -> None:
        """Note what is wrong."""
        line = element.sourceline
        self.findings.append(
            Finding(code=code, element=element.get("id", ""), line=line, params={"table": self.key, **params})
        )


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    """Give the children of a name, whatever the DMN version's namespace."""
    return [child for child in element if local_name(child) == name]


def _text(element: etree._Element) -> str:
    """Give the text inside an element's `text`."""
    return " ".join((child.text or "").strip() for child in _children(element, "text")).strip()
