"""One verb on many tasks, with a line for each that says what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.own_work import ManyTasks
from api.transport.endpoint import Ask, Noun
from api.transport.problems import say
from nrm.actions import task_bulk as actions
from nrm.actions.task_bulk import BulkLine, Chosen, Wish

task_bulk = Noun("task_bulk")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBecame:
    """What became of one task.

    Attributes:
        done: the verb was used on it.
        code: why it failed; None where it did not.
        detail: the same in words; None where it did not.
    """

    id: str
    done: bool
    code: str | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyDone:
    """What became of many tasks; one that failed keeps none of the others."""

    done: int
    failed: int
    tasks: tuple[TaskBecame, ...]


def _became(line: BulkLine) -> TaskBecame:
    words = say(line.code, line.params) if line.code else None
    return TaskBecame(id=line.id, done=line.code is None, code=line.code, detail=words)


def _all(lines: tuple[BulkLine, ...]) -> ManyDone:
    failed = sum(1 for line in lines if line.code)
    return ManyDone(done=len(lines) - failed, failed=failed, tasks=tuple(_became(line) for line in lines))


@task_bulk.post("/tasks/many", body=ManyTasks, answer=ManyDone, shape=_all, keyed=False)
def change_many(ask: Ask) -> tuple[BulkLine, ...]:
    """Use one verb on up to 100 tasks: claim, release, assign (to_user), hold (until, reason) or resume.

    Each task is its own transaction. The answer is 200 also when some failed, each with its reason; with the versions
    that one saw, sending the same again does no harm.
    """
    body = ask.body
    wish = Wish(verb=body["verb"], to_user=body["to_user"] or "", until=body["until"], reason=body["reason"] or "")
    chosen = tuple(Chosen(id=one["id"], version=one["version"]) for one in body["tasks"])
    return actions.change_many(ask.actor, chosen, wish)
