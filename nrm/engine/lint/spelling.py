"""Check every element and attribute against the allow-list."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from nrm.engine.findings import Finding, Severity
from nrm.engine.lint.diagram import VALUE_NAME, Diagram, Pack, found
from nrm.engine.lint.words import ALLOWED, EXECUTABLE_VENDORS, EXTENSIONS, PARENTS, QUIET_VENDORS, REFUSED, REPEATABLE
from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM, XML, XSI, local_name, namespace

_HIDDEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\u200b\u2060")
_RESERVED = frozenset({"typename", "and", "or", "not", "in", "true", "false", "none", "null", "is", "if", "else"})
_BOOLEANS = frozenset(
    {"isExecutable", "isClosed", "isForCompensation", "triggeredByEvent", "isInterrupting", "parallelMultiple"}
    | {"cancelActivity", "instantiate", "isSequential", "isCollection", "isImmediate"}
)
_FIXED = {
    "isForCompensation": ("false", "compensation"),
    "triggeredByEvent": ("false", "event_subprocess"),
    "isInterrupting": ("true", "event_subprocess"),
    "parallelMultiple": ("false", "several_event_definitions"),
    "startQuantity": ("1", "token_quantity"),
    "completionQuantity": ("1", "token_quantity"),
}
"""Attributes of which the engine runs one value only, and the finding for every other."""


def check_spelling(diagram: Diagram, _pack: Pack) -> Iterator[Finding]:
    """Find elements, attributes and signs that a path may not contain."""
    yield from _walk(diagram.root)
    yield from _value_names(diagram)


def _walk(element: etree._Element) -> Iterator[Finding]:
    yield from _hidden_characters(element)
    name = local_name(element)
    if namespace(element) != BPMN:
        # The drawing is read by `drawing` alone; everything else was refused by the reader.
        yield from (f for child in element.iter() for f in _hidden_characters(child) if child is not element)
        return
    if name in REFUSED:
        yield found(element, REFUSED[name], name=name)
        return
    if name not in ALLOWED:
        yield found(element, "unknown_element", name=name)
        return
    parent = element.getparent()
    if name in PARENTS and parent is not None and local_name(parent) not in PARENTS[name]:
        yield found(element, "misplaced_element", name=name)
    yield from _attributes(element, name)
    if name == "extensionElements":
        yield from _extensions(element)
        return
    for child in element:
        yield from _walk(child)


def _attributes(element: etree._Element, name: str) -> Iterator[Finding]:
    for raw, value in element.attrib.items():
        qualified = etree.QName(str(raw))
        where, attribute = qualified.namespace or "", qualified.localname
        if where in {XSI, XML} or where in QUIET_VENDORS:
            continue
        if where:
            yield _vendor(element, where, attribute)
        elif attribute not in ALLOWED[name]:
            yield found(element, "unknown_attribute", name=attribute, element_name=name)
        elif attribute in _BOOLEANS and str(value) not in {"true", "false"}:
            yield found(element, "bad_boolean", name=attribute, value=str(value))
        elif attribute in _FIXED and str(value) != _FIXED[attribute][0]:
            yield found(element, _FIXED[attribute][1], name=attribute)


def _vendor(element: etree._Element, where: str, name: str) -> Finding:
    if where in {BPMN, BPMNDI, DC, DI, NRM}:
        return found(element, "unknown_attribute", name=name, element_name=local_name(element))
    if "spiffworkflow" in where and name.lower() in {"prescript", "postscript"}:
        return found(element, "pre_post_script", name=name)
    if where in EXECUTABLE_VENDORS:
        return found(element, "vendor_code", name=name, vendor=EXECUTABLE_VENDORS[where])
    return found(element, "vendor_note", Severity.NOTE, name=name, namespace=where)


def _extensions(holder: etree._Element) -> Iterator[Finding]:
    parent = holder.getparent()
    owner = "" if parent is None else local_name(parent)
    seen: set[str] = set()
    for child in holder:
        where, name = namespace(child), local_name(child)
        if where in QUIET_VENDORS:
            continue
        if where != NRM:
            yield _vendor(child, where, name)
            continue
        yield from _hidden_characters(child)
        if name not in EXTENSIONS:
            yield found(child, "unknown_extension", name=name)
            continue
        if name in seen and name not in REPEATABLE:
            yield found(child, "extension_repeated", name=name)
        seen.add(name)
        yield from _extension(child, name, owner)


def _extension(element: etree._Element, name: str, owner: str) -> Iterator[Finding]:
    attributes, owners = EXTENSIONS[name]
    if "*" not in owners and owner not in owners:
        yield found(element, "extension_misplaced", name=name, owner=owner)
    yield from _extension_attributes(element, name, attributes)
    for child in element:
        is_param = name == "check" and child.tag == f"{{{NRM}}}param"
        if not is_param:
            yield found(child, "unknown_extension", name=local_name(child))
            continue
        yield from _extension_attributes(child, "param", frozenset({"name", "value"}))
        yield from (found(inner, "unknown_extension", name=local_name(inner)) for inner in child)


def _extension_attributes(element: etree._Element, name: str, allowed: frozenset[str]) -> Iterator[Finding]:
    for attribute in map(str, element.attrib):
        if attribute == "id":
            yield found(element, "extension_with_id", name=name)
        elif attribute not in allowed:
            yield found(element, "unknown_attribute", name=attribute, element_name=f"nrm:{name}")


def _hidden_characters(element: etree._Element) -> Iterator[Finding]:
    texts = [str(value) for value in element.attrib.values()] + [element.text or ""]
    for sign in sorted(_HIDDEN.intersection("".join(texts))):
        yield found(element, "hidden_character", sign=f"U+{ord(sign):04X}")


def _value_names(diagram: Diagram) -> Iterator[Finding]:
    """Check the names that become keys of a run's values."""
    for element in diagram.process.iter(f"{{{NRM}}}take", f"{{{NRM}}}pass", f"{{{NRM}}}param", f"{{{NRM}}}call"):
        reading = local_name(element) == "take" and element.get("from") is not None
        for attribute in ("name", "result", *(("from",) if reading else ())):
            value = element.get(attribute)
            if value is not None or (attribute == "name" and local_name(element) != "call"):
                yield from _value_name(element, value or "")
    for element in diagram.process.iter(f"{{{BPMN}}}inputDataItem"):
        yield from _value_name(element, element.get("name") or "")
    for element in diagram.process.iter(f"{{{NRM}}}multi"):
        for value in filter(None, (element.get("list"), element.get("item"))):
            yield from _value_name(element, value)


def _value_name(element: etree._Element, name: str) -> Iterator[Finding]:
    if name in _RESERVED:
        yield found(element, "reserved_name", name=name)
    elif not VALUE_NAME.fullmatch(name):
        yield found(element, "bad_value_name", name=name)
