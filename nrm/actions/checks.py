"""The registry of the checks and effects that a diagram may name on a service or send task.

A check reads answers that an earlier step of the same run gave, does one thing to the records, and answers with
decision values. The contract of names, parameters and values stands in docs/paths.md; a test holds the two together.
The checks themselves stand in one module per topic; a new topic is one more line in `_TOPICS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nrm.actions import (
    checks_cases,
    checks_grounds,
    checks_handover,
    checks_letters,
    checks_plans,
    checks_protection,
    checks_referrals,
    checks_services,
)
from nrm.actions.check_calls import REGISTRY, Check, CheckCall, CheckResult, Registered, latest_answers

__all__ = ["CHECKS", "CHECK_VALUES", "Check", "CheckCall", "CheckResult", "latest_answers"]

_TOPICS: Final[tuple[Mapping[str, Registered], ...]] = (
    checks_cases.CHECKS,
    checks_grounds.CHECKS,
    checks_handover.CHECKS,
    checks_letters.CHECKS,
    checks_plans.CHECKS,
    checks_protection.CHECKS,
    checks_referrals.CHECKS,
    checks_services.CHECKS,
)


def _registry() -> dict[str, Registered]:
    found: dict[str, Registered] = {}
    for topic in _TOPICS:
        twice = found.keys() & topic.keys()
        if twice:
            raise ValueError(f"registered twice: {', '.join(sorted(twice))}")
        found.update(topic)
    return found


_ALL: Final = _registry()

CHECKS: Final[Mapping[str, Check]] = {name: entry.check for name, entry in _ALL.items()}
"""Name in the diagram → what it does."""

CHECK_VALUES: Final[Mapping[str, Mapping[str, type]]] = {name: entry.values for name, entry in _ALL.items()}
"""Check → the values that it sets, with their types; what the linter knows of them."""

REGISTRY.update(CHECKS)
