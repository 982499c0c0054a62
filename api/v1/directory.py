"""The directory: organisations, desks, services, places and code lists."""

from __future__ import annotations

from flask import Response

from api.schemas.directory import DeskQuery, ServiceQuery, SetCapacity
from api.transport.endpoint import ANY_KEY, Ask, Noun, tagged, unchanged
from nrm.actions import capacity
from nrm.queries import directory as queries
from nrm.queries.directory import CodeList, DeskRow, OrganisationRow, PlaceRow, ServiceFilter, ServiceRow
from nrm.queries.history import HistoryRow, capacity_history
from nrm.queries.page import Page

directory = Noun("directory")


@directory.get("/organisations", answer=OrganisationRow, paged=True, scope=ANY_KEY)
def list_organisations(ask: Ask) -> Page[OrganisationRow]:
    """List the organisations by code."""
    return queries.organisations(ask.actor, after=ask.after, limit=ask.limit)


@directory.get("/organisations/<organisation_id>", answer=OrganisationRow, scope=ANY_KEY)
def read_organisation(ask: Ask, organisation_id: str) -> OrganisationRow:
    """Read an organisation."""
    return queries.organisation(ask.actor, organisation_id)


@directory.get("/desks", query=DeskQuery, answer=DeskRow, paged=True)
def list_desks(ask: Ask) -> Page[DeskRow]:
    """List the desks by code."""
    return queries.desks(ask.actor, organisation_id=ask.query.get("organisation"), after=ask.after, limit=ask.limit)


@directory.get("/services", query=ServiceQuery, answer=ServiceRow, paged=True, scope=ANY_KEY)
def list_services(ask: Ask) -> Page[ServiceRow]:
    """List the services that one may find, by code."""
    return queries.services(ask.actor, only=ServiceFilter(**ask.query), after=ask.after, limit=ask.limit)


@directory.get("/services/<service_id>", answer=ServiceRow, scope=ANY_KEY)
def read_service(ask: Ask, service_id: str) -> ServiceRow:
    """Read a service."""
    return queries.service(ask.actor, service_id)


@directory.put(
    "/services/<service_id>/capacity",
    body=SetCapacity,
    answer=ServiceRow,
    permission="capacity.edit",
    scope="directory:write",
)
def set_capacity(ask: Ask, service_id: str) -> ServiceRow:
    """Say how many places a service of one's organisation has, or that it takes no referrals until a day.

    That confirms its entry in the directory, too. Without a version the last word counts.
    """
    return capacity.set_capacity(ask.actor, service_id, **ask.body, version=ask.version)


@directory.get("/services/<service_id>/capacity/history", answer=tuple[HistoryRow, ...])
def read_capacity_history(ask: Ask, service_id: str) -> tuple[HistoryRow, ...]:
    """Read who changed or confirmed the capacity of a service that one keeps, the latest first."""
    return capacity_history(ask.actor, service_id)


@directory.post("/services/<service_id>/verify", answer=ServiceRow, permission="capacity.edit", scope="directory:write")
def verify(ask: Ask, service_id: str) -> ServiceRow:
    """Confirm that what the directory says of a service of one's organisation is still right."""
    return capacity.verify_service(ask.actor, service_id, version=ask.version)


@directory.get("/code-lists", answer=tuple[str, ...], tagged=True, scope=ANY_KEY)
def list_code_lists(ask: Ask) -> Response:
    """List the names of the code lists."""
    del ask
    return unchanged(queries.stamp()) or tagged(queries.code_list_names(), queries.stamp())


@directory.get("/code-lists/<name>", answer=CodeList, tagged=True, scope=ANY_KEY)
def read_code_list(ask: Ask, name: str) -> Response:
    """Read a code list with its labels in all languages."""
    del ask
    content = queries.code_list(name)
    return unchanged(queries.stamp()) or tagged(content, queries.stamp())


@directory.get("/places", answer=tuple[PlaceRow, ...], tagged=True, scope=ANY_KEY)
def list_places(ask: Ask) -> Response:
    """List governorates and districts."""
    del ask
    return unchanged(queries.stamp()) or tagged(queries.place_list(), queries.stamp())
