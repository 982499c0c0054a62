"""Complaints for the desk that sees to them: the list, one of them, the answer, the path for a case."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from flask import Response

from api.pages.codes import label, names, sayers
from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.transport import cursors
from nrm.actions import complaint_box
from nrm.actions import complaints as actions
from nrm.actions.complaint_box import CATEGORIES
from nrm.actions.reading import note_read
from nrm.errors import NotFound, NotValid
from nrm.queries import complaints as queries
from nrm.vocabulary import ComplaintState

complaints = Pages("complaints")

_HANDLE: Final = "complaint.handle"
_LIST: Final = "pages.complaints"
_ROWS: Final = 40
_DONE: Final = frozenset({"taken", "answered", "started"})


@complaints.get("/complaints", permission=_HANDLE)
def list_complaints(visit: Visit) -> Answer:
    """List the complaints at one's desks, the newest first; none of their words stand there."""
    return _list(visit)


def _list(visit: Visit, *, problems: Told = (), status: int = 200) -> Response:
    state = visit.query.get("state", "")
    wished = state if state in set(ComplaintState) else ""
    cursor = visit.query.get("after")
    page = queries.complaints(
        visit.actor, state=wished or None, after=cursors.read_cursor(_LIST, cursor) if cursor else None, limit=_ROWS
    )
    following = None
    if page.next_key:
        following = "/complaints?" + urlencode({"state": wished, "after": cursors.write_cursor(_LIST, page.next_key)})
    return visit.show(
        "complaints/list.html",
        status=status,
        rows=page.items,
        states=tuple(str(one) for one in ComplaintState),
        state=wished,
        next_page=following,
        names=names(visit),
        category=lambda code: label(visit, CATEGORIES, code),
        given=visit.form,
        problems=problems,
        started="started" in visit.query,
    )


@complaints.post("/complaints", permission=_HANDLE)
def start(visit: Visit) -> Answer:
    """Start the path of complaints for a case, by the number that the one who complains has."""
    number = visit.text("case_number")
    if not number:
        return _list(visit, problems=(("case_number", visit.problem("required")),), status=422)
    try:
        actions.start_complaint(visit.actor, number)
    except NotFound:
        return _list(visit, problems=(("case_number", visit.words.t("complaints.no_such_case")),), status=404)
    return see("/complaints?started=1")


@complaints.get("/complaints/<complaint_id>", permission=_HANDLE)
def show_complaint(visit: Visit, complaint_id: str) -> Answer:
    """Show a complaint with its words; that it was read is recorded."""
    return _page(visit, complaint_id)


def _page(visit: Visit, complaint_id: str, *, problems: Told = (), status: int = 200) -> Response:
    found = queries.complaint(visit.actor, complaint_id)
    note_read(visit.actor, "complaint", complaint_id)
    done = visit.query.get("done")
    return visit.show(
        "complaints/complaint.html",
        status=status,
        found=found,
        row=found.complaint,
        mine=found.complaint.taken_up_by == visit.actor.id,
        names=names(visit),
        category=label(visit, CATEGORIES, found.complaint.category),
        given=visit.form,
        problems=problems,
        done=done if done in _DONE else None,
        **sayers(visit),
    )


@complaints.post("/complaints/<complaint_id>/take-up", permission=_HANDLE)
def take_up(visit: Visit, complaint_id: str) -> Answer:
    """Note that one sees to a complaint."""
    complaint_box.take_up(visit.actor, complaint_id, version=visit.version())
    return see(f"/complaints/{complaint_id}?done=taken")


@complaints.post("/complaints/<complaint_id>/answer", permission=_HANDLE)
def answer(visit: Visit, complaint_id: str) -> Answer:
    """Answer a complaint; the holder of the receipt reads it."""
    try:
        complaint_box.answer_complaint(
            visit.actor, complaint_id, text=visit.form.get("text", ""), version=visit.version()
        )
    except NotValid as error:
        problems = tuple(("text", visit.problem(one.code, one.params)) for one in error.problems)
        return _page(visit, complaint_id, problems=problems, status=422)
    return see(f"/complaints/{complaint_id}?done=answered")


@complaints.post("/complaints/<complaint_id>/start", permission=_HANDLE)
def start_for_case(visit: Visit, complaint_id: str) -> Answer:
    """Start the path of complaints for the case that a complaint turns out to be about."""
    queries.complaint(visit.actor, complaint_id)
    try:
        complaint_box.start_for_case(
            visit.actor, complaint_id, case_number=visit.text("case_number"), version=visit.version()
        )
    except NotFound:
        problems = (("case_number", visit.words.t("complaints.no_such_case")),)
        return _page(visit, complaint_id, problems=problems, status=404)
    return see(f"/complaints/{complaint_id}?done=started")
