"""The country's data, for those who keep them: code lists, holidays and settings."""

from __future__ import annotations

from datetime import date
from typing import Final
from urllib.parse import urlencode

from flask import Response

from api.pages.directory_admin import names_of, trouble_of
from api.pages.kit.visits import Answer, Pages, Visit, own_names, see
from api.pages.records import Blank, filled, read_sent
from api.pages.users import Trouble
from nrm.actions import country_editing as actions
from nrm.countries import ItemKind, Json
from nrm.countries.editing import differences
from nrm.errors import AlreadyDone, BadPath, Conflict, NotFound, NotValid, Problem
from nrm.queries.decision_tables import uses_of_setting
from nrm.queries.pack_entries import PACK, EntryView, code_entries, entry_history, item, items

country = Pages("country")

_BLANKS: Final = (Blank(name="names", kind="texts", label="country.words", needed=True),)
_ACTIVE: Final = Blank(name="active", kind="flag", label="country.active", hint="country.active_says")
_CODE: Final = Blank(name="code", kind="latin", label="directory.code", hint="directory.code_hint", needed=True)


@country.get("/admin/codes", permission=PACK)
def list_codes(visit: Visit) -> Answer:
    """List the code lists, and the codes of the one that was chosen."""
    lists = code_entries(visit.actor)
    chosen = visit.query.get("list", "")
    named = {one.key.partition("/")[2]: names_of(one) for one in items(visit.actor, ItemKind.CODE_LIST)}
    return visit.show(
        "admin/codes.html",
        lists=sorted(
            ((key, _list_name(visit, key, named), len(rows)) for key, rows in lists.items()), key=lambda row: row[1]
        ),
        chosen=chosen if chosen in lists else "",
        chosen_name=_list_name(visit, chosen, named),
        rows=lists.get(chosen, ()),
    )


def _list_name(visit: Visit, key: str, named: dict[str, dict[str, str]]) -> str:
    return visit.words.name(named.get(key)) or key


def _code(visit: Visit) -> EntryView:
    key = visit.query.get("key", "")
    found = next((one for one in code_entries(visit.actor).get(key.partition("/")[0], ()) if one.key == key), None)
    if found is None:
        raise NotFound
    return found


@country.get("/admin/codes/edit", permission=PACK)
def show_code(visit: Visit) -> Answer:
    """Show a code with its words."""
    found = _code(visit)
    return _code_page(visit, found, dict(found.data))


@country.post("/admin/codes/edit", permission=PACK)
def change_code(visit: Visit) -> Answer:
    """Change the words of a code, or whether it may be chosen."""
    found = _code(visit)
    sent = read_sent((*_BLANKS, _ACTIVE), visit.form)
    list_name, _, code = found.key.partition("/")
    try:
        actions.change_code(visit.actor, list_name, code, changes=sent, seen=visit.text("seen")[:64])
    except NotValid as error:
        return _code_page(visit, found, {**found.data, **sent}, trouble=trouble_of(visit, error.problems))
    except Conflict as error:
        return _code_page(visit, _code(visit), {**found.data, **sent}, conflict=error)
    return see("/admin/codes/edit?" + urlencode({"key": found.key, "done": "1"}))


def _code_page(
    visit: Visit,
    found: EntryView,
    data: dict[str, Json],
    *,
    trouble: Trouble | None = None,
    conflict: Conflict | None = None,
) -> Response:
    blanks = (*_BLANKS, _ACTIVE)
    stale = conflict is not None and conflict.code == "changed_since"
    return visit.show(
        "admin/entry.html",
        status=409 if conflict else 422 if trouble else 200,
        entry=found,
        title=visit.words.name(names_of(found)) or found.key,
        blanks=blanks,
        filled=filled(blanks, data),
        trouble=trouble,
        conflict=visit.problem(conflict.code, conflict.params) if conflict else "",
        stored=[one for one in differences(data, dict(found.data)) if one.after] if stale else [],
        action="/admin/codes/edit?" + urlencode({"key": found.key}),
        home="/admin/codes?" + urlencode({"list": found.under}),
        home_text=visit.words.t("admin.codes"),
        inner={},
        history=entry_history(visit.actor, "code", found.key),
        done=visit.query.get("done") == "1",
        freezes=False,
    )


@country.get("/admin/codes/new", permission=PACK)
def show_new_code(visit: Visit) -> Answer:
    """Ask for a new code of a list."""
    return _new_code(visit, {})


@country.post("/admin/codes/new", permission=PACK)
def add_code(visit: Visit) -> Answer:
    """Add a code to a list."""
    sent = read_sent((_CODE, *_BLANKS), visit.form)
    try:
        added = actions.add_code(visit.actor, visit.query.get("list", "")[:64], data=sent)
    except NotValid as error:
        return _new_code(visit, sent, trouble=trouble_of(visit, error.problems))
    return see("/admin/codes/edit?" + urlencode({"key": added.key, "done": "1"}))


def _new_code(visit: Visit, data: dict[str, Json], *, trouble: Trouble | None = None) -> Response:
    chosen = visit.query.get("list", "")
    if chosen not in code_entries(visit.actor):
        raise NotFound
    blanks = (_CODE, *_BLANKS)
    address = urlencode({"list": chosen})
    return visit.show(
        "admin/entry_new.html",
        status=422 if trouble else 200,
        kind="code",
        blanks=blanks,
        filled=filled(blanks, data),
        trouble=trouble,
        action=f"/admin/codes/new?{address}",
        home=(f"/admin/codes?{address}", visit.words.t("admin.codes")),
    )


@country.get("/admin/holidays", permission=PACK)
def list_holidays(visit: Visit) -> Answer:
    """List the days without work of each calendar."""
    return _holidays(visit)


def _holidays(visit: Visit, trouble: Trouble | None = None) -> Response:
    calendars = items(visit.actor, ItemKind.CALENDAR)
    return visit.show(
        "admin/holidays.html",
        status=422 if trouble else 200,
        calendars=[
            (
                one.key.partition("/")[2],
                visit.words.name(names_of(one)),
                _days(one, visit),
                entry_history(visit.actor, "item", one.key),
            )
            for one in calendars
        ],
        trouble=trouble,
        form=visit.form,
        languages=own_names(),
        today=visit.now.astimezone(visit.words.zone).date(),
        done=visit.query.get("done") == "1",
    )


def _days(calendar: EntryView, visit: Visit) -> list[tuple[date, str]]:
    """Give the days of a calendar, the coming ones first."""
    found = []
    days = calendar.data.get("holidays")
    for one in days if isinstance(days, list) else []:
        names = one.get("names") if isinstance(one, dict) else None
        words = {str(key): str(text) for key, text in names.items()} if isinstance(names, dict) else {}
        found.append(
            (date.fromisoformat(str(one.get("date") if isinstance(one, dict) else one)), visit.words.name(words))
        )
    today = visit.now.astimezone(visit.words.zone).date()
    return sorted(found, key=lambda pair: (pair[0] < today, pair[0]))


@country.post("/admin/holidays/<calendar>", permission=PACK)
def add_holiday(visit: Visit, calendar: str) -> Answer:
    """Add a day without work."""
    form = f"holiday-{calendar}"
    try:
        day = date.fromisoformat(visit.text("day"))
    except ValueError:
        told = {"day": visit.problem("not_a_date")}
        return _holidays(visit, Trouble(form=form, told=told))
    names = {language: visit.text(f"names.{language}") for language in own_names()}
    try:
        actions.add_holiday(visit.actor, calendar, day=day, names=names)
    except NotValid as error:
        return _holidays(visit, Trouble(form=form, told=trouble_of(visit, error.problems).told))
    except AlreadyDone as error:
        return _holidays(visit, Trouble(form=form, told={"day": visit.problem(error.code)}))
    return see("/admin/holidays?done=1")


@country.post("/admin/holidays/<calendar>/<day>/remove", permission=PACK)
def remove_holiday(visit: Visit, calendar: str, day: str) -> Answer:
    """Make a holiday a working day again."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise NotFound from None
    actions.remove_holiday(visit.actor, calendar, day=wanted)
    return see("/admin/holidays?done=1")


@country.get("/admin/settings", permission=PACK)
def list_settings(visit: Visit) -> Answer:
    """List the settings with what they are set to."""
    return visit.show(
        "admin/settings.html",
        rows=[
            (one, one.key.partition("/")[2], visit.words.name(names_of(one)))
            for one in items(visit.actor, ItemKind.SETTING)
        ],
    )


@country.get("/admin/settings/<key>", permission=PACK)
def show_setting(visit: Visit, key: str) -> Answer:
    """Show a setting, and which paths read it."""
    return _setting(visit, key)


def _setting(visit: Visit, key: str, *, wrong: tuple[str, ...] = (), status: int = 200) -> Response:
    found = item(visit.actor, ItemKind.SETTING, key)
    return visit.show(
        "admin/setting.html",
        status=status,
        entry=found,
        key=key,
        title=visit.words.name(names_of(found)) or key,
        value=visit.text("value") if wrong else str(found.data.get("value", "")),
        wrong=wrong,
        uses=[visit.words.name(one.names) for one in uses_of_setting(key)],
        history=entry_history(visit.actor, "item", found.key),
        done=visit.query.get("done") == "1",
    )


@country.post("/admin/settings/<key>", permission=PACK)
def change_setting(visit: Visit, key: str) -> Answer:
    """Change a setting."""
    try:
        actions.change_setting(visit.actor, key, value=visit.text("value")[:200], seen=visit.text("seen")[:64])
    except NotValid as error:
        return _setting(visit, key, wrong=said(visit, error.problems), status=422)
    except BadPath as error:
        return _setting(visit, key, wrong=findings_of(visit, error), status=422)
    except Conflict as error:
        return _setting(visit, key, wrong=(visit.problem(error.code, error.params),), status=409)
    return see(f"/admin/settings/{key}?done=1")


def said(visit: Visit, problems: tuple[Problem, ...]) -> tuple[str, ...]:
    """Say mistakes, each once."""
    return tuple(dict.fromkeys(visit.problem(one.code, one.params) for one in problems))


def findings_of(visit: Visit, error: BadPath) -> tuple[str, ...]:
    """Say what is wrong with a table or diagram, each finding once."""
    told = [(str(getattr(one, "code", "")), getattr(one, "params", {})) for one in error.findings]
    return tuple(dict.fromkeys(visit.finding(code, params) for code, params in told))
