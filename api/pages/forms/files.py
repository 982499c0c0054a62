"""Files that answer questions: taken with the form, kept with the task, named by their documents in the answers.

`f.a.copy` is the file for the question `a.copy`, `x.a.copy` the wish to leave it out. A file that was taken stays with
the task, so that nobody chooses it again when another answer is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from api.pages.forms.reading import PREFIX, rounds_sent
from api.pages.kit.visits import Visit
from nrm.actions import documents as actions
from nrm.errors import Conflict, NotAllowed, NotValid, NrmError, Problem
from nrm.queries import documents
from nrm.rules.documents import LARGEST
from nrm.rules.forms import Field, Form

KIND: Final = "answer"
_DROPPED: Final = "other"
"""Why a file that somebody replaced before completing counts no more."""


def take_files(visit: Visit, task_id: str, form: Form, answers: dict[str, object]) -> tuple[Problem, ...]:
    """Keep the files that were chosen and name them in the answers.

    Args:
        visit: the visit that sent the form.
        task_id: the task.
        form: its form.
        answers: what was answered; files are added to it, and those that shall be left out are taken away.

    Returns:
        What is wrong with a file, at its question.
    """
    problems: list[Problem] = []
    for pointer, place in _questions(visit, form.fields, PREFIX, ""):
        holder = _holder(answers, pointer)
        if holder is not None:
            problems += _take(visit, task_id, holder, pointer, place)
    return tuple(problems)


def _take(visit: Visit, task_id: str, holder: dict[str, object], pointer: str, place: str) -> Iterator[Problem]:
    """Take the file for one question, or leave out the one that was there."""
    name = pointer.rpartition("/")[2]
    before = holder.get(name)
    sent = visit.files.get(f"f.{place}")
    if sent is not None and sent.filename:
        try:
            content = sent.read(LARGEST + 1)
            added = actions.add_to_task(visit.actor, task_id, content=content, name=sent.filename, kind=KIND)
            holder[name] = added.id
        except NotValid as error:
            for one in error.problems:
                yield Problem(pointer=pointer, code=one.code, params=one.params)
        except NotAllowed as error:
            yield Problem(pointer=pointer, code=error.code, params=error.params)
        except Conflict:
            return  # the task is no longer one's own, or its case is closed: completing it will say so
    elif visit.form.get(f"x.{place}"):
        holder.pop(name, None)
    if isinstance(before, str) and holder.get(name) != before:
        _leave_out(visit, task_id, before)


def _questions(visit: Visit, fields: tuple[Field, ...], before: str, at: str) -> Iterator[tuple[str, str]]:
    """Give pointer and field name of each question for a file."""
    for item in fields:
        if item.type == "group":
            yield from _questions(visit, item.fields, before, at)
        elif item.type == "repeat":
            name = f"{before}.{item.name}"
            for place in range(rounds_sent(visit.form, name)):
                yield from _questions(visit, item.fields, f"{name}.{place}", f"{at}/{item.name}/{place}")
        elif item.type == "file":
            yield f"{at}/{item.name}", f"{before}.{item.name}"


def _holder(answers: dict[str, object], pointer: str) -> dict[str, object] | None:
    """Give the object in which an answer stands."""
    found: object = answers
    for part in pointer.strip("/").split("/")[:-1]:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
    return found if isinstance(found, dict) else None


def _leave_out(visit: Visit, task_id: str, document_id: str) -> None:
    """Say that a file of this task was a mistake; whatever else is named stays as it is."""
    try:
        mine = {row.id for row in documents.of_task(visit.actor, visit.now, task_id) if row.error_at is None}
        if document_id in mine:
            actions.enter_in_error(visit.actor, document_id, reason=_DROPPED)
    except NrmError:
        return  # it stays with the task, named by no answer


def file_names(visit: Visit, task_id: str, form: Form) -> Mapping[str, str]:
    """Give the names of a task's files, where its form asks for some: id → name."""
    if not any(item.type == "file" for item in form.walk()):
        return {}
    try:
        return {row.id: row.name for row in documents.of_task(visit.actor, visit.now, task_id)}
    except NrmError:
        return {}
