"""Where the cases of a path wait: how many now, and how long it took, per step and organisation."""

from __future__ import annotations

from datetime import timedelta

from api.schemas.waiting import WaitingCasesQuery, WaitingQuery
from api.transport.endpoint import Ask, Noun
from nrm.installation import installation
from nrm.queries import waiting as queries
from nrm.queries.page import Page
from nrm.queries.waiting import Waiting, WaitingCase

waiting = Noun("waiting")

USUAL = timedelta(days=90)
"""The period where none is asked for."""


@waiting.get("/paths/<path_key>/waiting", query=WaitingQuery, answer=Waiting)
def where(ask: Ask, path_key: str) -> Waiting:
    """Say where the cases of a path wait, with medians and 90th percentiles in seconds of a period."""
    now = installation().clock.now()
    until = ask.query["until"] or now
    begin = ask.query["since"] or until - USUAL
    return queries.where_cases_wait(ask.actor, now, path_key, begin=begin, until=until)


@waiting.get("/paths/<path_key>/waiting/<step>/cases", query=WaitingCasesQuery, answer=WaitingCase, paged=True)
def list_cases(ask: Ask, path_key: str, step: str) -> Page[WaitingCase]:
    """List the cases that wait at a step and that one may know of, the longest waiting first."""
    return queries.waiting_cases(
        ask.actor, installation().clock.now(), path_key, step, after=ask.after, limit=ask.limit
    )
