"""Decision tables (DMN 1.3 XML) as grids of text, and back; the reader of tables says whether they can be decided."""

from __future__ import annotations

from lxml import etree

from nrm.engine.findings import Finding
from nrm.engine.reading import local_name, read_tree
from nrm.errors import BadPath
from nrm.rules.decision_grids import Column, Grid, Line

_DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def read_grid(key: str, text: str) -> Grid:
    """Read a table as text, without asking what its cells mean.

    Args:
        key: its key in the pack.
        text: DMN XML with one decision that holds one table.

    Raises:
        BadPath: it is no XML, or holds no single table.
    """
    root = read_tree(text.encode())
    tables = [element for element in root.iter() if local_name(element) == "decisionTable"]
    if len(tables) != 1:
        raise BadPath([Finding(code="table_not_single", params={"table": key, "count": len(tables)})])
    (table,) = tables
    parent = table.getparent()
    name = (parent.get("name") if parent is not None else None) or key
    return Grid(
        name=name,
        policy=(table.get("hitPolicy") or "UNIQUE").strip().upper(),
        inputs=tuple(_input(column) for column in _children(table, "input")),
        outputs=tuple(_output(column) for column in _children(table, "output")),
        lines=tuple(_line(row) for row in _children(table, "rule")),
    )


def _input(column: etree._Element) -> Column:
    asked = next((child for child in column if local_name(child) == "inputExpression"), None)
    text, kind = ("", "") if asked is None else (_text(asked), asked.get("typeRef", ""))
    return Column(label=column.get("label") or text, text=text, type=kind)


def _output(column: etree._Element) -> Column:
    name = (column.get("name") or "").strip()
    return Column(label=column.get("label") or name, text=name, type=column.get("typeRef", ""))


def _line(row: etree._Element) -> Line:
    said = _children(row, "description")
    return Line(
        description=(said[0].text or "").strip() if said else "",
        cells=tuple(_text(cell) or "-" for cell in _children(row, "inputEntry")),
        results=tuple(_text(cell) for cell in _children(row, "outputEntry")),
    )


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if local_name(child) == name]


def _text(element: etree._Element) -> str:
    return " ".join((child.text or "").strip() for child in _children(element, "text")).strip()


def write_grid(key: str, grid: Grid) -> str:
    """Write a grid as a DMN 1.3 file.

    Args:
        key: its key in the pack; ids in the file begin with it.
        grid: the table.
    """
    root = etree.Element(
        f"{{{_DMN}}}definitions",
        {"id": f"{key}_definitions", "name": grid.name, "namespace": "urn:nrm:tables"},
        nsmap={None: _DMN},
    )
    decision = _add(root, "decision", id=key, name=grid.name)
    table = _add(decision, "decisionTable", id=f"{key}_table", hitPolicy=grid.policy)
    for number, column in enumerate(grid.inputs, start=1):
        asked = _add(table, "input", id=f"{key}_input_{number}", label=column.label)
        typed = {"typeRef": column.type} if column.type else {}
        _say(_add(asked, "inputExpression", id=f"{key}_expression_{number}", **typed), column.text)
    for number, column in enumerate(grid.outputs, start=1):
        typed = {"typeRef": column.type} if column.type else {}
        _add(table, "output", id=f"{key}_output_{number}", label=column.label, name=column.text, **typed)
    for number, line in enumerate(grid.lines, start=1):
        _rule(table, f"{key}_rule_{number}", line)
    etree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _rule(table: etree._Element, name: str, line: Line) -> None:
    rule = _add(table, "rule", id=name)
    if line.description:
        _add(rule, "description").text = line.description
    for number, cell in enumerate(line.cells, start=1):
        _say(_add(rule, "inputEntry", id=f"{name}_in_{number}"), cell or "-")
    for number, result in enumerate(line.results, start=1):
        _say(_add(rule, "outputEntry", id=f"{name}_out_{number}"), result)


def _add(parent: etree._Element, tag: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_DMN}}}{tag}", attributes)


def _say(element: etree._Element, text: str) -> None:
    _add(element, "text").text = text
