"""The public directory in the words of Open Referral HSDS 3.1: our values in, its objects out.

Source: Human Services Data Specification 3.1, https://docs.openreferral.org. Ids are UUIDs made from ours by
SHA-1 (RFC 9562 version 5): the same entry has the same id for ever, and nobody can make our id of it. A member
without a value is left out, as the specification's schemas ask. There is no address in any of it: a place is a
governorate or district with its P-code, so that no house can be found through the directory.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

from nrm.expressions import Expression
from nrm.expressions.tree import Compare, Junction, Literal, Name, Node

Hsds: TypeAlias = dict[str, object]

VERSION: Final = "3.1"
TAXONOMY: Final = "service_category"
"""The code list that serves as the taxonomy."""

_NAMESPACE: Final = uuid.UUID("5f2c9a3e-7d41-5b86-9c0e-1a6b3f8d2e57")
_DAYS: Final = {
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
    "sunday": "SU",
}
_FLAGS: Final = ("accessible", "female_staff")
"""What a service's details may say with yes or no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The texts of one language, and the language.

    Attributes:
        language: ar, ckb or en.
        texts: code → text of the catalogue `directory`, with {named} places.
        languages: language code → its name.
        documents: code of a paper → its name.
    """

    language: str
    texts: Mapping[str, str]
    languages: Mapping[str, str]
    documents: Mapping[str, str]

    def pick(self, names: Mapping[str, str]) -> str:
        """Give a name in this language, else in any."""
        return names.get(self.language) or names.get("en") or next(iter(names.values()), "")

    def say(self, code: str, **params: object) -> str:
        """Give a text of the catalogue."""
        return self.texts[code].format(**params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offerer:
    """An organisation that offers something to everybody.

    Attributes:
        kind: what it is, in words by language.
    """

    id: str
    names: Mapping[str, str]
    kind: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A governorate or district."""

    key: str
    names: Mapping[str, str]
    pcode: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A kind of service."""

    code: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A service that everybody may find.

    Attributes:
        eligibility: who may have it, as a condition; None for everybody.
        eligibility_words: the same in words of the answer's language.
        details: what else the pack says of it: cost, documents, schedule, phones, email, url and flags.
        open_slots: free places; None when nobody counts them.
        unit: what a place is, in the provider's word; None for a place.
        changed_at: when something of the entry last changed.
        counted_at: when the free places were last counted, taken or given back.
        areas: where it is offered, by key of the place.
    """

    id: str
    organisation: Offerer
    term: Term
    names: Mapping[str, str]
    description: Mapping[str, str]
    languages: Sequence[str]
    eligibility: Expression | None
    eligibility_words: str | None
    details: Mapping[str, object]
    accepting: bool
    paused_until: date | None
    slots: int | None
    open_slots: int | None
    unit: str | None
    changed_at: datetime | None
    counted_at: datetime | None
    waiting_days: int | None
    last_verified_on: date | None
    valid_until: date | None
    areas: Sequence[Area]


def public_id(kind: str, *keys: str) -> str:
    """Give the UUID of an entry.

    Args:
        kind: kind of the entry ("service").
        keys: our id, or the ids of the two ends of a link.
    """
    return str(uuid.uuid5(_NAMESPACE, ":".join((kind, *keys))))


def status_of(service: Listed, today: date) -> str:
    """Give HSDS's status: inactive once the entry is no longer valid, temporarily closed while it takes nobody."""
    if service.valid_until is not None and service.valid_until < today:
        return "inactive"
    paused = service.paused_until is not None and service.paused_until >= today
    return "active" if service.accepting and not paused else "temporarily closed"


def ages(eligibility: Expression | None) -> tuple[int | None, int | None]:
    """Read the least and the greatest age out of a condition; None where it does not name one for everybody."""
    least: int | None = None
    most: int | None = None
    for sign, years in _age_limits(eligibility.tree) if eligibility is not None else ():
        if sign in (">=", ">"):
            least = max(filter(None, (least, years + (sign == ">"))), default=0)
        elif sign in ("<=", "<"):
            most = min(years - (sign == "<"), years if most is None else most)
    return least, most


def _age_limits(node: Node) -> Iterator[tuple[str, int]]:
    match node:
        case Junction(word="and", operands=operands):
            for operand in operands:
                yield from _age_limits(operand)
        case Compare(first=Name(path=("age",)), rest=((sign, Literal(value=int(years))),)):
            yield sign, years


def _without_nothing(content: Mapping[str, object]) -> Hsds:
    return {name: value for name, value in content.items() if value is not None and value not in ("", [], ())}


def taxonomy(words: Wording) -> Hsds:
    """Give the taxonomy of the kinds of services."""
    return {
        "id": public_id("taxonomy", TAXONOMY),
        "name": words.say("taxonomy"),
        "description": words.say("taxonomy_description"),
        "version": "1",
    }


def taxonomy_term(term: Term, words: Wording) -> Hsds:
    """Give one kind of service."""
    name = words.pick(term.names)
    return {
        "id": public_id("term", TAXONOMY, term.code),
        "code": term.code,
        "name": name,
        "description": name,
        "language": words.language,
        "taxonomy": words.say("taxonomy"),
        "taxonomy_id": public_id("taxonomy", TAXONOMY),
        "taxonomy_detail": taxonomy(words),
    }


def organisation(entry: Offerer, words: Wording) -> Hsds:
    """Give an organisation; its own phone and mailbox are for partners and never stand here."""
    return {
        "id": public_id("organization", entry.id),
        "name": words.pick(entry.names),
        "description": words.pick(entry.kind),
    }


def organisation_in_full(entry: Offerer, services: Iterable[Listed], words: Wording) -> Hsds:
    """Give an organisation with the names of what it offers and its own name in all languages."""
    found = organisation(entry, words)
    found["attributes"] = _names(entry.names, "organization", str(found["id"]))
    found["services"] = [{"id": public_id("service", one.id), "name": words.pick(one.names)} for one in services]
    return found


def service(entry: Listed, words: Wording, today: date) -> Hsds:
    """Give a service as it stands in a list: what is there once only, and its organisation."""
    least, most = ages(entry.eligibility)
    known_cost = entry.details.get("cost") == "free"
    alert = words.say("paused_until", date=entry.paused_until) if entry.paused_until else None
    waiting = words.say("waiting_days", days=entry.waiting_days) if entry.waiting_days else None
    return _without_nothing(
        {
            "id": public_id("service", entry.id),
            "organization_id": public_id("organization", entry.organisation.id),
            "name": words.pick(entry.names),
            "description": words.pick(entry.description) if entry.description else None,
            "url": _text(entry.details.get("url")),
            "email": _text(entry.details.get("email")),
            "status": status_of(entry, today),
            "fees_description": words.say("free") if known_cost else None,
            "wait_time": waiting,
            "eligibility_description": entry.eligibility_words,
            "minimum_age": least,
            "maximum_age": most,
            "assured_date": entry.last_verified_on.isoformat() if entry.last_verified_on else None,
            "alert": alert if entry.paused_until and entry.paused_until >= today else None,
            "last_modified": _hour(entry.changed_at),
            "organization": organisation(entry.organisation, words),
        }
    )


def minimal(entry: Listed) -> Hsds:
    """Give of a service no more than its id and when it last changed."""
    return _without_nothing({"id": public_id("service", entry.id), "last_modified": _hour(entry.changed_at)})


def service_in_full(entry: Listed, words: Wording, today: date) -> Hsds:
    """Give a service with everything that belongs to it."""
    found = service(entry, words, today)
    found |= {
        "service_at_locations": [_at_location(entry, area, words) for area in entry.areas],
        "service_areas": [_area(entry, area, words) for area in entry.areas],
        "languages": [_language(entry, code, words) for code in entry.languages],
        "phones": _phones(entry),
        "schedules": _schedules(entry),
        "cost_options": _costs(entry, words),
        "required_documents": _documents(entry, words),
        "capacities": _capacities(entry, words),
        "attributes": _attributes(entry, words),
    }
    return _without_nothing(found)


def service_at_location(entry: Listed, area: Area, words: Wording, today: date, *, full: bool) -> Hsds:
    """Give one place of one service, with the service."""
    found = _at_location(entry, area, words)
    found["service"] = service_in_full(entry, words, today) if full else service(entry, words, today)
    return found


def location_id(entry: Listed, area: Area) -> str:
    """Give the id of a service in a place."""
    return public_id("service_at_location", entry.id, area.key)


def _at_location(entry: Listed, area: Area, words: Wording) -> Hsds:
    place = public_id("location", area.key)
    return {
        "id": location_id(entry, area),
        "service_id": public_id("service", entry.id),
        "location_id": place,
        "location": _without_nothing(
            {
                "id": place,
                "location_type": "physical",
                "name": words.pick(area.names),
                "external_identifier": area.pcode,
                "external_identifier_type": "P-code" if area.pcode else None,
            }
        ),
    }


def _area(entry: Listed, area: Area, words: Wording) -> Hsds:
    return _without_nothing(
        {
            "id": public_id("service_area", entry.id, area.key),
            "service_id": public_id("service", entry.id),
            "name": words.pick(area.names),
            "extent": area.pcode,
            "extent_type": "P-code" if area.pcode else None,
        }
    )


def _language(entry: Listed, code: str, words: Wording) -> Hsds:
    return _without_nothing(
        {
            "id": public_id("language", entry.id, code),
            "service_id": public_id("service", entry.id),
            "code": code,
            "name": words.languages.get(code),
        }
    )


def _phones(entry: Listed) -> list[Hsds]:
    return [
        {"id": public_id("phone", entry.id, number), "service_id": public_id("service", entry.id), "number": number}
        for number in _texts(entry.details.get("phones"))
    ]


def _schedules(entry: Listed) -> list[Hsds]:
    rows = entry.details.get("schedule")
    found: list[Hsds] = []
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        days = [_DAYS[day] for day in _texts(row.get("days")) if day in _DAYS] if isinstance(row, dict) else []
        if days:
            times = {"opens_at": _text(row.get("opens")), "closes_at": _text(row.get("closes"))}
            found.append(
                {
                    "id": public_id("schedule", entry.id, str(place)),
                    "service_id": public_id("service", entry.id),
                    "freq": "WEEKLY",
                    "byday": ",".join(days),
                    **_without_nothing(times),
                }
            )
    return found


def _costs(entry: Listed, words: Wording) -> list[Hsds]:
    if entry.details.get("cost") != "free":
        return []
    return [{"id": public_id("cost", entry.id), "option": words.say("free"), "amount": 0}]


def _documents(entry: Listed, words: Wording) -> list[Hsds]:
    return [
        {
            "id": public_id("document", entry.id, code),
            "service_id": public_id("service", entry.id),
            "document": words.documents.get(code, code),
        }
        for code in _texts(entry.details.get("documents"))
    ]


def _capacities(entry: Listed, words: Wording) -> list[Hsds]:
    """Give the free places; HSDS wants the moment of the count, and without one nothing is claimed."""
    if entry.open_slots is None or entry.counted_at is None:
        return []
    name = entry.unit or words.say("place_unit")
    unit: Hsds = {"id": public_id("unit", entry.unit or "place"), "name": name}
    return [
        _without_nothing(
            {
                "id": public_id("capacity", entry.id),
                "service_id": public_id("service", entry.id),
                "unit": unit,
                "unit_id": unit["id"],
                "available": max(entry.open_slots, 0),
                "maximum": entry.slots,
                "updated": _hour(entry.counted_at),
            }
        )
    ]


def _hour(moment: datetime | None) -> str | None:
    """Write a moment to the hour: the minute in which a place was taken is somebody's."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0).isoformat().replace("+00:00", "Z")


def _attributes(entry: Listed, words: Wording) -> list[Hsds]:
    own = public_id("service", entry.id)
    term = taxonomy_term(entry.term, words)
    kind: Hsds = {
        "id": public_id("attribute", entry.id, TAXONOMY),
        "link_id": own,
        "link_entity": "service",
        "link_type": TAXONOMY,
        "value": entry.term.code,
        "taxonomy_term_id": term["id"],
        "taxonomy_term": term,
    }
    flags: list[Hsds] = [
        {
            "id": public_id("attribute", entry.id, flag),
            "link_id": own,
            "link_entity": "service",
            "link_type": flag,
            "label": words.say(flag),
            "value": "true" if entry.details[flag] else "false",
        }
        for flag in _FLAGS
        if isinstance(entry.details.get(flag), bool)
    ]
    return [kind, *flags, *_names(entry.names, "service", own)]


def _names(names: Mapping[str, str], entity: str, own: str) -> list[Hsds]:
    """Give a name in every language as attributes: HSDS has one name, and a person reads one of three scripts."""
    return [
        {
            "id": public_id("attribute", own, "name", language),
            "link_id": own,
            "link_entity": entity,
            "link_type": "name",
            "label": language,
            "value": text,
        }
        for language, text in sorted(names.items())
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []
