"""The events feed: the same events as by webhook, for programs that ask instead of being told."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from flask import Response, current_app, request

from api.schemas.events import EventQuery
from api.transport.endpoint import Ask, Noun, WhoAsks
from api.transport.shapes import write_json
from api.transport.waiting import SEATS
from nrm.errors import NotFound
from nrm.installation import installation
from nrm.queries import feed
from nrm.queries.feed import FeedPage, Reader
from nrm.rules.partner_events import KEPT, Envelope, check_types
from nrm.rules.permissions import acts_for

events = Noun("events")

LOOK_SECONDS: Final = 1.0
"""Pause between two looks of a request that waits."""

RETRY_SECONDS: Final = 5
"""When to ask again, said to a program for which there was no seat to wait on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """A piece of the feed: ask again with the last event's id as `after`.

    Attributes:
        data: events in the order in which they became known, the oldest first.
        has_more: there are more already.
    """

    data: tuple[Envelope, ...]
    has_more: bool


@events.get("/events", query=EventQuery, answer=EventPage, scope="events:read")
def list_events(ask: Ask) -> EventPage | Response:
    """List what happened after an event, for the program of an organisation; the last 30 days are kept.

    No event is ever skipped and none comes twice to whoever goes on with the last id. With `wait` an empty answer is
    held back up to so many seconds until something happens. When too many wait already the empty answer comes at once,
    with Retry-After. Events hold ids and states only; after access to a referral has ended, only its end is listed.
    """
    now = installation().clock.now()
    organisation_id = acts_for(ask.actor, "events:read", ask.query.get("organisation"))
    reader = Reader(organisation_id=organisation_id, livemode=ask.actor.livemode)
    after = ask.query.get("after")
    start = feed.position_of(reader, after) if after else feed.position_before(now - KEPT)
    types = _types(ask.query.get("types"))
    found = feed.read_feed(reader, now, after=start, limit=ask.limit, types=types)
    if found.entries or not ask.query["wait"]:
        return _page(found)
    return _wait(reader, found, ask, types)


def _types(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    check_types(names)
    return frozenset(names)


def _wait(reader: Reader, found: FeedPage, ask: Ask, types: frozenset[str] | None) -> EventPage | Response:
    """Look again and again without holding a connection in between."""
    end = time.monotonic() + ask.query["wait"]
    with SEATS.take(reader.organisation_id, most=installation().config.long_polls) as seated:
        if not seated:
            answer = Response(write_json(_page(found)), content_type="application/json")
            answer.headers["Retry-After"] = str(RETRY_SECONDS)
            return answer
        while not found.entries and (left := end - time.monotonic()) > 0:
            feed.let_go()
            time.sleep(min(LOOK_SECONDS, left))
            now = installation().clock.now()
            found = feed.read_feed(reader, now, after=found.until, limit=ask.limit, types=types)
    feed.let_go()
    # Whoever lost the key or the seat while waiting is told so, and nothing else.
    who: WhoAsks = current_app.extensions["nrm.who_asks"]
    if acts_for(who(request).actor, "events:read", ask.query.get("organisation")) != reader.organisation_id:
        raise NotFound
    return _page(found)


def _page(found: FeedPage) -> EventPage:
    return EventPage(data=tuple(entry.event for entry in found.entries), has_more=found.more)
