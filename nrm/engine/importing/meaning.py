"""Say in elements that the engine runs what other tools say in others; what has no such element is left out or kept.

Kept is what an author has to decide about, for lint names it with its own finding: a compensation, a link without its
other end, a repeating timer, a condition in another language.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from nrm.engine.durations import parse_duration
from nrm.engine.importing.changes import Changes
from nrm.engine.importing.identities import fresh_id
from nrm.engine.lint.words import ALLOWED, REFUSED
from nrm.engine.reading import BPMN, FLOW_NODES, XSI, local_name, namespace
from nrm.expressions import BadExpression, parse

_OTHERS: Final = {
    "task": ("userTask", "import_plain_task"),
    "scriptTask": ("serviceTask", "import_script"),
    "transaction": ("subProcess", "import_transaction"),
    "adHocSubProcess": ("subProcess", "import_ad_hoc"),
    "complexGateway": ("inclusiveGateway", "import_complex_gateway"),
    "choreography": ("process", "import_choreography"),
    "choreographyTask": ("userTask", "import_choreography"),
    "subChoreography": ("subProcess", "import_choreography"),
    "callChoreography": ("callActivity", "import_choreography"),
}
"""Element → (the element that takes its place, code of the change)."""

_DATA: Final = frozenset(name for name, code in REFUSED.items() if code.startswith("data_")) | {"dataState"}
_KEPT: Final = frozenset(
    {
        "compensateEventDefinition", "linkEventDefinition", "cancelEventDefinition", "conditionalEventDefinition",
        "standardLoopCharacteristics", "loopCardinality", "timeCycle", "eventDefinitionRef",
    }
)  # fmt: skip
"""Refused elements that the author must see and decide about."""
_EXPLAINING: Final = frozenset({"participant", "messageFlow"})
_SCRIPTING: Final = frozenset({"script", "preScript", "postScript"})
_BOOLEANS: Final = {"1": "true", "0": "false", "TRUE": "true", "FALSE": "false", "True": "true", "False": "false"}
_YES_NO: Final = frozenset(
    {"isExecutable", "isClosed", "isForCompensation", "triggeredByEvent", "isInterrupting", "parallelMultiple"}
    | {"cancelActivity", "instantiate", "isSequential", "isCollection", "isImmediate"}
)
_GATEWAYS: Final = frozenset(name for name in FLOW_NODES if name.endswith("Gateway"))
_DURATION = re.compile(r"""=?\s*(?:duration\s*\(\s*)?(["'])(P[^"']{1,40})\1\s*\)?""")
_WRAPPED = re.compile(r"\s*(?:[$#]\{(.*)\}|=(?!=)(.*))\s*", re.DOTALL)


def translate(root: etree._Element, changes: Changes) -> None:
    """Replace, mend or leave out each element that the engine does not know."""
    _share_no_definitions(root, changes)
    for element in list(root.iter(f"{{{BPMN}}}*")):
        _replace(element, changes)
    _join_links(root, changes)
    _drop(root, changes)
    for element in list(root.iter(f"{{{BPMN}}}*")):
        _attributes(element, changes)
    for element in root.iter(f"{{{BPMN}}}conditionExpression"):
        _condition(element, changes)
    for element in root.iter(f"{{{BPMN}}}timeDuration"):
        _duration(element, changes)
    for element in root.findall(f"{{{BPMN}}}message"):
        if not (element.get("name") or "").strip():
            element.set("name", element.get("id") or "")
            changes.add(element, "import_message_named", name=element.get("id") or "")


def place_strays(root: etree._Element, changes: Changes) -> None:
    """Put steps and flows that stand outside of a process, or beside their sub-process, where they belong."""
    scopes = {f"{{{BPMN}}}{name}" for name in ("process", "subProcess")}
    first = root.find(f"{{{BPMN}}}process")
    for element in list(root.iter(f"{{{BPMN}}}*")):
        name, parent = local_name(element), element.getparent()
        if name not in FLOW_NODES or parent is None or parent.tag in scopes:
            continue
        home = next((holder for holder in element.iterancestors() if holder.tag in scopes), first)
        if home is not None:
            changes.add(element, "import_moved", name=name)
            home.append(element)
    steps = {element.get("id"): element for element in root.iter(f"{{{BPMN}}}*") if local_name(element) in FLOW_NODES}
    for flow in list(root.iter(f"{{{BPMN}}}sequenceFlow")):
        source, target = steps.get(flow.get("sourceRef")), steps.get(flow.get("targetRef"))
        home = None if source is None else source.getparent()
        if home is None or target is None or target.getparent() is not home:
            home = first if (parent := flow.getparent()) is None or parent.tag not in scopes else None
        if home is not None and flow.getparent() is not home:
            changes.add(flow, "import_moved", name="sequenceFlow")
            home.append(flow)


def split_by_gateways(root: etree._Element, changes: Changes) -> list[tuple[str, str, str]]:
    """Put a gateway after each step that several flows leave.

    Returns:
        For each: the step's id, the gateway's, and that of the flow between them, so that they can be drawn.
    """
    added = []
    for step in [each for each in root.iter(f"{{{BPMN}}}*") if local_name(each) in FLOW_NODES - _GATEWAYS]:
        holder = step.getparent()
        if holder is None:
            continue
        leaving = [
            flow for flow in holder.findall(f"{{{BPMN}}}sequenceFlow") if flow.get("sourceRef") == step.get("id")
        ]
        if len(leaving) > 1 and local_name(step) != "endEvent":
            added.append(_split(root, step, leaving, changes))
    return added


def _split(
    root: etree._Element, step: etree._Element, leaving: list[etree._Element], changes: Changes
) -> tuple[str, str, str]:
    choosing = any(flow.find(f"{{{BPMN}}}conditionExpression") is not None for flow in leaving)
    kind = "inclusiveGateway" if choosing else "parallelGateway"
    identity = step.get("id") or ""
    gateway = etree.Element(f"{{{BPMN}}}{kind}", id=fresh_id(root, f"{identity}_split"))
    flow = etree.Element(f"{{{BPMN}}}sequenceFlow", id=fresh_id(root, f"{identity}_out"))
    name = gateway.get("id") or ""
    flow.set("sourceRef", identity)
    flow.set("targetRef", name)
    default = step.attrib.pop("default", None)
    if default is not None and choosing:
        gateway.set("default", default)
    for each in leaving:
        each.set("sourceRef", name)
    for child in step.findall(f"{{{BPMN}}}outgoing"):
        step.remove(child)
    step.addnext(gateway)
    gateway.addnext(flow)
    changes.lost(step, "import_gateway_added", name=name, count=len(leaving))
    return identity, name, flow.get("id") or ""


def _share_no_definitions(root: etree._Element, changes: Changes) -> None:
    """Write event definitions that several events share into each of them."""
    shared = {
        child.get("id"): child
        for child in root
        if namespace(child) == BPMN and _is_definition(child) and child.get("id")
    }
    for reference in list(root.iter(f"{{{BPMN}}}eventDefinitionRef")):
        definition, holder = shared.get((reference.text or "").strip()), reference.getparent()
        if definition is not None and holder is not None:
            own = copy.deepcopy(definition)
            del own.attrib["id"]
            changes.add(holder, "import_shared_event")
            holder.replace(reference, own)
    for child in shared.values():
        root.remove(child)


def _is_definition(element: etree._Element) -> bool:
    return local_name(element).endswith("EventDefinition")


def _replace(element: etree._Element, changes: Changes) -> None:
    name = local_name(element)
    if name not in _OTHERS:
        return
    new, code = _OTHERS[name]
    element.tag = f"{{{BPMN}}}{new}"
    if code in {"import_plain_task", "import_choreography"}:
        changes.add(element, code, name=name)
    else:
        changes.lost(element, code, name=name)


def _drop(root: etree._Element, changes: Changes) -> None:
    """Leave out elements without a meaning for us, with all that is in them."""
    for element in list(_unwanted(root)):
        parent = element.getparent()
        if parent is None:
            continue
        name = local_name(element)
        if name in _SCRIPTING:
            changes.lost(element, "import_script", name=name)
        elif name in _DATA:
            changes.add(element, "import_data", name=name)
        else:
            changes.lost(element, "import_element", name=name)
        parent.remove(element)


def _unwanted(element: etree._Element) -> Iterator[etree._Element]:
    for child in element:
        name = local_name(child)
        if namespace(child) != BPMN or name in _KEPT:
            continue
        if name in _DATA or name not in ALLOWED or _is_elsewhere(child):
            yield child
        elif name != "extensionElements":
            yield from _unwanted(child)


def _is_elsewhere(child: etree._Element) -> bool:
    """Tell whether something that only explains stands where it may not, as pools in a choreography do."""
    parent = child.getparent()
    return local_name(child) in _EXPLAINING and parent is not None and local_name(parent) != "collaboration"


def _attributes(element: etree._Element, changes: Changes) -> None:
    """Leave out attributes that we do not know; write yes and no as one word."""
    name = local_name(element)
    if name not in ALLOWED:
        return
    odd = [key for key in map(str, element.attrib) if "}" not in key and key not in ALLOWED[name] and key != "default"]
    if f"{{{XSI}}}schemaLocation" in element.attrib:
        odd.append(f"{{{XSI}}}schemaLocation")
    for key in odd:
        del element.attrib[key]
    if odd:
        changes.add(element, "import_attributes", name=", ".join(etree.QName(key).localname for key in odd))
    for key in _YES_NO & set(map(str, element.attrib)):
        value = (element.get(key) or "").strip()
        if _BOOLEANS.get(value, value) != element.get(key):
            element.set(key, _BOOLEANS.get(value, value))
            changes.add(element, "import_yes_no", name=key)


def _condition(element: etree._Element, changes: Changes) -> None:
    """Write a condition of another engine in our own language where that can be read without guessing."""
    text = element.text or ""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped is None:
        return
    inner = (wrapped[1] if wrapped[1] is not None else wrapped[2]).strip()
    ours = re.sub(r"(?<![=<>!])=(?!=)", "==", inner) if wrapped[2] is not None else inner
    ours = re.sub(r"!(?!=)", " not ", ours.replace("&&", " and ").replace("||", " or ")).strip()
    try:
        parse(ours)
    except BadExpression:
        changes.lost(element, "import_condition_left", text=text.strip())
        return
    element.text = ours
    changes.add(element, "import_condition", text=text.strip())


def _duration(element: etree._Element, changes: Changes) -> None:
    """Write a duration that another engine wraps into an expression as it stands."""
    text = (element.text or "").strip()
    wrapped = _DURATION.fullmatch(text)
    if wrapped is not None and parse_duration(wrapped[2]) is not None:
        element.text = wrapped[2]
        changes.add(element, "import_duration", text=text, time=wrapped[2])


def _join_links(root: etree._Element, changes: Changes) -> None:
    """Draw the flow for which two link events stand."""
    for scope in list(root.iter(f"{{{BPMN}}}process", f"{{{BPMN}}}subProcess")):
        ends = {name: each for each in scope if (name := _link(each, "intermediateCatchEvent")) is not None}
        joined: set[etree._Element] = set()
        for event in [each for each in scope if _link(each, "intermediateThrowEvent") in ends]:
            name = _link(event, "intermediateThrowEvent") or ""
            other = ends[name]
            flow = etree.SubElement(scope, f"{{{BPMN}}}sequenceFlow", id=fresh_id(root, f"{event.get('id')}_link"))
            flow.set("sourceRef", event.get("id") or "")
            flow.set("targetRef", other.get("id") or "")
            changes.add(event, "import_link", name=name)
            joined |= {event, other}
        for event in joined:
            for definition in event.findall(f"{{{BPMN}}}linkEventDefinition"):
                event.remove(definition)
            event.tag = f"{{{BPMN}}}intermediateThrowEvent"


def _link(event: etree._Element, kind: str) -> str | None:
    """Give the name of a link event of one kind; None for every other element."""
    link = event.find(f"{{{BPMN}}}linkEventDefinition") if event.tag == f"{{{BPMN}}}{kind}" else None
    return None if link is None else (link.get("name") or event.get("name") or "").strip()
