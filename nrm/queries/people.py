"""People: find before registering, see only what one may, and pairs that may be one person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, Desk, IdentityDocument, Organisation, Person, PersonToken
from nrm.queries.person_records import Token, hashed, load_people, opened, pair_tokens, tokens_of
from nrm.queries.scope import sees_case
from nrm.rules.identity import NAME_PARTS, PersonData
from nrm.rules.matching import Identity, Match, Thresholds, document_token, match
from nrm.rules.names import sound_tokens
from nrm.vocabulary import BirthPrecision, Level

T = TypeVar("T")

MOST_FOUND: Final = 50
_CANDIDATES: Final = 100
_WEIGHTS: Final = {"document": 1000, "phone": 500, "pair": 100}
_TELLING: Final = frozenset({"name_same", "name_same_short", "name_alike", "same_document", "same_phone"})
_DECIDING: Final = ("document", "phone", "pair")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What somebody looks for; every part may be missing.

    Attributes:
        name: names in order, any script.
        mother: mother's name.
        born: birth date, or the first day of what is known.
        precision: how much of it is known.
        phone: in E.164.
        document: number of a paper, as typed.
        governorate: key.
        sex: code.
    """

    name: str = ""
    mother: str = ""
    born: date | None = None
    precision: BirthPrecision = BirthPrecision.UNKNOWN
    phone: str = ""
    document: str = ""
    governorate: str | None = None
    sex: str | None = None

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to search by."""
        return not (self.name.strip() or self.phone or document_token(self.document))


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhom:
    """The office that knows a person whom the actor may not see."""

    organisation_id: str
    organisation_names: Mapping[str, str]
    desk_names: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """One answer of a search.

    Attributes:
        id: the person.
        masked: the actor has no access to a case of the person: only initials, birth year and governorate show.
        name: the full name, or initials.
        latin: the Latin name; "" when masked.
        mother: the mother's name; "" when masked.
        born: as recorded; the year only when masked.
        precision: how much of the birth date is known.
        sex: code; None when masked.
        governorate: key.
        case_id: an open case that the actor may see.
        has_open_case: whether there is an open case at all.
        score: how likely it is the person looked for, 0 to 1.
        verdict: "likely", "possible" or "none".
        reasons: keys of `nrm.rules.matching.POINTS`; those about data that are masked are left out.
        ask: whom to ask, when masked and an office has a case.
    """

    id: str
    masked: bool
    name: str
    latin: str
    mother: str
    born: str
    precision: str
    sex: str | None
    governorate: str | None
    case_id: str | None
    has_open_case: bool
    score: float
    verdict: str
    reasons: tuple[str, ...]
    ask: AskWhom | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """An identity paper as shown."""

    id: str
    kind: str
    number: str
    status: str
    issued_on: date | None
    expires_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A person in full.

    Attributes:
        data: what is recorded.
        papers: identity papers with their ids.
        household: id of the household, and this person's role in it.
        case_ids: the person's cases that the actor may see, the newest first.
    """

    id: str
    version: int
    data: PersonData
    papers: tuple[PaperView, ...]
    household_id: str | None
    household_role: str | None
    deceased_on: date | None
    case_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two records that may be one person; `first` is one that the actor may see."""

    first: FoundPerson
    second: FoundPerson
    score: float
    reasons: tuple[str, ...] = field(default=())


def find_people(actor: Actor, criteria: Criteria, now: datetime, *, limit: int = 20) -> tuple[FoundPerson, ...]:
    """Find people before one is registered, the likeliest first.

    People with a strictly confidential case are only found by those who may see it.

    Args:
        actor: needs the permission person.search.
        criteria: what to look for; without a name, phone or paper nobody is found.
        now: the present moment.
        limit: most answers, 1 to 50.

    Raises:
        NotAllowed: the actor may not search.
    """
    if not actor.may("person.search"):
        raise NotAllowed("not_allowed", permission="person.search")
    if criteria.is_empty:
        return ()
    wanted = Identity(
        name=criteria.name,
        mother=criteria.mother,
        born=criteria.born,
        precision=criteria.precision,
        documents=frozenset({criteria.document}) if criteria.document else frozenset(),
        phones=frozenset({criteria.phone}) if criteria.phone else frozenset(),
        governorate=criteria.governorate,
        sex=criteria.sex,
    )
    number = document_token(criteria.document)
    tokens = hashed(
        {
            "sound": sound_tokens([criteria.name]),
            "pair": pair_tokens(criteria.name),
            "phone": [criteria.phone] if criteria.phone else [],
            "document": [number] if number else [],
        }
    )
    words = criteria.name.split()
    ids = _candidates(db.session(), tokens, least=2 if len(words) > 1 else 1)
    best = ranked(db.session(), wanted, ids)
    return cards_of(actor, best, now)[: max(1, min(limit, MOST_FOUND))]


def ranked(session: Session, wanted: Identity, ids: Collection[str]) -> list[tuple[str, PersonData, Match]]:
    """Compare some people with somebody who is looked for; the likeliest come first, those who do not fit are left out.

    Args:
        session: the database session.
        wanted: who is looked for.
        ids: of the people.
    """
    people = load_people(session, ids)
    joined = _joined(session, ids)
    words = wanted.name.split()
    # Some write the surname first.
    ways = [wanted, replace(wanted, name=" ".join([*words[1:], words[0]]))] if len(words) > 1 else [wanted]
    scored = [
        (person_id, data, max((match(way, record.to_match()) for way in ways for record in records), key=_rank))
        for person_id, data in people.items()
        if (records := [data, *joined.get(person_id, [])])
    ]
    telling = [entry for entry in scored if _TELLING & set(entry[2].reasons)]
    return sorted(telling, key=lambda entry: (*(-part for part in _rank(entry[2])), entry[0]))


def _rank(found: Match) -> tuple[float, int]:
    return found.score, len(_TELLING & set(found.reasons))


def _joined(session: Session, ids: Collection[str]) -> dict[str, list[PersonData]]:
    """Load the records that were joined to some people: a person is also found by what only they say."""
    rows = session.execute(select(Person.id, Person.merged_into_id).where(Person.merged_into_id.in_(ids))).all()
    data = load_people(session, [row.id for row in rows]) if rows else {}
    joined: dict[str, list[PersonData]] = {}
    for person_id, into in rows:
        joined.setdefault(str(into), []).append(data[person_id])
    return joined


def _candidates(session: Session, tokens: Collection[Token], *, least: int, but: str | None = None) -> list[str]:
    """List people who share tokens, those who share the most telling ones first."""
    if not tokens:
        return []
    weight = func.sum(case(_WEIGHTS, value=PersonToken.kind, else_=1))
    statement = (
        select(PersonToken.person_id)
        .join(Person, and_(Person.id == PersonToken.person_id, Person.merged_into_id.is_(None)))
        .where(_any_of(tokens))
        .group_by(PersonToken.person_id)
        .having(weight >= least)
        .order_by(weight.desc(), PersonToken.person_id)
        .limit(_CANDIDATES)
    )
    if but is not None:
        statement = statement.where(PersonToken.person_id != but)
    return list(session.scalars(statement))


def _any_of(tokens: Iterable[Token]) -> ColumnElement[bool]:
    """Give the condition that a token is one of some; by kind, because SQLite finds no index for pairs."""
    by_kind: dict[str, list[str]] = {}
    for kind, token in sorted(tokens):
        by_kind.setdefault(kind, []).append(token)
    return or_(*(and_(PersonToken.kind == kind, PersonToken.token.in_(some)) for kind, some in by_kind.items()))


def likely_duplicates(session: Session, person_id: str) -> tuple[str, ...]:
    """List people who may be the same as this one, the likeliest first.

    Args:
        session: the database session; rows that wait in the transaction must have been flushed.
        person_id: the person.
    """
    return tuple(found for found, _ in matches_of(session, person_id))


def matches_of(session: Session, person_id: str) -> list[tuple[str, Match]]:
    """List people who may be the same as this one, with what speaks for it, the likeliest first."""
    mine = load_people(session, [person_id]).get(person_id)
    if mine is None:
        return []
    everything = tokens_of(mine)
    # Common names sound alike by the hundred; own and father's name together do not. One name alone has no pair.
    tokens = {token for token in everything if token[0] in _DECIDING}
    if not any(kind == "pair" for kind, _ in tokens):
        tokens |= {token for token in everything if token[0] == "sound"}
    others = load_people(session, _candidates(session, tokens, least=1, but=person_id))
    found = [(other, match(mine.to_match(), data.to_match())) for other, data in others.items()]
    close = [entry for entry in found if entry[1].verdict(Thresholds()) != "none"]
    return sorted(close, key=lambda entry: (-entry[1].score, entry[0]))


def matches_among(session: Session, people: Mapping[str, PersonData]) -> dict[str, list[tuple[str, Match]]]:
    """For many people who are not stored yet, list stored people who may be the same; one search for all.

    Args:
        session: the database session.
        people: any key → data.

    Returns:
        Key → stored person and what speaks for it, the likeliest first; keys without any are left out.
    """
    tokens = {key: {token for token in tokens_of(data) if token[0] in _DECIDING} for key, data in people.items()}
    wanted = frozenset().union(*tokens.values()) if tokens else frozenset()
    holders: dict[Token, set[str]] = {}
    for part in _parts(sorted(wanted), 400):
        rows = session.execute(
            select(PersonToken.kind, PersonToken.token, PersonToken.person_id)
            .join(Person, and_(Person.id == PersonToken.person_id, Person.merged_into_id.is_(None)))
            .where(_any_of(part))
        )
        for kind, token, person_id in rows:
            holders.setdefault((kind, token), set()).add(person_id)
    held = sorted(set().union(*holders.values())) if holders else []
    known = load_in_parts(session, held)
    joined = {into: entries for part in _parts(held, 400) for into, entries in _joined(session, part).items()}
    found: dict[str, list[tuple[str, Match]]] = {}
    for key, data in people.items():
        others = set().union(*(holders.get(token, set()) for token in tokens[key]))
        matches = [
            (other, max((match(data.to_match(), record.to_match()) for record in records), key=_rank))
            for other in others
            if other in known and (records := [known[other], *joined.get(other, [])])
        ]
        close = [entry for entry in matches if entry[1].verdict(Thresholds()) != "none"]
        if close:
            found[key] = sorted(close, key=lambda entry: (-entry[1].score, entry[0]))
    return found


def load_in_parts(session: Session, ids: Collection[str]) -> dict[str, PersonData]:
    """Load many people, a few hundred at a time."""
    loaded: dict[str, PersonData] = {}
    for part in _parts(sorted(ids), 400):
        loaded |= load_people(session, part)
    return loaded


def _parts(entries: list[T], size: int) -> Iterable[list[T]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))


def person(actor: Actor, person_id: str, now: datetime) -> PersonView:
    """Give a person in full.

    A person without any case is seen by those who may register people: somebody has to open the case.

    Args:
        actor: needs access to a case of the person.
        person_id: the person; a record that was joined to another is not found.
        now: the present moment.

    Raises:
        NotFound: no such person, or not the actor's to know of.
    """
    row = db.session.execute(
        select(Person).where(Person.id == person_id).execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None or row.merged_into_id is not None or not may_see(actor, person_id, now):
        raise NotFound
    cases = db.session.scalars(
        select(Case.id).where(Case.person_id == person_id, sees_case(actor, now)).order_by(Case.opened_at.desc())
    ).all()
    papers = db.session.scalars(
        select(IdentityDocument).where(IdentityDocument.person_id == person_id).order_by(IdentityDocument.created_at)
    ).all()
    data = opened(row, papers)
    return PersonView(
        id=row.id,
        version=row.version,
        data=data,
        papers=tuple(
            PaperView(
                id=paper.id,
                kind=paper.kind,
                number=shown.number,
                status=paper.status,
                issued_on=paper.issued_on,
                expires_on=paper.expires_on,
            )
            for paper, shown in zip(papers, data.papers, strict=True)
        ),
        household_id=row.household_id,
        household_role=row.household_role,
        deceased_on=row.deceased_on,
        case_ids=tuple(cases),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def may_see(actor: Actor, person_id: str, now: datetime, *, writing: bool = False) -> bool:
    """Say whether an actor may see a person in full.

    Args:
        actor: who asks.
        person_id: the person.
        now: the present moment.
        writing: whether the actor may also change what is recorded.
    """
    if actor.is_system:
        return True
    mine = exists().where(Case.person_id == person_id, sees_case(actor, now, writing=writing))
    anybodys = exists().where(Case.person_id == person_id)
    known = exists().where(Person.id == person_id)
    accessible, has_case, is_there = db.session.execute(select(mine, anybodys, known)).one()
    return bool(accessible) or bool(is_there and not has_case and actor.may("person.register"))


def household(actor: Actor, household_id: str, now: datetime) -> tuple[FoundPerson, ...]:
    """List the people of a household; those whom the actor may not see are masked.

    Raises:
        NotFound: no such household, or the actor may see none of its people.
    """
    ids = db.session.scalars(
        select(Person.id).where(Person.household_id == household_id, Person.merged_into_id.is_(None))
    ).all()
    people = load_people(db.session(), ids)
    cards = cards_of(actor, [(person_id, data, Match(score=0.0)) for person_id, data in people.items()], now)
    if all(card.masked for card in cards):
        raise NotFound
    return cards


def possible_duplicates(actor: Actor, person_id: str, now: datetime) -> tuple[FoundPerson, ...]:
    """List people who may be the same as one whom the actor may see.

    Raises:
        NotFound: no such person, or not the actor's to know of.
    """
    if not may_see(actor, person_id, now):
        raise NotFound
    found = matches_of(db.session(), person_id)
    people = load_people(db.session(), [other for other, _ in found])
    return cards_of(actor, [(other, people[other], score) for other, score in found], now)


def duplicate_pairs(actor: Actor, now: datetime, *, limit: int = 50) -> tuple[Duplicate, ...]:
    """List pairs of records with one phone, paper, or own and father's name that may be one person.

    Args:
        actor: needs the permission person.merge; one of each pair is a person whom the actor may see.
        now: the present moment.
        limit: most pairs that are looked at.

    Raises:
        NotAllowed: the actor may not join people.
    """
    if not actor.may("person.merge"):
        raise NotAllowed("not_allowed", permission="person.merge")
    one, two, first, second = aliased(PersonToken), aliased(PersonToken), aliased(Person), aliased(Person)
    mine = select(Case.person_id).where(sees_case(actor, now))
    pairs = db.session.execute(
        select(one.person_id, two.person_id)
        .join(two, and_(one.kind == two.kind, one.token == two.token, one.person_id < two.person_id))
        .join(first, and_(first.id == one.person_id, first.merged_into_id.is_(None)))
        .join(second, and_(second.id == two.person_id, second.merged_into_id.is_(None)))
        .where(one.kind.in_(_DECIDING), or_(one.person_id.in_(mine), two.person_id.in_(mine)))
        .distinct()
        .order_by(one.person_id, two.person_id)
        .limit(limit * 4)
    ).all()
    people = load_in_parts(db.session(), {person_id for pair in pairs for person_id in pair})
    scored = [(a, b, match(people[a].to_match(), people[b].to_match())) for a, b in pairs]
    close = [entry for entry in scored if entry[2].verdict(Thresholds()) != "none"]
    close.sort(key=lambda entry: (-entry[2].score, entry[0], entry[1]))
    cards = {
        card.id: card
        for card in cards_of(actor, [(key, people[key], Match(score=0.0)) for a, b, _ in close for key in (a, b)], now)
    }
    return tuple(_pair(cards[a], cards[b], found) for a, b, found in close[:limit] if a in cards and b in cards)


def _pair(one: FoundPerson, two: FoundPerson, found: Match) -> Duplicate:
    first, second = (two, one) if one.masked else (one, two)
    return Duplicate(first=first, second=second, score=found.score, reasons=found.reasons)


def cards_of(actor: Actor, found: Iterable[tuple[str, PersonData, Match]], now: datetime) -> tuple[FoundPerson, ...]:
    """Show people as far as the actor may see them; strictly confidential ones not at all.

    Args:
        actor: who looks.
        found: person, data and what speaks for the person being the one looked for.
        now: the present moment.
    """
    entries = list({person_id: (person_id, data, score) for person_id, data, score in found}.values())
    cases = _cases_of(actor, [entry[0] for entry in entries], now)
    cards = []
    for person_id, data, score in entries:
        of_person = cases.get(person_id, [])
        seen = [entry for entry in of_person if entry.seen]
        if seen or actor.is_system or (not of_person and actor.may("person.register")):
            cards.append(_open_card(person_id, data, score, of_person))
        elif all(entry.level != Level.STRICT for entry in of_person):
            cards.append(_masked_card(person_id, data, score, of_person))
    return tuple(cards)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseOf:
    id: str
    level: str
    is_open: bool
    seen: bool
    ask: AskWhom


def _cases_of(actor: Actor, people: list[str], now: datetime) -> dict[str, list[_CaseOf]]:
    if not people:
        return {}
    rows = db.session.execute(
        select(
            Case.person_id,
            Case.id,
            Case.level,
            Case.status,
            sees_case(actor, now).label("seen"),
            Organisation.id.label("organisation_id"),
            Organisation.names.label("organisation_names"),
            Desk.names.label("desk_names"),
        )
        .join(Organisation, Organisation.id == Case.organisation_id)
        .outerjoin(Desk, Desk.id == Case.desk_id)
        .where(Case.person_id.in_(people))
        .order_by(Case.opened_at.desc())
    )
    cases: dict[str, list[_CaseOf]] = {}
    for row in rows:
        ask = AskWhom(
            organisation_id=row.organisation_id, organisation_names=row.organisation_names, desk_names=row.desk_names
        )
        entry = _CaseOf(id=row.id, level=row.level, is_open=row.status == "open", seen=bool(row.seen), ask=ask)
        cases.setdefault(row.person_id, []).append(entry)
    return cases


def _open_card(person_id: str, data: PersonData, found: Match, cases: list[_CaseOf]) -> FoundPerson:
    return FoundPerson(
        id=person_id,
        masked=False,
        name=data.full_name,
        latin=data.names.get("latin", ""),
        mother=data.names.get("mother", ""),
        born=data.born,
        precision=data.precision,
        sex=data.sex,
        governorate=data.governorate,
        case_id=next((entry.id for entry in cases if entry.seen and entry.is_open), None),
        has_open_case=any(entry.is_open for entry in cases),
        score=found.score,
        verdict=found.verdict(),
        reasons=found.reasons,
    )


def _masked_card(person_id: str, data: PersonData, found: Match, cases: list[_CaseOf]) -> FoundPerson:
    return FoundPerson(
        id=person_id,
        masked=True,
        name=initials(data),
        latin="",
        mother="",
        born=data.born[:4],
        precision=BirthPrecision.YEAR if data.born else BirthPrecision.UNKNOWN,
        sex=None,
        governorate=data.governorate,
        case_id=None,
        has_open_case=any(entry.is_open for entry in cases),
        score=found.score,
        verdict=found.verdict(),
        # That a phone, a paper or a mother's name fits would tell what they are.
        reasons=tuple(reason for reason in found.reasons if reason.startswith("name_")),
        ask=cases[0].ask if cases else None,
    )


def initials(data: PersonData) -> str:
    """Shorten a name to first letters: "م. ع. ج."."""
    parts = [data.names[part] for part in NAME_PARTS if data.names.get(part)] or data.full_name.split()
    return " ".join(f"{part[0]}." for part in parts if part)
