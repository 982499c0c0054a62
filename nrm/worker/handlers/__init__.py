"""What to do for each kind of job: one function per kind, found here by its name.

A handler calls one action as the system; that action's commit takes the job's row along. A handler that must do
something between two transactions (send a mail) wraps the first one in `nrm.jobs.hand.keep_job()`. A handler that
calls no action has nothing to do: the runner ends the job by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from nrm.jobs.hand import ClaimedJob
from nrm.worker.handlers.clocks import chase_restriction, fire_timer, resume_task, run_referral_clock, run_task_clock
from nrm.worker.handlers.deliveries import deliver
from nrm.worker.handlers.manifests import import_list
from nrm.worker.handlers.migrations import move_part
from nrm.worker.handlers.sandbox import answer_in_sandbox
from nrm.worker.handlers.schedules import run_schedule

Handler: TypeAlias = Callable[[ClaimedJob], None]

HANDLERS: Mapping[str, Handler] = {
    "timer": fire_timer,
    "task_clock": run_task_clock,
    "task_resume": resume_task,
    "referral_clock": run_referral_clock,
    "restriction_clock": chase_restriction,
    "delivery": deliver,
    "manifest_part": import_list,
    "migration_part": move_part,
    "sandbox_answer": answer_in_sandbox,
    "schedule": run_schedule,
}
"""Kind → handler; every kind of `nrm.jobs.kinds.KINDS` is here."""
