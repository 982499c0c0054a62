"""Moving running cases to another path version: many transactions, one job for each part."""

from __future__ import annotations

from nrm.actions import migration_parts
from nrm.actors import SYSTEM
from nrm.jobs.hand import ClaimedJob, keep_job


def move_part(job: ClaimedJob) -> None:
    """Work off one part of a plan, then end the job and ask for the next."""
    plan_id = str(job.args["plan"])
    with keep_job():
        migration_parts.work_part(plan_id)
    migration_parts.end_part(SYSTEM, plan_id)
