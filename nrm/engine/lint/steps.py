"""Check tasks, checks, tables, calls, multi-instance and ends against the pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from nrm.engine.extensions import list_and_item
from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, extension, extensions, found, warn
from nrm.engine.lint.events import check_duration
from nrm.engine.lint.known import Known
from nrm.engine.lint.structure import always_waits, reachable
from nrm.engine.reading import BPMN

_PATH_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_LEVELS: Final = frozenset({"standard", "restricted", "strict"})
_CALENDARS: Final = frozenset({"working", "clock"})
_ANCHORS: Final = frozenset({"opened", "arrival", "return"})


def check_steps(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find steps that lack what the engine needs, or name what the pack does not have."""
    yield from _process(diagram)
    lanes = _lanes(diagram)
    for node in diagram.nodes.values():
        if node.tag in {"userTask", "manualTask"}:
            yield from _task(diagram, pack, node, lanes)
        elif node.tag in {"serviceTask", "sendTask"}:
            yield from _check(pack, node)
        elif node.tag == "businessRuleTask":
            yield from _table(pack, node)
        elif node.tag == "callActivity":
            yield from _call(diagram, pack, node)
        elif node.tag == "endEvent":
            yield from _end(pack, node)
        yield from _multi(node)
        yield from _named(pack, node.element)
    yield from _lane_findings(diagram, pack)


def _process(diagram: Diagram) -> Iterator[Finding]:
    if not _PATH_KEY.fullmatch(diagram.key):
        yield found(diagram.process, "bad_path_key", key=diagram.key)
    if diagram.process.get("isExecutable", "true") == "false":
        yield found(diagram.process, "not_executable")
    level = extension(diagram.process, "level")
    if level is not None and level.get("code") not in _LEVELS:
        yield found(diagram.process, "unknown_level", level=level.get("code", ""))


def _named(pack: Pack, element: etree._Element) -> Iterator[Finding]:
    """Check the codes that any step may carry."""
    service, stage = extension(element, "service"), extension(element, "stage")
    if pack.known is None:
        return
    if service is not None and service.get("category") not in pack.known.services:
        yield found(element, "unknown_service", service=service.get("category", ""))
    if stage is not None and pack.known.stages and stage.get("code") not in pack.known.stages:
        yield found(element, "unknown_stage", stage=stage.get("code", ""))


def _task(diagram: Diagram, pack: Pack, node: Node, lanes: dict[str, etree._Element]) -> Iterator[Finding]:
    form = extension(node.element, "form")
    if node.tag == "userTask" and (form is None or not form.get("key")):
        yield found(node.element, "task_without_form")
    elif form is not None and pack.known and form.get("key") not in pack.known.forms:
        yield found(node.element, "unknown_form", form=form.get("key", ""))
    if extension(node.element, "desk") is not None:
        yield from _desk(pack, node.element)
    elif not _has_desk(diagram, node, lanes):
        yield found(node.element, "task_without_desk")
    due = extension(node.element, "due")
    if due is None or not due.get("time"):
        yield found(node.element, "task_without_due")
        return
    yield from check_duration(pack, node.element, due["time"])
    yield from _due_words(pack, node.element, dict(due))


def _due_words(pack: Pack, element: etree._Element, due: dict[str, str]) -> Iterator[Finding]:
    for name, allowed in (("calendar", _CALENDARS), ("anchor", _ANCHORS)):
        if name in due and due[name] not in allowed:
            yield found(element, "bad_due", name=name, value=due[name])
    reminder = due.get("reminder", "75")
    if not (reminder.isascii() and reminder.isdigit() and len(reminder) <= 2):
        yield found(element, "bad_due", name="reminder", value=reminder)
    ladder = due.get("ladder", "task")
    if pack.known and pack.known.ladders and ladder not in pack.known.ladders:
        yield found(element, "unknown_ladder", ladder=ladder)


def _desk(pack: Pack, element: etree._Element) -> Iterator[Finding]:
    desk = extension(element, "desk") or {}
    if not desk.get("role"):
        yield found(element, "desk_without_role")
    elif pack.known and desk["role"] not in pack.known.roles:
        yield found(element, "unknown_role", role=desk["role"])
    kind = desk.get("organisation")
    if kind and pack.known and pack.known.organisations and kind not in pack.known.organisations:
        yield found(element, "unknown_organisation", organisation=kind)


def _lanes(diagram: Diagram) -> dict[str, etree._Element]:
    """Give the desk's lane of each step that a lane with a desk names."""
    lanes: dict[str, etree._Element] = {}
    for lane in diagram.process.iter(f"{{{BPMN}}}lane"):
        if extension(lane, "desk") is not None:
            lanes.update({(ref.text or "").strip(): lane for ref in children(lane, "flowNodeRef")})
    return lanes


def _has_desk(diagram: Diagram, node: Node, lanes: dict[str, etree._Element]) -> bool:
    at: Node | None = node
    while at is not None:
        if at.id in lanes:
            return True
        at = diagram.nodes.get(at.scope)
    return False


def _lane_findings(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for lane in diagram.process.iter(f"{{{BPMN}}}lane"):
        if extension(lane, "desk") is not None:
            yield from _desk(pack, lane)
        if children(lane, "childLaneSet"):
            continue
        for reference in children(lane, "flowNodeRef"):
            step = (reference.text or "").strip()
            if step not in diagram.nodes:
                yield warn(lane, "lane_of_nothing", step=step)
            elif step in seen:
                yield found(lane, "step_in_two_lanes", step=step)
            seen[step] = ""


def _check(pack: Pack, node: Node) -> Iterator[Finding]:
    check = extension(node.element, "check")
    if check is None or not check.get("name"):
        yield found(node.element, "step_without_check")
        return
    params = [param.get("name") or "" for each in extensions(node.element, "check") for param in each]
    for name in sorted({name for name in params if params.count(name) > 1}):
        yield found(node.element, "param_twice", name=name)
    if pack.known is None:
        return
    known = pack.known.checks.get(check["name"])
    if known is None:
        yield found(node.element, "unknown_check", check=check["name"])
        return
    for name in sorted(set(params) - known.params):
        yield found(node.element, "unknown_param", check=check["name"], name=name)
    for name in sorted(known.required - set(params)):
        yield found(node.element, "param_missing", check=check["name"], name=name)


def _table(pack: Pack, node: Node) -> Iterator[Finding]:
    table = extension(node.element, "table")
    if table is None or not table.get("key"):
        yield found(node.element, "step_without_table")
    elif pack.known and table["key"] not in pack.known.tables:
        yield found(node.element, "unknown_table", table=table["key"])
    elif pack.known and table.get("result") and table["result"] not in pack.known.tables[table["key"]].outputs:
        yield found(node.element, "table_without_result", table=table["key"], value=table["result"])


def _call(diagram: Diagram, pack: Pack, node: Node) -> Iterator[Finding]:
    call = extension(node.element, "call") or {}
    path, table = node.element.get("calledElement"), call.get("table")
    if path and table:
        yield found(node.element, "call_of_two")
    elif not path and not table:
        yield found(node.element, "call_without_path")
    if table:
        yield from _call_table(pack, node, table, call.get("key"))
    version = call.get("version")
    if version is not None and not (version.isascii() and version.isdigit() and 0 < len(version) < 7 and int(version)):
        yield found(node.element, "bad_version", version=version)
    if path:
        yield from _called(diagram, pack.known, node, path)
    for name in ("pass", "take"):
        names = [part.get("name") or "" for part in extensions(node.element, name)]
        for double in sorted({each for each in names if names.count(each) > 1}):
            yield found(node.element, "param_twice", name=double)


def _call_table(pack: Pack, node: Node, table: str, key: str | None) -> Iterator[Finding]:
    if not key:
        yield found(node.element, "call_table_without_key", table=table)
    paths = pack.resources.call_tables.get(table)
    if paths is None:
        if pack.known or pack.resources.call_tables:
            yield found(node.element, "unknown_call_table", table=table)
        return
    for path in sorted(set(paths.values())):
        if pack.known and path not in pack.known.paths:
            yield found(node.element, "unknown_path", path=path)


def _called(diagram: Diagram, known: Known | None, node: Node, path: str) -> Iterator[Finding]:
    if path == diagram.key:
        if _reached_without_wait(diagram, node):
            yield found(node.element, "calls_itself_without_wait")
        else:
            yield warn(node.element, "calls_itself")
    elif known and path not in known.paths:
        yield found(node.element, "unknown_path", path=path)
    elif known and diagram.key in _all_called(known, path):
        yield warn(node.element, "calls_in_circle", path=path)


def _all_called(known: Known, path: str) -> set[str]:
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        for called in known.paths.get(waiting.pop(), frozenset()) - seen:
            seen.add(called)
            waiting.append(called)
    return seen


def _reached_without_wait(diagram: Diagram, node: Node) -> bool:
    """Tell whether a run can come to a step before anybody or anything had to answer."""
    at: Node | None = node
    while at is not None:
        nodes = diagram.scopes[at.scope]
        stops = frozenset(each.id for each in nodes if always_waits(diagram, each) and each.id != at.id)
        starts = [each.id for each in nodes if each.tag == "startEvent"]
        if at.id not in reachable(diagram, starts, without=stops):
            return False
        at = diagram.nodes.get(at.scope)
    return True


def _multi(node: Node) -> Iterator[Finding]:
    markers = children(node.element, "multiInstanceLoopCharacteristics")
    if extensions(node.element, "multi") and not markers:
        yield found(node.element, "multi_without_marker")
    for marker in markers:
        if children(marker, "loopCardinality"):
            continue
        values, item = list_and_item(node.element, marker)
        if not values:
            yield found(node.element, "multi_without_list")
        if not item:
            yield found(node.element, "multi_without_item")
        if node.tag in {"receiveTask", "businessRuleTask"}:
            yield found(node.element, "multi_on_wrong_step")


def _end(pack: Pack, node: Node) -> Iterator[Finding]:
    outcome = extension(node.element, "outcome")
    if outcome is not None and not outcome.get("code"):
        yield found(node.element, "end_without_outcome")
    elif outcome is not None and pack.known and outcome["code"] not in pack.known.outcomes:
        yield found(node.element, "unknown_outcome", outcome=outcome["code"])
