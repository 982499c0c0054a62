"""Cases: open, list, read, change, share, close; notes, history and what belongs to a case."""

from __future__ import annotations

from datetime import datetime

from api.schemas.cases import (
    AddNote,
    CaseQuery,
    ChangeCase,
    CloseCase,
    OpenCase,
    Propose,
    ReopenCase,
    SetLevel,
    Share,
    Tell,
    Transfer,
    Unshare,
)
from api.transport.endpoint import Ask, Noun
from api.transport.problems import language
from api.transport.shapes import Made, made
from nrm.actions import cases as actions
from nrm.actions.case_opening import CaseResult
from nrm.actions.reading import note_read
from nrm.errors import NotValid, Problem
from nrm.installation import installation
from nrm.queries import cases as queries
from nrm.queries import inbox, proposals, referrals, timeline
from nrm.queries.cases import AccessRow, CaseFilter, CaseRow, CaseView, DisclosureRow, NoteRow
from nrm.queries.inbox import TaskRow
from nrm.queries.page import Page
from nrm.queries.proposals import Proposal
from nrm.queries.referral_shapes import ReferralView
from nrm.queries.timeline import TimelineEntry

cases = Noun("cases")


def _now() -> datetime:
    return installation().clock.now()


@cases.get("/cases", query=CaseQuery, answer=CaseRow, paged=True)
def list_cases(ask: Ask) -> Page[CaseRow]:
    """List the cases that one may know of, the latest active first."""
    return queries.cases(ask.actor, _now(), only=CaseFilter(**ask.query), after=ask.after, limit=ask.limit)


@cases.post("/cases", body=OpenCase, answer=CaseResult, status=201, permission="case.open")
def open_case(ask: Ask) -> CaseResult:
    """Open a case for a person and start its path."""
    return actions.open_case(ask.actor, ask.body.pop("person_id"), **ask.body)


@cases.get("/cases/<case_id>", answer=CaseView)
def read_case(ask: Ask, case_id: str) -> CaseView:
    """Read a case; that a strictly confidential one was read is recorded."""
    found = queries.case(ask.actor, _now(), case_id)
    if found.level == "strict":
        note_read(ask.actor, "case", case_id)
    return found


@cases.patch("/cases/<case_id>", body=ChangeCase, answer=CaseResult, versioned=True)
def change(ask: Ask, case_id: str) -> CaseResult:
    """Change facts of a case."""
    if not ask.body:
        raise NotValid([Problem(pointer="", code="nothing_to_change")])
    return actions.change_case(ask.actor, case_id, version=ask.version, changes=ask.body)


@cases.post("/cases/<case_id>/transfer", body=Transfer, answer=CaseResult, versioned=True)
def transfer(ask: Ask, case_id: str) -> CaseResult:
    """Move a case to another desk."""
    return actions.transfer_case(
        ask.actor, case_id, desk_id=ask.body["desk_id"], reason=ask.body["reason"], version=ask.version
    )


@cases.post("/cases/<case_id>/level", body=SetLevel, answer=CaseResult, versioned=True)
def set_level(ask: Ask, case_id: str) -> CaseResult:
    """Set who may know of a case."""
    return actions.set_level(ask.actor, case_id, level=ask.body["level"], version=ask.version)


@cases.get("/cases/<case_id>/access", answer=tuple[AccessRow, ...])
def list_access(ask: Ask, case_id: str) -> tuple[AccessRow, ...]:
    """List who may know of a case."""
    return queries.accesses(ask.actor, _now(), case_id)


@cases.post("/cases/<case_id>/share", body=Share)
def share(ask: Ask, case_id: str) -> None:
    """Let a desk or a person know of a case."""
    actions.share_case(ask.actor, case_id, **ask.body)


@cases.post("/cases/<case_id>/unshare", body=Unshare)
def unshare(ask: Ask, case_id: str) -> None:
    """End the access of a desk or a person."""
    actions.unshare_case(ask.actor, case_id, **ask.body)


@cases.get("/cases/<case_id>/notes", answer=tuple[NoteRow, ...])
def list_notes(ask: Ask, case_id: str) -> tuple[NoteRow, ...]:
    """List the notes of a case."""
    return queries.notes(ask.actor, _now(), case_id)


@cases.post("/cases/<case_id>/notes", body=AddNote, answer=Made, status=201, shape=made)
def add_note(ask: Ask, case_id: str) -> str:
    """Add a note."""
    return actions.add_note(ask.actor, case_id, text=ask.body["text"], pinned=ask.body["pinned"])


@cases.post("/cases/<case_id>/tell", body=Tell)
def tell(ask: Ask, case_id: str) -> None:
    """Tell the paths of a case that the person arrived, died, or is at risk."""
    actions.tell_case(ask.actor, case_id, message=ask.body["message"], values=ask.body["values"])


@cases.post("/cases/<case_id>/close", body=CloseCase, answer=CaseResult, versioned=True)
def close(ask: Ask, case_id: str) -> CaseResult:
    """Close a case by hand, where no path does it."""
    return actions.close_case(
        ask.actor, case_id, outcome=ask.body["outcome"], reason=ask.body["reason"], version=ask.version
    )


@cases.post("/cases/<case_id>/reopen", body=ReopenCase, answer=CaseResult, versioned=True)
def reopen(ask: Ask, case_id: str) -> CaseResult:
    """Open a closed case again."""
    return actions.reopen_case(
        ask.actor, case_id, reason=ask.body["reason"], version=ask.version, path=ask.body.get("path")
    )


@cases.get("/cases/<case_id>/timeline", answer=TimelineEntry, paged=True)
def read_timeline(ask: Ask, case_id: str) -> Page[TimelineEntry]:
    """Read the history of a case, the latest first."""
    return timeline.timeline(ask.actor, _now(), case_id, after=ask.after, limit=ask.limit)


@cases.get("/cases/<case_id>/tasks", answer=tuple[TaskRow, ...])
def list_tasks(ask: Ask, case_id: str) -> tuple[TaskRow, ...]:
    """List the tasks of a case that are open or on hold."""
    queries.must_read(ask.actor, _now(), case_id)
    return inbox.tasks_of_case(ask.actor, _now(), case_id)


@cases.get("/cases/<case_id>/referrals", answer=tuple[ReferralView, ...])
def list_referrals(ask: Ask, case_id: str) -> tuple[ReferralView, ...]:
    """List the referrals of a case."""
    return referrals.of_case(ask.actor, _now(), case_id)


@cases.get("/cases/<case_id>/disclosures", answer=tuple[DisclosureRow, ...])
def list_disclosures(ask: Ask, case_id: str) -> tuple[DisclosureRow, ...]:
    """List what of a case was disclosed to whom."""
    return queries.disclosures(ask.actor, _now(), case_id)


@cases.post("/cases/<case_id>/proposals", body=Propose, answer=tuple[Proposal, ...], keyed=False)
def propose(ask: Ask, case_id: str) -> tuple[Proposal, ...]:
    """Propose who could serve a need, the best first, with reasons; changes nothing."""
    return proposals.proposals(ask.actor, _now(), case_id, category=ask.body["category"], language=language())
