"""What may be done about an incident: one answer for buttons, `allowed_actions` and the check inside the actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INCIDENT_VERBS: Final = ("retry", "repair", "cancel")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFacts:
    """How an incident stands.

    Attributes:
        open: it waits for somebody.
        has_input: it keeps an input that can be given again.
        run_runs: the run that it holds has not ended.
        has_job: it is about a dead job.
        job_is_wanted: somebody would wait for ever if that job were thrown away.
    """

    open: bool
    has_input: bool
    run_runs: bool
    has_job: bool
    job_is_wanted: bool


def incident_actions(facts: IncidentFacts) -> tuple[str, ...]:
    """List the verbs that fit, in the order of `INCIDENT_VERBS`.

    A dead timer, clock or reminder that is still wanted can only be tried again: end the run, task or referral
    first to be rid of it. What keeps no input and has no job can only be taken note of ("cancel").
    """
    if not facts.open:
        return ()
    if facts.has_job:
        return ("retry",) if facts.job_is_wanted else ("retry", "cancel")
    if facts.has_input and facts.run_runs:
        return INCIDENT_VERBS
    return ("cancel",)
