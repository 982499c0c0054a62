"""The country's data for those who keep them: codes, labels, holidays, settings, tables, and what was changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.schemas.pack import (
    AddCode,
    AddHoliday,
    ChangeCode,
    ChangeLabel,
    ChangeSetting,
    ChangeTable,
    HistoryQuery,
    LabelQuery,
)
from api.transport.endpoint import Ask, Noun
from nrm.actions import country_editing as actions
from nrm.actions.label_editing import change_label
from nrm.actions.pack_editing import Edited
from nrm.countries import ItemKind
from nrm.errors import NotFound
from nrm.queries import pack_entries as queries
from nrm.queries import pack_labels as labels
from nrm.queries.decision_tables import PathUse, table, uses_of_setting, uses_of_table
from nrm.queries.history import HistoryRow
from nrm.queries.pack_entries import PACK, EntryView
from nrm.rules.decision_grids import Grid, Line, with_lines

pack_data = Noun("pack_data")


@pack_data.get("/pack/codes/<list_name>", answer=tuple[EntryView, ...], permission=PACK)
def list_codes(ask: Ask, list_name: str) -> tuple[EntryView, ...]:
    """List the codes of a code list in their order, also those that are not offered any more."""
    found = queries.code_entries(ask.actor).get(list_name)
    if found is None:
        raise NotFound
    return found


@pack_data.get("/pack/codes/<list_name>/<code>", answer=EntryView, permission=PACK)
def read_code(ask: Ask, list_name: str, code: str) -> EntryView:
    """Read a code."""
    return _code(ask, list_name, code)


def _code(ask: Ask, list_name: str, code: str) -> EntryView:
    key = f"{list_name}/{code}"
    found = next((one for one in queries.code_entries(ask.actor).get(list_name, ()) if one.key == key), None)
    if found is None:
        raise NotFound
    return found


@pack_data.post("/pack/codes/<list_name>", body=AddCode, answer=Edited, status=201, permission=PACK)
def add_code(ask: Ask, list_name: str) -> Edited:
    """Add a code at the end of a code list."""
    return actions.add_code(ask.actor, list_name, data=ask.body)


@pack_data.patch("/pack/codes/<list_name>/<code>", body=ChangeCode, answer=EntryView, permission=PACK)
def change_code(ask: Ask, list_name: str, code: str) -> EntryView:
    """Change the words of a code, or whether it may still be chosen; what was answered with it stays."""
    actions.change_code(ask.actor, list_name, code, changes=ask.body, seen=ask.seen)
    return _code(ask, list_name, code)


@pack_data.get("/pack/labels", query=LabelQuery, answer=tuple[EntryView, ...], permission=PACK)
def list_labels(ask: Ask) -> tuple[EntryView, ...]:
    """List what states, verbs, stages, levels, roles and places are called; with `group` only one of these."""
    wanted = ask.query["group"]
    groups = labels.label_entries(ask.actor)
    return tuple(one for group, found in groups.items() if wanted in (None, group) for one in found)


@pack_data.get("/pack/labels/<group>/<code>", answer=EntryView, permission=PACK)
def read_label(ask: Ask, group: str, code: str) -> EntryView:
    """Read a label."""
    return labels.label_entry(ask.actor, group, code)


@pack_data.put("/pack/labels/<group>/<code>", body=ChangeLabel, answer=EntryView, permission=PACK)
def put_label(ask: Ask, group: str, code: str) -> EntryView:
    """Call something otherwise, in all languages; it counts at once."""
    change_label(ask.actor, group, code, names=ask.body["names"], seen=ask.seen)
    return labels.label_entry(ask.actor, group, code)


@pack_data.get("/pack/calendars", answer=tuple[EntryView, ...], permission=PACK)
def list_calendars(ask: Ask) -> tuple[EntryView, ...]:
    """List the working calendars with their holidays."""
    return queries.items(ask.actor, ItemKind.CALENDAR)


@pack_data.post(
    "/pack/calendars/<calendar>/holidays", body=AddHoliday, answer=Edited, status=201, permission=PACK, keyed=False
)
def add_holiday(ask: Ask, calendar: str) -> Edited:
    """Add a day without work; deadlines that begin from now on leave it out. A second time is refused."""
    return actions.add_holiday(ask.actor, calendar, **ask.body)


@pack_data.delete("/pack/calendars/<calendar>/holidays/<day>", permission=PACK)
def remove_holiday(ask: Ask, calendar: str, day: str) -> None:
    """Make a holiday a working day again."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise NotFound from None
    actions.remove_holiday(ask.actor, calendar, day=wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting.

    Attributes:
        entry: what it says.
        uses: the paths whose latest version names it; they keep the value that they were published with.
    """

    entry: EntryView
    uses: tuple[str, ...]

    @property
    def seen(self) -> str:
        """The stamp of the entry."""
        return self.entry.seen


def _keys(uses: tuple[PathUse, ...]) -> tuple[str, ...]:
    return tuple(one.key for one in uses)


@pack_data.get("/pack/settings", answer=tuple[EntryView, ...], permission=PACK)
def list_settings(ask: Ask) -> tuple[EntryView, ...]:
    """List the settings with what they are set to."""
    return queries.items(ask.actor, ItemKind.SETTING)


@pack_data.get("/pack/settings/<setting>", answer=Setting, permission=PACK)
def read_setting(ask: Ask, setting: str) -> Setting:
    """Read a setting, and which paths name it."""
    return _setting(ask, setting)


def _setting(ask: Ask, setting: str) -> Setting:
    return Setting(entry=queries.item(ask.actor, ItemKind.SETTING, setting), uses=_keys(uses_of_setting(setting)))


@pack_data.put("/pack/settings/<setting>", body=ChangeSetting, answer=Setting, permission=PACK)
def change_setting(ask: Ask, setting: str) -> Setting:
    """Change a setting; it stays of its kind (a length of time, a number, a role).

    Versions of paths that were published before keep the value that they were published with.
    """
    actions.change_setting(ask.actor, setting, value=ask.body["value"], seen=ask.seen)
    return _setting(ask, setting)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable:
    """A decision table as rows and columns of text.

    Attributes:
        seen: a stamp of it; a change is made from it.
        own: it was changed here since the pack was loaded.
        grid: its rows and columns.
        uses: the paths whose latest version decides by it; they keep the table that they were published with.
    """

    key: str
    seen: str
    own: bool
    grid: Grid
    uses: tuple[str, ...]


@pack_data.get("/pack/tables", answer=tuple[str, ...], permission=PACK)
def list_tables(ask: Ask) -> tuple[str, ...]:
    """List the keys of the decision tables."""
    return tuple(one.key.partition("/")[2] for one in queries.items(ask.actor, ItemKind.TABLE))


@pack_data.get("/pack/tables/<table_key>", answer=DecisionTable, permission=PACK)
def read_table(ask: Ask, table_key: str) -> DecisionTable:
    """Read a decision table."""
    return _table(ask, table_key)


def _table(ask: Ask, table_key: str) -> DecisionTable:
    entry, grid = table(ask.actor, table_key)
    return DecisionTable(key=table_key, seen=entry.seen, own=entry.own, grid=grid, uses=_keys(uses_of_table(table_key)))


@pack_data.put("/pack/tables/<table_key>", body=ChangeTable, answer=DecisionTable, permission=PACK)
def change_table(ask: Ask, table_key: str) -> DecisionTable:
    """Replace all rules of a decision table; its columns stay. The reader that paths decide with checks it.

    A cell is a test ("-" for any value), a result an expression. Versions of paths that were published before keep
    the table that they were published with.
    """
    _, stored = table(ask.actor, table_key)
    lines = tuple(
        Line(description=one["description"], cells=tuple(one["cells"]), results=tuple(one["results"]))
        for one in ask.body["lines"]
    )
    grid = with_lines(stored, lines, policy=ask.body.get("policy"))
    actions.change_table(ask.actor, table_key, grid=grid, seen=ask.seen)
    return _table(ask, table_key)


@pack_data.get("/pack/history", query=HistoryQuery, answer=tuple[HistoryRow, ...])
def read_history(ask: Ask) -> tuple[HistoryRow, ...]:
    """Read what was changed about an entry, the latest first.

    Kinds are organisation, desk, service, agreement, code ("list/code"), label ("group/code") and item
    ("setting/…", "table/…", "calendar/…"). What a mailbox or telephone was before is not kept.
    """
    kind = ask.query["kind"]
    return queries.entry_history(ask.actor, kind, ask.query["key"])
