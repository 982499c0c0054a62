"""Pages of a list: the rows after a key, and the key after which the next page begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_

from nrm.errors import NotValid, Problem

T = TypeVar("T")
R = TypeVar("R")

Key: TypeAlias = tuple["str | int | None", ...]
"""Sort values of a row, moments as ISO text; a door hands it out signed and gets it back."""

LARGEST: Final = 100
"""Most rows of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page.

    Attributes:
        items: its rows.
        next_key: key of its last row when there are more; None at the end.
    """

    items: tuple[T, ...]
    next_key: Key | None = None


def cut(rows: Sequence[R], limit: int, *, key: Callable[[R], Key], make: Callable[[R], T]) -> Page[T]:
    """Make a page of rows that were read with one more than `limit`.

    Args:
        rows: at most limit + 1 rows, in order.
        limit: rows of the page.
        key: gives a row's sort values.
        make: gives what the page shows of a row.
    """
    shown = rows[:limit]
    return Page(
        items=tuple(make(row) for row in shown),
        next_key=key(shown[-1]) if len(rows) > limit and shown else None,
    )


def newest_after(
    statement: Select[*tuple[Any, ...]],
    moment: ColumnElement[datetime],
    row_id: ColumnElement[str],
    *,
    after: Key | None,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    """Order a statement by a moment, the newest first, and begin after a key.

    Args:
        statement: what to read.
        moment: column of the moment.
        row_id: column that tells rows of the same moment apart.
        after: (moment, id) of the last row of the page before.
        limit: rows of the page, 1 to `LARGEST`; one more is read.

    Raises:
        NotValid: the key is of another list.
    """
    if after is not None:
        at, last = moment_of(after, 0), text_of(after, 1)
        statement = statement.where(or_(moment < at, and_(moment == at, row_id < last)))
    return statement.order_by(moment.desc(), row_id.desc()).limit(size(limit) + 1)


def size(limit: int) -> int:
    """Keep a wished page size between 1 and `LARGEST`."""
    return max(1, min(limit, LARGEST))


def moment_key(moment: datetime | None) -> str | None:
    """Write a moment for a key."""
    return None if moment is None else moment.isoformat()


def moment_of(key: Key, place: int) -> datetime:
    """Read a moment of a key.

    Raises:
        NotValid: there is none at this place.
    """
    try:
        return datetime.fromisoformat(text_of(key, place))
    except ValueError:
        raise _bad() from None


def text_of(key: Key, place: int) -> str:
    """Read a text of a key.

    Raises:
        NotValid: there is none at this place.
    """
    value = key[place] if place < len(key) else None
    if not isinstance(value, str):
        raise _bad()
    return value


def _bad() -> NotValid:
    return NotValid([Problem(pointer="/cursor", code="bad_cursor")])
