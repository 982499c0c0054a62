"""Read the bytes of a diagram under limits, before anything else looks at them.

What comes out is a plain tree: no entity was resolved, no file or address was opened, comments are gone (a comment
inside a condition would hide half of it from readers that take only the first text), and every id is unique and
plain. Whether the path makes sense is the business of `nrm.engine.lint`.

The limits follow the OWASP advice on XML (no DOCTYPE, no external entity) and what one path needs: a path has at most
300 steps, which with its drawing stays under 5,000 elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from nrm.engine.findings import Finding
from nrm.errors import BadPath

BPMN: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
DC: Final = "http://www.omg.org/spec/DD/20100524/DC"
DI: Final = "http://www.omg.org/spec/DD/20100524/DI"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML: Final = "http://www.w3.org/XML/1998/namespace"
NRM: Final = "urn:nrm-engine:bpmn:1"

MAX_BYTES: Final = 2_000_000
MAX_ELEMENTS: Final = 5_000
MAX_DEPTH: Final = 50
MAX_ATTRIBUTES: Final = 40
MAX_TEXT: Final = 10_000
MAX_ATTRIBUTE_TEXT: Final = 2_000
MAX_STEPS: Final = 300
MAX_FINDINGS: Final = 200

ENCODINGS: Final = frozenset(
    {"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-6", "iso-8859-15", "windows-1252", "windows-1256"}
)
"""What a file may declare. All of them write ASCII as ASCII, so no tag can hide in another reading of the bytes."""

FLOW_NODES: Final = frozenset(
    {
        "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask",
        "callActivity", "subProcess", "transaction", "adHocSubProcess", "startEvent", "endEvent", "boundaryEvent",
        "intermediateCatchEvent", "intermediateThrowEvent", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
        "eventBasedGateway", "complexGateway", "callChoreography", "choreographyTask", "subChoreography",
    }
)  # fmt: skip
"""Local names of the BPMN elements that count as steps."""

_SCOPES: Final = frozenset(
    f"{{{BPMN}}}{name}" for name in ("process", "subProcess", "transaction", "adHocSubProcess", "choreography")
)
PLAIN_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_DECLARATION = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


def read_diagram(xml: bytes) -> etree._Element:
    """Read a BPMN file under limits.

    Args:
        xml: the file's bytes, at most `MAX_BYTES`; UTF-8, or one of `ENCODINGS` when the file declares it.

    Returns:
        The root element (`bpmn:definitions`), without comments; `sourceline` of each element is its line.

    Raises:
        BadPath: the bytes are not one readable BPMN process within the limits; `findings` says what and where.
    """
    root = read_tree(xml)
    refuse(_document_findings(root))
    return root


def read_tree(xml: bytes) -> etree._Element:
    """Read any XML file under the same limits, whatever it says; for the importer and for decision tables.

    Raises:
        BadPath: the bytes are not XML, or beyond the limits.
    """
    root = parse_text(_decode(xml))
    refuse(tree_findings(root))
    return root


def local_name(element: etree._Element) -> str:
    """Give an element's name without its namespace."""
    return etree.QName(element).localname


def namespace(element: etree._Element) -> str:
    """Give an element's namespace, "" for none."""
    return etree.QName(element).namespace or ""


def processes(root: etree._Element) -> list[etree._Element]:
    """Give the processes that the file asks to run: its only process, or those not marked `isExecutable="false"`."""
    found = root.findall(f"{{{BPMN}}}process")
    if len(found) == 1:
        return found
    return [process for process in found if process.get("isExecutable", "true").strip() != "false"]


def _decode(xml: bytes) -> str:
    """Turn the bytes into text, or refuse an encoding in which tags could hide."""
    if len(xml) > MAX_BYTES:
        raise _bad("file_too_large", limit=MAX_BYTES // 1_000_000)
    if not xml.strip():
        raise _bad("file_empty")
    if xml.startswith(_WIDE_MARKS):
        raise _bad("wrong_encoding", encoding="UTF-16")
    if b"\x00" in xml:
        raise _bad("nul_character", line=xml[: xml.index(b"\x00")].count(b"\n") + 1)
    marked = xml.startswith(_UTF8_MARK)
    bare = xml.removeprefix(_UTF8_MARK)
    encoding = _declared_encoding(bare)
    if bare.startswith(_UTF8_MARK) or (marked and encoding != "utf-8"):
        raise _bad("wrong_encoding", line=1, encoding=f"UTF-8 BOM + {encoding}")
    try:
        text = bare.decode(encoding)
    except UnicodeDecodeError as problem:
        raise _bad("not_decodable", line=bare[: problem.start].count(b"\n") + 1, encoding=encoding) from None
    refuse_declarations(text)
    return text


def _declared_encoding(xml: bytes) -> str:
    """Give the encoding that the file declares, UTF-8 when it says nothing."""
    declared = _DECLARATION.match(xml)
    encoding = declared[1].decode("ascii", "replace").lower() if declared else "utf-8"
    encoding = {"utf8": "utf-8"}.get(encoding, encoding)
    if encoding not in ENCODINGS:
        raise _bad("wrong_encoding", line=1, encoding=printable(encoding))
    return encoding


def refuse_declarations(text: str) -> None:
    """Refuse every DOCTYPE before a parser sees it."""
    # XML allows only this spelling; one in a comment or CDATA is refused too, which costs nobody anything.
    for word in ("<!DOCTYPE", "<!ENTITY"):
        if word in text:
            raise _bad("doctype", line=text[: text.index(word)].count("\n") + 1)


def parse_text(text: str) -> etree._Element:
    """Parse the text with a parser that opens and expands nothing."""
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        recover=False,
    )
    try:
        return etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as problem:
        deep = "depth" in (problem.msg or "").lower()
        raise _bad("too_deep" if deep else "not_xml", line=problem.lineno or 1, limit=MAX_DEPTH) from None


def tree_findings(root: etree._Element) -> Iterator[Finding]:
    """Check size and shape: what every later reader relies on to end soon."""
    if root.getroottree().docinfo.doctype:
        yield Finding(code="doctype", line=1)
    if root.getprevious() is not None or root.getnext() is not None:
        yield Finding(code="processing_instruction", line=1)
    depths: dict[etree._Element, int] = {}
    for number, node in enumerate(root.iter(), start=1):
        if number > MAX_ELEMENTS:
            yield Finding(code="too_many_elements", line=_line(node), params={"limit": MAX_ELEMENTS})
            return
        if not isinstance(node.tag, str):
            yield Finding(code="processing_instruction", line=_line(node))
            continue
        parent = node.getparent()
        depths[node] = 1 if parent is None else depths[parent] + 1
        if depths[node] > MAX_DEPTH:
            yield Finding(code="too_deep", line=_line(node), params={"limit": MAX_DEPTH})
            return
        yield from _element_findings(node)


def _element_findings(node: etree._Element) -> Iterator[Finding]:
    """Check one element's attributes and text."""
    if len(node.attrib) > MAX_ATTRIBUTES:
        # Nothing else is said of such an element: reading its attributes is what must not happen.
        yield Finding(code="too_many_attributes", line=_line(node), params={"limit": MAX_ATTRIBUTES})
        return
    if any(len(str(value)) > MAX_ATTRIBUTE_TEXT for value in node.attrib.values()):
        yield _at(node, "text_too_long", limit=MAX_ATTRIBUTE_TEXT)
    if len(node.text or "") > MAX_TEXT or len(node.tail or "") > MAX_TEXT:
        yield _at(node, "text_too_long", limit=MAX_TEXT)


def _document_findings(root: etree._Element) -> Iterator[Finding]:
    """Check that the tree is one BPMN process with unique plain ids in known namespaces."""
    if root.tag != f"{{{BPMN}}}definitions":
        yield Finding(code="not_bpmn", line=_line(root))
        return
    yield from _process_findings(root)
    yield from _namespace_findings(root)
    yield from _placement_findings(root)
    seen: set[str] = set()
    for element in root.iter():
        found = element.get("id")
        if found is None:
            continue
        if not PLAIN_ID.fullmatch(found):
            yield Finding(code="bad_id", line=_line(element), params={"id": printable(found)})
        elif found in seen:
            yield Finding(code="duplicate_id", element=found, line=_line(element), params={"id": found})
        seen.add(found)


def _process_findings(root: etree._Element) -> Iterator[Finding]:
    """Check that there is one process to run, and not too large a one."""
    if not root.findall(f"{{{BPMN}}}process"):
        yield Finding(code="no_process", line=_line(root))
        return
    found = processes(root)
    if not found:
        yield Finding(code="no_executable_process", line=_line(root))
    if len(found) > 1:
        yield Finding(code="several_processes", line=_line(root), params={"count": len(found)})
    for process in root.findall(f"{{{BPMN}}}process"):
        if not process.get("id"):
            yield Finding(code="process_without_id", line=_line(process))
        steps = sum(1 for node in process.iter(f"{{{BPMN}}}*") if local_name(node) in FLOW_NODES)
        if steps > MAX_STEPS:
            yield _at(process, "too_many_steps", limit=MAX_STEPS, count=steps)


def _namespace_findings(root: etree._Element) -> Iterator[Finding]:
    """Check that elements of other makers stand only where BPMN lets them: inside `extensionElements`."""
    known = {BPMN, BPMNDI, DC, DI}
    for element in root.iter():
        if namespace(element) in known:
            continue
        parent = element.getparent()
        while parent is not None and parent.tag != f"{{{BPMN}}}extensionElements":
            parent = parent.getparent()
        if parent is None:
            yield Finding(
                code="foreign_element",
                line=_line(element),
                params={"name": local_name(element), "namespace": printable(namespace(element))},
            )


def _placement_findings(root: etree._Element) -> Iterator[Finding]:
    """Check that steps and flows stand in a process or sub-process: a step elsewhere is seen by some readers only."""
    for element in root.iter(f"{{{BPMN}}}*"):
        name, parent = local_name(element), element.getparent()
        if (name in FLOW_NODES or name == "sequenceFlow") and (parent is None or parent.tag not in _SCOPES):
            yield _at(element, "misplaced_element", name=name)


def printable(text: str) -> str:
    """Give at most 60 characters of a text from a file, with everything that a screen could not show replaced."""
    return "".join(sign if sign.isprintable() else "�" for sign in text[:60])


def refuse(findings: Iterator[Finding]) -> None:
    """Raise when there is a finding; at most `MAX_FINDINGS` are kept."""
    kept: list[Finding] = []
    for finding in findings:
        kept.append(finding)
        if len(kept) == MAX_FINDINGS:
            break
    if kept:
        raise BadPath(kept)


def _bad(code: str, *, line: int | None = None, **params: str | int) -> BadPath:
    """Build the refusal of a whole file."""
    return BadPath([Finding(code=code, line=line, params=params)])


def _at(element: etree._Element, code: str, **params: str | int) -> Finding:
    """Build a finding at the nearest element that has a plain id."""
    at: etree._Element | None = element
    while at is not None and not PLAIN_ID.fullmatch(at.get("id") or ""):
        at = at.getparent()
    return Finding(code=code, element="" if at is None else at.get("id") or "", line=_line(element), params=params)


def _line(node: etree._Element) -> int | None:
    """Give the line of a node."""
    return int(node.sourceline) if node.sourceline else None
