"""Find times that can never come true: a task that is taken away before it is due, a timer that something overtakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nrm.engine.durations import Duration, parse_duration
from nrm.engine.extensions import resolved
from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, extension, found

_DAYS_OF_MONTH: Final = (28, 31)
_SECONDS_OF_DAY: Final = 86_400


def check_deadlines(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Compare the times of tasks and timers with the times after which something takes their step away.

    A working time is at least as long on the clock, so a due time that is longer than such a limit is never met.
    """
    for node in diagram.nodes.values():
        if node.tag in {"userTask", "manualTask"}:
            yield from _task(diagram, pack, node)
        elif node.event == "timer" and node.tag in {"intermediateCatchEvent", "boundaryEvent"}:
            yield from _timer(diagram, pack, node)


def _task(diagram: Diagram, pack: Pack, node: Node) -> Iterator[Finding]:
    due = extension(node.element, "due") or {}
    if due.get("anchor", "opened") != "opened":
        return
    overtaking = _overtaking(diagram, pack, node, _duration(pack, due.get("time")))
    if overtaking is not None:
        yield found(node.element, "due_after_timer", timer=overtaking)


def _timer(diagram: Diagram, pack: Pack, node: Node) -> Iterator[Finding]:
    overtaking = _overtaking(diagram, pack, node, _time_of(pack, node))
    if overtaking is not None:
        yield found(node.element, "timer_never_comes", timer=overtaking)


def _overtaking(diagram: Diagram, pack: Pack, node: Node, time: Duration | None) -> str | None:
    """Give the interrupting timer that surely comes before a time of a step, None without one."""
    if time is None:
        return None
    for holder in _holders(diagram, node):
        for boundary in diagram.boundaries.get(holder, ()):
            limit = _time_of(pack, boundary) if boundary.interrupting and boundary.id != node.id else None
            if limit is not None and _seconds(limit, _DAYS_OF_MONTH[1]) < _seconds(time, _DAYS_OF_MONTH[0]):
                return boundary.id
    return None


def _holders(diagram: Diagram, node: Node) -> Iterator[str]:
    """Give the steps whose end takes a step away: itself or its host, and the sub-processes around it."""
    yield node.host or node.id
    scope = node.scope
    while scope in diagram.nodes:
        yield scope
        scope = diagram.nodes[scope].scope


def _time_of(pack: Pack, node: Node) -> Duration | None:
    for definition in children(node.element, "timerEventDefinition"):
        for part in children(definition, "timeDuration"):
            return _duration(pack, part.text)
    return None


def _duration(pack: Pack, text: str | None) -> Duration | None:
    known = resolved(text, pack.resources)
    return None if known is None else parse_duration(known)


def _seconds(time: Duration, days_of_month: int) -> float:
    return time.months * days_of_month * _SECONDS_OF_DAY + time.rest.total_seconds()
