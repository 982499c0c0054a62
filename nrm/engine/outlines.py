"""The outlines and marks of BPMN's shapes (BPMN 2.0.2, chapter 7 and following), as the paths of an SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

MARKS: Final[Mapping[str, str]] = {
    "exclusiveGateway": "M-8,-8L8,8M8,-8L-8,8",
    "parallelGateway": "M0,-11V11M-11,0H11",
    "inclusiveGateway": "M-10,0a10,10 0 1,0 20,0a10,10 0 1,0 -20,0",
    "eventBasedGateway": "M-12,0a12,12 0 1,0 24,0a12,12 0 1,0 -24,0M0,-8L8,-2L5,7H-5L-8,-2Z",
    "messageEventDefinition": "M-8,-5H8V6H-8ZM-8,-5L0,1L8,-5",
    "timerEventDefinition": "M-9,0a9,9 0 1,0 18,0a9,9 0 1,0 -18,0M0,-6V0L4,3",
    "errorEventDefinition": "M-8,7L-3,-7L2,3L8,-7L3,7L-2,-3Z",
    "escalationEventDefinition": "M0,-9L7,8L0,1L-7,8Z",
    "signalEventDefinition": "M0,-8L8,6H-8Z",
    "terminateEventDefinition": "M-8,0a8,8 0 1,0 16,0a8,8 0 1,0 -16,0",
    "userTask": "M-4,-3a4,4 0 1,0 8,0a4,4 0 1,0 -8,0M-8,9V6Q-8,2 -4,2H4Q8,2 8,6V9Z",
    "serviceTask": "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0M0,-8V-5M0,5V8M-8,0H-5M5,0H8"
    "M-6,-6L-4,-4M4,4L6,6M6,-6L4,-4M-4,4L-6,6",
    "sendTask": "M-8,-5H8V6H-8ZM-8,-5L0,1L8,-5",
    "receiveTask": "M-8,-5H8V6H-8ZM-8,-5L0,1L8,-5",
    "businessRuleTask": "M-8,-7H8V7H-8ZM-8,-3H8M-8,2H8M-3,-3V7",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle of the drawing."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


def _bracket(box: Box) -> str:
    return f"M{box.x + 12:g},{box.y:g}H{box.x:g}V{box.y + box.height:g}H{box.x + 12:g}"


def _outline(box: Box) -> str:
    return f"M{box.x:g},{box.y:g}h{box.width:g}v{box.height:g}h-{box.width:g}Z"


def _sheet_of_paper(box: Box) -> str:
    fold = min(box.width, box.height) / 3
    return (
        f"M{box.x:g},{box.y:g}h{box.width - fold:g}l{fold:g},{fold:g}v{box.height - fold:g}h-{box.width:g}Z"
        f"M{box.x + box.width - fold:g},{box.y:g}v{fold:g}h{fold:g}"
    )


def _drum(box: Box) -> str:
    half, high = box.width / 2, box.height / 8
    arc = f"a{half:g},{high:g} 0 1,0 {box.width:g},0a{half:g},{high:g} 0 1,0 -{box.width:g},0"
    side = box.height - 2 * high
    return f"M{box.x:g},{box.y + high:g}{arc}v{side:g}a{half:g},{high:g} 0 1,0 {box.width:g},0v-{side:g}"


THINGS: Final[Mapping[str, Callable[[Box], str]]] = {
    "textAnnotation": _bracket,
    "group": _outline,
    "dataObject": _sheet_of_paper,
    "dataObjectReference": _sheet_of_paper,
    "dataInput": _sheet_of_paper,
    "dataOutput": _sheet_of_paper,
    "dataStoreReference": _drum,
    "dataStore": _drum,
}
"""Things that are no step, and how their outline is drawn."""
