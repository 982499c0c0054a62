"""What comes in about the directory, lists of notices and arrival lists."""

from __future__ import annotations

from api.transport.fields import Body, Code, Flag, Id, Paged, Text


class DeskQuery(Paged):
    """Which desks to list."""

    organisation = Id()


class ServiceQuery(Paged):
    """Which services to list."""

    category = Code()
    governorate = Code()
    organisation = Id()
    accepting = Flag(from_text=True, load_default=False)


class NoticeQuery(Paged):
    """Which notices to list."""

    unread = Flag(from_text=True, load_default=False)


class ManifestQuery(Body):
    """How to read an arrival list: its file name, and columns mapped by hand as "header=column;…"."""

    filename = Text(longest=200, load_default="")
    columns = Text(longest=4_000, load_default="")
