"""The public directory at /hsds/v3 in the form of Open Referral HSDS 3.1: read by everybody, changed by nobody.

Texts are in the language that Accept-Language asks for; names in all languages stand among the attributes. An answer
may be kept by anybody for five minutes and has an ETag. The lists are asked by GET, or by POST so that words that are
searched for stay out of addresses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from flask import Response

from api.schemas.hsds import HsdsOrganization, HsdsOrganizations, HsdsPage, HsdsPlaces, HsdsServices, HsdsTerms
from api.transport.endpoint import Ask, Noun, tagged, unchanged
from api.transport.problems import language
from api.transport.shapes import write_json
from nrm.installation import installation
from nrm.queries import public_directory as queries
from nrm.queries.public_directory import Reader, Slice
from nrm.queries.public_entries import PublicFilter
from nrm.rules.hsds import VERSION, Hsds

hsds = Noun("hsds", prefix="/hsds/v3")

SECONDS: Final = 300
"""How long anybody may keep an answer without asking again."""

Answer = Mapping[str, object]


@hsds.get("/", answer=Answer, signed_in=False, tagged=True)
def describe(ask: Ask) -> Response:
    """Say which version of HSDS this is and where the OpenAPI document lies."""
    del ask
    base = installation().config.public_url
    return _public({"version": VERSION, "profile": f"{base}/docs", "openapi_url": f"{base}/api/v1/openapi.json"})


def list_services(ask: Ask) -> Response:
    """List the public services; `full` gives everything that belongs to each, `minimal` id and last change only."""
    given = _given(ask)
    full, minimal = bool(given["full"]), bool(given["minimal"])
    return _page(queries.services(_reader(given), _filter(given), full=full, minimal=minimal))


@hsds.get("/services/<public_uuid>", answer=Answer, signed_in=False, tagged=True)
def read_service(ask: Ask, public_uuid: str) -> Response:
    """Read a public service with everything that belongs to it."""
    return _public(queries.service(_reader(ask.query), public_uuid))


def list_service_at_locations(ask: Ask) -> Response:
    """List each public service once for each place where it is offered."""
    given = _given(ask)
    return _page(queries.service_at_locations(_reader(given), _filter(given), full=bool(given["full"])))


@hsds.get("/service_at_locations/<public_uuid>", answer=Answer, signed_in=False, tagged=True)
def read_service_at_location(ask: Ask, public_uuid: str) -> Response:
    """Read one place of one public service."""
    return _public(queries.service_at_location(_reader(ask.query), public_uuid))


def list_organizations(ask: Ask) -> Response:
    """List the organisations that offer a public service."""
    given = _given(ask)
    return _page(queries.organisations(_reader(given), _filter(given), full=bool(given["full"])))


@hsds.get("/organizations/<public_uuid>", query=HsdsOrganization, answer=Answer, signed_in=False, tagged=True)
def read_organization(ask: Ask, public_uuid: str) -> Response:
    """Read an organisation and what it offers to everybody."""
    return _public(queries.organisation(_reader(ask.query), public_uuid, full_service=bool(ask.query["full_service"])))


def list_taxonomies(ask: Ask) -> Response:
    """List the taxonomies: there is one, of the kinds of services."""
    given = _given(ask)
    return _page(queries.taxonomies(_reader(given), _text(given, "search")))


@hsds.get("/taxonomies/<public_uuid>", answer=Answer, signed_in=False, tagged=True)
def read_taxonomy(ask: Ask, public_uuid: str) -> Response:
    """Read a taxonomy."""
    return _public(queries.taxonomy(_reader(ask.query), public_uuid))


def list_taxonomy_terms(ask: Ask) -> Response:
    """List the kinds of services."""
    given = _given(ask)
    return _page(
        queries.taxonomy_terms(_reader(given), search=_text(given, "search"), taxonomy_id=_text(given, "taxonomy_id"))
    )


@hsds.get("/taxonomy_terms/<public_uuid>", answer=Answer, signed_in=False, tagged=True)
def read_taxonomy_term(ask: Ask, public_uuid: str) -> Response:
    """Read one kind of service."""
    return _public(queries.taxonomy_term(_reader(ask.query), public_uuid))


def _given(ask: Ask) -> dict[str, object]:
    return ask.query or ask.body


def _reader(given: Mapping[str, object]) -> Reader:
    page, size = given.get("page", 1), given.get("per_page", 50)
    return Reader(
        language=language(),
        now=installation().clock.now(),
        page=page if isinstance(page, int) else 1,
        size=size if isinstance(size, int) else 50,
    )


def _filter(given: Mapping[str, object]) -> PublicFilter:
    after = given.get("modified_after")
    return PublicFilter(
        search=_text(given, "search"),
        term=_text(given, "taxonomy_term_id"),
        taxonomy=_text(given, "taxonomy_id"),
        organisation=_text(given, "organization_id"),
        pcode=_text(given, "pcode"),
        modified_after=after if isinstance(after, datetime) else None,
    )


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    return str(value) if value else None


def _page(found: Slice[Hsds]) -> Response:
    pages = -(-found.total // found.size)
    return _public(
        {
            "total_items": found.total,
            "total_pages": pages,
            "page_number": found.number,
            "size": len(found.items),
            "first_page": found.number == 1,
            "last_page": found.number >= pages,
            "empty": not found.items,
            "contents": list(found.items),
        }
    )


def _public(content: Hsds) -> Response:
    etag = hashlib.sha256(language().encode() + write_json(content)).hexdigest()[:24]
    answer = unchanged(etag) or tagged(content, etag)
    answer.headers["Cache-Control"] = f"public, max-age={SECONDS}"
    answer.headers["Content-Language"] = language()
    answer.headers["Vary"] = "Accept-Language"
    return answer


_LISTS: Final[tuple[tuple[str, type[HsdsPage], Callable[[Ask], Response]], ...]] = (
    ("/services", HsdsServices, list_services),
    ("/service_at_locations", HsdsPlaces, list_service_at_locations),
    ("/organizations", HsdsOrganizations, list_organizations),
    ("/taxonomies", HsdsPage, list_taxonomies),
    ("/taxonomy_terms", HsdsTerms, list_taxonomy_terms),
)


def _searching(handler: Callable[[Ask], Response]) -> Callable[[Ask], Response]:
    def search(ask: Ask) -> Response:
        return handler(ask)

    search.__name__ = handler.__name__.replace("list_", "search_")
    search.__doc__ = (handler.__doc__ or "") + "\n\nThe same as by GET, with the parameters in the body."
    return search


for _rule, _schema, _handler in _LISTS:
    hsds.get(_rule, query=_schema, answer=Answer, signed_in=False, tagged=True)(_handler)
    hsds.post(_rule, body=_schema, answer=Answer, signed_in=False, tagged=True)(_searching(_handler))
