"""Long arrival lists: many transactions, one job; broken off, it goes on where it ended."""

from __future__ import annotations

from nrm.actions import manifests
from nrm.actors import SYSTEM
from nrm.jobs.hand import ClaimedJob, keep_job


def import_list(job: ClaimedJob) -> None:
    """Import a received arrival list, part by part, then end the job."""
    manifest_id = str(job.args["manifest"])
    with keep_job():
        manifests.import_received(manifest_id)
    manifests.end_received(SYSTEM, manifest_id)
