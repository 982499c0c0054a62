"""Import a BPMN diagram that was drawn with another tool; every change that is made is a finding, nothing is silent.

What comes out is a file that `nrm.engine.reading` reads: one path with plain ids, drawn, without what only the other
tool understood. It need not be one that can be published: lint says what an author still has to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from nrm.engine.findings import Finding
from nrm.engine.importing.changes import Changes
from nrm.engine.importing.identities import fresh_id, mend_ids, rename
from nrm.engine.importing.meaning import place_strays, split_by_gateways, translate
from nrm.engine.importing.opening import cut_texts, open_foreign
from nrm.engine.importing.pictures import mend_drawing
from nrm.engine.importing.vendors import drop_vendors
from nrm.engine.layout import lay_out
from nrm.engine.reading import (
    BPMN,
    BPMNDI,
    DC,
    DI,
    FLOW_NODES,
    NRM,
    XSI,
    local_name,
    read_diagram,
    refuse,
    tree_findings,
)
from nrm.errors import BadPath

__all__ = ["Imported", "ImportedProcess", "import_diagram", "read_to_draw"]

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedProcess:
    """A process of the file.

    Attributes:
        id: its id in the imported file.
        name: its name, "" without one.
        steps: how many steps it has, those of its sub-processes included.
        chosen: whether it is the one that became the path.
    """

    id: str
    name: str
    steps: int
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An imported diagram.

    Attributes:
        xml: the file as this system keeps it, UTF-8.
        findings: every change that was made, in the order in which they were made.
        processes: the processes of the file, in its order.
    """

    xml: bytes
    findings: tuple[Finding, ...]
    processes: tuple[ImportedProcess, ...]


def import_diagram(xml: bytes, *, process: str | None = None, key: str | None = None) -> Imported:
    """Turn a BPMN file of any tool into one of ours.

    Args:
        xml: the file's bytes, from anybody.
        process: id or name of the process that becomes the path; None for the executable or the largest one.
        key: what the path shall be called; None for a key made of the process's own id.

    Returns:
        A file that `read_diagram` reads, unless the path has more steps than one may have.

    Raises:
        BadPath: it cannot be loaded at all: no XML, hostile, beyond the limits, or without a process.
    """
    changes = Changes()
    root = open_foreign(xml, changes)
    drop_vendors(root, changes)
    cut_texts(root, changes)
    refuse(tree_findings(root))
    mend_ids(root, changes)
    _begin_process(root, changes)
    translate(root, changes)
    chosen = _choose(root, process, changes)
    _name_path(root, chosen, key, changes)
    place_strays(root, changes)
    added = split_by_gateways(root, changes)
    _drop_defaults(root, changes)
    mend_drawing(root, chosen, added, changes)
    found, findings = _processes(root, chosen), changes.findings(root)
    return Imported(xml=_written(root), findings=findings, processes=found)


def read_to_draw(xml: bytes) -> etree._Element:
    """Read any BPMN file to draw it, as its author drew it; one without a drawing is laid out.

    Raises:
        BadPath: it cannot be loaded at all.
    """
    try:
        root = read_diagram(xml)
    except BadPath:
        changes = Changes()
        root = open_foreign(xml, changes)
        drop_vendors(root, changes)
        cut_texts(root, changes)
        refuse(tree_findings(root))
        mend_ids(root, changes)
    if root.find(f".//{{{BPMNDI}}}BPMNShape/{{{DC}}}Bounds") is None:
        lay_out(root)
    return root


def _begin_process(root: etree._Element, changes: Changes) -> None:
    """Begin an empty process in the first pool of a file that shows pools and nothing in them."""
    pool = root.find(f"{{{BPMN}}}collaboration/{{{BPMN}}}participant")
    if pool is None or root.find(f"{{{BPMN}}}process") is not None or root.find(f"{{{BPMN}}}choreography") is not None:
        return
    changes.lost(pool, "import_no_process", name=pool.get("name") or pool.get("id") or "")
    process = etree.SubElement(root, f"{{{BPMN}}}process", id=fresh_id(root, "path"), isExecutable="true")
    pool.set("processRef", process.get("id", ""))


def _choose(root: etree._Element, wanted: str | None, changes: Changes) -> etree._Element:
    """Mark one process as the path, and all others as not to run."""
    found = root.findall(f"{{{BPMN}}}process")
    if not found:
        raise BadPath([Finding(code="no_process", line=root.sourceline)])
    named = [each for each in found if wanted in (each.get("id"), each.get("name"))]
    chosen = next(iter(named), None) if wanted else max(found, key=_weight)
    if chosen is None:
        raise BadPath([Finding(code="import_no_such_process", params={"name": wanted or ""})])
    for other in found:
        if other is not chosen:
            other.set("isExecutable", "false")
            changes.lost(other, "import_other_process", name=other.get("name") or other.get("id") or "")
    if chosen.get("isExecutable") != "true":
        if chosen.get("isExecutable") is not None:
            changes.add(chosen, "import_made_executable")
        chosen.set("isExecutable", "true")
    return chosen


def _weight(process: etree._Element) -> tuple[bool, int]:
    steps = _steps(process)
    return process.get("isExecutable") == "true" and steps > 0, steps


def _steps(process: etree._Element) -> int:
    return sum(1 for each in process.iter(f"{{{BPMN}}}*") if local_name(each) in FLOW_NODES)


def _name_path(root: etree._Element, chosen: etree._Element, wish: str | None, changes: Changes) -> None:
    """Give the process an id that can be the key of a path."""
    old = chosen.get("id") or ""
    if old == wish or (wish is None and _KEY.fullmatch(old)):
        return
    plain = wish or re.sub(r"[^a-z0-9]+", "_", old.lower()).strip("_")[:50]
    if wish is not None and wish in {each.get("id") for each in root.iter(etree.Element)}:
        rename(root, wish, fresh_id(root, f"{wish}_step"))
    key = fresh_id(root, plain if _KEY.fullmatch(plain) else f"path_{plain}".rstrip("_"))
    key = re.sub(r"[^a-z0-9_]", "_", key)
    rename(root, old, key)
    changes.add(chosen, "import_path_key", id=old, key=key)


def _drop_defaults(root: etree._Element, changes: Changes) -> None:
    for element in root.iter(f"{{{BPMN}}}*"):
        if "default" in element.attrib and local_name(element) not in {"exclusiveGateway", "inclusiveGateway"}:
            del element.attrib["default"]
            changes.add(element, "import_attributes", name="default")


def _processes(root: etree._Element, chosen: etree._Element) -> tuple[ImportedProcess, ...]:
    return tuple(
        ImportedProcess(id=each.get("id") or "", name=each.get("name") or "", steps=_steps(each), chosen=each is chosen)
        for each in root.findall(f"{{{BPMN}}}process")
    )


def _written(root: etree._Element) -> bytes:
    """Write the file under the usual prefixes."""
    names = {"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "nrm": NRM, "xsi": XSI}
    whole = etree.Element(f"{{{BPMN}}}definitions", nsmap=names)
    for key, value in root.attrib.items():
        whole.set(key, value)
    for child in list(root):
        whole.append(child)
    etree.cleanup_namespaces(whole, top_nsmap=names, keep_ns_prefixes=["nrm"])
    return bytes(etree.tostring(whole, encoding="utf-8", xml_declaration=True))
