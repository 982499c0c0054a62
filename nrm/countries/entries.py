"""Read the directory's entries from their objects, and check that they know each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from nrm.countries.nodes import Node
from nrm.countries.values import (
    Agreement,
    Code,
    Desk,
    ItemKind,
    Json,
    Organisation,
    Pack,
    PackProblem,
    Place,
    Service,
)
from nrm.vocabulary import Channel, Visibility


def read_place(node: Node) -> Place:
    """Read one place."""
    place = Place(
        key=node.code("key"),
        kind=node.text("kind", default="governorate"),
        names=node.names(),
        parent=node.maybe("parent"),
        iso=node.maybe("iso"),
        pcode=node.maybe("pcode"),
        jurisdiction=node.maybe("jurisdiction"),
        verified=node.flag("verified", default=False),
    )
    node.done()
    return place


def read_organisation(node: Node) -> tuple[Organisation, dict[str, Json]]:
    """Read one organisation without its desks and agreements, and its marks."""
    organisation = Organisation(
        code=node.code("code"),
        names=node.names(),
        kind=node.text("kind"),
        jurisdiction=node.maybe("jurisdiction"),
        channel=node.choice("channel", Channel, Channel.PORTAL),
        email=node.maybe("email"),
        phone=node.maybe("phone"),
        languages=node.codes("languages"),
        letter_language=node.maybe("letter_language"),
        letter_digits=node.maybe("letter_digits"),
        active=node.flag("active", default=True),
    )
    return organisation, node.some("invented", "verified")


def read_desk(node: Node, organisation: Organisation) -> Desk:
    """Read one desk; it lies in its organisation's jurisdiction unless it says otherwise."""
    desk = Desk(
        code=node.code("code"),
        organisation=organisation.code,
        role=node.text("role"),
        names=node.names(),
        governorate=node.maybe("governorate"),
        jurisdiction=node.maybe("jurisdiction") or organisation.jurisdiction,
        active=node.flag("active", default=True),
    )
    node.done()
    return desk


def read_agreement(node: Node, organisation: Organisation) -> tuple[Agreement, dict[str, Json]]:
    """Read one sharing agreement, and its marks."""
    agreement = Agreement(
        organisation=organisation.code,
        categories=node.codes("categories"),
        signed_on=node.day("signed_on", required=True) or date.min,
        expires_on=node.day("expires_on"),
    )
    marks = node.some("code", "demo", "verified")
    node.done()
    return agreement, marks


def read_service(node: Node) -> Service:
    """Read one service."""
    service = Service(
        code=node.code("code"),
        organisation=node.code("organisation"),
        category=node.text("category"),
        names=node.names(),
        coverage=tuple(sorted(_coverage(node), key=lambda pair: (pair[0], pair[1] or ""))),
        desk=node.maybe("desk"),
        description=node.names("description", required=False) if node.data.get("description") else {},
        eligibility=node.text("eligibility", optional=True),
        languages=node.codes("languages"),
        details={**node.object("details"), **_shown(node)},
        visibility=node.choice("visibility", Visibility, Visibility.PUBLIC),
        slots=node.whole("slots"),
        valid_until=node.day("valid_until"),
        active=node.flag("active", default=True),
        livemode=node.flag("livemode", default=True),
        accepting=node.flag("accepting", default=True),
        paused_until=node.day("paused_until"),
        open_slots=node.whole("open_slots"),
        waiting_days=node.whole("waiting_days"),
        last_verified_on=node.day("last_verified_on"),
    )
    node.done()
    return service


def _shown(node: Node) -> dict[str, Json]:
    """Take the facts of a service that are only shown: how it is reached, whether it is invented."""
    node.taken.add("description")
    return {name: value for name, value in node.some("channel", "invented", "verified").items() if value is not None}


def _coverage(node: Node) -> Iterator[tuple[str, str | None]]:
    for child in node.children("coverage", required=True):
        yield child.code("governorate"), child.maybe("district")
        child.done()


def read_code(node: Node, list_name: str, position: int) -> Code:
    """Read one code of a list; what else it carries is kept as `extra`."""
    code, names, active = node.code("code"), node.names(), node.flag("active", default=True)
    return Code(list=list_name, code=code, names=names, position=position, extra=node.rest(), active=active)


def broken_references(pack: Pack) -> Iterator[PackProblem]:
    """Name everything that an entry refers to and the pack does not have."""
    known = {
        "place": {place.key for place in pack.places},
        "governorate": {place.key for place in pack.places if place.parent is None},
        "organisation": {entry.code for entry in pack.organisations},
        "desk": {entry.code for entry in pack.desks},
        "jurisdiction": set(pack.contents(ItemKind.JURISDICTION)),
        "role": set(pack.contents(ItemKind.ROLE)),
        "data_category": {code.code for code in pack.codes if code.list == "data_category"},
        "path": set(pack.paths),
    }
    for file, entry, what, value in _references(pack):
        if value is not None and value not in known[what]:
            yield _problem(file, entry, f"unknown_{what}", value)
    desks = {entry.code: entry.organisation for entry in pack.desks}
    for service in pack.services:
        if service.desk and desks.get(service.desk, service.organisation) != service.organisation:
            yield _problem("services.json", service.code, "desk_of_another_organisation", service.desk)


Reference = tuple[str, str, str, str | None]
"""File, entry, what it refers to, and which."""


def _references(pack: Pack) -> Iterator[Reference]:
    for place in pack.places:
        yield "places.json", place.key, "governorate", place.parent
        yield "places.json", place.key, "jurisdiction", place.jurisdiction
    yield from _of_organisations(pack)
    for service in pack.services:
        yield "services.json", service.code, "organisation", service.organisation
        yield "services.json", service.code, "desk", service.desk
        for governorate, district in service.coverage:
            yield "services.json", service.code, "governorate", governorate
            yield "services.json", service.code, "place", district
    for name, table in pack.contents(ItemKind.CALL_TABLE).items():
        entries = table.get("entries") if isinstance(table, dict) else None
        for path in entries.values() if isinstance(entries, dict) else ():
            yield "call_tables.json", name, "path", str(path)


def _of_organisations(pack: Pack) -> Iterator[Reference]:
    file = "organisations.json"
    for organisation in pack.organisations:
        yield file, organisation.code, "jurisdiction", organisation.jurisdiction
    for desk in pack.desks:
        yield file, desk.code, "governorate", desk.governorate
        yield file, desk.code, "jurisdiction", desk.jurisdiction
        yield file, desk.code, "role", desk.role
    for agreement in pack.agreements:
        for category in agreement.categories:
            yield file, agreement.organisation, "data_category", category


def _problem(file: str, entry: str, code: str, value: str) -> PackProblem:
    return PackProblem(file=file, pointer="", code=code, params={"entry": entry, "value": value})
