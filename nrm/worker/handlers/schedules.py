"""Periodic work."""

from __future__ import annotations

from nrm.actions import schedules
from nrm.actors import SYSTEM
from nrm.jobs.hand import ClaimedJob


def run_schedule(job: ClaimedJob) -> None:
    """Do a periodic work: its long reading first, then one transaction."""
    name = str(job.args["name"])
    schedules.run_schedule(SYSTEM, name, schedules.prepare_schedule(name))
