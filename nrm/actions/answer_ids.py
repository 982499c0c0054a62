"""Ids among the answers of a form: each must name something that is there, before the answers are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from nrm.actions._action import Work
from nrm.errors import NotValid, Problem
from nrm.models import Document, Organisation, Person, Service
from nrm.rules.answer_types import Clean
from nrm.rules.forms import Field, Form

_KNOWN: Final[Mapping[str, tuple[Select[str], InstrumentedAttribute[str], str]]] = {
    "service": (select(Service.id).where(Service.active), Service.id, "unknown_service"),
    "organisation": (select(Organisation.id).where(Organisation.active), Organisation.id, "unknown_organisation"),
    "person": (select(Person.id), Person.id, "unknown_person"),
}
"""Type of question → the ids that it may name, the column they stand in, and the code of the problem."""

_NAMING: Final = {*_KNOWN, "file"}


def check_ids(work: Work, form: Form, clean: Mapping[str, Clean], *, task_id: str) -> None:
    """Look every service, organisation, person and file up that some answers name.

    Args:
        work: the transaction.
        form: the form.
        clean: its clean answers.
        task_id: the task; a file must have been added to it.

    Raises:
        NotValid: an id names nothing, or something that is no longer offered.
    """
    named = list(_ids(form.fields, clean, ""))
    if not named:
        return
    problems = []
    files = (
        select(Document.id).where(Document.task_id == task_id, Document.error_at.is_(None)),
        Document.id,
        "unknown_document",
    )
    for kind, (statement, column, code) in {**_KNOWN, "file": files}.items():
        wanted = {found: pointer for type_, found, pointer in named if type_ == kind}
        if not wanted:
            continue
        known = set(work.session.execute(statement.where(column.in_(wanted))).scalars())
        problems += [Problem(pointer=pointer, code=code) for found, pointer in wanted.items() if found not in known]
    if problems:
        raise NotValid(problems)


def _ids(fields: tuple[Field, ...], answers: Mapping[str, Clean], pointer: str) -> Iterator[tuple[str, str, str]]:
    for item in fields:
        value = answers.get(item.name)
        if item.type == "group":
            yield from _ids(item.fields, answers, pointer)
        elif item.type == "repeat" and isinstance(value, list):
            for place, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from _ids(item.fields, entry, f"{pointer}/{item.name}/{place}")
        elif item.type in _NAMING and isinstance(value, str):
            yield item.type, value, f"{pointer}/{item.name}"
