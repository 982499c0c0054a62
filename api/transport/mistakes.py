"""Mistakes that are part of a good answer: what would still stop completing, which rows were refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.transport.problems import say
from nrm.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong, in the asker's language."""

    pointer: str
    code: str
    detail: str


def tell(problems: Iterable[Problem]) -> tuple[Mistake, ...]:
    """Put problems into words."""
    return tuple(
        Mistake(pointer=problem.pointer, code=problem.code, detail=say(problem.code, problem.params))
        for problem in problems
    )
