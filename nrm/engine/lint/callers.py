"""Check a path against those that call it: what they ask of it now, and would no longer get."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nrm.engine.findings import Finding
from nrm.engine.lint.called import is_caught
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, definition, extension, warn

_WORD = re.compile(r"\w+")


def check_callers(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find what the installed version gives to its callers and this diagram does not, and errors that are new to them.

    Only differences are told: what callers never got is their own defect, and lint of theirs says it.
    """
    known = pack.known
    if known is None:
        return
    others = [called for caller, called in known.paths.items() if caller != diagram.key]
    if others and not any(diagram.key in called for called in others):
        yield from _heard_by_nobody(diagram)
    now = known.ends.get(diagram.key)
    if now is None:
        return
    outcomes, errors, words = set(_outcomes(diagram)), {code for _, code in _errors(diagram)}, _words(diagram)
    for call in known.callers.get(diagram.key, ()):
        for outcome in sorted((call.outcomes & now.outcomes) - outcomes):
            yield warn(diagram.process, "caller_asks_outcome", caller=call.caller, outcome=outcome)
        for value in sorted((call.values & now.values) - words):
            yield warn(diagram.process, "caller_takes_value", caller=call.caller, value=value)
        caught = errors if call.errors is None else call.errors
        for error in sorted(errors - now.errors - caught):
            yield warn(diagram.process, "caller_catches_not", caller=call.caller, error=error)


def _outcomes(diagram: Diagram) -> Iterator[str]:
    for node in diagram.of("endEvent"):
        yield (extension(node.element, "outcome") or {}).get("code") or node.id


def _heard_by_nobody(diagram: Diagram) -> Iterator[Finding]:
    """Find errors that leave a path which no other path begins: such a run fails, and its case stands still."""
    for node, code in _errors(diagram):
        yield warn(node.element, "error_heard_by_nobody", error=code)


def _errors(diagram: Diagram) -> Iterator[tuple[Node, str]]:
    """Give the ends by which errors leave the path, with the codes of these."""
    for node in diagram.of("endEvent"):
        for part in children(node.element, "errorEventDefinition"):
            error = definition(diagram.root, "error", part.get("errorRef"))
            code = "" if error is None else (error.get("errorCode") or "")
            holder = diagram.nodes.get(node.scope)
            if holder is None or not is_caught(diagram, holder, code):
                yield node, code


def _words(diagram: Diagram) -> set[str]:
    """Give every word of the path: a value that is not among them is neither read nor handed on."""
    words: set[str] = set()
    for element in diagram.process.iter():
        for text in (element.text or "", *map(str, element.attrib.values())):
            words.update(_WORD.findall(text))
    return words
