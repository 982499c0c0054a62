"""Arrival lists: read a file, register whom it names, open their cases; the same rows again change nothing.

A list goes in by parts of 100 rows, each one transaction: a crash loses at most the part in work, and importing the
file again goes on where it ended, because each row is recognised by the keyed fingerprint of its content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.cases import begin_case
from nrm.actions.openings import OWNER_ROLE
from nrm.actions.people import add_person
from nrm.actors import Actor
from nrm.credentials import purpose_key
from nrm.errors import NotAllowed, Problem
from nrm.installation import installation
from nrm.models import Case, CaseNote, Household, Manifest, ManifestRow, Person
from nrm.queries import packs, people
from nrm.queries.person_records import Token, tokens_of
from nrm.rules.identity import Paper, PersonData
from nrm.rules.manifest import ManifestRow as Row
from nrm.rules.manifest import ManifestWords, RefusedRow, fingerprint, manifest_words, parse_manifest
from nrm.rules.manifest_files import read_tables
from nrm.rules.matching import Match, match
from nrm.sealing import seal
from nrm.vocabulary import CaseStatus

PART: Final = 100
"""Rows of one transaction."""
_MOST_KEPT: Final = 2_000
_SURE: Final = frozenset({"name_same", "same_phone"})
_AGAINST: Final = frozenset(
    {"mother_differs", "sex_differs", "birth_differs", "birth_year_far", "name_differs", "birth_day_and_month_swapped"}
)

Progress = Callable[[int, int], None]
"""Called after each part with the rows done and the rows in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRow:
    """A row about somebody who is registered already.

    Attributes:
        number: row number in the file.
        person_id: the person.
        case_id: the person's case: the open one, or one that was opened because there was none.
        opened: whether a case was opened.
    """

    number: int
    person_id: str
    case_id: str
    opened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleRow:
    """A row about somebody who was registered and may be known under another record."""

    number: int
    person_id: str
    others: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReport:
    """What became of an arrival list.

    Attributes:
        id: the list's id; "" when the file held nothing to keep.
        rows: rows with something in them, below the header.
        accepted: people who were registered, each with a case.
        known: rows about people who are registered.
        same: rows that were imported before, from this file or another.
        refused: rows that were not taken, with reasons by column.
        possible: registered people who may be known already.
        warnings: what was left out of rows that were taken.
        unknown_columns: header texts that were not recognised.
    """

    id: str
    rows: int
    accepted: int
    known: tuple[KnownRow, ...]
    same: int
    refused: tuple[RefusedRow, ...]
    possible: tuple[PossibleRow, ...]
    warnings: tuple[Problem, ...]
    unknown_columns: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    """What was done so far."""

    accepted: int = 0
    same: int = 0
    known: list[KnownRow] = field(default_factory=list)
    possible: list[PossibleRow] = field(default_factory=list)

    def add(self, other: _Tally) -> None:
        self.accepted += other.accepted
        self.same += other.same
        self.known += other.known
        self.possible += other.possible


def words() -> ManifestWords:
    """Give the words of the loaded pack by which lists are read.

    Raises:
        NotValid: the pack's words contradict each other.
    """
    data = packs.pack()
    governorates = {key: place.names.values() for key, place in data.places.items() if place.parent is None}
    districts = {key: place.names.values() for key, place in data.places.items() if place.parent is not None}
    labels = {
        name: {code: entry.names.values() for code, entry in data.codes.get(name, {}).items()}
        for name in ("sex", "return_type", "host_country", "document_type")
    }
    return manifest_words(data.manifest, places=governorates, districts=districts, labels=labels)


def import_manifest(
    actor: Actor,
    data: bytes,
    filename: str = "",
    *,
    mapping: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> ManifestReport:
    """Import an arrival list: bad rows are listed, the rest goes in, whoever is known is recognised.

    Args:
        actor: needs the permission manifest.import.
        data: the whole file, text (CSV, TSV …) or XLSX.
        filename: only for messages; the content decides what it is.
        mapping: header text → column key, for columns that a person mapped by hand; "" leaves a column out.
        progress: told after each part.

    Raises:
        NotAllowed: the actor may not import lists.
        NotValid: the file is too large, damaged, a bomb, or has no header that can be recognised.
    """
    del filename
    if not actor.may("manifest.import"):
        raise NotAllowed("not_allowed", permission="manifest.import")
    facts = packs.pack()
    today = installation().clock.now().astimezone(facts.zone).date()
    read = parse_manifest(read_tables(data), words(), today=today, region=facts.answer_setting.region, mapping=mapping)
    placeless = {row.number: code for row in read.rows if (code := _place_problem(row.governorate))}
    refused = [*read.refused, *(_placeless(number, code) for number, code in placeless.items())]
    rows = [row for row in read.rows if row.number not in placeless]
    total = len(rows) + len(refused)
    key = purpose_key(installation().config.secret, "manifest")
    marked = [(fingerprint(row, key), row) for row in rows]
    families = _families(rows)
    tally = _Tally()
    manifest_id = _begin(actor, hashlib.sha256(data).hexdigest(), total) if total else ""
    for start in range(0, len(marked), PART):
        done = _import_part(actor, manifest_id, marked[start : start + PART], families)
        tally.add(done)
        if progress is not None:
            progress(min(start + PART, len(marked)) + len(refused), total)
    refused.sort(key=lambda row: row.number)
    if manifest_id:
        _finish(actor, manifest_id, refused, tally)
    return ManifestReport(
        id=manifest_id,
        rows=total,
        accepted=tally.accepted,
        known=tuple(tally.known),
        same=tally.same,
        refused=tuple(refused),
        possible=tuple(tally.possible),
        warnings=tuple(problem for row in rows for problem in row.warnings),
        unknown_columns=read.header.unknown,
    )


def _place_problem(governorate: str | None) -> str:
    """Say why nobody could take care of somebody in this place; "" when somebody can."""
    if governorate is None:
        return "place_missing"
    return "" if packs.pack().find_desk(OWNER_ROLE, governorate=governorate) else "no_desk_here"


def _placeless(number: int, code: str) -> RefusedRow:
    return RefusedRow(number=number, problems=(Problem(pointer=f"/rows/{number}/governorate", code=code),))


def _families(rows: Sequence[Row]) -> dict[str, str]:
    """Make an id for every household that has more than one row."""
    seen: set[str] = set()
    shared: dict[str, str] = {}
    for row in rows:
        if row.household and row.household in seen:
            shared.setdefault(row.household, ids.new_id("hh"))
        seen.add(row.household)
    return shared


@action("manifest.begin", permission="manifest.import")
def _begin(work: Work, digest: str, total: int) -> str:
    known = work.session.execute(select(Manifest.id).where(Manifest.sha256 == digest)).scalar_one_or_none()
    if known is not None:
        return known
    return work.add(
        Manifest,
        id=ids.new_id("man"),
        sha256=digest,
        imported_at=work.now,
        imported_by=work.actor.id,
        rows=total,
    )


@action("manifest.import_part", permission="manifest.import")
def _import_part(work: Work, manifest_id: str, marked: Sequence[tuple[str, Row]], families: dict[str, str]) -> _Tally:
    part = _Part(work, manifest_id, families)
    part.take(marked)
    changes = {"accepted": Manifest.accepted + part.tally.accepted, "known": Manifest.known + len(part.tally.known)}
    if part.tally.accepted or part.tally.known:
        work.session.execute(update(Manifest).where(Manifest.id == manifest_id).values(changes))
    return part.tally


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    """Somebody who was registered earlier in the same part."""

    person_id: str
    data: PersonData
    tokens: frozenset[Token]


class _Part:
    """One transaction's rows."""

    def __init__(self, work: Work, manifest_id: str, families: dict[str, str]) -> None:
        self.work = work
        self.manifest_id = manifest_id
        self.families = families
        self.tally = _Tally()
        self.fresh: list[_Fresh] = []
        self.open_cases: dict[str, str] = {}

    def take(self, marked: Sequence[tuple[str, Row]]) -> None:
        new = self.not_imported(marked)
        self.tally.same = len(marked) - len(new)
        entered = {mark: person_data(row) for mark, row in new.items()}
        matches = people.matches_among(self.work.session, entered)
        visible = self.visible({other for found in matches.values() for other, _ in found})
        self.load_cases(visible)
        for mark, row in new.items():
            found = [entry for entry in matches.get(mark, []) if entry[0] in visible]
            self.take_row(mark, row, entered[mark], [*found, *self.among_fresh(entered[mark])])

    def not_imported(self, marked: Sequence[tuple[str, Row]]) -> dict[str, Row]:
        rows = self.work.session.execute(
            select(ManifestRow.fingerprint, ManifestRow.person_id).where(
                ManifestRow.fingerprint.in_([mark for mark, _ in marked])
            )
        )
        before = {mark: person_id for mark, person_id in rows}  # noqa: C416 - rows are not pairs to mypy
        new: dict[str, Row] = {}
        for mark, row in marked:
            if mark in before:
                self.remember_family(row, before[mark])
            else:
                new.setdefault(mark, row)
        return new

    def remember_family(self, row: Row, person_id: str | None) -> None:
        """Go on with the household that an earlier, broken-off import made for this family."""
        if row.household in self.families and person_id is not None:
            household = select(Person.household_id).where(Person.id == person_id)
            self.families[row.household] = self.work.session.execute(household).scalar() or self.families[row.household]

    def visible(self, found: set[str]) -> set[str]:
        """Leave out people with a strictly confidential case: that they are known must not show."""
        if self.work.actor.is_system or not found:
            return found
        data = people.load_in_parts(self.work.session, found)
        cards = people.cards_of(
            self.work.actor, [(key, entry, Match(score=0.0)) for key, entry in data.items()], self.work.now
        )
        return {card.id for card in cards}

    def load_cases(self, found: set[str]) -> None:
        rows = self.work.session.execute(
            select(Case.person_id, Case.id).where(Case.person_id.in_(found), Case.status == str(CaseStatus.OPEN))
        )
        self.open_cases.update((person_id, case_id) for person_id, case_id in rows)

    def among_fresh(self, data: PersonData) -> list[tuple[str, Match]]:
        tokens = tokens_of(data)
        shared = (one for one in self.fresh if one.tokens & tokens)
        found = [(one.person_id, match(data.to_match(), one.data.to_match())) for one in shared]
        return [entry for entry in found if entry[1].verdict() != "none"]

    def take_row(self, mark: str, row: Row, data: PersonData, matches: list[tuple[str, Match]]) -> None:
        same = [entry for entry in matches if is_same_person(entry[1])]
        if same:
            person_id = max(same, key=lambda entry: entry[1].score)[0]
            case_id, opened = self.case_of(person_id, row)
            self.tally.known.append(KnownRow(number=row.number, person_id=person_id, case_id=case_id, opened=opened))
        else:
            person_id = add_person(self.work, data, household_id=self.household(row))
            self.work.flush()
            case_id, _ = self.case_of(person_id, row)
            self.fresh.append(_Fresh(person_id=person_id, data=data, tokens=_telling(data)))
            self.tally.accepted += 1
            if matches:
                reasons = tuple(dict.fromkeys(reason for _, found in matches for reason in found.reasons))
                others = tuple(other for other, _ in matches)
                self.tally.possible.append(
                    PossibleRow(number=row.number, person_id=person_id, others=others, reasons=reasons)
                )
        self.work.add(
            ManifestRow,
            fingerprint=mark,
            manifest_id=self.manifest_id,
            number=row.number,
            person_id=person_id,
            case_id=case_id,
        )

    def case_of(self, person_id: str, row: Row) -> tuple[str, bool]:
        known = self.open_cases.get(person_id)
        if known is not None:
            return known, False
        today = self.work.now.astimezone(packs.pack().zone).date()
        arrived = row.arrival if row.arrival is not None and row.arrival <= today else None
        refs = {"manifest": self.manifest_id, "external_id": row.external_id, "flight": row.flight}
        if row.arrival is not None:
            refs["expected_on"] = row.arrival.isoformat()
        opened = begin_case(
            self.work,
            person_id,
            governorate=row.governorate or "",
            return_type=_coded("return_type", row.return_type),
            host_country=_coded("host_country", row.host_country),
            returned_on=arrived,
            arrived_on=arrived,
            external_refs={name: text for name, text in refs.items() if text},
        )
        note = "\n".join(text for text in (row.special_needs, row.note) if text)
        if note:
            self.note(opened.id, note)
        self.open_cases[person_id] = opened.id
        return opened.id, True

    def note(self, case_id: str, text: str) -> None:
        note_id = ids.new_id("not")
        self.work.add(
            CaseNote,
            id=note_id,
            case_id=case_id,
            author_id=self.work.actor.id,
            text=seal(text, row=note_id, column="case_notes.text"),
            created_at=self.work.now,
        )
        self.work.record("case.note_added", stream=case_id, subject=("note", note_id), data={})

    def household(self, row: Row) -> str | None:
        household_id = self.families.get(row.household)
        if household_id is not None and self.work.session.get(Household, household_id) is None:
            self.work.add(Household, id=household_id, created_at=self.work.now)
            self.work.flush()
        return household_id


def is_same_person(found: Match) -> bool:
    """Say whether a match is sure enough to take a row for a known person without asking.

    Sure is what is likely by its score, or the same full name with the same telephone; anything that speaks against
    it leaves the decision to people.
    """
    reasons = set(found.reasons)
    if reasons & _AGAINST:
        return False
    return found.verdict() == "likely" or reasons >= _SURE


def _coded(code_list: str, code: str | None) -> str | None:
    return code if code in packs.pack().codes_of(code_list) else None


def _telling(data: PersonData) -> frozenset[Token]:
    return frozenset(token for token in tokens_of(data) if token[0] in ("document", "phone", "pair"))


def person_data(row: Row) -> PersonData:
    """Give what a row of a list says about its person."""
    names = {"latin": row.full_name, "mother_latin": row.mother} if row.latin else {**row.names, "mother": row.mother}
    born = row.born.isoformat() if row.born else ""
    lengths = {"day": 10, "month": 7, "year": 4, "estimated": 4, "unknown": 0}
    paper = Paper(kind=row.document_type or "laissez_passer", number=row.document) if row.document else None
    return PersonData(
        names={part: text for part, text in names.items() if text},
        born=born[: lengths[row.precision]],
        precision=row.precision,
        sex=row.sex,
        governorate=row.governorate,
        phones=(row.phone,) if row.phone else (),
        address={"district": row.district} if row.district else {},
        papers=(paper,) if paper else (),
    )


@action("manifest.finish", permission="manifest.import")
def _finish(work: Work, manifest_id: str, refused: Sequence[RefusedRow], tally: _Tally) -> None:
    """Keep which rows were refused (codes only); an import that changed nothing leaves no trace."""
    row = work.session.get(Manifest, manifest_id, populate_existing=True)
    if row is None or (row.refused == len(refused) and not tally.accepted and not tally.known):
        return
    work.session.execute(update(Manifest).where(Manifest.id == manifest_id).values(refused=len(refused)))
    listed = [
        f"{entry.number} {problem.pointer.rsplit('/', 1)[-1]} {problem.code}"
        for entry in refused
        for problem in entry.problems
    ]
    work.record(
        "manifest.imported",
        stream=manifest_id,
        subject=("manifest", manifest_id),
        data={
            "accepted": tally.accepted,
            "known": len(tally.known),
            "same": tally.same,
            "refused": listed[:_MOST_KEPT],
            "possible": [f"{entry.number} {entry.person_id}" for entry in tally.possible[:_MOST_KEPT]],
        },
    )
