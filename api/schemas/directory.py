"""What comes in about the directory, lists of notices and arrival lists."""

from __future__ import annotations

from api.transport.fields import Body, Code, Day, Flag, Id, Paged, Text, Versioned, Whole
from nrm.rules.manifest_columns import HEADER_ROWS


class DeskQuery(Paged):
    """Which desks to list."""

    organisation = Id()


class ServiceQuery(Paged):
    """Which services to list."""

    category = Code()
    governorate = Code()
    organisation = Id()
    accepting = Flag(from_text=True, load_default=False)


class SetCapacity(Versioned):
    """How many places a service has, or that it takes none for a while."""

    accepting = Flag(required=True)
    available = Whole(low=0, high=1_000_000, allow_none=True)
    unit = Code(allow_none=True)
    until = Day(allow_none=True)


class NoticeQuery(Paged):
    """Which notices to list."""

    unread = Flag(from_text=True, load_default=False)


class ManifestQuery(Body):
    """How to read an arrival list: its file name, columns mapped by hand as "header=column;…", and the header's row."""

    filename = Text(longest=200, load_default="")
    columns = Text(longest=4_000, load_default="")
    head = Whole(low=1, high=HEADER_ROWS, from_text=True, load_default=None)
