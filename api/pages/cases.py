"""Cases: the list, and the page of one: who it is, where it stands, who has it now, what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from api.pages.codes import Names, governorates, label, labels, names, sayers
from api.pages.history import history as told_history
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.kit.words import Due
from api.transport import cursors
from nrm.actions import cases as actions
from nrm.actions import runs as run_actions
from nrm.actions.reading import note_read
from nrm.queries import cases as queries
from nrm.queries import documents, inbox, packs, path_list, referrals, runs, timeline
from nrm.queries.cases import CaseFilter, CaseView
from nrm.queries.documents import DocumentRow
from nrm.queries.inbox import TaskRow
from nrm.queries.referral_shapes import ReferralView
from nrm.queries.runs import RunRow
from nrm.vocabulary import ReopenReason, TransferReason

cases = Pages("cases")

_LIST: Final = "pages.cases"
_HISTORY: Final = "pages.history"
_ROWS: Final = 40
_ENTRIES: Final = 30
_DOCUMENTS: Final = 5
KINDS: Final = ("task", "referral", "case", "consent", "plan", "need", "run", "letter", "document", "disclosure")
"""First words of the kinds of events by which the history can be narrowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Where a case stands, for one sentence.

    Attributes:
        what: name of the step, or code of the state.
        who: the desk or organisation that has it.
        since: how long.
        due: how pressing it is.
        address: where one can do something about it; "" for nowhere.
    """

    what: str
    who: str
    since: str
    due: Due
    address: str


@cases.get("/cases", permission="case.read")
def list_cases(visit: Visit) -> Answer:
    """List the cases that one may know of, the latest active first."""
    asked = {name: visit.query.get(name, "").strip() for name in ("status", "stage", "governorate", "number")}
    only = CaseFilter(**{name: value.upper() if name == "number" else value for name, value in asked.items() if value})
    cursor = visit.query.get("after")
    page = queries.cases(
        visit.actor,
        visit.now,
        only=only,
        after=cursors.read_cursor(_LIST, cursor) if cursor else None,
        limit=_ROWS,
    )
    following = None
    if page.next_key:
        following = "/cases?" + urlencode({**_given(asked), "after": cursors.write_cursor(_LIST, page.next_key)})
    stages = packs.pack().labels.get(visit.language, {}).get("stage")
    return visit.show(
        "cases/list.html",
        rows=page.items,
        asked=asked,
        next_page=following,
        names=names(visit),
        governorates=governorates(visit),
        stages=stages if isinstance(stages, dict) else {},
        **sayers(visit),
    )


def _given(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value}


@cases.get("/cases/<case_id>")
def show(visit: Visit, case_id: str) -> Answer:
    """Show a case."""
    case = queries.case(visit.actor, visit.now, case_id)
    if case.level == "strict":
        note_read(visit.actor, "case", case_id)
    known = names(visit)
    if case.relation != "team":
        return visit.show("cases/overview.html", case=case, names=known, **sayers(visit))
    tasks = inbox.tasks_of_case(visit.actor, visit.now, case_id)
    sent = referrals.of_case(visit.actor, visit.now, case_id)
    mirrored = None if "flip" not in visit.query else visit.words.direction == "ltr"
    followed = runs.followed(
        visit.actor,
        visit.now,
        case_id,
        choose=lambda ran: _chosen(visit, ran),
        language=visit.language,
        mirrored=mirrored,
    )
    kind = visit.query.get("kind", "")
    cursor = visit.query.get("after")
    history = timeline.timeline(
        visit.actor,
        visit.now,
        case_id,
        after=cursors.read_cursor(_HISTORY, cursor) if cursor else None,
        limit=_ENTRIES,
        kinds=(kind,) if kind in KINDS else (),
    )
    return visit.show(
        "cases/case.html",
        case=case,
        nows=tuple(_nows(visit, tasks, sent, known)),
        tasks=tasks,
        runs=followed.runs,
        run=followed.chosen,
        drawing=followed.drawing,
        steps=followed.steps,
        standing=followed.standing,
        ahead=tuple(filter(None, map(visit.words.name, followed.ahead))),
        flipped="flip" in visit.query,
        referrals=sent,
        needs=queries.needs(visit.actor, visit.now, case_id),
        plans=queries.plans(visit.actor, visit.now, case_id),
        consents=queries.consents(visit.actor, visit.now, case_id),
        disclosures=queries.disclosures(visit.actor, visit.now, case_id),
        notes=queries.notes(visit.actor, visit.now, case_id),
        documents=_documents(visit, case_id),
        history=told_history(visit, history.items),
        more=cursors.write_cursor(_HISTORY, history.next_key) if history.next_key else None,
        kind=kind,
        kinds=KINDS,
        names=known,
        may=frozenset(case.allowed_actions),
        paths=_paths(visit) if "start_run" in case.allowed_actions else (),
        transfer_desks=_transfer_desks(visit, case),
        outcomes=labels(visit, "case_outcome"),
        closures=labels(visit, "closure_reason"),
        transfer_reasons=tuple(TransferReason),
        reopen_reasons=tuple(ReopenReason),
        **sayers(visit),
    )


def _documents(visit: Visit, case_id: str) -> tuple[DocumentRow, ...]:
    """Give the latest documents that count; all of them stand on a page of their own."""
    rows = documents.of_case(visit.actor, visit.now, case_id) if visit.may("document.read") else ()
    return tuple(row for row in rows if row.error_at is None)[:_DOCUMENTS]


def _chosen(visit: Visit, ran: tuple[RunRow, ...]) -> RunRow | None:
    """Give the run whose path is drawn: the one asked for, else the latest that still runs, else the first."""
    wished = visit.query.get("run")
    live = [run for run in ran if run.status == "running"]
    latest = live[-1] if live else ran[0] if ran else None
    return next((run for run in ran if run.id == wished), latest)


def _nows(visit: Visit, tasks: tuple[TaskRow, ...], sent: tuple[ReferralView, ...], known: Names) -> Iterator[Now]:
    """Give everything that is waited for now: open tasks, and referrals that wait for their receiver."""
    for task in tasks:
        mine = task.desk_id in visit.actor.desks or bool(task.allowed_actions)
        yield Now(
            what=visit.words.name(task.names),
            who=known.desks.get(task.desk_id, ""),
            since=visit.words.ago(task.opened_at),
            due=visit.words.due(task.due_at),
            address=f"/tasks/{task.id}" if mine else "",
        )
    for one in sent:
        if one.closed_at is None and one.outcome is None and one.sent_at is not None and one.reply_due_at is not None:
            yield Now(
                what=visit.words.t("cases.referral_of", category=label(visit, "service_category", one.category)),
                who=visit.words.name(one.to_org.names) if one.to_org else "",
                since=visit.words.ago(one.sent_at),
                due=visit.words.due(one.reply_due_at),
                address=f"/referrals/{one.id}",
            )


def _transfer_desks(visit: Visit, case: CaseView) -> tuple[tuple[str, str], ...]:
    """Give the desks that may take a case: those that do the work of the desk that has it."""
    desks = packs.pack().desks
    role = next((desk.role for desk in desks if desk.id == case.desk_id), None)
    found = [(desk.id, visit.words.name(desk.names)) for desk in desks if desk.role == role and desk.id != case.desk_id]
    return tuple(sorted(found, key=lambda entry: entry[1]))


def _paths(visit: Visit) -> tuple[tuple[str, str], ...]:
    return tuple((key, visit.words.name(path_names)) for key, path_names in path_list.startable_paths(visit.actor))


@cases.get("/cases/<case_id>/sheet")
def sheet(visit: Visit, case_id: str) -> Answer:
    """Show a case as one page of A4."""
    case = queries.case(visit.actor, visit.now, case_id)
    queries.must_read(visit.actor, visit.now, case_id)
    if case.level == "strict":
        note_read(visit.actor, "case", case_id)
    known = names(visit)
    tasks = inbox.tasks_of_case(visit.actor, visit.now, case_id)
    sent = referrals.of_case(visit.actor, visit.now, case_id)
    return visit.show(
        "cases/sheet.html",
        case=case,
        names=known,
        nows=tuple(_nows(visit, tasks, sent, known)),
        referrals=sent,
        needs=queries.needs(visit.actor, visit.now, case_id),
        plans=queries.plans(visit.actor, visit.now, case_id),
        **sayers(visit),
    )


@cases.post("/cases/<case_id>/note")
def note(visit: Visit, case_id: str) -> Answer:
    """Add a note."""
    actions.add_note(visit.actor, case_id, text=visit.text("text"), pinned=visit.text("pinned") == "1")
    return see(f"/cases/{case_id}#notes")


@cases.post("/cases/<case_id>/start")
def start(visit: Visit, case_id: str) -> Answer:
    """Start another path."""
    run_id = run_actions.start_run(visit.actor, case_id, visit.text("path"))
    return see(f"/cases/{case_id}?run={run_id}")


@cases.post("/cases/<case_id>/transfer")
def transfer(visit: Visit, case_id: str) -> Answer:
    """Hand a case to another office; what becomes of its tasks and consents is decided there."""
    actions.transfer_case(
        visit.actor, case_id, desk_id=visit.text("desk"), reason=visit.text("reason"), version=visit.version()
    )
    return see("/cases")


@cases.post("/cases/<case_id>/tell")
def tell(visit: Visit, case_id: str) -> Answer:
    """Tell the case's paths what has happened to the person."""
    actions.tell_case(visit.actor, case_id, message=visit.text("message"))
    return see(f"/cases/{case_id}")


@cases.post("/cases/<case_id>/close")
def close(visit: Visit, case_id: str) -> Answer:
    """Close a case by hand, where no path does it."""
    actions.close_case(
        visit.actor, case_id, outcome=visit.text("outcome"), reason=visit.text("reason"), version=visit.version()
    )
    return see(f"/cases/{case_id}")


@cases.post("/cases/<case_id>/reopen")
def reopen(visit: Visit, case_id: str) -> Answer:
    """Open a closed case again."""
    actions.reopen_case(visit.actor, case_id, reason=visit.text("reason"), version=visit.version())
    return see(f"/cases/{case_id}")
