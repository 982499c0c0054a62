"""The directory that everybody may read without signing in, in pages and pieces as Open Referral HSDS has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from nrm.errors import NotFound
from nrm.i18n import DEFAULT, catalogue
from nrm.queries import packs
from nrm.queries.public_entries import (
    PublicFilter,
    find,
    find_organisations,
    find_places,
    holds,
    labels,
    load,
    offerers,
    terms,
)
from nrm.rules import hsds
from nrm.rules.hsds import TAXONOMY, Hsds, Listed, Wording, public_id

T = TypeVar("T")


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

    return reader.cut(find(only), lambda ids: [make(entry) for entry in load(ids, reader.language)])


def service(reader: Reader, uuid: str) -> Hsds:
    """Give a public service with everything that belongs to it.

    Raises:
        NotFound: no public service has this id.
    """
    ids = [one for one in find(PublicFilter()) if public_id("service", one) == uuid]
    entry = next(iter(load(ids, reader.language)), None)
    if entry is None:
        raise NotFound
    return hsds.service_in_full(entry, _words(reader.language), reader.today)


def service_at_locations(reader: Reader, only: PublicFilter, *, full: bool = False) -> Slice[Hsds]:
    """List each public service once for each place where it is offered; arguments as for `services`."""
    return reader.cut(find_places(only), lambda pairs: _at_places(reader, pairs, full=full))


def service_at_location(reader: Reader, uuid: str) -> Hsds:
    """Give one place of one public service.

    Raises:
        NotFound: there is none of this id.
    """
    pairs = [pair for pair in find_places(PublicFilter()) if public_id("service_at_location", *pair) == uuid]
    found = next(iter(_at_places(reader, pairs, full=True)), None)
    if found is None:
        raise NotFound
    return found


def _at_places(reader: Reader, pairs: Sequence[tuple[str, str]], *, full: bool) -> list[Hsds]:
    words = _words(reader.language)
    entries = {entry.id: entry for entry in load([service_id for service_id, _ in pairs], reader.language)}
    return [
        hsds.service_at_location(entries[service_id], area, words, reader.today, full=full)
        for service_id, key in pairs
        for area in entries[service_id].areas
        if area.key == key
    ]


def organisations(reader: Reader, only: PublicFilter, *, full: bool = False) -> Slice[Hsds]:
    """List the organisations that offer a public service; `full` adds the names of what they offer."""
    words = _words(reader.language)

    def make(shown: Sequence[tuple[str, list[str]]]) -> list[Hsds]:
        named = offerers([organisation_id for organisation_id, _ in shown])
        if not full:
            return [hsds.organisation(named[organisation_id], words) for organisation_id, _ in shown]
        listed = {entry.id: entry for entry in load([one for _, ids in shown for one in ids], reader.language)}
        return [
            hsds.organisation_in_full(named[organisation_id], [listed[one] for one in ids], words)
            for organisation_id, ids in shown
        ]

    return reader.cut(list(find_organisations(only).items()), make)


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
    listed = load(find(PublicFilter(organisation=uuid)), reader.language)
    if not listed:
        raise NotFound
    found = hsds.organisation_in_full(listed[0].organisation, listed, words)
    if full_service:
        found["services"] = [hsds.service_in_full(one, words, reader.today) for one in listed]
    return found


def taxonomies(reader: Reader, search: str | None = None) -> Slice[Hsds]:
    """List the one taxonomy."""
    one = hsds.taxonomy(_words(reader.language))
    found = [one] if holds(search, (str(one["name"]), str(one["description"]))) else []
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
    found = [term for term in terms().values() if known and holds(search, (term.code, *term.names.values()))]
    return reader.cut(found, lambda shown: [hsds.taxonomy_term(term, words) for term in shown])


def taxonomy_term(reader: Reader, uuid: str) -> Hsds:
    """Give one kind of service.

    Raises:
        NotFound: there is none of this id.
    """
    for term in terms().values():
        if public_id("term", TAXONOMY, term.code) == uuid:
            return hsds.taxonomy_term(term, _words(reader.language))
    raise NotFound


def _words(language: str) -> Wording:
    return Wording(
        language=language,
        texts=catalogue("directory", language) or catalogue("directory", DEFAULT),
        languages=labels("language", language),
        documents=labels("document_type", language),
    )
