"""The directory, for those who keep it: organisations with their desks, services and sharing agreements."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response

from api.pages.codes import label, labels, sayers
from api.pages.kit.visits import Answer, Pages, Visit, own_names, see
from api.pages.kit.words import NoText
from api.pages.records import Blank, filled, read_sent
from api.pages.users import Trouble
from nrm.actions.directory_editing import KINDS, add_entry, change_entry
from nrm.countries import Json
from nrm.countries.editing import differences
from nrm.errors import Conflict, NotFound, NotValid, Problem
from nrm.i18n import say
from nrm.queries import packs
from nrm.queries.directory_scope import DIRECTORY, area_of
from nrm.queries.pack_entries import EntryView, directory_entries, directory_entry, entry_history
from nrm.vocabulary import Channel, Visibility

directory_admin = Pages("directory_admin")


@directory_admin.get("/admin/directory", permission=DIRECTORY)
def list_organisations(visit: Visit) -> Answer:
    """List the organisations, those that are retired last."""
    found = directory_entries(visit.actor)
    text = visit.query.get("text", "").strip().casefold()[:100]
    rows = [
        one
        for one in found["organisation"]
        if not text or text in one.key.casefold() or any(text in name.casefold() for name in names_of(one).values())
    ]
    counts = {
        kind: {one.key: sum(1 for each in found[kind] if each.under == one.key) for one in rows}
        for kind in ("desk", "service", "agreement")
    }
    return visit.show(
        "admin/directory.html",
        rows=sorted(rows, key=lambda one: (one.data.get("active") is False, visit.words.name(names_of(one)))),
        counts=counts,
        text=visit.query.get("text", ""),
        whole=area_of(visit.actor) is None,
        kind_name=lambda kind: _kind_name(visit, kind),
        **sayers(visit),
    )


def names_of(one: EntryView) -> dict[str, str]:
    """Give the names of an entry, by language."""
    names = one.data.get("names")
    return {str(key): str(text) for key, text in names.items()} if isinstance(names, dict) else {}


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise NotFound
    return kind


@directory_admin.get("/admin/directory/<kind>", permission=DIRECTORY)
def show(visit: Visit, kind: str) -> Answer:
    """Show an entry with its form and its history."""
    found = directory_entry(visit.actor, _kind(kind), visit.query.get("key", ""))
    return _page(visit, found, found.data)


@directory_admin.post("/admin/directory/<kind>", permission=DIRECTORY)
def change(visit: Visit, kind: str) -> Answer:
    """Change an entry."""
    found = directory_entry(visit.actor, _kind(kind), visit.query.get("key", ""))
    sent = read_sent(_blanks(visit, kind), visit.form)
    try:
        change_entry(visit.actor, kind, found.key, changes=sent, seen=visit.text("seen")[:64])
    except NotValid as error:
        return _page(visit, found, {**found.data, **sent}, trouble=trouble_of(visit, error.problems))
    except Conflict as error:
        return _page(visit, directory_entry(visit.actor, kind, found.key), {**found.data, **sent}, conflict=error)
    return see(_address(kind, found.key, done="1"))


def _address(kind: str, key: str, **more: str) -> str:
    return f"/admin/directory/{kind}?" + urlencode({"key": key, **more})


def _page(
    visit: Visit,
    found: EntryView,
    data: Mapping[str, Json],
    *,
    trouble: Trouble | None = None,
    conflict: Conflict | None = None,
) -> Response:
    blanks = _blanks(visit, found.kind)
    stale = conflict is not None and conflict.code == "changed_since"
    everything = directory_entries(visit.actor) if found.kind == "organisation" else {}
    return visit.show(
        "admin/entry.html",
        status=409 if conflict else 422 if trouble else 200,
        entry=found,
        title=_title(visit, found),
        blanks=blanks,
        filled=filled(blanks, data),
        trouble=trouble,
        conflict=visit.problem(conflict.code, conflict.params) if conflict else "",
        # What somebody else stored meanwhile, beside what was typed.
        stored=[one for one in differences(dict(data), dict(found.data)) if one.after] if stale else [],
        action=_address(found.kind, found.key),
        home=None if found.kind == "organisation" else _address("organisation", found.under),
        home_text=visit.words.t("directory.organisation_page"),
        inner={kind: [one for one in rows if one.under == found.key] for kind, rows in everything.items()},
        title_of=lambda one: _title(visit, one),
        address=_address,
        history=entry_history(visit.actor, found.kind, found.key),
        done=visit.query.get("done") == "1",
        freezes=found.kind == "service",
        **sayers(visit),
    )


def _title(visit: Visit, one: EntryView) -> str:
    if one.kind == "agreement":
        return visit.words.t("directory.agreement_of", day=one.key.rpartition("/")[2])
    return visit.words.name(names_of(one)) or one.key


def trouble_of(visit: Visit, problems: tuple[Problem, ...]) -> Trouble:
    """Say what is wrong with each field; words of the check of packs where the errors have none."""
    told: dict[str, str] = {}
    for one in problems:
        name = one.pointer.strip("/").partition("/")[0]
        params = {key: own_names().get(str(text), text) for key, text in one.params.items()}
        words = say("packs", one.code, visit.language, params) or visit.problem(one.code, one.params)
        told[name] = " ".join(dict.fromkeys(filter(None, (told.get(name), words))))
    return Trouble(form="entry", told=told)


@directory_admin.get("/admin/directory/<kind>/new", permission=DIRECTORY)
def show_new(visit: Visit, kind: str) -> Answer:
    """Ask for a new entry."""
    return _new(visit, _kind(kind), {})


@directory_admin.post("/admin/directory/<kind>/new", permission=DIRECTORY)
def add(visit: Visit, kind: str) -> Answer:
    """Add an entry."""
    sent = read_sent(_blanks(visit, _kind(kind), new=True), visit.form)
    try:
        added = add_entry(visit.actor, kind, data=sent, under=visit.query.get("under", "")[:64])
    except NotValid as error:
        return _new(visit, kind, sent, trouble=trouble_of(visit, error.problems))
    return see(_address(kind, added.key, done="1"))


def _new(visit: Visit, kind: str, data: Mapping[str, Json], *, trouble: Trouble | None = None) -> Response:
    under = visit.query.get("under", "")
    home = None if kind == "organisation" else directory_entry(visit.actor, "organisation", under)
    blanks = _blanks(visit, kind, new=True)
    return visit.show(
        "admin/entry_new.html",
        status=422 if trouble else 200,
        kind=kind,
        blanks=blanks,
        filled=filled(blanks, data),
        trouble=trouble,
        action=f"/admin/directory/{kind}/new?" + urlencode({"under": under})
        if home
        else f"/admin/directory/{kind}/new",
        home=home and (_address("organisation", home.key), _title(visit, home)),
    )


def _blanks(visit: Visit, kind: str, *, new: bool = False) -> list[Blank]:
    """Give the fields of an entry of a kind."""
    pack = packs.pack()
    say_name = visit.words.name
    languages = list(own_names().items())
    jurisdictions = [(key, say_name(_texts(one.get("names")))) for key, one in pack.jurisdictions.items()]
    roles = sorted(((key, say_name(named)) for key, named in pack.role_names.items()), key=lambda pair: pair[1])
    code = Blank(
        name="code", kind="latin", label="directory.code", hint="directory.code_hint", needed=True, fixed=not new
    )
    names = Blank(name="names", kind="texts", label="directory.names", needed=True)
    active = (
        []
        if new
        else [Blank(name="active", kind="flag", label=f"directory.active_{kind}", hint=f"directory.active_{kind}_says")]
    )
    where = [
        Blank(name="governorate", kind="choice", label="cases.governorate", choices=_governorates(visit)),
        Blank(name="jurisdiction", kind="choice", label="directory.jurisdiction", choices=jurisdictions),
    ]
    match kind:
        case "organisation":
            own = [
                Blank(name="kind", kind="choice", label="directory.kind", needed=True, choices=_kinds(visit)),
                Blank(name="jurisdiction", kind="choice", label="directory.jurisdiction", choices=jurisdictions),
                Blank(
                    name="channel",
                    kind="choice",
                    label="directory.channel",
                    needed=True,
                    choices=[(str(one), visit.words.t(f"directory.channel_{one}")) for one in Channel],
                ),
                Blank(name="email", kind="latin", label="directory.email", hint="directory.email_hint"),
                Blank(name="phone", kind="latin", label="directory.phone"),
                Blank(name="languages", kind="codes", label="directory.languages", choices=languages),
                Blank(name="letter_language", kind="choice", label="directory.letter_language", choices=languages),
            ]
        case "desk":
            own = [
                Blank(name="role", kind="choice", label="users.role", needed=True, choices=roles, fixed=not new),
                *where,
            ]
        case "agreement":
            return [
                Blank(name="signed_on", kind="day", label="directory.signed_on", needed=True, fixed=not new),
                Blank(name="expires_on", kind="day", label="directory.expires_on"),
                Blank(
                    name="categories",
                    kind="codes",
                    label="directory.categories",
                    hint="directory.categories_hint",
                    choices=labels(visit, "data_category"),
                ),
            ]
        case _:
            own = [
                Blank(
                    name="category",
                    kind="choice",
                    label="directory.category",
                    needed=True,
                    choices=labels(visit, "service_category"),
                ),
                Blank(name="description", kind="long_texts", label="directory.description"),
                Blank(name="desk", kind="choice", label="users.desk", choices=_desks(visit)),
                Blank(name="coverage", kind="places", label="directory.coverage", needed=True, groups=_places(visit)),
                Blank(name="languages", kind="codes", label="directory.languages", choices=languages),
                Blank(name="slots", kind="whole", label="directory.slots", hint="directory.slots_hint"),
                Blank(
                    name="visibility",
                    kind="choice",
                    label="directory.visibility",
                    needed=True,
                    choices=[(str(one), visit.words.t(f"directory.visibility_{one}")) for one in Visibility],
                ),
                Blank(name="valid_until", kind="day", label="directory.valid_until"),
            ]
    return [code, names, *own, *active]


def _texts(value: Json) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _kinds(visit: Visit) -> list[tuple[str, str]]:
    """Give the kinds of organisations that the directory has."""
    known = {str(one.data.get("kind", "")) for one in directory_entries(visit.actor)["organisation"]}
    return sorted(((one, _kind_name(visit, one)) for one in known), key=lambda pair: pair[1])


def _kind_name(visit: Visit, kind: Json) -> str:
    """Say the kind of an organisation; a kind that the country made up itself by its code."""
    try:
        return visit.words.t(f"directory.kind_{kind}")
    except NoText:
        return label(visit, "organisation_kind", kind)


def _governorates(visit: Visit) -> list[tuple[str, str]]:
    return [(key, words) for key, words, _ in _places(visit)]


def _places(visit: Visit) -> list[tuple[str, str, list[tuple[str, str]]]]:
    places = packs.pack().places.values()
    return [
        (
            one.key,
            visit.words.name(one.names),
            [(each.key, visit.words.name(each.names)) for each in places if each.parent == one.key],
        )
        for one in places
        if one.parent is None
    ]


def _desks(visit: Visit) -> list[tuple[str, str]]:
    """Give the desks of the organisation that the form is about."""
    under = visit.query.get("under") or visit.query.get("key", "")
    found = directory_entries(visit.actor)
    service = next((one for one in found["service"] if one.key == under), None)
    home = service.under if service else under
    return [(one.key, _title(visit, one)) for one in found["desk"] if one.under == home and one.data.get("active")]
