"""Check the shape: starts, ends, flows, reachability, gateways, loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import WAITING, Diagram, Flow, Node, Pack, children, found, warn

_GATEWAYS = frozenset(
    {"exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway", "complexGateway"}
)
_CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway"})
_SUBPROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})


def check_structure(diagram: Diagram, _pack: Pack) -> Iterator[Finding]:
    """Find what is wrong with the shape of the process and of each sub-process."""
    for scope, nodes in diagram.scopes.items():
        yield from _scope(diagram, scope, nodes)
    for node in diagram.nodes.values():
        yield from _flows_of(diagram, node)
        if node.tag in _GATEWAYS:
            yield from _gateway(diagram, node)
    yield from _loops(diagram)
    yield from _flow_lists(diagram)


def _scope(diagram: Diagram, scope: str, nodes: list[Node]) -> Iterator[Finding]:
    holder = diagram.process if scope == diagram.key else diagram.nodes[scope].element
    starts = [node for node in nodes if node.tag == "startEvent"]
    if not starts:
        yield found(holder, "no_start")
    if len(starts) > 1:
        yield found(starts[1].element, "several_starts")
    if not any(node.tag == "endEvent" for node in nodes):
        yield found(holder, "no_end")
    reached = reachable(diagram, [node.id for node in starts])
    ending = leads_to_end(diagram, nodes)
    for node in nodes:
        if node.id not in reached:
            if starts:
                yield found(node.element, "unreachable")
        elif node.id not in ending and diagram.out_of(node.id):
            yield found(node.element, "no_way_to_end")


def reachable(diagram: Diagram, starts: Iterable[str], *, without: frozenset[str] = frozenset()) -> set[str]:
    """Give the steps of the same scope that a token can reach from these; steps in `without` let nothing through."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in without:
            continue
        waiting += [flow.target for flow in diagram.out_of(node)]
        waiting += [boundary.id for boundary in diagram.boundaries.get(node, ())]
    return seen


def leads_to_end(diagram: Diagram, nodes: list[Node]) -> set[str]:
    """Give the steps of a scope from which flows lead to an end."""
    seen: set[str] = set()
    waiting = [node.id for node in nodes if node.tag == "endEvent"]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        waiting += [flow.source for flow in diagram.into(node)]
        host = diagram.nodes[node].host
        if host in diagram.nodes:
            waiting.append(str(host))
    return seen


def _flows_of(diagram: Diagram, node: Node) -> Iterator[Finding]:
    incoming, outgoing = diagram.into(node.id), diagram.out_of(node.id)
    if node.tag == "endEvent":
        if outgoing:
            yield found(node.element, "flow_out_of_end")
    elif not outgoing:
        yield found(node.element, "dead_end")
    if node.tag == "startEvent" and incoming:
        yield found(node.element, "flow_into_start")
    if node.tag == "boundaryEvent" and incoming:
        yield found(node.element, "flow_into_boundary")
    if node.tag not in _GATEWAYS and len(outgoing) > 1:
        yield found(node.element, "implicit_split", count=len(outgoing))
    if node.tag not in _CHOOSING:
        yield from _ignored_conditions(node, outgoing)
    if len({flow.target for flow in outgoing}) < len(outgoing):
        yield warn(node.element, "double_flow")


def _ignored_conditions(node: Node, outgoing: list[Flow]) -> Iterator[Finding]:
    code = "condition_after_gateway" if node.tag in _GATEWAYS else "condition_after_step"
    for flow in outgoing:
        if flow.condition is not None:
            yield found(flow.element, code, step=node.id)
    if node.element.get("default") is not None:
        yield found(node.element, "default_without_choice")


def _gateway(diagram: Diagram, node: Node) -> Iterator[Finding]:
    outgoing = diagram.out_of(node.id)
    if node.tag in _CHOOSING and len(outgoing) > 1:
        yield from _choice(node, outgoing)
    elif node.tag in _CHOOSING:
        yield from (found(flow.element, "condition_without_choice") for flow in outgoing if flow.condition is not None)
    elif node.tag == "eventBasedGateway":
        yield from _event_gateway(diagram, node, outgoing)
    if len(outgoing) == 1 and len(diagram.into(node.id)) == 1 and node.tag in _GATEWAYS - {"eventBasedGateway"}:
        yield warn(node.element, "gateway_without_purpose")


def _choice(node: Node, outgoing: list[Flow]) -> Iterator[Finding]:
    default = node.element.get("default")
    if default is None:
        yield found(node.element, "gateway_without_default")
    elif default not in {flow.id for flow in outgoing}:
        yield found(node.element, "default_is_no_flow", flow=default)
    for flow in outgoing:
        if flow.id == default and flow.condition is not None:
            yield warn(flow.element, "condition_on_default")
        elif flow.id != default and not flow.condition:
            yield found(flow.element, "flow_without_condition", gateway=node.id)


def _event_gateway(diagram: Diagram, node: Node, outgoing: list[Flow]) -> Iterator[Finding]:
    if node.element.get("instantiate", "false").strip() != "false":
        yield found(node.element, "starting_gateway")
    if node.element.get("eventGatewayType", "Exclusive") != "Exclusive":
        yield found(node.element, "parallel_event_gateway")
    if len(outgoing) < 2:
        yield found(node.element, "event_gateway_with_one_way")
    targets = [diagram.nodes[flow.target] for flow in outgoing]
    for target in targets:
        if target.tag not in {"intermediateCatchEvent", "receiveTask"}:
            yield found(target.element, "event_gateway_without_event", gateway=node.id)
        elif len(diagram.into(target.id)) > 1:
            yield found(target.element, "event_with_other_way_in", gateway=node.id)
    if sum(target.event == "timer" for target in targets) > 1:
        yield found(node.element, "several_timers")
    messages = [message for target in targets if (message := _message(target))]
    for message in sorted({message for message in messages if messages.count(message) > 1}):
        yield found(node.element, "same_message_twice", message=message)


def _message(node: Node) -> str | None:
    definition = next(iter(children(node.element, "messageEventDefinition")), node.element)
    return definition.get("messageRef")


def _loops(diagram: Diagram) -> Iterator[Finding]:
    """Find circles in which nothing waits (they would spin for ever), and circles through a parallel gateway."""
    for nodes in diagram.scopes.values():
        edges = {node.id: _next(diagram, node.id) for node in nodes}
        stops = {node.id for node in nodes if always_waits(diagram, node)}
        free = {node: [to for to in edges[node] if to not in stops] for node in edges if node not in stops}
        for circle in circles(free):
            first = min(circle, key=list(edges).index)
            yield found(diagram.nodes[first].element, "loop_without_wait", count=len(circle))
        for circle in circles(edges):
            joins = sorted(
                node for node in circle if diagram.nodes[node].tag in {"parallelGateway", "inclusiveGateway"}
            )
            if joins:
                yield warn(diagram.nodes[joins[0]].element, "parallel_in_loop")


def _next(diagram: Diagram, node: str) -> list[str]:
    return [flow.target for flow in diagram.out_of(node)] + [at.id for at in diagram.boundaries.get(node, ())]


def always_waits(diagram: Diagram, node: Node) -> bool:
    """Tell whether a token that comes here always stops until somebody, something or the clock answers."""
    if node.tag in WAITING:
        return True
    if node.tag == "boundaryEvent":
        # An error or escalation may come at once; a message or a timer has been waited for.
        return node.event in {"message", "timer", "signal"}
    if node.tag == "eventBasedGateway":
        return True
    return node.tag in _SUBPROCESSES and not can_pass_at_once(diagram, node.id)


def can_pass_at_once(diagram: Diagram, scope: str) -> bool:
    """Tell whether a token can go from a scope's start to one of its ends without waiting anywhere."""
    nodes = diagram.scopes.get(scope, [])
    stops = frozenset(node.id for node in nodes if always_waits(diagram, node))
    starts = [node.id for node in nodes if node.tag == "startEvent"]
    reached = reachable(diagram, starts, without=stops)
    return any(node.tag == "endEvent" and node.id in reached for node in nodes)


def circles(edges: dict[str, list[str]]) -> list[set[str]]:
    """Give the groups of steps that can all reach each other (strongly connected, at least one arrow inside).

    Tarjan's algorithm, written without recursion: 300 steps in a row must not end Python's stack.
    """
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    groups: list[set[str]] = []
    for root, first in edges.items():
        if root in number:
            continue
        number[root] = low[root] = len(number)
        open_nodes.append(root)
        work = [(root, iter(first))]
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in edges:
                    continue
                if to not in number:
                    number[to] = low[to] = len(number)
                    open_nodes.append(to)
                    work.append((to, iter(edges[to])))
                    break
                if to in open_nodes:
                    low[node] = min(low[node], number[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    groups.append(_close(open_nodes, node))
    return [group for group in groups if len(group) > 1 or any(node in edges[node] for node in group)]


def _close(open_nodes: list[str], node: str) -> set[str]:
    at = open_nodes.index(node)
    group = set(open_nodes[at:])
    del open_nodes[at:]
    return group


def _flow_lists(diagram: Diagram) -> Iterator[Finding]:
    """Compare the `incoming` and `outgoing` lists that some modellers write with the flows themselves."""
    for node in diagram.nodes.values():
        for name, flows in (("incoming", diagram.into(node.id)), ("outgoing", diagram.out_of(node.id))):
            listed = {(child.text or "").strip() for child in children(node.element, name)}
            actual = {flow.id for flow in flows}
            if listed and listed != actual:
                odd = sorted(listed ^ actual)[0]
                yield warn(node.element, "flow_list_differs", flow=odd)
