"""A handler's day, as fast as it goes: cases, tasks taken, steps completed; only completing is timed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import select, text

from nrm.actions import cases, tasks
from nrm.actors import Actor
from nrm.db import db
from nrm.models import Task
from tests.load.diagrams import PATH, answers
from tests.load.stages import Stage
from tests.world import World

PLACE = "norvale"


@dataclass(slots=True)
class Day:
    """One handler on one stage.

    Attributes:
        stage: where.
        handler: sits at the desk of case handlers.
    """

    stage: Stage
    handler: Actor

    def open_case(self, path: str = PATH) -> str:
        """Open a case on a path, and give its id."""
        world = World(clock=self.stage.clock)
        return cases.open_case(self.handler, world.person(governorate=PLACE), governorate=PLACE, path=path).id

    def open_task(self, case_id: str) -> str:
        """Give the id of the one open task of a case."""
        found = db.session.execute(select(Task.id).where(Task.case_id == case_id, Task.status == "open")).scalar_one()
        db.session.close()
        return found

    def take(self, task_id: str) -> None:
        """Take a task without an action, so that it costs no event: taking is not what is measured."""
        with db.engine.begin() as connection:
            connection.execute(
                text("UPDATE tasks SET assignee_id = :user WHERE id = :task"),
                {"user": self.handler.id, "task": task_id},
            )

    def complete(self, task_id: str, *, again: bool = False) -> tuple[str | None, float]:
        """Complete a task, and give the next one and the seconds that it took.

        Raises:
            RuntimeError: the path could not go on.
        """
        self.take(task_id)
        given = answers(again=again)
        started = time.perf_counter()
        done = tasks.complete_task(self.handler, task_id, answers=given, version=1)
        seconds = time.perf_counter() - started
        if done.incident is not None:
            raise RuntimeError("completing a step ended in an incident")
        return (done.opened[0] if done.opened else None), seconds

    def walk(self, task_id: str, steps: int, *, again: bool = False) -> tuple[str | None, float]:
        """Complete step after step, and give the next task and the seconds."""
        following: str | None = task_id
        spent = 0.0
        for _ in range(steps):
            if following is None:
                raise RuntimeError("the path ended too early")
            following, seconds = self.complete(following, again=again)
            spent += seconds
        return following, spent


def day_on(stage: Stage) -> Day:
    """Seat a handler at a stage; call it inside the stage's application context."""
    return Day(stage=stage, handler=World(clock=stage.clock).at_desk("case_handler", PLACE))
