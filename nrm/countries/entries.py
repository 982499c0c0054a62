"""Read the directory's entries from their objects, and check that they know each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from nrm.countries.nodes import Node
from nrm.countries.values import Agreement, Code, Desk, ItemKind, Organisation, Pack, PackProblem, Place, Service
from nrm.vocabulary import Channel, DataCategory, Visibility


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


def read_organisation(node: Node) -> Organisation:
    """Read one organisation without its desks and agreements."""
    return Organisation(
        code=node.code("code"),
        names=node.names(),
        kind=node.text("kind"),
        jurisdiction=node.maybe("jurisdiction"),
        channel=node.choice("channel", Channel, Channel.PORTAL),
        email=node.maybe("email"),
        phone=node.maybe("phone"),
        languages=node.codes("languages"),
        active=node.flag("active", default=True),
    )


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


def read_agreement(node: Node, organisation: Organisation) -> Agreement:
    """Read one sharing agreement."""
    agreement = Agreement(
        organisation=organisation.code,
        categories=node.codes("categories"),
        signed_on=node.day("signed_on", required=True) or date.min,
        expires_on=node.day("expires_on"),
    )
    for place, category in enumerate(agreement.categories):
        if category not in set(DataCategory):
            node.wrong(f"categories/{place}", "not_a_choice", choices=", ".join(DataCategory))
    node.done()
    return agreement


def read_service(node: Node) -> Service:
    """Read one service."""
    service = Service(
        code=node.code("code"),
        organisation=node.code("organisation"),
        category=node.text("category"),
        names=node.names(),
        coverage=tuple(_coverage(node)),
        desk=node.maybe("desk"),
        description=node.names("description", required=False),
        eligibility=node.text("eligibility", optional=True),
        languages=node.codes("languages"),
        details=node.object("details"),
        visibility=node.choice("visibility", Visibility, Visibility.PUBLIC),
        slots=node.whole("slots"),
        waiting_days=node.whole("waiting_days"),
        last_verified_on=node.day("last_verified_on"),
        valid_until=node.day("valid_until"),
        active=node.flag("active", default=True),
        livemode=node.flag("livemode", default=True),
    )
    node.done()
    return service


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
    places = {place.key for place in pack.places}
    governorates = {place.key for place in pack.places if place.parent is None}
    organisations = {entry.code for entry in pack.organisations}
    desks = {entry.code: entry.organisation for entry in pack.desks}
    jurisdictions = set(pack.contents(ItemKind.JURISDICTION))
    roles = set(pack.contents(ItemKind.ROLE))
    for place in pack.places:
        yield from _unknown("places.json", place.key, "place", place.parent, governorates)
        yield from _unknown("places.json", place.key, "jurisdiction", place.jurisdiction, jurisdictions)
    for organisation in pack.organisations:
        yield from _unknown(
            "organisations.json", organisation.code, "jurisdiction", organisation.jurisdiction, jurisdictions
        )
    for desk in pack.desks:
        yield from _unknown("organisations.json", desk.code, "place", desk.governorate, governorates)
        yield from _unknown("organisations.json", desk.code, "jurisdiction", desk.jurisdiction, jurisdictions)
        yield from _unknown("organisations.json", desk.code, "role", desk.role, roles)
    for service in pack.services:
        yield from _unknown("services.json", service.code, "organisation", service.organisation, organisations)
        yield from _unknown("services.json", service.code, "desk", service.desk, desks)
        for governorate, district in service.coverage:
            yield from _unknown("services.json", service.code, "place", governorate, governorates)
            yield from _unknown("services.json", service.code, "place", district, places)
        if service.desk and desks.get(service.desk, service.organisation) != service.organisation:
            yield _problem("services.json", service.code, "desk_of_another_organisation", service.desk)
    for name, table in pack.contents(ItemKind.CALL_TABLE).items():
        for path in table.values() if isinstance(table, dict) else ():
            yield from _unknown("call_tables.json", name, "path", str(path), pack.paths)


def _unknown(file: str, entry: str, what: str, value: str | None, known: object) -> Iterator[PackProblem]:
    if value is not None and value not in known:  # type: ignore[operator]  # any container of texts
        yield _problem(file, entry, f"unknown_{what}", value)


def _problem(file: str, entry: str, code: str, value: str) -> PackProblem:
    return PackProblem(file=file, pointer="", code=code, params={"entry": entry, "value": value})
