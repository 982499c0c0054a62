"""Find waits that nothing limits: a message that never comes would leave a case there, and nobody would be told."""

from __future__ import annotations

from collections.abc import Iterator

from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, warn
from nrm.engine.lint.events import message_name

_TOLD = frozenset({"message", "signal"})


def check_waits(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find steps at which a run waits for messages only, without a time beside them or on a step around them.

    Messages that the system itself chases are not waited for without a limit; without a pack nobody knows which.
    """
    if pack.known is None:
        return
    for node in diagram.nodes.values():
        arms = _arms(diagram, node)
        chased = any(message_name(diagram, arm) in pack.known.chased for arm in arms)
        if arms and not chased and all(_is_told(arm) for arm in arms) and not _is_limited(diagram, node):
            yield warn(node.element, "wait_without_limit")


def _arms(diagram: Diagram, node: Node) -> list[Node]:
    """Give the events of which the first ends a wait that begins at a step, none when no wait begins there."""
    if node.tag == "eventBasedGateway":
        return [diagram.nodes[flow.target] for flow in diagram.out_of(node.id)]
    before = {diagram.nodes[flow.source].tag for flow in diagram.into(node.id)}
    return [node] if _is_told(node) and "eventBasedGateway" not in before else []


def _is_told(node: Node) -> bool:
    return node.tag == "receiveTask" or (node.tag == "intermediateCatchEvent" and node.event in _TOLD)


def _is_limited(diagram: Diagram, node: Node) -> bool:
    """Tell whether a timer watches a step, or a step around it; one that only reminds counts too."""
    at: Node | None = node
    while at is not None:
        if any(boundary.event == "timer" for boundary in diagram.boundaries.get(at.id, ())):
            return True
        at = diagram.nodes.get(at.scope)
    return False
