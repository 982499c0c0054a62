"""Joins that would wait for ever: some of their flows can still bring a token, others no longer.

A run that is moved past a split never enters a branch that the other version has added there; the join behind it
would wait for that branch until somebody notices. What can still come follows from the drawing.
"""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.task import Task

from nrm.engine.boxes import Box
from nrm.engine.graph import Graph, sources_of
from nrm.engine.joins import Parallel
from nrm.engine.machine import Machine


class Joins:
    """The parallel joins of one path, and from where a token may still come along each of their flows."""

    def __init__(self, graph: Graph) -> None:
        """Work out the ways to each join."""
        self._ways = {
            box.step.id: sources_of(box, graph.boxes)
            for box in graph.boxes.values()
            if isinstance(box, Parallel) and box.joins
        }
        self._parents = {name: graph.boxes[name].step.parent or "" for name in self._ways}

    def starving(self, machine: Machine) -> frozenset[str]:
        """Give the joins that get some of their tokens and can never get the others."""
        return frozenset(
            join
            for scope in machine.scopes()
            for join, ways in self._ways.items()
            if self._parents[join] == scope.task_spec.step.id and _starves(machine, scope, join, ways)
        )


def _starves(machine: Machine, scope: Task, join: str, ways: Mapping[str, frozenset[str]]) -> bool:
    arrived: set[str] = set()
    standing: set[str] = set()
    for task in machine.tokens_in(scope):
        box: Box = task.task_spec
        if box.step.id == join:
            arrived.add(str(task.internal_data.get("via")))
        else:
            standing.add(box.step.id)
    coming = {flow for flow, sources in ways.items() if flow in arrived or sources & standing}
    return bool(coming) and len(coming) < len(ways)
