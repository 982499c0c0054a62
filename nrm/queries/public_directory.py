"""The directory that everybody may read without signing in: public services of real life, and who offers them.

A service stands in it only when it is public, active, not a test's, of an active organisation, and of a kind that
may be known of in the open: kinds of the level strict (shelters, trafficking …) are left out whatever the entry says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, func, select

from nrm.db import db
from nrm.delivery.conditions_in_words import Wordings, in_words
from nrm.errors import NotFound
from nrm.expressions import BadExpression, Expression, parse
from nrm.i18n import DEFAULT, LANGUAGES, catalogue
from nrm.models import Event, Organisation, PackItem, Place, Service, ServiceCoverage
from nrm.queries import packs
from nrm.rules import hsds
from nrm.rules.hsds import TAXONOMY, Area, Hsds, Listed, Offerer, Term, Wording, public_id
from nrm.vocabulary import Level, Visibility

T = TypeVar("T")

_COUNTED: Final = "service.capacity_changed"
_CHANGING: Final = (_COUNTED, "service.verified")
"""Kinds of events with which a provider's entry changes."""

_FACTS: Final = ("age", "sex", "return_type", "host_country", "months_since_return")
"""What a condition of eligibility may read, as far as it has words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFilter:
    """What to leave out; None for nothing. Ids are those of the public directory.

    Attributes:
        search: words that all stand in the name, the description or the kind, in any language.
        pcode: P-code of a governorate or district where it is offered.
        modified_after: changed at this moment or later.
    """

    search: str | None = None
    term: str | None = None
    taxonomy: str | None = None
    organisation: str | None = None
    pcode: str | None = None
    modified_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[T]):
    """A numbered page.

    Attributes:
        items: its entries.
        total: entries of all pages.
        number: its number, from 1.
        size: entries of a full page.
    """

    items: tuple[T, ...]
    total: int
    number: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """In which language and on which day somebody reads; which page.

    Attributes:
        language: ar, ckb or en.
        now: the present moment.
        page: number of the page, from 1.
        size: entries of a page.
    """

    language: str
    now: datetime
    page: int = 1
    size: int = 50

    @property
    def today(self) -> date:
        """The day where the country is."""
        return self.now.astimezone(packs.pack().zone).date()

    def cut(self, entries: Sequence[Any], make: Callable[[Sequence[Any]], Sequence[Hsds]]) -> Slice[Hsds]:
        """Take one page out of all entries.

        Args:
            entries: all.
            make: gives what the page shows of some.
        """
        start = (self.page - 1) * self.size
        shown = entries[start : start + self.size]
        return Slice(items=tuple(make(shown)), total=len(entries), number=self.page, size=self.size)


def services(reader: Reader, only: PublicFilter, *, full: bool = False, minimal: bool = False) -> Slice[Hsds]:
    """List the public services by code.

    Args:
        reader: who reads how.
        only: what to leave out.
        full: with everything that belongs to each.
        minimal: no more than id and moment of the last change; this counts more than `full`.
    """
    words = _words(reader.language)

    def make(entry: Listed) -> Hsds:
        if minimal:
            return hsds.minimal(entry)
        return (hsds.service_in_full if full else hsds.service)(entry, words, reader.today)

    return reader.cut(_found(only), lambda ids: [make(entry) for entry in _load(ids, reader.language)])


def service(reader: Reader, uuid: str) -> Hsds:
    """Give a public service with everything that belongs to it.

    Raises:
        NotFound: no public service has this id.
    """
    ids = [row for row in _found(PublicFilter()) if public_id("service", row) == uuid]
    entry = next(iter(_load(ids, reader.language)), None)
    if entry is None:
        raise NotFound
    return hsds.service_in_full(entry, _words(reader.language), reader.today)


def service_at_locations(reader: Reader, only: PublicFilter, *, full: bool = False) -> Slice[Hsds]:
    """List each public service once for each place where it is offered; arguments as for `services`."""
    words = _words(reader.language)
    pairs = [(entry, area) for entry in _load(_found(only), reader.language) for area in entry.areas]
    if only.pcode is not None:
        pairs = [(entry, area) for entry, area in pairs if area.pcode == only.pcode]
    return reader.cut(
        pairs,
        lambda shown: [hsds.service_at_location(entry, area, words, reader.today, full=full) for entry, area in shown],
    )


def service_at_location(reader: Reader, uuid: str) -> Hsds:
    """Give one place of one public service.

    Raises:
        NotFound: there is none of this id.
    """
    for entry in _load(_found(PublicFilter()), reader.language):
        for area in entry.areas:
            if hsds.location_id(entry, area) == uuid:
                return hsds.service_at_location(entry, area, _words(reader.language), reader.today, full=True)
    raise NotFound


def organisations(reader: Reader, only: PublicFilter, *, full: bool = False) -> Slice[Hsds]:
    """List the organisations that offer a public service, by id; `full` adds what they offer."""
    words = _words(reader.language)
    offers = _by_organisation(_load(_found(only), reader.language))

    def make(shown: Sequence[tuple[Offerer, list[Listed]]]) -> list[Hsds]:
        if full:
            return [hsds.organisation_in_full(entry, listed, words) for entry, listed in shown]
        return [hsds.organisation(entry, words) for entry, _ in shown]

    return reader.cut(offers, make)


def organisation(reader: Reader, uuid: str, *, full_service: bool = False) -> Hsds:
    """Give an organisation and what it offers to everybody.

    Args:
        reader: who reads how.
        uuid: its public id.
        full_service: each service with everything that belongs to it.

    Raises:
        NotFound: no organisation with a public service has this id.
    """
    words = _words(reader.language)
    for entry, listed in _by_organisation(_load(_found(PublicFilter(organisation=uuid)), reader.language)):
        found = hsds.organisation_in_full(entry, listed, words)
        if full_service:
            found["services"] = [hsds.service_in_full(one, words, reader.today) for one in listed]
        return found
    raise NotFound


def _by_organisation(listed: Sequence[Listed]) -> list[tuple[Offerer, list[Listed]]]:
    found: dict[str, tuple[Offerer, list[Listed]]] = {}
    for entry in listed:
        found.setdefault(entry.organisation.id, (entry.organisation, []))[1].append(entry)
    return list(found.values())


def taxonomies(reader: Reader, search: str | None = None) -> Slice[Hsds]:
    """List the one taxonomy."""
    one = hsds.taxonomy(_words(reader.language))
    found = [one] if _holds(search, (str(one["name"]), str(one["description"]))) else []
    return reader.cut(found, lambda shown: shown)


def taxonomy(reader: Reader, uuid: str) -> Hsds:
    """Give the taxonomy.

    Raises:
        NotFound: it is another id.
    """
    if uuid != public_id("taxonomy", TAXONOMY):
        raise NotFound
    return hsds.taxonomy(_words(reader.language))


def taxonomy_terms(reader: Reader, *, search: str | None = None, taxonomy_id: str | None = None) -> Slice[Hsds]:
    """List the kinds of services in the order of the code list."""
    words = _words(reader.language)
    known = taxonomy_id in (None, public_id("taxonomy", TAXONOMY))
    found = [term for term in _terms().values() if known and _holds(search, (term.code, *term.names.values()))]
    return reader.cut(found, lambda shown: [hsds.taxonomy_term(term, words) for term in shown])


def taxonomy_term(reader: Reader, uuid: str) -> Hsds:
    """Give one kind of service.

    Raises:
        NotFound: there is none of this id.
    """
    for term in _terms().values():
        if public_id("term", TAXONOMY, term.code) == uuid:
            return hsds.taxonomy_term(term, _words(reader.language))
    raise NotFound


def _terms() -> Mapping[str, Term]:
    """Give the kinds of services that may be known of in the open."""
    entries = packs.pack().codes.get(TAXONOMY, {})
    return {
        code: Term(code=code, names=entry.names)
        for code, entry in entries.items()
        if entry.active and entry.extra.get("level") != str(Level.STRICT)
    }


def _published(terms: Mapping[str, Term]) -> tuple[ColumnElement[bool], ...]:
    return (
        Service.active.is_(True),
        Service.livemode.is_(True),
        Service.visibility == str(Visibility.PUBLIC),
        Service.category.in_(list(terms)),
        Organisation.active.is_(True),
    )


def _found(only: PublicFilter) -> list[str]:
    """Give our ids of the public services that a filter leaves, by code."""
    terms = _terms()
    statement = (
        select(Service.id, Service.organisation_id, Service.category, Service.names, Service.description)
        .join(Organisation, Organisation.id == Service.organisation_id)
        .where(*_published(terms))
        .order_by(Service.code)
    )
    if only.pcode is not None:
        statement = statement.where(Service.id.in_(_offered_in(only.pcode)))
    found = [row.id for row in db.session.execute(statement) if _fits(row, only, terms)]
    if only.modified_after is None:
        return found
    loaded, changes = _loaded_at(), _changes(found)
    return [one for one in found if max(filter(None, (loaded, *changes.get(one, ())))) >= only.modified_after]


def _loaded_at() -> datetime:
    """Give the moment of the last load or change of the country's data, which may have changed any entry."""
    return db.session.execute(select(func.max(PackItem.updated_at))).scalar_one()


def _changes(ids: Sequence[str]) -> dict[str, tuple[datetime, datetime | None]]:
    """Give, for each service of which something happened, when it last changed and when its places did."""
    found: dict[str, tuple[datetime, datetime | None]] = {}
    rows = db.session.execute(
        select(Event.subject_id, Event.kind, func.max(Event.at))
        .where(Event.subject_kind == "service", Event.subject_id.in_(ids), Event.kind.in_(_CHANGING))
        .group_by(Event.subject_id, Event.kind)
    )
    for service_id, kind, at in rows:
        changed, counted = found.get(service_id, (at, None))
        found[service_id] = (max(changed, at), at if kind == _COUNTED else counted)
    return found


def _offered_in(pcode: str) -> Any:  # noqa: ANN401 - a subquery
    key = select(Place.key).where(Place.pcode == pcode).scalar_subquery()
    covers = (ServiceCoverage.governorate == key) | (ServiceCoverage.district == key)
    return select(ServiceCoverage.service_id).where(covers)


def _fits(row: Any, only: PublicFilter, terms: Mapping[str, Term]) -> bool:  # noqa: ANN401 - a row of `_found`
    texts = (*row.names.values(), *row.description.values(), *terms[row.category].names.values())
    return (
        only.taxonomy in (None, public_id("taxonomy", TAXONOMY))
        and only.term in (None, public_id("term", TAXONOMY, row.category))
        and only.organisation in (None, public_id("organization", row.organisation_id))
        and _holds(only.search, texts)
    )


def _holds(search: str | None, texts: Sequence[str]) -> bool:
    whole = _plain(" ".join(texts))
    return all(word in whole for word in _plain(search or "").split())


def _plain(text: str) -> str:
    """Make a text comparable: one form of each letter, without case and without vowel signs."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in spread if not unicodedata.combining(letter) and letter != "\u0640")


def _load(ids: Sequence[str], language: str) -> list[Listed]:
    """Read services with their organisations and places, in the order of their codes."""
    if not ids:
        return []
    rows = db.session.execute(
        select(Service, Organisation)
        .join(Organisation, Organisation.id == Service.organisation_id)
        .where(Service.id.in_(ids))
        .order_by(Service.code)
        .execution_options(populate_existing=True)
    ).all()
    terms, areas, loaded, changes = _terms(), _areas(ids), _loaded_at(), _changes(ids)

    def make(row: Service, owner: Organisation) -> Listed:
        changed, counted = changes.get(row.id, (loaded, None))
        listed = _listed(row, owner, terms[row.category], areas.get(row.id, []), language)
        return replace(listed, changed_at=max(changed, loaded), counted_at=counted or listed.counted_at)

    return [make(row, owner) for row, owner in rows]


def _areas(ids: Sequence[str]) -> dict[str, list[Area]]:
    places = {
        row.key: Area(key=row.key, names=row.names, pcode=row.pcode)
        for row in db.session.execute(select(Place.key, Place.names, Place.pcode))
    }
    covered = db.session.execute(
        select(ServiceCoverage.service_id, ServiceCoverage.governorate, ServiceCoverage.district)
        .where(ServiceCoverage.service_id.in_(ids))
        .order_by(ServiceCoverage.governorate, ServiceCoverage.district)
    )
    found: dict[str, dict[str, Area]] = {}
    for service_id, governorate, district in covered:
        area = places.get(district or governorate)
        if area is not None:
            found.setdefault(service_id, {})[area.key] = area
    return {service_id: list(areas.values()) for service_id, areas in found.items()}


def _listed(row: Service, owner: Organisation, term: Term, areas: Sequence[Area], language: str) -> Listed:
    condition = _condition(row.eligibility)
    return Listed(
        id=row.id,
        organisation=Offerer(id=owner.id, names=owner.names, kind=_kind(owner.kind)),
        term=term,
        names=row.names,
        description=row.description,
        languages=row.languages,
        eligibility=condition,
        eligibility_words=in_words(condition, _condition_words(language)) if condition is not None else None,
        details=row.details,
        accepting=row.accepting,
        paused_until=row.paused_until,
        slots=row.slots,
        open_slots=row.open_slots,
        unit=row.capacity_unit,
        changed_at=None,
        counted_at=datetime.combine(row.last_verified_on, time(), UTC) if row.last_verified_on else None,
        waiting_days=row.waiting_days,
        last_verified_on=row.last_verified_on,
        valid_until=row.valid_until,
        areas=areas,
    )


def _condition(text: str) -> Expression | None:
    try:
        return parse(text) if text else None
    except BadExpression:
        return None


def _kind(kind: str) -> Mapping[str, str]:
    found = {language: catalogue("directory", language) for language in LANGUAGES}
    return {language: texts.get(f"kind_{kind}") or texts["kind_other"] for language, texts in found.items() if texts}


def _words(language: str) -> Wording:
    return Wording(
        language=language,
        texts=catalogue("directory", language) or catalogue("directory", DEFAULT),
        languages=_labels("language", language),
        documents=_labels("document_type", language),
    )


def _labels(name: str, language: str) -> dict[str, str]:
    entries = packs.pack().codes.get(name, {})
    return {code: entry.names.get(language, code) for code, entry in entries.items()}


def _condition_words(language: str) -> Wordings:
    texts = catalogue("directory", language)
    return Wordings(
        language=language,
        labels={fact: texts[f"eligible_{fact}"] for fact in _FACTS},
        options={fact: _labels(fact, language) for fact in ("sex", "return_type", "host_country")},
    )
