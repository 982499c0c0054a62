"""Complaints: the public door for everybody, the list of the desk for complaints, the path for a case."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from api.schemas.complaints import (
    AnswerComplaint,
    AskReceipt,
    ComplaintQuery,
    DropComplaint,
    StartComplaint,
    StartForCase,
)
from api.transport.endpoint import Ask, Noun
from nrm.actions import complaint_box
from nrm.actions import complaints as actions
from nrm.actions.complaint_box import ComplaintResult, Receipt, Told, Words
from nrm.actions.reading import note_read
from nrm.queries import complaints as queries
from nrm.queries.complaints import ComplaintRow, ComplaintView
from nrm.queries.page import Page

complaints = Noun("complaints")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedComplaint:
    """The path that was started."""

    run_id: str


@complaints.post("/public/complaints", body=DropComplaint, answer=Receipt, status=201, signed_in=False)
def drop(ask: Ask) -> Receipt:
    """Complain without a name and without a case number.

    The answer is a receipt with which one asks later how far it is; it is told once. Nobody is asked who one is.
    """
    return complaint_box.drop_complaint(Words(**ask.body), address=request.remote_addr or "")


@complaints.post("/public/complaints/state", body=AskReceipt, answer=Told, signed_in=False)
def ask_state(ask: Ask) -> Told:
    """Ask with a receipt how far a complaint is; the receipt stands in the body, so that no log keeps it."""
    return complaint_box.ask_state(ask.body["receipt"], address=request.remote_addr or "")


@complaints.post("/complaints", body=StartComplaint, answer=StartedComplaint, status=201)
def start(ask: Ask) -> StartedComplaint:
    """Start the path of complaints for a case that one need not know of, by its number."""
    return StartedComplaint(run_id=actions.start_complaint(ask.actor, ask.body["case_number"]))


@complaints.get("/complaints", query=ComplaintQuery, answer=ComplaintRow, paged=True)
def list_complaints(ask: Ask) -> Page[ComplaintRow]:
    """List the complaints that came in by the public door to one's desks, the newest first."""
    return queries.complaints(ask.actor, state=ask.query.get("state"), after=ask.after, limit=ask.limit)


@complaints.get("/complaints/<complaint_id>", answer=ComplaintView)
def read_complaint(ask: Ask, complaint_id: str) -> ComplaintView:
    """Read a complaint that came in by the public door; that it was read is recorded."""
    found = queries.complaint(ask.actor, complaint_id)
    note_read(ask.actor, "complaint", complaint_id)
    return found


@complaints.post("/complaints/<complaint_id>/take-up", answer=ComplaintResult, versioned=True)
def take_up(ask: Ask, complaint_id: str) -> ComplaintResult:
    """Note that one sees to a complaint."""
    return complaint_box.take_up(ask.actor, complaint_id, version=ask.version)


@complaints.post("/complaints/<complaint_id>/answer", body=AnswerComplaint, answer=ComplaintResult, versioned=True)
def answer(ask: Ask, complaint_id: str) -> ComplaintResult:
    """Answer a complaint; the holder of the receipt reads it."""
    return complaint_box.answer_complaint(ask.actor, complaint_id, text=ask.body["text"], version=ask.version)


@complaints.post("/complaints/<complaint_id>/start", body=StartForCase, answer=ComplaintResult, versioned=True)
def start_for_case(ask: Ask, complaint_id: str) -> ComplaintResult:
    """Start the path of complaints for the case that a complaint turns out to be about."""
    number = ask.body["case_number"]
    return complaint_box.start_for_case(ask.actor, complaint_id, case_number=number, version=ask.version)
