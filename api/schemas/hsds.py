"""What comes in at the public directory: the parameters of Open Referral HSDS 3.1, in a query string or a body."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Code, Flag, Moment, Text, Whole


class HsdsPage(Body):
    """Which page of a list; `per_page` is HSDS's word for its size."""

    page = Whole(low=1, high=100_000, from_text=True, load_default=1)
    per_page = Whole(low=1, high=100, from_text=True, load_default=50)
    search = Text(longest=200)
    format = Choice(["json"], load_default="json")


class HsdsTerms(HsdsPage):
    """Which kinds of services."""

    taxonomy_id = Code()


class HsdsOrganizations(HsdsPage):
    """Which organisations."""

    taxonomy_term_id = Code()
    taxonomy_id = Code()
    organization_id = Code()
    pcode = Code()
    full = Flag(from_text=True, load_default=False)


class HsdsPlaces(HsdsOrganizations):
    """Which places of services."""

    modified_after = Moment()


class HsdsServices(HsdsPlaces):
    """Which services; `minimal` gives no more than id and moment of the last change."""

    minimal = Flag(from_text=True, load_default=False)


class HsdsOrganization(Body):
    """How much of an organisation."""

    full_service = Flag(from_text=True, load_default=False)
