"""The country's data as the program uses them: read once per process, read again when somebody changed them.

A stamp in the database changes with every change of pack data. The stored stamp comes along with every sign of a
signed-in user (`noticed`), and is otherwise asked for once in a while; only when it differs is anything read again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, Protocol, TypeVar

from sqlalchemy import ScalarSelect, delete, insert, select
from sqlalchemy.orm import Session

from nrm import ids
from nrm.actors import Actor
from nrm.countries import ItemKind, Json
from nrm.db import db
from nrm.errors import NrmError
from nrm.models import CodeEntry, Desk, Organisation, PackItem, Place
from nrm.rules.answer_types import Setting
from nrm.rules.deadlines import Calendar, Clocks, Ladder, parse_calendar, parse_clocks, parse_ladder
from nrm.vocabulary import Priority

_OF_LADDERS: Final = frozenset({"escalate", "ladder"})
_STAMP: Final = ("pack", "stamp")
RECHECK_SECONDS: Final = 2.0
"""How long a process that hears of no stamp goes on without asking for it."""

T = TypeVar("T")


class NoPack(NrmError):
    """No country pack is loaded."""

    code = "no_pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEntry:
    """A desk as work is given to it.

    Attributes:
        jurisdiction: jurisdiction that it serves; None for all.
        governorate: governorate that it serves; None for all of its jurisdiction.
    """

    id: str
    code: str
    organisation_id: str
    organisation_kind: str
    role: str
    governorate: str | None
    jurisdiction: str | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceEntry:
    """A governorate (no parent) or a district."""

    key: str
    kind: str
    parent: str | None
    iso: str | None
    jurisdiction: str | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLabel:
    """One code of a code list."""

    code: str
    names: Mapping[str, str]
    extra: Mapping[str, Json]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PackData:
    """Everything of the country that rules need, read-only and shared between threads.

    Attributes:
        stamp: changes with every change of the data.
        country: the country's own facts (key, names, currency, case_prefix …).
        calendars: calendar key → working calendar.
        jurisdictions: jurisdiction key → its facts.
        roles: role key → permissions.
        role_names: role key → names.
        country_roles: roles whose permissions count in every organisation.
        provider_roles: roles that only exist inside the organisation that receives a referral.
        ladders: ladder key → rungs.
        settings: setting name → value as text.
        clocks: clocks of a referral by urgency.
        call_tables: table name → (value → path key).
        tables: decision table key → DMN text.
        manifest: what manifest.json says, by its keys.
        labels: language → (key → text).
        letters: letter template key → its file as it is.
        codes: code list → (code → entry), in the list's order.
        places: place key → place.
        desks: active desks.
    """

    stamp: str
    country: Mapping[str, Json]
    calendars: Mapping[str, Calendar]
    jurisdictions: Mapping[str, Mapping[str, Json]]
    roles: Mapping[str, frozenset[str]]
    role_names: Mapping[str, Mapping[str, str]]
    country_roles: frozenset[str]
    provider_roles: frozenset[str]
    ladders: Mapping[str, Ladder]
    settings: Mapping[str, str]
    clocks: Mapping[Priority, Clocks]
    call_tables: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, str]
    manifest: Mapping[str, Json]
    labels: Mapping[str, Mapping[str, Json]]
    letters: Mapping[str, Mapping[str, Json]]
    codes: Mapping[str, Mapping[str, CodeLabel]]
    places: Mapping[str, PlaceEntry]
    desks: tuple[DeskEntry, ...]
    _setting: list[Setting] = field(default_factory=list, init=False, compare=False, repr=False)

    def calendar_for(self, jurisdiction: str | None) -> Calendar:
        """Give the working calendar of a jurisdiction; the country's first one where it names none."""
        facts = self.jurisdictions.get(jurisdiction or "", {})
        default = self.country.get("default_calendar")
        named = self.calendars.get(str(facts.get("calendar", default)))
        return named or next(iter(self.calendars.values()))

    def ladder(self, key: str) -> Ladder:
        """Give an escalation ladder; nobody is told where the pack has none of that name."""
        return self.ladders.get(key, ())

    def jurisdiction_of(self, place: str | None) -> str | None:
        """Give the jurisdiction in which a place lies."""
        entry = self.places.get(place or "")
        while entry is not None and entry.jurisdiction is None and entry.parent is not None:
            entry = self.places.get(entry.parent)
        return entry.jurisdiction if entry else None

    def codes_of(self, name: str) -> frozenset[str]:
        """Give the active codes of a code list."""
        return frozenset(code for code, entry in self.codes.get(name, {}).items() if entry.active)

    @property
    def zone(self) -> tzinfo:
        """Time zone of the country's offices."""
        return self.calendar_for(None).zone

    @property
    def answer_setting(self) -> Setting:
        """What reading an answer needs to know of the country; put together once."""
        if not self._setting:
            self._setting.append(self._make_setting())
        return self._setting[0]

    def _make_setting(self) -> Setting:
        region, currency = self.country.get("phone_region"), self.country.get("currency")
        code = currency.get("code") if isinstance(currency, dict) else currency
        return Setting(
            code_lists={name: self.codes_of(name) for name in self.codes},
            region=str(region) if region else None,
            currency=str(code) if code else None,
            zone=self.zone,
        )

    def supervises(self, actor: Actor, permission: str, desk_id: str) -> bool:
        """Say whether a seat of an actor gives a permission over a desk: in its organisation, and at its place.

        A seat for a whole organisation is over all its desks; a seat at a desk is over the desks of the same
        organisation in the same governorate, and a seat at a desk for the whole jurisdiction over all of them.

        Args:
            actor: who asks.
            permission: name from `nrm.rules.permissions`.
            desk_id: the desk.
        """
        if actor.is_system:
            return True
        desks = {desk.id: desk for desk in self.desks}
        desk = desks.get(desk_id)
        for seat in actor.seats:
            if permission not in seat.permissions or desk is None or seat.organisation_id != desk.organisation_id:
                continue
            own = desks.get(seat.desk_id) if seat.desk_id else None
            if seat.desk_id is None or (own is not None and own.governorate in {None, desk.governorate}):
                return True
        return False

    def desk(self, desk_id: str | None) -> DeskEntry | None:
        """Give an active desk by its id."""
        return next((desk for desk in self.desks if desk.id == desk_id), None)

    def find_desk(
        self,
        role: str,
        *,
        organisation_id: str | None = None,
        organisation_kind: str | None = None,
        governorate: str | None = None,
        jurisdiction: str | None = None,
    ) -> DeskEntry | None:
        """Find the desk that does the work of a role, the nearest first.

        A desk of the governorate comes before one of the jurisdiction, and that before one of the whole country.
        A role inside providers is never looked for without naming the provider: nobody but the receiver of a
        referral may come to know of it.

        Args:
            role: desk role.
            organisation_id: only desks of this organisation.
            organisation_kind: only desks of organisations of this kind.
            governorate: where the work is.
            jurisdiction: found from the governorate when it is not given.

        Returns:
            None when no active desk fits.
        """
        if role in self.provider_roles and organisation_id is None:
            return None
        under = jurisdiction or self.jurisdiction_of(governorate)
        found = [
            (distance, desk.code, desk)
            for desk in self.desks
            if desk.role == role
            and organisation_id in (None, desk.organisation_id)
            and organisation_kind in (None, desk.organisation_kind)
            and (distance := _distance(desk, governorate, under)) is not None
        ]
        return min(found, key=lambda entry: entry[:2])[2] if found else None


def _distance(desk: DeskEntry, governorate: str | None, jurisdiction: str | None) -> int | None:
    """Say how near a desk is, 0 the nearest; None when it serves another place."""
    if desk.governorate is not None:
        return 0 if desk.governorate == governorate else None
    if desk.jurisdiction is None:
        return 2
    return 1 if jurisdiction in (None, desk.jurisdiction) else None


@dataclass(slots=True)
class _Held:
    """What this process holds."""

    data: PackData
    checked: float


_lock: Final = threading.Lock()
_held: dict[str, _Held] = {}


def pack() -> PackData:
    """Give the country's data; asks the database at most every `RECHECK_SECONDS` whether they changed.

    Raises:
        NoPack: no pack was loaded into this database.
    """
    held = _held.get("pack")
    if held is not None and time.monotonic() - held.checked < RECHECK_SECONDS:
        return held.data
    stamp = db.session.execute(select(stored_stamp())).scalar_one_or_none()
    return _current(stamp)


def noticed(stamp: Json) -> None:
    """Take note of the stamp that the database holds now; another one than ours makes the next reader read again."""
    held = _held.get("pack")
    if held is None:
        return
    if held.data.stamp == stamp:
        held.checked = time.monotonic()
    else:
        forget()


def forget() -> None:
    """Drop what this process holds."""
    _held.clear()


def _current(stamp: Json) -> PackData:
    if not isinstance(stamp, str):
        forget()
        raise NoPack
    with _lock:
        held = _held.get("pack")
        if held is None or held.data.stamp != stamp:
            held = _Held(data=_read(db.session(), stamp), checked=0.0)
            _held["pack"] = held
        held.checked = time.monotonic()
        return held.data


def stored_stamp() -> ScalarSelect[Json]:
    """Give the part of a statement that reads the stored stamp."""
    kind, key = _STAMP
    return select(PackItem.content).where(PackItem.kind == kind, PackItem.key == key).scalar_subquery()


class Changing(Protocol):
    """What `touch` needs of the transaction in progress (`nrm.actions._action.Work`)."""

    session: Session
    now: datetime
    after_commit: list[Callable[[], None]]


def touch(work: Changing) -> None:
    """Note, in the transaction that changes pack data (also desks, places, codes), that they changed."""
    kind, key = _STAMP
    session = work.session
    session.execute(delete(PackItem).where(PackItem.kind == kind, PackItem.key == key))
    stamp = {"kind": kind, "key": key, "content": ids.new_id("pck"), "updated_at": work.now, "version": 1}
    session.execute(insert(PackItem).values(**stamp))
    work.after_commit.append(forget)


def _read(session: Session, stamp: str) -> PackData:
    contents: dict[str, dict[str, Json]] = {kind: {} for kind in ItemKind}
    rows = session.execute(
        select(PackItem.kind, PackItem.key, PackItem.content)
        .where(PackItem.kind != _STAMP[0])
        .order_by(PackItem.kind, PackItem.key)
    )
    for kind, key, content in rows:
        contents.setdefault(kind, {})[key] = content
    roles = _objects(contents[ItemKind.ROLE])
    return PackData(
        stamp=stamp,
        country=_objects(contents[ItemKind.COUNTRY]).get("country", {}),
        calendars={key: parse_calendar(data) for key, data in _objects(contents[ItemKind.CALENDAR]).items()},
        jurisdictions=_objects(contents[ItemKind.JURISDICTION]),
        roles={key: frozenset(_strings(data.get("permissions"))) for key, data in roles.items()},
        role_names={key: _texts(data.get("names")) for key, data in roles.items()},
        country_roles=_of_scope(roles, "country"),
        provider_roles=_of_scope(roles, "provider"),
        ladders={key: read_ladder(data) for key, data in contents[ItemKind.LADDER].items()},
        settings=read_settings(contents[ItemKind.SETTING]),
        clocks=read_clocks(contents[ItemKind.CLOCKS]),
        call_tables=read_call_tables(contents[ItemKind.CALL_TABLE]),
        tables=_texts(contents[ItemKind.TABLE]),
        manifest=contents[ItemKind.MANIFEST],
        labels=_objects(contents[ItemKind.LABELS]),
        letters=_objects(contents[ItemKind.LETTER]),
        codes=_codes(session),
        places=_places(session),
        desks=_desks(session),
    )


def _objects(data: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    return {key: value for key, value in data.items() if isinstance(value, dict)}


def _texts(data: Json | Mapping[str, Json]) -> dict[str, str]:
    return {key: str(value) for key, value in data.items()} if isinstance(data, Mapping) else {}


def _of_scope(roles: Mapping[str, Mapping[str, Json]], scope: str) -> frozenset[str]:
    return frozenset(key for key, data in roles.items() if data.get("scope") == scope)


def _strings(data: Json) -> list[str]:
    return [entry for entry in data if isinstance(entry, str)] if isinstance(data, list) else []


def read_ladder(data: Json) -> Ladder:
    """Read a ladder as the pack writes it: {"rungs": [{"at": 100, "roles": […]}]}.

    Raises:
        NotValid: a rung is wrong.
    """
    rungs = data.get("rungs") if isinstance(data, dict) else None
    entries = [entry for entry in rungs if isinstance(entry, dict)] if isinstance(rungs, list) else []
    return parse_ladder([{"percent": entry.get("at"), "roles": entry.get("roles")} for entry in entries])


def read_settings(contents: Mapping[str, Json]) -> dict[str, str]:
    """Read the settings as the pack writes them: name → {"value": "P7D", …}."""
    return {key: str(data.get("value", "")) for key, data in _objects(contents).items()}


def read_clocks(contents: Mapping[str, Json]) -> Mapping[Priority, Clocks]:
    """Read the clocks of referrals as the pack writes them, by urgency; `escalate` and `ladder` belong to ladders.

    Raises:
        NotValid: an urgency, field or duration is wrong.
    """
    fields = {"calendar": "kind"}
    return parse_clocks(
        {
            urgency: {fields.get(name, name): value for name, value in data.items() if name not in _OF_LADDERS}
            for urgency, data in _objects(contents).items()
        }
    )


def read_call_tables(contents: Mapping[str, Json]) -> dict[str, dict[str, str]]:
    """Read the call tables as the pack writes them: {"entries": {value: path key}}."""
    return {key: _texts(data.get("entries")) for key, data in _objects(contents).items()}


def _codes(session: Session) -> dict[str, dict[str, CodeLabel]]:
    codes: dict[str, dict[str, CodeLabel]] = {}
    for row in session.scalars(select(CodeEntry).order_by(CodeEntry.list, CodeEntry.position, CodeEntry.code)):
        label = CodeLabel(code=row.code, names=row.names, extra=row.extra, active=row.active)
        codes.setdefault(row.list, {})[row.code] = label
    return codes


def _places(session: Session) -> dict[str, PlaceEntry]:
    return {
        row.key: PlaceEntry(
            key=row.key, kind=row.kind, parent=row.parent, iso=row.iso, jurisdiction=row.jurisdiction, names=row.names
        )
        for row in session.scalars(select(Place).order_by(Place.key))
    }


def _desks(session: Session) -> tuple[DeskEntry, ...]:
    rows = session.execute(
        select(Desk, Organisation.kind)
        .join(Organisation, Organisation.id == Desk.organisation_id)
        .where(Desk.active, Organisation.active)
        .order_by(Desk.code)
    )
    return tuple(
        DeskEntry(
            id=desk.id,
            code=desk.code,
            organisation_id=desk.organisation_id,
            organisation_kind=kind,
            role=desk.role,
            governorate=desk.governorate,
            jurisdiction=desk.jurisdiction,
            names=desk.names,
        )
        for desk, kind in rows
    )
