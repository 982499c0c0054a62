"""Clocks: timers of paths, reminders and escalations of tasks and referrals, the end of a task's rest."""

from __future__ import annotations

from nrm.actions import referrals, restrictions, runs, task_clocks, tasks
from nrm.actors import SYSTEM
from nrm.jobs.hand import ClaimedJob


def fire_timer(job: ClaimedJob) -> None:
    """Let a timer of a run go off."""
    runs.fire_timer(SYSTEM, str(job.args["run"]), str(job.args["token"]))


def run_task_clock(job: ClaimedJob) -> None:
    """Remind of a task or escalate it."""
    task_clocks.run_task_clock(SYSTEM, str(job.args["task"]))


def resume_task(job: ClaimedJob) -> None:
    """Take a task off hold at the end of its rest."""
    tasks.resume_task(SYSTEM, str(job.args["task"]))


def chase_restriction(job: ClaimedJob) -> None:
    """Ask again whether an organisation restricted what it holds."""
    restrictions.chase_restriction(SYSTEM, str(job.args["restriction"]))


def run_referral_clock(job: ClaimedJob) -> None:
    """Do what is due about a referral: remind, escalate, expire, resume, review."""
    referrals.run_referral_clock(SYSTEM, str(job.args["referral"]))
