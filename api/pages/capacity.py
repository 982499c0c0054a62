"""Services that an organisation keeps itself: open, paused or full, how many places, and that all is still right."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from flask import Response

from api.pages.codes import names, sayers
from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from nrm.actions import capacity as actions
from nrm.errors import NotFound, NotValid, Problem
from nrm.queries import directory
from nrm.queries.directory import ServiceRow
from nrm.rules.texts import fold_digits

capacity = Pages("capacity")

_EDIT: Final = "capacity.edit"
_STATES: Final = ("open", "full", "paused")
_MOST_PLACES: Final = 100_000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DONE: Final = frozenset({"saved", "verified"})


@capacity.get("/services", permission=_EDIT)
def show_services(visit: Visit) -> Answer:
    """Show the services of one's organisation, those that nobody has confirmed for long first."""
    return _page(visit)


def _page(visit: Visit, *, service_id: str = "", problems: Told = ()) -> Response:
    done = visit.query.get("done")
    rows = sorted(directory.own_services(visit.actor), key=lambda row: not row.stale)
    return visit.show(
        "services/services.html",
        status=422 if problems else 200,
        rows=tuple((row, _stand(row)) for row in rows),
        states=_STATES,
        service_id=service_id,
        given=visit.form,
        problems=problems,
        done=done if done in _DONE else None,
        about=visit.query.get("about", ""),
        today=visit.now.astimezone(visit.words.zone).date(),
        names=names(visit),
        **sayers(visit),
    )


def _stand(row: ServiceRow) -> str:
    """Say how a service stands: open, full or paused."""
    if not row.accepting or row.paused_until is not None:
        return "paused"
    return "full" if row.open_slots == 0 else "open"


@capacity.post("/services/<service_id>/capacity", permission=_EDIT)
def set_capacity(visit: Visit, service_id: str) -> Answer:
    """Say that a service is open, full or paused, and how many places it has; that confirms its entry, too."""
    row = next((one for one in directory.own_services(visit.actor) if one.id == service_id), None)
    if row is None:
        raise NotFound
    state = visit.text("state")
    try:
        if state not in _STATES:
            raise NotValid([Problem(pointer="/state", code="required")])
        actions.set_capacity(
            visit.actor,
            service_id,
            accepting=state != "paused",
            available=0 if state == "full" else _places(visit.text("places")),
            unit=row.unit,
            until=_day(visit.text("until")) if state == "paused" else None,
            version=visit.version(),
        )
    except NotValid as error:
        said = tuple((one.pointer.strip("/"), visit.problem(one.code, one.params)) for one in error.problems)
        return _page(
            visit, service_id=service_id, problems=tuple((f"{name}-{service_id}", text) for name, text in said)
        )
    return see(f"/services?done=saved&about={service_id}#{service_id}")


def _places(text: str) -> int | None:
    folded = fold_digits(text)
    if not folded:
        return None
    if not (folded.isascii() and folded.isdigit() and len(folded) < 10 and int(folded) <= _MOST_PLACES):
        raise NotValid([Problem(pointer="/places", code="not_an_integer")])
    return int(folded)


def _day(text: str) -> date | None:
    folded = fold_digits(text)
    if not folded:
        return None
    try:
        if _DAY.fullmatch(folded):
            return date.fromisoformat(folded)
    except ValueError:
        pass
    raise NotValid([Problem(pointer="/until", code="not_a_date")])


@capacity.post("/services/<service_id>/verify", permission=_EDIT)
def verify(visit: Visit, service_id: str) -> Answer:
    """Confirm that what the directory says of a service is still right."""
    actions.verify_service(visit.actor, service_id, version=visit.version())
    return see(f"/services?done=verified&about={service_id}#{service_id}")
