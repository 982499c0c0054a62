"""Which services stand in the public directory, and what is read of them.

A service stands in it only when it is public, active, not a test's, of an active organisation, and of a kind that
may be known of in the open: kinds of the level strict (shelters, trafficking …) are left out whatever the entry says.
Finding reads ids only, so that a page of a long directory costs little more than its own rows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select

from nrm.db import db
from nrm.delivery.conditions_in_words import Wordings, in_words
from nrm.expressions import BadExpression, Expression, parse
from nrm.i18n import LANGUAGES, catalogue
from nrm.models import Event, Organisation, PackItem, Place, Service, ServiceCoverage
from nrm.queries import packs
from nrm.rules.hsds import TAXONOMY, Area, Listed, Offerer, Term, public_id
from nrm.vocabulary import Level, Visibility

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


def terms() -> Mapping[str, Term]:
    """Give the kinds of services that may be known of in the open."""
    entries = packs.pack().codes.get(TAXONOMY, {})
    return {
        code: Term(code=code, names=entry.names)
        for code, entry in entries.items()
        if entry.active and entry.extra.get("level") != str(Level.STRICT)
    }


def _published(known: Mapping[str, Term]) -> tuple[ColumnElement[bool], ...]:
    return (
        Service.active.is_(True),
        Service.livemode.is_(True),
        Service.visibility == str(Visibility.PUBLIC),
        Service.category.in_(list(known)),
        Organisation.active.is_(True),
    )


def find(only: PublicFilter) -> list[str]:
    """Give our ids of the public services that a filter leaves, by code."""
    known = terms()
    statement = _selected(known, only, Service.id, Service.organisation_id, Service.category)
    if only.search is not None:
        statement = statement.add_columns(Service.names, Service.description)
    found = [row.id for row in db.session.execute(statement) if _fits(row, only, known)]
    if only.modified_after is None:
        return found
    loaded, changes = _loaded_at(), _changes(found)
    return [one for one in found if max(filter(None, (loaded, *changes.get(one, ())))) >= only.modified_after]


def find_places(only: PublicFilter) -> list[tuple[str, str]]:
    """Give our id of each public service that a filter leaves with the key of each place where it is offered."""
    found = set(find(only))
    statement = _selected(terms(), only, Service.id, ServiceCoverage.governorate, ServiceCoverage.district)
    statement = statement.join(ServiceCoverage, ServiceCoverage.service_id == Service.id)
    rows = db.session.execute(statement.order_by(ServiceCoverage.governorate, ServiceCoverage.district))
    pairs = dict.fromkeys((row.id, row.district or row.governorate) for row in rows if row.id in found)
    if only.pcode is None:
        return list(pairs)
    keys = set(db.session.scalars(select(Place.key).where(Place.pcode == only.pcode)))
    return [pair for pair in pairs if pair[1] in keys]


def find_organisations(only: PublicFilter) -> dict[str, list[str]]:
    """Give our ids of the organisations that a filter leaves, each with those of its public services, by code."""
    known = terms()
    left = set(find(only))
    found: dict[str, list[str]] = {}
    for row in db.session.execute(_selected(known, only, Service.id, Service.organisation_id)):
        if row.id in left:
            found.setdefault(row.organisation_id, []).append(row.id)
    return found


def offerers(ids: Sequence[str]) -> dict[str, Offerer]:
    """Read organisations by our ids."""
    rows = db.session.scalars(
        select(Organisation).where(Organisation.id.in_(ids)).execution_options(populate_existing=True)
    )
    return {row.id: _offerer(row) for row in rows}


def _offerer(row: Organisation) -> Offerer:
    return Offerer(id=row.id, names=row.names, kind=_kind(row.kind))


def _selected(known: Mapping[str, Term], only: PublicFilter, *columns: Any) -> Select[Any]:  # noqa: ANN401
    statement = (
        select(*columns)
        .select_from(Service)
        .join(Organisation, Organisation.id == Service.organisation_id)
        .where(*_published(known))
        .order_by(Service.code)
    )
    return statement if only.pcode is None else statement.where(Service.id.in_(_offered_in(only.pcode)))


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


def _offered_in(pcode: str) -> Select[Any]:
    keys = select(Place.key).where(Place.pcode == pcode)
    covers = ServiceCoverage.governorate.in_(keys) | ServiceCoverage.district.in_(keys)
    return select(ServiceCoverage.service_id).where(covers)


def _fits(row: Any, only: PublicFilter, known: Mapping[str, Term]) -> bool:  # noqa: ANN401 - a row of `find`
    if only.search is not None:
        texts = (*row.names.values(), *row.description.values(), *known[row.category].names.values())
        if not holds(only.search, texts):
            return False
    return (
        only.taxonomy in (None, public_id("taxonomy", TAXONOMY))
        and (only.term is None or only.term == public_id("term", TAXONOMY, row.category))
        and (only.organisation is None or only.organisation == public_id("organization", row.organisation_id))
    )


def holds(search: str | None, texts: Sequence[str]) -> bool:
    """Say whether all words of a search stand in some texts, whatever their case and vowel signs."""
    whole = _plain(" ".join(texts))
    return all(word in whole for word in _plain(search or "").split())


def _plain(text: str) -> str:
    """Make a text comparable: one form of each letter, without case and without vowel signs."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in spread if not unicodedata.combining(letter) and letter != "\u0640")


def load(ids: Sequence[str], language: str) -> list[Listed]:
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
    known, areas, loaded, changes = terms(), _areas(ids), _loaded_at(), _changes(ids)

    def make(row: Service, owner: Organisation) -> Listed:
        changed, counted = changes.get(row.id, (loaded, None))
        listed = _listed(row, owner, known[row.category], areas.get(row.id, []), language)
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
        organisation=_offerer(owner),
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


def labels(name: str, language: str) -> dict[str, str]:
    """Give the labels of a code list in one language."""
    entries = packs.pack().codes.get(name, {})
    return {code: entry.names.get(language, code) for code, entry in entries.items()}


def _condition_words(language: str) -> Wordings:
    texts = catalogue("directory", language)
    return Wordings(
        language=language,
        labels={fact: texts[f"eligible_{fact}"] for fact in _FACTS},
        options={fact: labels(fact, language) for fact in ("sex", "return_type", "host_country")},
    )
