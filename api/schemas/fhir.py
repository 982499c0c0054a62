"""What comes in at the FHIR facade: search parameters of Task."""

from __future__ import annotations

from api.transport.fields import Body, Text, Whole


class TaskSearch(Body):
    """Which Tasks to find.

    `status` holds FHIR statuses with commas between; `_lastUpdated` a moment after ge or le; `owner` and `requester`
    an organisation: its id, with or without "Organization/" before it.
    """

    status = Text(longest=200)
    last_updated = Text(longest=40, data_key="_lastUpdated")
    owner = Text(longest=60)
    requester = Text(longest=60)
    limit = Whole(low=1, high=100, from_text=True, load_default=50, data_key="_count")
    cursor = Text(longest=400, data_key="_cursor")
