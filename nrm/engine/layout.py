"""Lay a diagram out anew: columns from left to right, one band for each lane, loops below.

The method is that of layered drawings (Sugiyama, Tagawa and Toda 1981) in its plainest form: flows that lead back are
set aside, each step stands one column behind the last that leads to it, long flows keep a row of their own in the
columns between, and the order within a column follows the middle of what comes before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from lxml import etree

from nrm.engine.reading import BPMN, BPMNDI, DC, DI, FLOW_NODES, local_name, namespace

Point = tuple[float, float]

TASK: Final = (100.0, 80.0)
EVENT: Final = (36.0, 36.0)
GATEWAY: Final = (50.0, 50.0)
NOTE: Final = (120.0, 50.0)
GAP_X: Final = 60.0
GAP_Y: Final = 30.0
PADDING: Final = 30.0
BAND: Final = 30.0
LEAST: Final = 140.0
MOST_BENDS: Final = 5_000
"""In a diagram with more crossings of columns than this no drawing can be read, and long flows go straight."""
_WIDE: Final = frozenset({"subProcess", "transaction", "adHocSubProcess", "subChoreography"})


@dataclass(slots=True)
class Placed:
    """Where things stand: boxes by id as x, y, width, height; flows by id as their points."""

    boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0

    def take(self, other: Placed, x: float, y: float) -> None:
        """Take over what was placed elsewhere, moved."""
        for name, (left, top, width, height) in other.boxes.items():
            self.boxes[name] = (left + x, top + y, width, height)
        for name, points in other.lines.items():
            self.lines[name] = [(px + x, py + y) for px, py in points]


def lay_out(root: etree._Element) -> None:
    """Draw a whole file anew: every pool with its process, or every process, one below the other.

    Args:
        root: the `bpmn:definitions`; its old drawings are taken out.
    """
    for old in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        root.remove(old)
    placed = Placed()
    collaboration = root.find(f"{{{BPMN}}}collaboration")
    processes = {each.get("id", ""): each for each in root.findall(f"{{{BPMN}}}process")}
    pools = [] if collaboration is None else collaboration.findall(f"{{{BPMN}}}participant")
    y = 0.0
    for pool in pools:
        process = processes.pop(pool.get("processRef", ""), None)
        inside = Placed(width=600.0, height=30.0) if process is None else place_scope(process)
        placed.take(inside, BAND, y)
        placed.boxes[pool.get("id", "")] = (0.0, y, inside.width + BAND, inside.height)
        y += inside.height + GAP_Y
    for process in processes.values():
        inside = place_scope(process)
        placed.take(inside, BAND if pools else 0.0, y)
        y += inside.height + GAP_Y
    for flow in root.iter(f"{{{BPMN}}}messageFlow"):
        _link(placed, flow)
    first = root.find(f"{{{BPMN}}}process")
    top = collaboration if pools else first
    if top is not None:
        write_drawing(root, top.get("id", ""), placed)


def write_drawing(root: etree._Element, plane_of: str, placed: Placed) -> None:
    """Write what was placed as one more drawing of the file."""
    diagram = etree.SubElement(root, f"{{{BPMNDI}}}BPMNDiagram")
    plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane", bpmnElement=plane_of)
    labelled = {each.get("id", "") for each in root.iter(f"{{{BPMN}}}*") if _has_label(each)}
    for name, box in placed.boxes.items():
        shape = write_shape(plane, name, box)
        if name in labelled:
            _write_label(shape, box[0] + box[2] / 2, box[1] + box[3] + 4)
    for name, points in placed.lines.items():
        edge = write_edge(plane, name, points)
        if name in labelled and len(points) > 1:
            _write_label(edge, points[1][0] + 10, (points[0][1] + points[1][1]) / 2 - 22)


def _has_label(element: etree._Element) -> bool:
    """Tell whether an element is named beside its shape."""
    kind = local_name(element)
    named = bool((element.get("name") or "").strip()) or element.find(f"{{{BPMN}}}extensionElements") is not None
    return named and (kind.endswith(("Event", "Gateway")) or kind in {"sequenceFlow", "messageFlow"})


def _write_label(owner: etree._Element, middle: float, top: float) -> None:
    label = etree.SubElement(owner, f"{{{BPMNDI}}}BPMNLabel")
    _bounds(label, (middle - 45, top, 90, 26))


def _bounds(owner: etree._Element, box: tuple[float, float, float, float]) -> None:
    bounds = etree.SubElement(owner, f"{{{DC}}}Bounds")
    for attribute, value in zip(("x", "y", "width", "height"), box, strict=True):
        bounds.set(attribute, f"{value:g}")


def write_shape(plane: etree._Element, name: str, box: tuple[float, float, float, float]) -> etree._Element:
    """Write one shape."""
    shape = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNShape", bpmnElement=name)
    _bounds(shape, box)
    return shape


def write_edge(plane: etree._Element, name: str, points: Iterable[Point]) -> etree._Element:
    """Write one line."""
    edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge", bpmnElement=name)
    for x, y in points:
        etree.SubElement(edge, f"{{{DI}}}waypoint", x=f"{x:g}", y=f"{y:g}")
    return edge


def place_scope(holder: etree._Element) -> Placed:
    """Place the steps and flows of a process or sub-process, those of the sub-processes in it included."""
    return _Scope(holder).place()


def size_of(element: etree._Element) -> tuple[float, float]:
    """Give the usual size of a step without content."""
    name = local_name(element)
    if name.endswith("Event"):
        return EVENT
    return GATEWAY if name.endswith("Gateway") else TASK


class _Scope:
    """One process or sub-process that is being placed."""

    def __init__(self, holder: etree._Element) -> None:
        self.holder = holder
        steps = [each for each in holder if namespace(each) == BPMN and local_name(each) in FLOW_NODES]
        self.steps = {each.get("id", ""): each for each in steps if local_name(each) != "boundaryEvent"}
        self.riders = [each for each in steps if local_name(each) == "boundaryEvent"]
        self.hosts = {each.get("id", ""): each.get("attachedToRef", "") for each in self.riders}
        self.inner = {name: place_scope(each) for name, each in self.steps.items() if local_name(each) in _WIDE}
        self.sizes = {name: self._size(name) for name in self.steps}
        self.flows = [
            (each.get("id", ""), each.get("sourceRef", ""), each.get("targetRef", ""))
            for each in holder.findall(f"{{{BPMN}}}sequenceFlow")
        ]
        self.placed = Placed()

    def _size(self, name: str) -> tuple[float, float]:
        inside = self.inner.get(name)
        if inside is None or not inside.boxes:
            return size_of(self.steps[name])
        return max(inside.width, TASK[0]), max(inside.height, TASK[1])

    def place(self) -> Placed:
        """Place everything."""
        edges = self._edges()
        forward, back = _split_loops(list(self.steps), edges)
        columns = _columns(list(self.steps), forward)
        grid, bends = _grid(columns, forward)
        self._boxes(grid, bends)
        self._riders()
        for name, source, target in self.flows:
            self._flow(name, source, target, bends.get(name, []), is_back=name in back)
        self._notes()
        return self.placed

    def _edges(self) -> list[tuple[str, str, str]]:
        """Give the flows between steps; one that leaves a boundary event begins at the step below it."""
        found = []
        for name, source, target in self.flows:
            start = self.hosts.get(source, source)
            if start in self.steps and target in self.steps and start != target:
                found.append((name, start, target))
        return found

    def _lanes(self) -> tuple[dict[str, int], list[etree._Element]]:
        """Give the number of each step's lane, and the lanes that hold steps themselves."""
        lanes = [
            lane for lane in self.holder.iterfind(f".//{{{BPMN}}}lane") if lane.find(f"{{{BPMN}}}childLaneSet") is None
        ]
        numbers: dict[str, int] = {}
        for number, lane in enumerate(lanes):
            for reference in lane.findall(f"{{{BPMN}}}flowNodeRef"):
                numbers.setdefault((reference.text or "").strip(), number)
        return numbers, lanes

    def _boxes(self, grid: list[list[str]], bends: Mapping[str, list[str]]) -> None:
        """Give each step its place: columns side by side, in each the bands of the lanes below each other."""
        numbers, lanes = self._lanes()
        dummies = {bend: name for name, row in bends.items() for bend in row}
        targets = {name: target for name, _, target in self.flows}
        bands = max(len(lanes), 1)
        lane_of = {name: numbers.get(targets.get(dummies.get(name, ""), name), 0) for column in grid for name in column}
        heights = [LEAST if lanes else 0.0] * bands
        for column in grid:
            for band in range(bands):
                rows = [self._height(name) + GAP_Y for name in column if lane_of[name] == band]
                heights[band] = max(heights[band], sum(rows) + GAP_Y)
        tops = [sum(heights[:band]) for band in range(bands)]
        x = PADDING + (BAND if lanes else 0.0)
        for column in grid:
            width = max((self.sizes.get(name, (0.0, 0.0))[0] for name in column), default=0.0)
            for band in range(bands):
                names = [name for name in column if lane_of[name] == band]
                used = sum(self._height(name) + GAP_Y for name in names) - GAP_Y
                y = tops[band] + (heights[band] - used) / 2
                for name in names:
                    own_width, own_height = self.sizes.get(name, (0.0, self._height(name)))
                    self.placed.boxes[name] = (x + (width - own_width) / 2, y, own_width, own_height)
                    y += own_height + GAP_Y
            x += width + GAP_X
        self.placed.width = max(x - GAP_X + PADDING, 200.0)
        self.placed.height = max(sum(heights), LEAST) + PADDING
        self._finish(bends, lanes, tops, heights)

    def _finish(
        self, bends: Mapping[str, list[str]], lanes: list[etree._Element], tops: list[float], heights: list[float]
    ) -> None:
        """Move the content of sub-processes to its place, keep only the points of the bends, draw the lanes."""
        for name, inside in self.inner.items():
            x, y, *_ = self.placed.boxes[name]
            self.placed.take(inside, x, y)
        self.points = {}
        for row in bends.values():
            for bend in row:
                x, y, _, height = self.placed.boxes.pop(bend)
                self.points[bend] = (x, y + height / 2)
        for lane, top, height in zip(lanes, tops, heights, strict=False):
            extra = PADDING if lane is lanes[-1] else 0.0
            self.placed.boxes[lane.get("id", "")] = (0.0, top, self.placed.width, height + extra)

    def _height(self, name: str) -> float:
        return self.sizes[name][1] if name in self.sizes else 20.0

    def _riders(self) -> None:
        """Put the boundary events on the lower edge of their steps."""
        count: dict[str, int] = {}
        for rider in self.riders:
            host = self.placed.boxes.get(self.hosts[rider.get("id", "")])
            if host is None:
                x, y = PADDING, self.placed.height
                self.placed.height += EVENT[1] + GAP_Y
            else:
                number = count.get(rider.get("attachedToRef", ""), 0)
                count[rider.get("attachedToRef", "")] = number + 1
                x, y = host[0] + 10 + number * (EVENT[0] + 8), host[1] + host[3] - EVENT[1] / 2
            self.placed.boxes[rider.get("id", "")] = (x, y, *EVENT)

    def _flow(self, name: str, source: str, target: str, bends: list[str], *, is_back: bool) -> None:
        """Draw one flow: forward through its own rows, back below everything."""
        start, end = self.placed.boxes.get(source), self.placed.boxes.get(target)
        if start is None or end is None:
            return
        middle, into = end[1] + end[3] / 2, end[0]
        if is_back or start is end:
            below = self.placed.height
            self.placed.height += 15.0
            x, to = start[0] + start[2] / 2, end[0] + end[2] / 2
            points = [(x, start[1] + start[3]), (x, below), (to, below), (to, end[1] + end[3])]
        elif source in self.hosts:
            x, y = start[0] + start[2] / 2, start[1] + start[3]
            points = [(x, y), (x, y + 12), (into - 20, y + 12), (into - 20, middle), (into, middle)]
        else:
            points = [(start[0] + start[2], start[1] + start[3] / 2)]
            for x, y in [*(self.points[bend] for bend in bends), (into, middle)]:
                points += _elbow(points[-1], (x, y))
        self.placed.lines[name] = points

    def _notes(self) -> None:
        """Put notes below, and draw the lines that lead to them."""
        x = PADDING
        for note in self.holder.findall(f"{{{BPMN}}}textAnnotation"):
            self.placed.boxes[note.get("id", "")] = (x, self.placed.height, *NOTE)
            x += NOTE[0] + GAP_X
        if x > PADDING:
            self.placed.height += NOTE[1] + GAP_Y
            self.placed.width = max(self.placed.width, x)
        for link in self.holder.findall(f"{{{BPMN}}}association"):
            _link(self.placed, link)


def _elbow(at: Point, to: Point) -> list[Point]:
    """Go to a point to the right, up or down just before it."""
    if abs(at[1] - to[1]) < 1:
        return [to]
    turn = max(at[0] + 15, to[0] - 25)
    return [(turn, at[1]), (turn, to[1]), to]


def _link(placed: Placed, element: etree._Element) -> None:
    """Draw a straight line between the middles of two boxes, from edge to edge."""
    start, end = placed.boxes.get(element.get("sourceRef", "")), placed.boxes.get(element.get("targetRef", ""))
    if start is not None and end is not None:
        placed.lines[element.get("id", "")] = straight(start, end)


def straight(start: tuple[float, float, float, float], end: tuple[float, float, float, float]) -> list[Point]:
    """Give a straight line from the edge of one box to the edge of another."""
    (x1, y1), (x2, y2) = ((box[0] + box[2] / 2, box[1] + box[3] / 2) for box in (start, end))
    return [_edge(start, x1, y1, x2 - x1, y2 - y1), _edge(end, x2, y2, x1 - x2, y1 - y2)]


def _edge(box: tuple[float, float, float, float], x: float, y: float, across: float, down: float) -> Point:
    shares = [size / 2 / abs(way) for size, way in ((box[2], across), (box[3], down)) if way]
    share = min([*shares, 1.0])
    return x + across * share, y + down * share


Edge = tuple[str, str, str]


def _split_loops(names: list[str], edges: list[Edge]) -> tuple[list[Edge], set[str]]:
    """Set the flows aside that lead back; what is left has no circle."""
    after: dict[str, list[Edge]] = {name: [] for name in names}
    entered = {target for _, _, target in edges}
    for edge in edges:
        after[edge[1]].append(edge)
    back: set[str] = set()
    state: dict[str, int] = {}
    for root in [*(name for name in names if name not in entered), *names]:
        if root in state:
            continue
        state[root] = 1
        work = [(root, iter(after[root]))]
        while work:
            node, rest = work[-1]
            for name, _, target in rest:
                if state.get(target) == 1:
                    back.add(name)
                elif target not in state:
                    state[target] = 1
                    work.append((target, iter(after[target])))
                    break
            else:
                state[node] = 2
                work.pop()
    return [edge for edge in edges if edge[0] not in back], back


def _columns(names: list[str], edges: list[Edge]) -> dict[str, int]:
    """Give each step the first column behind all that lead to it."""
    missing = dict.fromkeys(names, 0)
    after: dict[str, list[str]] = {name: [] for name in names}
    for _, source, target in edges:
        missing[target] += 1
        after[source].append(target)
    column = dict.fromkeys(names, 0)
    ready = [name for name in names if not missing[name]]
    for node in ready:
        for target in after[node]:
            column[target] = max(column[target], column[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return column


def _grid(columns: Mapping[str, int], edges: list[Edge]) -> tuple[list[list[str]], dict[str, list[str]]]:
    """Fill the columns, with a bend of each long flow in every column that it crosses, and order them."""
    grid: list[list[str]] = [[] for _ in range(max(columns.values(), default=0) + 1)]
    for name, column in columns.items():
        grid[column].append(name)
    bends: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    plain = sum(columns[target] - columns[source] - 1 for _, source, target in edges) <= MOST_BENDS
    for name, source, target in edges:
        crossed = range(columns[source] + 1, columns[target]) if plain else ()
        row = [f" {name} {column}" for column in crossed]
        for number, bend in enumerate(row):
            grid[columns[source] + 1 + number].append(bend)
        for one, two in zip([source, *row], [*row, target], strict=True):
            before.setdefault(two, []).append(one)
        bends[name] = row
    for left, following in pairwise(grid):
        place = {name: number for number, name in enumerate(left)}
        middle = {
            name: sum(place.get(each, 0) for each in before.get(name, [])) / max(len(before.get(name, [])), 1)
            for name in following
        }
        following.sort(key=middle.__getitem__)
    return grid, bends
