"""Where the cases of a path wait: the drawing with numbers and heats, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from flask import Response

from api.pages.codes import names
from api.pages.kit.visits import Answer, Pages, Visit
from api.transport import cursors
from nrm.errors import NotValid, Problem
from nrm.queries import waiting as queries
from nrm.queries.waiting import Waiting

waiting = Pages("waiting")

USUAL: Final = timedelta(days=90)
_ROWS: Final = 50
_HOUR: Final = 3_600
_DAYS_FROM: Final = 48 * _HOUR


@waiting.get("/studio/paths/<key>/waiting")
def show(visit: Visit, key: str) -> Answer:
    """Show where the cases of a path wait."""
    today = visit.now.astimezone(visit.words.zone).date()
    first, last = visit.query.get("first", ""), visit.query.get("last", "")
    problem = ""
    try:
        found = _found(visit, key, _day(first) or today - USUAL, _day(last) or today)
    except NotValid as error:
        problem = visit.problem(error.problems[0].code, error.problems[0].params)
        found = _found(visit, key, today - USUAL, today)
    return _page(visit, found, first=first, last=last, problem=problem)


def _found(visit: Visit, key: str, first: date, last: date) -> Waiting:
    try:
        begin, end = (
            datetime.combine(day, time(0), tzinfo=visit.words.zone).astimezone(UTC)
            for day in (first, last + timedelta(days=1))
        )
    except OverflowError:
        raise NotValid([Problem(pointer="/first", code="not_a_date")]) from None
    return queries.where_cases_wait(visit.actor, visit.now, key, begin=begin, until=end)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotValid([Problem(pointer="/first", code="not_a_date")]) from None


def _page(visit: Visit, found: Waiting, *, first: str, last: str, problem: str) -> Response:
    may_list = visit.may("case.read") or visit.may("case.overview")
    digits = {ord(str(n)): visit.words.number(n) for n in range(10)}
    return visit.show(
        "studio/waiting.html",
        status=422 if problem else 200,
        found=found,
        drawing=queries.draw_waiting(found, language=visit.language, digits=digits, linked=may_list),
        may_list=may_list,
        organisations=names(visit).organisations,
        took=lambda seconds: _took(visit, seconds),
        share=lambda figures: _share(visit, figures.late, figures.completed),
        first=first or found.begin.astimezone(visit.words.zone).date().isoformat(),
        last=last or (found.until - timedelta(seconds=1)).astimezone(visit.words.zone).date().isoformat(),
        problem=problem,
    )


def _took(visit: Visit, seconds: int | None) -> str:
    """Write a length of time: hours up to two days, then whole days."""
    if seconds is None:
        return "–"
    if seconds < _HOUR:
        return visit.words.t("waiting.under_an_hour")
    if seconds < _DAYS_FROM:
        return visit.words.t("waiting.hours", n=round(seconds / _HOUR))
    return visit.words.t("waiting.days", n=round(seconds / (24 * _HOUR)))


def _share(visit: Visit, late: int | None, completed: int | None) -> str:
    if late is None or not completed:
        return "–"
    return visit.words.t("waiting.percent", share=round(100 * late / completed))


@waiting.get("/studio/paths/<key>/waiting/<step>")
def show_cases(visit: Visit, key: str, step: str) -> Answer:
    """List the cases that wait at a step and that the visitor may know of."""
    today = visit.now.astimezone(visit.words.zone).date()
    found = _found(visit, key, today - USUAL, today)
    shown: Mapping[str, object] = {one.id: one for one in found.steps}
    listed, cursor = f"waiting:{key}:{step}", visit.query.get("after")
    page = queries.waiting_cases(
        visit.actor,
        visit.now,
        key,
        step,
        after=cursors.read_cursor(listed, cursor) if cursor else None,
        limit=_ROWS,
    )
    following = cursors.write_cursor(listed, page.next_key) if page.next_key else None
    return visit.show(
        "studio/waiting_cases.html",
        found=found,
        step=shown.get(step),
        rows=page.items,
        names=names(visit),
        next_page=f"/studio/paths/{key}/waiting/{step}?after={following}" if following else None,
    )
