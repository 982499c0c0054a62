"""The rows of an arrival list: recognise who is known, register the others, open cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.case_opening import begin_case
from nrm.actions.people import add_person
from nrm.models import Case, CaseNote, Household, ManifestRow, Person
from nrm.queries import packs, people
from nrm.queries.person_records import Token, tokens_of
from nrm.rules.identity import Paper, PersonData
from nrm.rules.manifest import ManifestRow as Row
from nrm.rules.matching import Match, match
from nrm.sealing import seal
from nrm.vocabulary import CaseStatus

_SURE: Final = frozenset({"name_same", "same_phone"})
_AGAINST: Final = frozenset(
    {"mother_differs", "sex_differs", "birth_differs", "birth_year_far", "name_differs", "birth_day_and_month_swapped"}
)


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


@dataclass(slots=True)
class Tally:
    """What was done so far."""

    accepted: int = 0
    same: int = 0
    known: list[KnownRow] = field(default_factory=list)
    possible: list[PossibleRow] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another part did."""
        self.accepted += other.accepted
        self.same += other.same
        self.known += other.known
        self.possible += other.possible


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entered:
    """Whom a row names, with the tokens by which that person is found."""

    data: PersonData
    tokens: frozenset[Token]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    """Somebody who was registered earlier in the same part."""

    person_id: str
    data: PersonData
    tokens: frozenset[Token]


class Part:
    """One transaction's rows.

    Attributes:
        tally: what was done.
    """

    def __init__(self, work: Work, manifest_id: str, families: dict[str, str]) -> None:
        self.work = work
        self.manifest_id = manifest_id
        self.families = families
        self.tally = Tally()
        self.fresh: list[_Fresh] = []
        self.open_cases: dict[str, str] = {}

    def take(self, marked: Sequence[tuple[str, Row]]) -> None:
        """Register whom these rows name, open their cases, and recognise who is known.

        Args:
            marked: fingerprint and row.
        """
        new = self._not_imported(marked)
        self.tally.same = len(marked) - len(new)
        entered = {mark: person_data(row) for mark, row in new.items()}
        matches = people.matches_among(self.work.session, entered)
        visible = self._visible({other for found in matches.values() for other, _ in found})
        self._load_cases(visible)
        for mark, row in new.items():
            found = [entry for entry in matches.get(mark, []) if entry[0] in visible]
            one = _Entered(data=entered[mark], tokens=tokens_of(entered[mark]))
            self._take_row(mark, row, one, [*found, *self._among_fresh(one)])

    def _not_imported(self, marked: Sequence[tuple[str, Row]]) -> dict[str, Row]:
        rows = self.work.session.execute(
            select(ManifestRow.fingerprint, ManifestRow.person_id).where(
                ManifestRow.fingerprint.in_([mark for mark, _ in marked])
            )
        )
        before = {mark: person_id for mark, person_id in rows}  # noqa: C416 - rows are not pairs to mypy
        new: dict[str, Row] = {}
        for mark, row in marked:
            if mark in before:
                self._remember_family(row, before[mark])
            else:
                new.setdefault(mark, row)
        return new

    def _remember_family(self, row: Row, person_id: str | None) -> None:
        """Go on with the household that an earlier, broken-off import made for this family."""
        if row.household in self.families and person_id is not None:
            household = select(Person.household_id).where(Person.id == person_id)
            self.families[row.household] = self.work.session.execute(household).scalar() or self.families[row.household]

    def _visible(self, found: set[str]) -> set[str]:
        """Leave out people with a strictly confidential case: that they are known must not show."""
        if self.work.actor.is_system or not found:
            return found
        data = people.load_in_parts(self.work.session, found)
        cards = people.cards_of(
            self.work.actor, [(key, entry, Match(score=0.0)) for key, entry in data.items()], self.work.now
        )
        return {card.id for card in cards}

    def _load_cases(self, found: set[str]) -> None:
        rows = self.work.session.execute(
            select(Case.person_id, Case.id).where(Case.person_id.in_(found), Case.status == str(CaseStatus.OPEN))
        )
        self.open_cases.update((person_id, case_id) for person_id, case_id in rows)

    def _among_fresh(self, entered: _Entered) -> list[tuple[str, Match]]:
        shared = (one for one in self.fresh if one.tokens & entered.tokens)
        found = [(one.person_id, match(entered.data.to_match(), one.data.to_match())) for one in shared]
        return [entry for entry in found if entry[1].verdict() != "none"]

    def _take_row(self, mark: str, row: Row, entered: _Entered, matches: list[tuple[str, Match]]) -> None:
        same = [entry for entry in matches if is_same_person(entry[1])]
        if same:
            person_id = max(same, key=lambda entry: entry[1].score)[0]
            case_id, opened = self._case_of(person_id, row)
            self.tally.known.append(KnownRow(number=row.number, person_id=person_id, case_id=case_id, opened=opened))
        else:
            person_id = add_person(self.work, entered.data, household_id=self._household(row))
            self.work.flush()
            case_id, _ = self._case_of(person_id, row)
            self.fresh.append(_Fresh(person_id=person_id, data=entered.data, tokens=_telling(entered.tokens)))
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
            outcome="joined" if same else "made",
            person_id=person_id,
            case_id=case_id,
        )

    def _case_of(self, person_id: str, row: Row) -> tuple[str, bool]:
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
            self._note(opened.id, note)
        self.open_cases[person_id] = opened.id
        return opened.id, True

    def _note(self, case_id: str, text: str) -> None:
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

    def _household(self, row: Row) -> str | None:
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


def _telling(tokens: frozenset[Token]) -> frozenset[Token]:
    return frozenset(token for token in tokens if token[0] in ("document", "phone", "pair"))


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
