"""Services of the sandbox that answer referrals by themselves."""

from __future__ import annotations

from nrm.actions import sandbox_answers
from nrm.actors import SYSTEM
from nrm.jobs.hand import ClaimedJob


def answer_in_sandbox(job: ClaimedJob) -> None:
    """Do with an invented referral what its service always does."""
    sandbox_answers.answer_in_sandbox(SYSTEM, str(job.args["referral"]))
