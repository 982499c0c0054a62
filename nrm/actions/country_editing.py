"""Change the country's data in the product: codes, holidays, settings and decision tables.

A path keeps the settings and tables that it was published with, so that no running case changes its rules; a change
counts for what is published afterwards. Codes and holidays count at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, cast

from sqlalchemy import update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.pack_editing import (
    Edited,
    cleaned,
    hold_pack,
    must_be_seen,
    read_names,
    refuse,
    refuse_bad_names,
    tell,
)
from nrm.actions.path_loading import pack_resources
from nrm.countries import Code, Item, ItemKind, Json
from nrm.countries.editing import Difference, differences, entry_json, read_entry
from nrm.engine.durations import parse_duration
from nrm.engine.parsing import compile_path
from nrm.engine.table_grids import read_grid, write_grid
from nrm.engine.tables import read_table
from nrm.errors import AlreadyDone, NotFound, NotValid, Problem
from nrm.models import CodeEntry, PackItem
from nrm.queries import packs
from nrm.queries.decision_tables import PathUse, uses_of_setting, uses_of_table
from nrm.queries.pack_entries import PACK, stamp_of
from nrm.queries.pack_rows import Stored, StoredPack, read_stored
from nrm.rules.deadlines import parse_calendar
from nrm.rules.decision_grids import Grid
from nrm.rules.texts import is_code

_LARGEST: Final = 10_000
_NEAR: Final = timedelta(days=3653)
"""A holiday lies at most ten years away: what is further off is a slip of the pen."""


@action("code.change", permission=PACK)
def change_code(work: Work, list_name: str, code: str, *, changes: Mapping[str, Json], seen: str) -> Edited:
    """Change the words of a code, or whether it may still be chosen; what was answered with it stays.

    Args:
        work: the transaction.
        list_name: the code list.
        code: the code.
        changes: new "names" or "active".
        seen: stamp of what the changes were made from.

    Raises:
        NotFound: there is no such code.
        NotValid: a word is missing or wrong, by pointer.
        Conflict: "changed_since".
    """
    hold_pack(work)
    key = f"{list_name}/{code}"
    row = read_stored(work.session).codes.get(key)
    if row is None:
        raise NotFound
    must_be_seen(seen, stamp_of(row))
    before = entry_json(row.entry)
    wanted = {name: value for name, value in cleaned(changes).items() if name in {"names", "active"}}
    entry = _read_code({**before, **wanted}, row.entry)
    found = differences(before, entry_json(entry))
    if found:
        change = update(CodeEntry).where(CodeEntry.id == row.id)
        work.session.execute(change.values(names=dict(entry.names), active=entry.active))
    return tell(work, "pack.changed", "code", key, found)


@action("code.add", permission=PACK)
def add_code(work: Work, list_name: str, *, data: Mapping[str, Json]) -> Edited:
    """Add a code at the end of a list.

    Raises:
        NotFound: there is no such list.
        NotValid: the code is taken or wrong, or a word is missing, by pointer.
    """
    hold_pack(work)
    codes = [row.entry for row in read_stored(work.session).codes.values() if row.entry.list == list_name]
    if not codes:
        raise NotFound
    values = cleaned(data)
    blank = Code(list=list_name, code="", names={}, position=max(one.position for one in codes) + 1)
    entry = _read_code(values, blank)
    if not is_code(entry.code):
        raise NotValid([Problem(pointer="/code", code="bad_code")])
    if entry.code in {one.code for one in codes}:
        raise NotValid([Problem(pointer="/code", code="code_taken")])
    work.add(
        CodeEntry,
        id=ids.new_id("cod"),
        list=list_name,
        code=entry.code,
        names=dict(entry.names),
        extra={},
        position=entry.position,
        active=True,
    )
    return tell(work, "pack.changed", "code", f"{list_name}/{entry.code}", differences({}, entry_json(entry)))


def _read_code(data: Mapping[str, Json], like: Code) -> Code:
    entry, problems = read_entry("code", data, code=like)
    refuse(problems)
    if not isinstance(entry, Code):
        raise NotFound
    refuse_bad_names(entry.names)
    return replace(entry, extra=like.extra)


@action("holiday.add", permission=PACK)
def add_holiday(work: Work, calendar: str, *, day: date, names: Mapping[str, Json]) -> Edited:
    """Add a day without work to a calendar; deadlines that begin from now on leave it out.

    Args:
        work: the transaction.
        calendar: key of the calendar.
        day: the day, within ten years of today.
        names: what it is called, in each language.

    Raises:
        NotFound: there is no such calendar.
        NotValid: the day is too far away, or a name is missing, by pointer.
        AlreadyDone: it is a holiday already.
    """
    hold_pack(work)
    row = _item(work, ItemKind.CALENDAR, calendar)
    today = work.now.astimezone(packs.pack().zone).date()
    if abs(day - today) > _NEAR:
        raise NotValid([Problem(pointer="/day", code="too_far_away")])
    words = read_names(names)
    content = _content(row)
    holidays = _days(content)
    if any(_date_of(one) == day.isoformat() for one in holidays):
        raise AlreadyDone("holiday_exists")
    fresh: dict[str, Json] = {"date": day.isoformat(), "names": cast("dict[str, Json]", words), "verified": True}
    return _keep_days(work, calendar, row, [*holidays, fresh], told=((day.isoformat(), "", words["en"]),))


@action("holiday.remove", permission=PACK)
def remove_holiday(work: Work, calendar: str, *, day: date) -> Edited:
    """Make a holiday a working day again.

    Raises:
        NotFound: there is no such calendar, or the day is no holiday in it.
    """
    hold_pack(work)
    row = _item(work, ItemKind.CALENDAR, calendar)
    holidays = _days(_content(row))
    left = [one for one in holidays if _date_of(one) != day.isoformat()]
    if len(left) == len(holidays):
        raise NotFound
    gone = next(one for one in holidays if _date_of(one) == day.isoformat())
    names = gone.get("names") if isinstance(gone, dict) else None
    word = str(names.get("en", "")) if isinstance(names, dict) else ""
    return _keep_days(work, calendar, row, left, told=((day.isoformat(), word or day.isoformat(), ""),))


def _date_of(one: Json) -> str:
    return str(one.get("date")) if isinstance(one, dict) else str(one)


def _days(content: Mapping[str, Json]) -> list[Json]:
    days = content.get("holidays", [])
    return list(days) if isinstance(days, list) else []


def _keep_days(
    work: Work, calendar: str, row: Stored[Item], days: list[Json], *, told: Iterable[tuple[str, str, str]]
) -> Edited:
    content = {**_content(row), "holidays": sorted(days, key=_date_of)}
    parse_calendar(content)
    _save(work, ItemKind.CALENDAR, calendar, content)
    return tell(
        work,
        "pack.changed",
        "item",
        f"{ItemKind.CALENDAR}/{calendar}",
        [Difference(place=place, before=before, after=after) for place, before, after in told],
    )


@action("setting.change", permission=PACK)
def change_setting(work: Work, key: str, *, value: str, seen: str) -> Edited:
    """Change a setting; a length of time stays one, a number stays one, a role stays one.

    Args:
        work: the transaction.
        key: the setting.
        value: the new value as text ("P30D", "3").
        seen: stamp of what the change was made from.

    Raises:
        NotFound: there is no such setting.
        NotValid: the value is of another kind.
        BadPath: a path that names it could not run with it.
        Conflict: "changed_since".
    """
    hold_pack(work)
    stored = read_stored(work.session)
    row = _item(work, ItemKind.SETTING, key, stored)
    must_be_seen(seen, stamp_of(row))
    before = _content(row)
    text = str(cleaned({"value": value})["value"] or "")
    code = _setting_problem(str(before.get("value", "")), text)
    if code:
        raise NotValid([Problem(pointer="/value", code=code, params={"most": _LARGEST, "least": 0})])
    after = {**before, "value": text}
    found = differences(dict(before), after)
    if found:
        _must_run(stored, ItemKind.SETTING, key, after, uses_of_setting(key))
        _save(work, ItemKind.SETTING, key, after)
    return tell(work, "pack.changed", "item", f"{ItemKind.SETTING}/{key}", found)


def _setting_problem(old: str, new: str) -> str:
    """Say what is wrong with a new value, by the kind of the old one; "" for nothing."""
    if parse_duration(old) is not None:
        return "" if parse_duration(new) is not None else "not_a_duration"
    if old.isdigit():
        right = new.isascii() and new.isdigit() and len(new) <= len(str(_LARGEST)) and int(new) <= _LARGEST
        return "" if right else "not_an_integer"
    roles = packs.pack().roles
    return "unknown_role" if old in roles and new not in roles else "" if new else "required"


@action("table.change", permission=PACK)
def change_table(work: Work, key: str, *, grid: Grid, seen: str) -> Edited:
    """Change a decision table; it is written as DMN and read by the reader that runs decide with.

    Args:
        work: the transaction.
        key: the table.
        grid: its rows and columns.
        seen: stamp of what the change was made from.

    Raises:
        NotFound: there is no such table.
        NotValid: a text in it hides something or is too long.
        BadPath: a cell cannot be read, or a path that decides by it could not run with it.
        Conflict: "changed_since".
    """
    hold_pack(work)
    stored = read_stored(work.session)
    row = _item(work, ItemKind.TABLE, key, stored)
    must_be_seen(seen, stamp_of(row))
    before = read_grid(key, str(row.entry.content))
    cleaned({str(number): [line.description, *line.cells, *line.results] for number, line in enumerate(grid.lines)})
    text = write_grid(key, grid)
    read_table(key, text)
    found = differences(_lines_of(before), _lines_of(grid))
    if found:
        _must_run(stored, ItemKind.TABLE, key, text, uses_of_table(key))
        _save(work, ItemKind.TABLE, key, text)
    return tell(work, "pack.changed", "item", f"{ItemKind.TABLE}/{key}", found)


def _lines_of(grid: Grid) -> dict[str, Json]:
    """Give a table as texts, a row each, to tell what differs."""
    rows = {
        f"rule {number}": f"{' | '.join(line.cells)} → {' | '.join(line.results)}  {line.description}".strip()
        for number, line in enumerate(grid.lines, start=1)
    }
    return {"policy": grid.policy, **rows}


def _must_run(stored: StoredPack, kind: ItemKind, key: str, content: Json, uses: Iterable[PathUse]) -> None:
    """Parse the paths that read an item with its new content.

    Raises:
        BadPath: one could not run.
    """
    changed = Item(kind=kind, key=key, content=content)
    resources = pack_resources([row.entry for name, row in stored.items.items() if name != f"{kind}/{key}"] + [changed])
    for use in uses:
        compile_path(use.diagram.encode(), resources=resources)


def _item(work: Work, kind: ItemKind, key: str, stored: StoredPack | None = None) -> Stored[Item]:
    row = (stored or read_stored(work.session)).items.get(f"{kind}/{key}")
    if row is None:
        raise NotFound
    return row


def _content(row: Stored[Item]) -> dict[str, Json]:
    return row.entry.content if isinstance(row.entry.content, dict) else {}


def _save(work: Work, kind: ItemKind, key: str, content: Json) -> None:
    change = update(PackItem).where(PackItem.kind == str(kind), PackItem.key == key)
    work.session.execute(change.values(content=content, updated_at=work.now, version=PackItem.version + 1))
