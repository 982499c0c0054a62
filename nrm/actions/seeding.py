"""Load a country pack: what is new goes in, what only the pack changed follows it, what was changed here stays.

After the first load the database is the truth. Each row keeps the hash of what the pack said when it was taken over;
comparing the pack, the row and that hash tells who changed it since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import delete, update

from nrm import countries, ids
from nrm.actions._action import Work, action
from nrm.actions.pack_checks import check_pack
from nrm.actions.path_loading import load_forms, load_paths, pack_resources
from nrm.countries import BadPack, ItemKind, Pack, PackProblem, write_pack
from nrm.db import Base, db
from nrm.installation import installation
from nrm.models import CodeEntry, Desk, Organisation, PackItem, Place, Service, ServiceCoverage, SharingAgreement
from nrm.queries import packs
from nrm.queries.pack_rows import (
    KEPT_BY_PROVIDERS,
    Entry,
    Stored,
    StoredPack,
    entry_hash,
    entry_key,
    read_pack,
    read_stored,
)

E = TypeVar("E", bound=Entry)
Columns = dict[str, Any]


class Taken(StrEnum):
    """What became of one entry of a pack."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # changed here, not in the pack
    CONFLICT = "conflict"  # changed here and in the pack: stays as it is here
    GONE = "gone"  # no longer in the pack: stays
    PUBLISHED = "published"
    DRAFTED = "drafted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one entry.

    Attributes:
        kind: place, organisation, desk, agreement, service, code, item, form or path.
        key: the entry's key.
        taken: what became of it.
    """

    kind: str
    key: str
    taken: Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load did, and where the database differs from the pack.

    Attributes:
        pack: the pack's key.
        changes: everything but unchanged entries, in the order of loading.
        unchanged: how many entries were as before.
        warnings: what is doubtful about the pack.
    """

    pack: str
    changes: tuple[Change, ...]
    unchanged: int
    warnings: tuple[PackProblem, ...] = ()

    def count(self, taken: Taken) -> int:
        """Say how many entries ended in one way."""
        return Counter(change.taken for change in self.changes)[taken]

    @property
    def differences(self) -> tuple[Change, ...]:
        """Entries in which the database and the pack differ now."""
        return tuple(change for change in self.changes if change.taken in _DIFFERENT)


_DIFFERENT: Final = frozenset({Taken.KEPT, Taken.CONFLICT, Taken.GONE})


@action("pack.load", permission="pack.load")
def load_pack(work: Work, pack: Pack) -> LoadReport:
    """Take a country pack over.

    The first version of a path is published; a changed path becomes a draft. Nothing that was changed here is
    overwritten, nothing is deleted. Agreements that are marked as "demo" are taken in demo mode only.

    Args:
        work: the transaction.
        pack: from `nrm.countries.read_pack`.

    Raises:
        BadPack: forms, diagrams or words in the pack have mistakes; nothing was loaded.
    """
    problems = check_pack(pack)
    if any(not problem.warning for problem in problems):
        raise BadPack(problems)
    loading = _Loading(work, read_stored(work.session))
    loading.directory(_without_demo(pack))
    changes = loading.changes
    forms = load_forms(work, pack.forms)
    changes += [Change(kind="form", key=key, taken=Taken.ADDED) for key in forms.new]
    work.flush()
    resources = pack_resources(row.entry for row in read_stored(work.session).items.values())
    paths = load_paths(work, pack.paths, forms, resources, pack.scenarios)
    changes += [Change(kind="path", key=key, taken=Taken(taken)) for key, taken in paths]
    news = tuple(change for change in changes if change.taken is not Taken.UNCHANGED)
    if any(change.taken not in _DIFFERENT for change in news):
        packs.touch(work)
        counts = Counter(str(change.taken) for change in news)
        work.record("pack.loaded", stream="system", subject=("pack", pack.key), data=dict(counts))
    return LoadReport(pack=pack.key, changes=news, unchanged=len(changes) - len(news), warnings=problems)


def _without_demo(pack: Pack) -> Pack:
    """Leave invented agreements out where real people's data could go to somebody on their word."""
    if installation().config.demo:
        return pack
    marks = pack.contents(ItemKind.MARKS)

    def signed(agreement: countries.Agreement) -> bool:
        said = marks.get(f"agreement:{entry_key(agreement)}")
        return not (isinstance(said, dict) and said.get("demo"))

    return replace(pack, agreements=tuple(agreement for agreement in pack.agreements if signed(agreement)))


def export_pack(folder: Path) -> tuple[str, ...]:
    """Write the country's data as they are now into a folder, in the files of a pack.

    Args:
        folder: created when it is missing; other files in it stay.

    Returns:
        The files written, inside the folder.
    """
    session = db.session()
    try:
        return write_pack(read_pack(session), folder)
    finally:
        session.rollback()


class _Loading:
    """One load: remembers the ids behind the pack's codes and what became of each entry."""

    def __init__(self, work: Work, stored: StoredPack) -> None:
        self.work = work
        self.stored = stored
        self.changes: list[Change] = []
        self.organisations = {key: row.id for key, row in stored.organisations.items()}
        self.desks = {key: row.id for key, row in stored.desks.items()}

    def directory(self, pack: Pack) -> None:
        stored = self.stored
        self.take("place", pack.places, stored.places, self.save_place)
        self.take("organisation", pack.organisations, stored.organisations, self.save_organisation)
        self.take("desk", pack.desks, stored.desks, self.save_desk)
        self.take("agreement", pack.agreements, stored.agreements, self.save_agreement)
        self.take("service", pack.services, stored.services, self.save_service)
        self.take("code", pack.codes, stored.codes, self.save_code)
        self.take("item", pack.items, stored.items, self.save_item)

    def take(
        self,
        kind: str,
        entries: Iterable[E],
        stored: Mapping[str, Stored[E]],
        save: Callable[[E, Stored[E] | None], None],
    ) -> None:
        seen = set()
        for entry in entries:
            key = entry_key(entry)
            seen.add(key)
            row = stored.get(key)
            taken = decide(entry, row)
            if taken in (Taken.ADDED, Taken.UPDATED):
                save(entry, row)
            self.changes.append(Change(kind=kind, key=key, taken=taken))
        gone = (key for key, row in stored.items() if key not in seen and row.loaded_hash is not None)
        self.changes += [Change(kind=kind, key=key, taken=Taken.GONE) for key in gone]

    def save(self, model: type[Base], prefix: str, row: Stored[Any] | None, columns: Columns) -> str:
        """Insert a row, or bring the stored one up to the pack."""
        if row is None:
            return self.work.add(model, id=ids.new_id(prefix), **columns)
        table = model.__table__
        if "version" in table.c:
            columns = {**columns, "version": table.c.version + 1}
        self.work.session.execute(update(model).where(table.c.id == row.id).values(**columns))
        return row.id

    def save_place(self, entry: countries.Place, row: Stored[countries.Place] | None) -> None:
        columns = _columns(entry, "key", "kind", "names", "parent", "iso", "pcode", "jurisdiction", "verified")
        self.save(Place, "plc", row, columns)

    def save_organisation(self, entry: countries.Organisation, row: Stored[countries.Organisation] | None) -> None:
        columns = _columns(entry, "code", "names", "kind", "jurisdiction", "channel", "email", "phone", "active")
        columns["languages"] = list(entry.languages)
        columns |= _columns(entry, "letter_language", "letter_digits")
        self.organisations[entry.code] = self.save(Organisation, "org", row, columns)

    def save_desk(self, entry: countries.Desk, row: Stored[countries.Desk] | None) -> None:
        columns = _columns(entry, "code", "role", "names", "governorate", "jurisdiction", "active")
        columns["organisation_id"] = self.organisations[entry.organisation]
        self.desks[entry.code] = self.save(Desk, "dsk", row, columns)

    def save_agreement(self, entry: countries.Agreement, row: Stored[countries.Agreement] | None) -> None:
        columns = _columns(entry, "signed_on", "expires_on")
        columns |= {"organisation_id": self.organisations[entry.organisation], "categories": list(entry.categories)}
        self.save(SharingAgreement, "agr", row, columns)

    def save_service(self, entry: countries.Service, row: Stored[countries.Service] | None) -> None:
        columns = _columns(
            entry,
            "code",
            "category",
            "names",
            "description",
            "eligibility",
            "details",
            "visibility",
            "slots",
            "valid_until",
            "active",
            "livemode",
        )
        columns["languages"] = list(entry.languages)
        columns["organisation_id"] = self.organisations[entry.organisation]
        columns["desk_id"] = self.desks[entry.desk] if entry.desk else None
        if row is None:
            columns |= {name: getattr(entry, name) for name in KEPT_BY_PROVIDERS}
        service_id = self.save(Service, "svc", row, columns)
        if row is not None:
            self.work.session.execute(delete(ServiceCoverage).where(ServiceCoverage.service_id == service_id))
        for governorate, district in entry.coverage:
            self.work.add(
                ServiceCoverage, id=ids.new_id("cov"), service_id=service_id, governorate=governorate, district=district
            )

    def save_code(self, entry: countries.Code, row: Stored[countries.Code] | None) -> None:
        columns = _columns(entry, "list", "code", "names", "position", "extra", "active")
        self.save(CodeEntry, "cod", row, columns)

    def save_item(self, entry: countries.Item, row: Stored[countries.Item] | None) -> None:
        columns = {"content": entry.content, "loaded_hash": entry_hash(entry), "updated_at": self.work.now}
        if row is None:
            self.work.add(PackItem, kind=entry.kind, key=entry.key, **columns)
            return
        change = update(PackItem).where(PackItem.kind == entry.kind, PackItem.key == entry.key)
        self.work.session.execute(change.values(**columns, version=PackItem.version + 1))


def decide(entry: Entry, row: Stored[Any] | None) -> Taken:
    """Say what becomes of an entry of the pack, given the row that holds it now.

    Args:
        entry: what the pack says.
        row: what is stored, None when nothing is.
    """
    if row is None:
        return Taken.ADDED
    wanted, present = entry_hash(entry), entry_hash(row.entry)
    if wanted == present:
        return Taken.UNCHANGED
    if present == row.loaded_hash:
        return Taken.UPDATED
    return Taken.KEPT if wanted == row.loaded_hash else Taken.CONFLICT


def _columns(entry: Entry, *names: str) -> Columns:
    columns: Columns = {name: getattr(entry, name) for name in names}
    columns["loaded_hash"] = entry_hash(entry)
    return columns
