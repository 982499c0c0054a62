"""Scenario files: one way through a path, told move by move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_MOVES: Final = 500
VERBS: Final = (
    "complete",
    "advance",
    "message",
    "child",
    "child_error",
    "child_escalation",
    "child_cancel",
    "expect_open",
)

_KEYS: Final = frozenset({"scenario", "path", "start", "settings", "checks", "steps", "ends"})

Answers = Mapping[str, Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario file.

    Attributes:
        name: what it tells, for people.
        path: key of the path.
        start: values that the run starts with.
        settings: settings of the pack that it changes.
        checks: name of a registered check → its answers, in order; the last one repeats.
        moves: what happens, in order; each has one of the verbs of the file format.
        ends: outcome code of the end, or the code of an error end; None when the run ends without an outcome.
    """

    name: str
    path: str
    start: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    checks: Answers = field(default_factory=dict)
    moves: tuple[Mapping[str, object], ...] = ()
    ends: str | None = None


def read_scenario(data: object) -> Scenario:
    """Read a scenario file.

    Args:
        data: the parsed JSON.

    Raises:
        ValueError: it is not a scenario; the text names the part that is wrong.
    """
    if not isinstance(data, dict) or set(data) - _KEYS:
        extra = sorted(set(data) - _KEYS) if isinstance(data, dict) else ["object"]
        raise ValueError(", ".join(extra))
    for key, kind in (("path", str), ("start", dict), ("settings", dict), ("checks", dict), ("steps", list)):
        if not isinstance(data.get(key, kind()), kind):
            raise ValueError(key)
    checks = data.get("checks", {})
    moves = data.get("steps", [])
    if not all(_is_list_of_objects(answers) and answers for answers in checks.values()):
        raise ValueError("checks")
    if not _is_list_of_objects(moves) or len(moves) > MAX_MOVES or not all(verb_of(move) for move in moves):
        raise ValueError("steps")
    if not data.get("path") or not isinstance(data.get("ends", ""), str | None):
        raise ValueError("path, ends")
    return Scenario(
        name=str(data.get("scenario", "")),
        path=data["path"],
        start=data.get("start", {}),
        settings={str(name): str(value) for name, value in data.get("settings", {}).items()},
        checks=checks,
        moves=tuple(moves),
        ends=data.get("ends"),
    )


def _is_list_of_objects(data: object) -> bool:
    return isinstance(data, list) and all(isinstance(each, dict) for each in data)


def verb_of(move: Mapping[str, object]) -> str | None:
    """Give the verb of a move, None unless it has exactly one."""
    found = [verb for verb in VERBS if verb in move]
    return found[0] if len(found) == 1 else None
