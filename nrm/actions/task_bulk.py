"""One verb on many tasks: each in a transaction of its own, so that one that fails keeps none of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nrm.actions import tasks
from nrm.actors import Actor
from nrm.errors import IllegalMove, NotAllowed, NotValid, NrmError, Params, Problem

AT_ONCE: Final = 100
"""Most tasks at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A task that was ticked.

    Attributes:
        id: the task.
        version: the version that the list showed.
    """

    id: str
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be done with all of them.

    Attributes:
        verb: one of `VERBS`.
        to_user: who gets them, for "assign".
        until: when they come back, for "hold".
        reason: code of the reason, for "hold".
    """

    verb: str
    to_user: str = ""
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkLine:
    """What became of one task.

    Attributes:
        id: the task.
        code: error code of why it failed; None where it was done.
        params: values for the error's message.
    """

    id: str
    code: str | None = None
    params: Params | None = None


def _assign(actor: Actor, task: Chosen, wish: Wish) -> object:
    if actor.may("task.assign"):
        try:
            return tasks.assign_task(actor, task.id, to_user=wish.to_user, version=task.version)
        except IllegalMove:
            pass  # watching over other desks than this one; what is one's own can be handed over all the same
    return tasks.hand_over_task(actor, task.id, to_user=wish.to_user, version=task.version)


def _hold(actor: Actor, task: Chosen, wish: Wish) -> object:
    if wish.until is None:
        raise NotValid([Problem(pointer="/until", code="required")])
    return tasks.hold_task(actor, task.id, until=wish.until, reason=wish.reason, version=task.version)


_VERBS: Final[Mapping[str, Callable[[Actor, Chosen, Wish], object]]] = {
    "claim": lambda actor, task, _: tasks.claim_task(actor, task.id, version=task.version),
    "release": lambda actor, task, _: tasks.release_task(actor, task.id, version=task.version),
    "assign": _assign,
    "hold": _hold,
    "resume": lambda actor, task, _: tasks.resume_task(actor, task.id, version=task.version),
}
VERBS: Final = tuple(_VERBS)
"""The verbs that can be used on many tasks at once."""


def change_many(actor: Actor, chosen: Sequence[Chosen], wish: Wish) -> tuple[BulkLine, ...]:
    """Use a verb on each of some tasks, and tell of each whether it was done.

    Args:
        actor: who does it.
        chosen: the tasks, 1 to `AT_ONCE`; one that is named twice counts once.
        wish: the verb and what it needs.

    Raises:
        NotAllowed: the actor works on no task at all.
        NotValid: nothing was chosen, too much, or there is no such verb.
    """
    if not (actor.may("task.work") or actor.may("task.assign")):
        raise NotAllowed("not_allowed", permission="task.work")
    verb = _VERBS.get(wish.verb)
    if verb is None:
        raise NotValid([Problem(pointer="/verb", code="not_a_choice", params={"choices": ", ".join(VERBS)})])
    if not chosen:
        raise NotValid([Problem(pointer="/task", code="required")])
    if len(chosen) > AT_ONCE:
        raise NotValid([Problem(pointer="/task", code="too_many_choices", params={"most": AT_ONCE})])
    return tuple(_one(verb, actor, task, wish) for task in {task.id: task for task in chosen}.values())


def _one(verb: Callable[[Actor, Chosen, Wish], object], actor: Actor, task: Chosen, wish: Wish) -> BulkLine:
    try:
        verb(actor, task, wish)
    except NotValid as error:
        first = error.problems[0]
        return BulkLine(id=task.id, code=first.code, params=first.params)
    except NrmError as error:
        return BulkLine(id=task.id, code=error.code, params=error.params)
    return BulkLine(id=task.id)
