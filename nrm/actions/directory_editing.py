"""Change the directory in the product: organisations, desks, services and sharing agreements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from sqlalchemy import ColumnElement, delete, func, select, update

from nrm import countries, ids
from nrm.actions._action import Work, action
from nrm.actions.pack_editing import Edited, cleaned, hold_pack, must_be_seen, refuse, refuse_bad_names, tell
from nrm.countries import Json
from nrm.countries.editing import Entry, differences, entry_json, read_entry
from nrm.db import Base
from nrm.errors import Conflict, NotAllowed, NotFound, NotValid, Problem
from nrm.models import Case, Desk, Organisation, Referral, Service, ServiceCoverage, SharingAgreement, Task
from nrm.queries import packs
from nrm.queries.directory_scope import DIRECTORY, may_change
from nrm.queries.pack_entries import stamp_of
from nrm.queries.pack_rows import INVENTED, Stored, StoredPack, entry_key, read_stored
from nrm.rules.letters import DIGITS
from nrm.rules.statuses import TERMINAL
from nrm.vocabulary import CaseStatus, Language, TaskStatus, Visibility

KINDS: Final = ("organisation", "desk", "service", "agreement")
_FIXED: Final[Mapping[str, frozenset[str]]] = {
    "organisation": frozenset({"code"}),
    "desk": frozenset({"code", "role"}),
    "service": frozenset({"code", "organisation", "livemode"}),
    "agreement": frozenset({"signed_on"}),
}
"""What an entry is known by: it never changes."""
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,}")
_LONGEST: Final = {"names": 200, "description": 2_000, "email": 254, "phone": 40, "eligibility": 500, "kind": 64}
_MODELS: Final[Mapping[str, type[Base]]] = {
    "organisation": Organisation,
    "desk": Desk,
    "service": Service,
    "agreement": SharingAgreement,
}
_PREFIXES: Final = {"organisation": "org", "desk": "dsk", "service": "svc", "agreement": "agr"}


@action("directory.change", permission=DIRECTORY)
def change_entry(work: Work, kind: str, key: str, *, changes: Mapping[str, Json], seen: str) -> Edited:
    """Change an entry of the directory; what is not among the changes stays.

    Args:
        work: the transaction.
        kind: one of `KINDS`.
        key: its key (`nrm.queries.pack_rows.entry_key`).
        changes: new values as in a file of the pack; None takes a value away.
        seen: stamp of what the changes were made from.

    Raises:
        NotFound: there is no such entry.
        NotAllowed: "outside_your_area", before or after the change.
        NotValid: a value is wrong, by pointer.
        Conflict: "changed_since", or something open has to be ended before it can be retired.
    """
    hold_pack(work)
    stored = read_stored(work.session)
    row = _rows(stored, kind).get(key)
    if row is None:
        raise NotFound
    _must_keep(work, row.entry, stored)
    must_be_seen(seen, stamp_of(row))
    wanted = {name: value for name, value in cleaned(changes).items() if name not in _FIXED[kind]}
    before = entry_json(row.entry)
    entry = _read(kind, {**before, **wanted}, stored, under=getattr(row.entry, "organisation", ""))
    _must_keep(work, entry, stored)
    if getattr(row.entry, "active", True) and not getattr(entry, "active", True):
        _must_be_idle(work, kind, row.id, entry)
    found = differences(before, entry_json(entry))
    if found:
        _save(work, kind, row.id, entry, stored)
    return tell(work, "directory.changed", kind, key, found)


@action("directory.add", permission=DIRECTORY)
def add_entry(work: Work, kind: str, *, data: Mapping[str, Json], under: str = "") -> Edited:
    """Add an entry to the directory.

    Args:
        work: the transaction.
        kind: one of `KINDS`.
        data: its values as in a file of the pack.
        under: code of the organisation of a desk, service or agreement.

    Raises:
        NotFound: there is no such kind or organisation.
        NotAllowed: "outside_your_area".
        NotValid: a value is wrong or missing, or the code is taken, by pointer.
    """
    hold_pack(work)
    stored = read_stored(work.session)
    if kind != "organisation" and under not in stored.organisations:
        raise NotFound
    values = cleaned(data)
    if kind == "service":
        values["organisation"] = under
    entry = _read(kind, values, stored, under=under)
    _must_keep(work, entry, stored)
    key = entry_key(entry)
    if key in _rows(stored, kind) or key.startswith(INVENTED):
        raise NotValid([Problem(pointer="/signed_on" if kind == "agreement" else "/code", code="code_taken")])
    _save(work, kind, None, entry, stored)
    return tell(work, "directory.changed", kind, key, differences({}, entry_json(entry)))


def _must_keep(work: Work, entry: Entry, stored: StoredPack) -> None:
    """Stop whoever does not keep the directory where an entry counts.

    Raises:
        NotAllowed: "outside_your_area".
    """
    if not may_change(work.actor, entry, stored):
        raise NotAllowed("outside_your_area")


def _rows(stored: StoredPack, kind: str) -> Mapping[str, Stored[Entry]]:
    rows = {
        "organisation": stored.organisations,
        "desk": stored.desks,
        "service": stored.services,
        "agreement": stored.agreements,
    }.get(kind)
    if rows is None:
        raise NotFound
    return cast("Mapping[str, Stored[Entry]]", rows)


def _read(kind: str, data: Mapping[str, Json], stored: StoredPack, *, under: str) -> Entry:
    """Read an entry with the reader of packs, and look whether all that it names is there.

    Raises:
        NotValid: by pointer.
    """
    home = stored.organisations.get(under)
    entry, problems = read_entry(kind, data, under=home.entry if home else None)
    refuse(problems)
    assert entry is not None  # noqa: S101 - there were no problems
    wrong = [*_too_long(data), *_unknown(entry, stored)]
    if wrong:
        raise NotValid(wrong)
    refuse_bad_names(getattr(entry, "names", {}))
    return entry


def _too_long(data: Mapping[str, Json]) -> Iterator[Problem]:
    for name, longest in _LONGEST.items():
        value = data.get(name)
        texts = value.items() if isinstance(value, dict) else [("", value)]
        for part, text in texts:
            if isinstance(text, str) and len(text) > longest:
                pointer = f"/{name}/{part}".rstrip("/")
                yield Problem(pointer=pointer, code="too_long", params={"longest": longest})


def _unknown(entry: Entry, stored: StoredPack) -> Iterator[Problem]:
    """Name what an entry refers to and the country does not have."""
    governorates = {key for key, row in stored.places.items() if row.entry.parent is None}
    pack = packs.pack()
    choices: list[tuple[str, str | None, frozenset[str] | set[str]]] = []
    match entry:
        case countries.Organisation():
            choices = [("jurisdiction", entry.jurisdiction, set(pack.jurisdictions))]
            choices += [("languages", one, set(Language)) for one in entry.languages]
            choices += [("letter_language", entry.letter_language, set(Language))]
            choices += [("letter_digits", entry.letter_digits, set(DIGITS))]
            if entry.email is not None and not _EMAIL.fullmatch(entry.email):
                yield Problem(pointer="/email", code="bad_email")
        case countries.Desk():
            choices = [
                ("governorate", entry.governorate, governorates),
                ("jurisdiction", entry.jurisdiction, set(pack.jurisdictions)),
                ("role", entry.role, set(pack.roles)),
            ]
        case countries.Agreement():
            choices = [("categories", one, pack.codes_of("data_category")) for one in entry.categories]
            if entry.expires_on is not None and entry.expires_on <= entry.signed_on:
                yield Problem(pointer="/expires_on", code="ends_before_it_begins")
        case countries.Service():
            yield from _unknown_of_service(entry, stored, governorates)
            choices = [
                ("category", entry.category, pack.codes_of("service_category")),
                ("visibility", entry.visibility, set(Visibility)),
            ]
    for name, value, known in choices:
        if value is not None and value not in known:
            yield Problem(pointer=f"/{name}", code="not_a_choice", params={"choices": ", ".join(sorted(known)[:20])})


def _unknown_of_service(entry: countries.Service, stored: StoredPack, governorates: set[str]) -> Iterator[Problem]:
    if not entry.coverage:
        yield Problem(pointer="/coverage", code="required")
    for governorate, district in entry.coverage:
        place = stored.places.get(district) if district else None
        if governorate not in governorates or (district and (place is None or place.entry.parent != governorate)):
            yield Problem(pointer="/coverage", code="not_a_choice", params={"choices": ", ".join(sorted(governorates))})
            break
    desk = stored.desks.get(entry.desk or "")
    if entry.desk and (desk is None or desk.entry.organisation != entry.organisation):
        yield Problem(pointer="/desk", code="unknown_desk")


def _must_be_idle(work: Work, kind: str, row_id: str, entry: Entry) -> None:
    """Stop whoever would retire an entry that something open still needs.

    Raises:
        Conflict: with what has to be ended first, and how much of it there is.
    """
    live = (str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD))
    ended = [str(state) for state in TERMINAL]
    open_case = Case.status == str(CaseStatus.OPEN)
    checks: list[tuple[str, ColumnElement[bool]]] = []
    if kind == "desk":
        checks = [
            ("desk_has_tasks", (Task.desk_id == row_id) & Task.status.in_(live)),
            ("desk_has_cases", (Case.desk_id == row_id) & open_case),
            ("desk_has_services", (Service.desk_id == row_id) & Service.active),
        ]
    elif kind == "organisation":
        checks = [
            (
                "organisation_has_referrals",
                ((Referral.to_organisation_id == row_id) | (Referral.from_organisation_id == row_id))
                & Referral.state.not_in(ended),
            ),
            ("organisation_has_tasks", (Task.organisation_id == row_id) & Task.status.in_(live)),
            ("organisation_has_cases", (Case.organisation_id == row_id) & open_case),
        ]
    for code, condition in checks:
        count = work.session.execute(select(func.count()).where(condition)).scalar_one()
        if count:
            raise Conflict(code, count=count)


def _save(work: Work, kind: str, row_id: str | None, entry: Entry, stored: StoredPack) -> None:
    model, values = _MODELS[kind], _columns(entry, stored)
    table = model.__table__
    if row_id is None:
        if isinstance(entry, countries.Service):
            values |= {"open_slots": entry.slots, "accepting": True}
        row_id = work.add(model, id=ids.new_id(_PREFIXES[kind]), **values)
    else:
        if "version" in table.c:
            values["version"] = table.c.version + 1
        work.session.execute(update(model).where(table.c.id == row_id).values(**values))
    if isinstance(entry, countries.Service):
        work.session.execute(delete(ServiceCoverage).where(ServiceCoverage.service_id == row_id))
        for governorate, district in entry.coverage:
            work.add(
                ServiceCoverage, id=ids.new_id("cov"), service_id=row_id, governorate=governorate, district=district
            )


def _columns(entry: Entry, stored: StoredPack) -> dict[str, object]:
    """Give the columns of an entry, without those that a provider keeps and the hash that it was loaded with."""
    names = {
        countries.Organisation: "code names kind jurisdiction channel email phone letter_language letter_digits active",
        countries.Desk: "code role names governorate jurisdiction active",
        countries.Agreement: "signed_on expires_on",
        countries.Service: "code category names description eligibility details visibility slots valid_until active",
    }[type(entry)]
    values: dict[str, object] = {name: getattr(entry, name) for name in names.split()}
    if isinstance(entry, countries.Organisation | countries.Service):
        values["languages"] = list(entry.languages)
    if isinstance(entry, countries.Agreement):
        values["categories"] = list(entry.categories)
    if isinstance(entry, countries.Desk | countries.Agreement | countries.Service):
        values["organisation_id"] = stored.organisations[entry.organisation].id
    if isinstance(entry, countries.Service):
        values["desk_id"] = stored.desks[entry.desk].id if entry.desk else None
        values["livemode"] = entry.livemode
    return values
