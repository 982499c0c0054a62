"""Tasks: the inbox, and what one does with a task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.schemas.tasks import AddText, Complete, Give, Hold, InboxQuery, Release, SaveDraft, TakeNext
from api.transport.endpoint import Ask, Noun
from api.transport.mistakes import Mistake, tell
from api.transport.shapes import Made, made
from nrm.actions import tasks as actions
from nrm.actions.reading import note_read
from nrm.actions.task_loading import TaskResult
from nrm.actions.tasks import DraftSaved, TaskDone
from nrm.errors import IllegalMove, NotFound
from nrm.installation import installation
from nrm.queries import inbox as inboxes
from nrm.queries import tasks as queries
from nrm.queries.inbox import InboxCounts, InboxFilter, Tab, TaskRow
from nrm.queries.page import Page
from nrm.queries.tasks import Colleague, TaskView

tasks = Noun("tasks")


@tasks.get("/tasks", query=InboxQuery, answer=TaskRow, paged=True, scope="tasks:read")
def list_tasks(ask: Ask) -> Page[TaskRow]:
    """List the tasks of a tab of the inbox.

    Tabs: mine (taken by me), desk (open at my desks), on_hold, waiting (other desks work on my desk's cases), done.
    """
    only = InboxFilter(
        desk=ask.query.get("desk"),
        priority=ask.query.get("priority"),
        overdue=ask.query["overdue"],
        unclaimed=ask.query["unclaimed"],
        case_id=ask.query.get("case"),
    )
    return inboxes.inbox(
        ask.actor,
        installation().clock.now(),
        tab=Tab(ask.query["tab"]),
        only=only,
        after=ask.after,
        limit=ask.limit,
    )


@tasks.get("/tasks/counts", answer=InboxCounts)
def count_tasks(ask: Ask) -> InboxCounts:
    """Count what each tab of the inbox holds."""
    return inboxes.counts(ask.actor, installation().clock.now())


@tasks.post("/tasks/next", body=TakeNext, answer=TaskResult, permission="task.work")
def take_next(ask: Ask) -> TaskResult:
    """Take the most pressing task of one's desks that nobody has taken."""
    for _ in range(5):
        found = inboxes.next_unclaimed(ask.actor, ask.body.get("desk"))
        if found is None:
            break
        try:
            return actions.claim_task(ask.actor, found)
        except IllegalMove:
            continue  # a colleague was quicker; there may be another one
    raise NotFound("no_task_waits")


@tasks.get("/tasks/<task_id>", answer=TaskView, scope="tasks:read")
def read_task(ask: Ask, task_id: str) -> TaskView:
    """Open a task: its form, draft, earlier answers and comments.

    That a task of a strictly confidential case was read is recorded.
    """
    found = queries.task(ask.actor, installation().clock.now(), task_id)
    if found.task.level == "strict":
        note_read(ask.actor, "task", task_id)
    return found


@tasks.get("/tasks/<task_id>/colleagues", answer=tuple[Colleague, ...])
def list_colleagues(ask: Ask, task_id: str) -> tuple[Colleague, ...]:
    """List who may take a task over: the members of its desk."""
    return queries.colleagues(ask.actor, installation().clock.now(), task_id)


@tasks.post("/tasks/<task_id>/claim", answer=TaskResult, versioned=True, scope="tasks:act")
def claim(ask: Ask, task_id: str) -> TaskResult:
    """Take an open task from one's desk."""
    return actions.claim_task(ask.actor, task_id, version=ask.version)


@tasks.post("/tasks/<task_id>/release", body=Release, answer=TaskResult, versioned=True, scope="tasks:act")
def release(ask: Ask, task_id: str) -> TaskResult:
    """Put a task back to its desk."""
    return actions.release_task(ask.actor, task_id, version=ask.version, reason=ask.body.get("reason"))


@tasks.post("/tasks/<task_id>/hand-over", body=Give, answer=TaskResult, versioned=True)
def hand_over(ask: Ask, task_id: str) -> TaskResult:
    """Hand a task that one holds to a colleague of the same desk."""
    return actions.hand_over_task(
        ask.actor, task_id, to_user=ask.body["to_user"], version=ask.version, note=ask.body.get("note")
    )


@tasks.post("/tasks/<task_id>/assign", body=Give, answer=TaskResult, versioned=True)
def assign(ask: Ask, task_id: str) -> TaskResult:
    """Give a task to a member of its desk, as a supervisor."""
    return actions.assign_task(
        ask.actor, task_id, to_user=ask.body["to_user"], version=ask.version, note=ask.body.get("note")
    )


@tasks.post("/tasks/<task_id>/hold", body=Hold, answer=TaskResult, versioned=True, scope="tasks:act")
def hold(ask: Ask, task_id: str) -> TaskResult:
    """Put a task on hold until a date; its time stands still."""
    return actions.hold_task(
        ask.actor, task_id, until=ask.body["until"], reason=ask.body["reason"], version=ask.version
    )


@tasks.post("/tasks/<task_id>/resume", answer=TaskResult, versioned=True, scope="tasks:act")
def resume(ask: Ask, task_id: str) -> TaskResult:
    """Take a task off hold."""
    return actions.resume_task(ask.actor, task_id, version=ask.version)


@tasks.post("/tasks/<task_id>/comments", body=AddText, answer=Made, status=201, shape=made, scope="tasks:act")
def comment(ask: Ask, task_id: str) -> str:
    """Add a comment."""
    return actions.comment_task(ask.actor, task_id, text=ask.body["text"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDraft:
    """A saved draft; `problems` would still stop completing."""

    version: int
    saved_at: datetime
    problems: tuple[Mistake, ...]


def _draft(saved: DraftSaved) -> SavedDraft:
    return SavedDraft(version=saved.version, saved_at=saved.saved_at, problems=tell(saved.problems))


@tasks.put("/tasks/<task_id>/draft", body=SaveDraft, answer=SavedDraft, shape=_draft)
def save_draft(ask: Ask, task_id: str) -> DraftSaved:
    """Keep answers that are typed but not given; says what would still stop completing."""
    return actions.save_draft(ask.actor, task_id, answers=ask.body["answers"], version=ask.version)


@tasks.post("/tasks/<task_id>/complete", body=Complete, answer=TaskDone, versioned=True, scope="tasks:act")
def complete(ask: Ask, task_id: str) -> TaskDone:
    """Complete a task with its answers and let the path go on."""
    return actions.complete_task(
        ask.actor, task_id, answers=ask.body["answers"], outcome=ask.body.get("outcome"), version=ask.version
    )


@tasks.post("/tasks/<task_id>/undo", answer=TaskResult)
def undo(ask: Ask, task_id: str) -> TaskResult:
    """Take back the completion of a task, where nothing but tasks and timers followed from it."""
    return actions.undo_task(ask.actor, task_id)
