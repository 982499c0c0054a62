"""Open a BPMN file of any tool: its bytes, its namespaces, its wrapping; under the limits of `nrm.engine.reading`.

Other tools write what the BPMN schema allows and more: every encoding of XML, namespaces of drafts of the standard,
notes of their own at every place. What no reader of ours may see is refused here as it is there: a DOCTYPE, an
entity, too much of anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from nrm.engine.findings import Finding
from nrm.engine.importing.changes import Changes
from nrm.engine.importing.spelling import guess_encoding, mend_prefixes
from nrm.engine.reading import (
    BPMN,
    BPMNDI,
    DC,
    DI,
    MAX_ATTRIBUTE_TEXT,
    MAX_DEPTH,
    MAX_TEXT,
    XML,
    XSI,
    local_name,
    namespace,
    parse_text,
    printable,
    refuse_declarations,
)
from nrm.errors import BadPath

MAX_IMPORT_BYTES: Final = 5_000_000
"""Other tools keep pictures and notes in their files; what is left after those are gone must keep our own limits."""

ENCODINGS: Final = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "us-ascii", "ascii"}
    | {f"iso-8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)}
    | {f"windows-{part}" for part in (874, *range(1250, 1259))}
    | {"gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "koi8-r", "koi8-u", "macintosh"}
)
"""What a file may declare; the text is checked after it was decoded, so that nothing hides in another reading."""

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_OF_JAVA = re.compile(r"^(?:cp|x-cp|win|windows|windows_)-?(125[0-8])$")
_OF_ISO = re.compile(r"^iso[-_]?8859[-_](\d{1,2})$")
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,300}\?>")
_DRAWING: Final = {
    **dict.fromkeys(("BPMNDiagram", "BPMNPlane", "BPMNShape", "BPMNEdge", "BPMNLabel", "BPMNLabelStyle"), BPMNDI),
    **dict.fromkeys(("Bounds", "Font"), DC),
    "waypoint": DI,
}


def open_foreign(xml: bytes, changes: Changes) -> etree._Element:
    """Open a BPMN file of any tool.

    Texts may still be too long, see `cut_texts`: the longest are notes that are thrown away.

    Args:
        xml: the file's bytes, at most `MAX_IMPORT_BYTES`.
        changes: hears of everything that was changed.

    Returns:
        The `bpmn:definitions`, with every BPMN element in the namespace of BPMN 2.0.

    Raises:
        BadPath: it is no XML, it is hostile, or it holds no BPMN.
    """
    text, encoding, guessed = _decode(xml)
    comments = text.count("<!--")
    root, mended = _parse(text)
    _refuse_depth(root)
    instructions = _drop_instructions(root)
    if not any(_known(namespace(element), local_name(element)) == BPMN for element in root.iter(etree.Element)):
        raise BadPath([Finding(code="not_bpmn", line=root.sourceline)])
    renamed = _map_namespaces(root)
    top = _definitions(root, changes)
    if guessed:
        changes.lost(top, "import_encoding_guessed", encoding=encoding)
    elif encoding != "utf-8":
        changes.add(top, "import_encoding", encoding=encoding)
    for name in mended:
        changes.add(top, "import_prefix", name=name)
    if comments:
        changes.add(top, "import_comments", count=comments)
    if instructions:
        changes.add(top, "import_instructions", count=instructions)
    for name in sorted(renamed):
        changes.add(top, "import_namespace", namespace=name or "-")
    return top


def _parse(text: str) -> tuple[etree._Element, tuple[str, ...]]:
    """Parse a file, mended where its prefixes are not declared; give also what was mended."""
    try:
        return parse_text(text), ()
    except BadPath as refused:
        found = refused.findings[0]
        mended, names = mend_prefixes(text)
        if not names or not isinstance(found, Finding) or found.code != "not_xml":
            raise
        try:
            return parse_text(mended), names
        except BadPath:
            raise refused from None


def _decode(xml: bytes) -> tuple[str, str, bool]:
    """Give the text without its XML declaration, the encoding in which it was written, and whether that is a guess."""
    if len(xml) > MAX_IMPORT_BYTES:
        raise _bad("file_too_large", limit=MAX_IMPORT_BYTES // 1_000_000)
    if not xml.strip():
        raise _bad("file_empty")
    marked = next((name for mark, name in _MARKS if xml.startswith(mark)), None)
    encoding, guessed = marked or _declared(xml), False
    try:
        text = xml.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as problem:
        refused = _bad("not_decodable", line=xml[: problem.start].count(b"\n") + 1, encoding=encoding)
        if encoding != "utf-8" or marked:
            raise refused from None
        try:
            encoding, guessed = guess_encoding(xml), True
            text = xml.decode(encoding)
        except UnicodeDecodeError:
            raise refused from None
    if "\x00" in text:
        raise _bad("nul_character", line=text[: text.index("\x00")].count("\n") + 1)
    refuse_declarations(text)
    bare = _DECLARATION.sub("", text, count=1).lstrip() if _DECLARATION.match(text) else text.lstrip()
    return bare, encoding, guessed


def _declared(xml: bytes) -> str:
    """Give the encoding that a file without a mark declares; one that cannot be true is UTF-8."""
    declared = _DECLARED.match(xml)
    encoding = declared[1].decode("ascii", "replace").lower().replace("utf8", "utf-8") if declared else "utf-8"
    if encoding.startswith(("utf-16", "utf-32", "ucs-")):
        # The declaration itself could be read byte by byte: some programs write the name of their memory's encoding.
        return "utf-8"
    encoding = _OF_JAVA.sub(r"windows-\1", encoding)
    encoding = _OF_ISO.sub(r"iso-8859-\1", encoding)
    if encoding not in ENCODINGS:
        raise _bad("wrong_encoding", line=1, encoding=printable(encoding))
    return {"macintosh": "mac-roman"}.get(encoding, encoding)


def _refuse_depth(root: etree._Element) -> None:
    depths = {root: 1}
    for element in root.iter():
        parent = element.getparent()
        depths[element] = 1 if parent is None else depths[parent] + 1
        if depths[element] > MAX_DEPTH:
            raise _bad("too_deep", line=element.sourceline, limit=MAX_DEPTH)


def _drop_instructions(root: etree._Element) -> int:
    """Take out processing instructions; tell how many there were."""
    odd = [node for node in root.iter() if not isinstance(node.tag, str)]
    for node in odd:
        parent = node.getparent()
        if parent is not None:
            parent.remove(node)
    before, after = list(root.itersiblings(preceding=True)), list(root.itersiblings())
    return len(odd) + len(before) + len(after)


def _known(where: str, name: str) -> str:
    """Give the namespace of BPMN 2.0 that is meant, or the one that stands there."""
    if where in {BPMN, BPMNDI, DC, DI, XSI, XML}:
        return where
    if not where:
        return _DRAWING.get(name, BPMN) if name in _DRAWING or name == "definitions" else where
    text = where.lower().rstrip("/")
    if text == "http://bpmndi.org" or ("omg.org" in text and "bpmn" in text and text.endswith("/di")):
        return _DRAWING.get(name, BPMNDI)
    if "omg.org" in text and "/dd/" in text:
        return DC if text.endswith("dc") else DI
    if "omg.org" in text and "bpmn" in text and "color" not in text:
        return BPMN
    return where


def _map_namespaces(root: etree._Element) -> set[str]:
    """Put elements of other spellings of BPMN into the namespace of BPMN 2.0; give the spellings that were met."""
    met: set[str] = set()
    bare = not namespace(root)
    for element in root.iter(etree.Element):
        where, name = namespace(element), local_name(element)
        meant = _known(where, name)
        if bare and not where and not _inside_extension(element):
            meant = _DRAWING.get(name, BPMN)
        if meant != where:
            met.add(where)
            element.tag = f"{{{meant}}}{name}"
        for key in [str(key) for key in element.attrib if str(key).startswith(f"{{{BPMN}}}")]:
            met.add(BPMN)
            element.set(etree.QName(key).localname, element.attrib.pop(key))
    return met


def _inside_extension(element: etree._Element) -> bool:
    return any(local_name(holder) == "extensionElements" for holder in element.iterancestors())


def _definitions(root: etree._Element, changes: Changes) -> etree._Element:
    """Give the `definitions`, taken out of whatever is around it."""
    wanted = f"{{{BPMN}}}definitions"
    if root.tag == wanted:
        return root
    inner = next(root.iter(wanted), None)
    if inner is None:
        inner = etree.Element(wanted)
        for part in list(_parts(root)):
            inner.append(part)
    else:
        holder = inner.getparent()
        if holder is not None:
            holder.remove(inner)
    changes.lost(inner, "import_wrapped", name=local_name(root))
    return inner


def _parts(root: etree._Element) -> Iterator[etree._Element]:
    names = {"process", "collaboration", "choreography", "message", "error", "signal", "escalation"}
    if local_name(root) in names:
        yield root
        return
    for element in root.iter(f"{{{BPMN}}}*"):
        parent = element.getparent()
        if local_name(element) in names and (parent is None or namespace(parent) != BPMN):
            yield element
    yield from root.iter(f"{{{BPMNDI}}}BPMNDiagram")


def cut_texts(root: etree._Element, changes: Changes) -> None:
    """Shorten texts that are longer than a path may have."""
    for element in root.iter(etree.Element):
        if len(element.text or "") > MAX_TEXT or len(element.tail or "") > MAX_TEXT:
            element.text, element.tail = (element.text or "")[:MAX_TEXT], None
            changes.lost(element, "import_text_cut", limit=MAX_TEXT)
        for name, value in element.attrib.items():
            if len(str(value)) > MAX_ATTRIBUTE_TEXT:
                element.set(name, str(value)[:MAX_ATTRIBUTE_TEXT])
                changes.lost(element, "import_text_cut", limit=MAX_ATTRIBUTE_TEXT)


def _bad(code: str, *, line: int | None = None, **params: str | int) -> BadPath:
    return BadPath([Finding(code=code, line=line, params=params)])
