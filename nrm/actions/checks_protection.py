"""Checks about who may know: a case that becomes strictly confidential, a run that is kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nrm.actions._action import Work
from nrm.actions.case_sharing import raise_level
from nrm.actions.check_calls import CheckCall, CheckResult, Registered
from nrm.vocabulary import APART, Level


def _make_strict(work: Work, call: CheckCall) -> CheckResult:
    """Make the case strictly confidential; a case that is strict already stays as it is."""
    if call.case.level != Level.STRICT:
        raise_level(work, call.case, Level.STRICT)
    return CheckResult()


def _keep_apart(work: Work, call: CheckCall) -> CheckResult:
    """Keep this run, and those that it starts, to the desks that work on its tasks.

    Whoever else knows of the case does not come to know of its tasks: a complaint is nothing for the desk that it
    may be about (domain reference §6.11).
    """
    del work, call
    return CheckResult(context={APART: "yes"})


CHECKS: Final[Mapping[str, Registered]] = {
    "make_strict": Registered(check=_make_strict),
    "keep_apart": Registered(check=_keep_apart),
}
"""Name in the diagram → what it does."""
