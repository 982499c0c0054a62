"""Another organisation's objects: every route, whatever it does, says that there is nothing."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from api.app import create_app
from api.transport.endpoint import OPERATIONS, Operation
from nrm.actions.absences import record_absence
from nrm.actions.keys import issue_key
from nrm.actions.overrides import ask_override
from nrm.actions.path_comments import add_comment
from nrm.actions.path_drafts import begin_draft
from nrm.actions.people import make_household
from nrm.actions.views import save_view
from nrm.actions.webhooks import SECRET_COLUMN
from nrm.actors import SYSTEM
from nrm.models import (
    Complaint,
    Desk,
    Incident,
    Membership,
    Notification,
    Restriction,
    RoleRequest,
    Service,
    WebhookDelivery,
    WebhookEndpoint,
)
from nrm.sealing import seal
from tests.api.conftest import Browser, Office
from tests.api.test_walk import consented, registered, some_service, with_case

assert create_app  # its import declares the endpoints

PART = re.compile(r"<(\w+)>")
EVERYBODYS = {
    "version_id",
    "form_version_id",
    "organisation_id",
    "service_id",
    "name",
    "public_uuid",
    "migration_id",
    "path_key",
    "step",
    "entry_kind",
    "entry_key",
    "list_name",
    "code",
    "group",
    "calendar",
    "day",
    "setting",
    "table_key",
}
"""Parts of routes that name things which belong to no organisation's cases: paths, forms, the country's data."""

BODIES: dict[str, Any] = {
    "release": {},
    "hand_over": {"to_user": "usr_" + "0" * 26},
    "assign": {"to_user": "usr_" + "0" * 26},
    "hold": {"until": "2026-03-09T08:00:00Z", "reason": "health"},
    "comment": {"text": "x"},
    "save_draft": {"answers": {}},
    "complete": {"answers": {}},
    "people.change": {"changes": {"sex": "male"}},
    "merge": {"other_id": "per_" + "0" * 26},
    "add_paper": {"paper": {"kind": "passport", "number": "X1"}},
    "join_household": {"household_id": None},
    "cases.change": {"priority": "urgent"},
    "transfer": {"desk_id": "dsk_" + "0" * 26, "reason": "moved"},
    "set_level": {"level": "strict"},
    "share": {"holder_kind": "desk", "holder_id": "dsk_" + "0" * 26, "access": "read"},
    "unshare": {"holder_kind": "desk", "holder_id": "dsk_" + "0" * 26},
    "add_note": {"text": "x"},
    "add_comment": {"text": "x"},
    "tell": {"message": "risk.raised"},
    "letters.register": {"template": "referral", "organisation_id": "org_" + "0" * 26},
    "letters.answer": {"answer": "agreed", "number": "1", "dated": "2026-03-01"},
    "link_incoming": {"case_id": "cas_" + "0" * 26},
    "complaints.answer": {"text": "x"},
    "start_for_case": {"case_number": "TL-26-00000-0"},
    "record_need": {"category": "HOU"},
    "change_need": {"priority": "urgent"},
    "record_plan": {"services": [{"category": "JOB"}], "agreed": True},
    "add_service": {"category": "JOB"},
    "close": {"outcome": "x", "reason": "x"},
    "reopen": {"reason": "other"},
    "propose": {"category": "JOB"},
    "consents.record": {"purposes": ["casework"], "categories": [], "mode": "written"},
    "withdraw_consent": {},
    "ask_override": {
        "organisation_id": "org_" + "0" * 26,
        "ground": "life_threat",
        "reason": "x",
        "categories": ["contact"],
    },
    "refuse_override": {"reason": "x"},
    "runs.start": {"path": "hello"},
    "runs.cancel": {"reason": "x"},
    "add_message": {"text": "x"},
    "record_call": {"called_at": "2026-03-01T08:00:00Z", "spoke_with": "x", "said": "x"},
    "confirm": {"received": True},
    "close_loop": {"answer": "unmet_need"},
    "repair": {"values": {}, "reason": "x"},
    "repair_answers": {"task_id": "tsk_" + "0" * 26, "answers": {}, "reason": "x"},
    "give_up": {"note": "x"},
    "documents.enter_in_error": {"reason": "test_entry"},
    "set_capacity": {"accepting": True},
    "replay": {"since": "2026-03-01T08:00:00Z"},
    "users.change": {"name": "Invented Name"},
    "users.add": {"login": "x.y", "name": "x", "password": "invented-words-8-for-tests"},
    "give_password": {"new": "invented-words-8-for-tests"},
    "give_seat": {"organisation_id": "org_" + "0" * 26, "role": "case_handler"},
    "keys.issue": {"organisation_id": "org_" + "0" * 26, "name": "x", "scopes": ["events:read"]},
}
VERBS: dict[str, Any] = {
    "request_info": {"note": "x"},
    "answer": {"note": "x"},
    "waitlist": {"review_on": "2026-03-20"},
    "decline": {"reason": "no_capacity"},
    "redirect": {"reason": "no_capacity", "organisation": "org_" + "0" * 26},
    "schedule": {"at": "2026-03-09T08:00:00Z"},
    "progress": {"note": "x"},
    "hold": {"reason": "health", "until": "2026-03-20"},
    "complete": {"outcome": "provided"},
    "fail": {"reason": "moved"},
    "cancel": {"reason": "duplicate"},
    "withdraw": {"reason": "returnee_request"},
    "reassign": {"desk": "dsk_" + "0" * 26},
    "enter_in_error": {"reason": "test_entry"},
}


def body_of(operation: Operation) -> Any:
    if operation.body is None:
        return None
    if operation.noun == "referrals" and operation.name in VERBS:
        body = VERBS[operation.name]
    elif operation.noun == "referrals" and operation.name not in (
        "add_message",
        "confirm",
        "close_loop",
        "record_call",
    ):
        body = {}
    else:
        body = BODIES.get(f"{operation.noun}.{operation.name}", BODIES.get(operation.name, {}))
    return {**body, **({"version": 1} if operation.versioned else {})}


def case_desk(office: Office) -> str:
    return str(office.land.session.execute(select(Desk.id).where(Desk.code == "moh_case_handler_norvale")).scalar_one())


def theirs(office: Office, owner: Browser) -> dict[str, str]:
    """Make one of each thing that belongs to somebody's case, and give their ids by the name of the route's part."""
    person_id = registered(owner)
    case_id = with_case(owner, person_id)["id"]
    consent_id = consented(owner, case_id)
    service = some_service(office, "JOB")
    referral = owner.post("/referrals", {"case_id": case_id, "service_id": service.id, "reason": "Work"}).get_json()
    run_id = owner.get(f"/cases/{case_id}/runs").get_json()[0]["id"]
    need = owner.post(f"/cases/{case_id}/needs", {"category": "HOU"}).get_json()
    plan = owner.post(f"/cases/{case_id}/plans", {"services": [{"category": "JOB"}], "agreed": True}).get_json()
    office_on_paper = select(Service.organisation_id).where(Service.code == "training_coast")
    receiver = office.land.session.execute(office_on_paper).scalar_one()
    letter = owner.post(f"/cases/{case_id}/letters", {"template": "support_letter", "organisation_id": receiver})
    came = {"desk_id": case_desk(office), "received_on": "2026-03-01", "subject": "A question", "sender": "An office"}
    incoming = owner.post("/incoming-letters", came)
    assert incoming.status_code == 201, incoming.text
    said = {"category": "service", "text": "Nobody answered", "governorate": "norvale"}
    assert owner.post("/public/complaints", said).status_code == 201
    complaint_id = office.land.session.execute(select(Complaint.id)).scalar_one()
    assert owner.actor is not None
    # The country's way to a disclosure without consent needs a permission that the owner lacks.
    override_id = ask_override(
        SYSTEM,
        case_id,
        organisation_id=service.organisation_id,
        ground="life_threat",
        reason="Invented reason",
        categories=["contact"],
    )
    household_id = make_household(owner.actor, {person_id: None})
    session = office.land.session
    membership_id = session.execute(select(Membership.id).where(Membership.user_id == owner.actor.id)).scalar_one()
    now = office.clock.now()
    endpoint_id = "whe_" + "1" * 26
    session.add(
        WebhookEndpoint(
            id=endpoint_id,
            organisation_id=owner.actor.organisations[0],
            url="https://hooks.example.org/",
            signing_secret=seal("whsec_" + "A" * 44, row=endpoint_id, column=SECRET_COLUMN),
            created_at=now,
            created_by="system",
        )
    )
    session.flush()
    session.add_all(
        [
            Incident(
                id="inc_" + "1" * 26,
                case_id=case_id,
                run_id=run_id,
                kind="step",
                code="no_flow",
                params={},
                retry={},
                opened_at=now,
                note=seal(None, row="inc_" + "1" * 26, column="incidents.note"),
            ),
            Restriction(
                id="rst_" + "1" * 26,
                case_id=case_id,
                person_id=person_id,
                organisation_id=service.organisation_id,
                consent_id=consent_id,
                asked_at=now,
                due_at=now,
            ),
            WebhookDelivery(
                id="whd_" + "1" * 26,
                endpoint_id=endpoint_id,
                position=1,
                event_id="evt_" + "1" * 26,
                type="webhook.test",
                tries=[],
                created_at=now,
            ),
            RoleRequest(
                id="rrq_" + "1" * 26,
                user_id=owner.actor.id,
                organisation_id=owner.actor.organisations[0],
                role="national_unit",
                asked_by="usr_" + "1" * 26,
                asked_at=now,
            ),
            Notification(
                id="ntf_" + "1" * 26,
                user_id=owner.actor.id if owner.actor else None,
                kind="referral.sent",
                subject_kind="referral",
                subject_id=referral["id"],
                created_at=now,
            ),
        ]
    )
    session.commit()
    session.close()
    draft_id = begin_draft(SYSTEM, path="hello").id
    today = office.clock.now().date()
    return {
        "absence_id": record_absence(owner.actor, first=today, last=today),
        "view_id": save_view(owner.actor, name="Invented view", query={"tab": "desk"}),
        "person_id": person_id,
        "case_id": case_id,
        "consent_id": consent_id,
        "need_id": need["id"],
        "plan_id": plan["id"],
        "override_id": override_id,
        "referral_id": referral["id"],
        "letter_id": letter.get_json()["id"],
        "document_id": owner.post(f"/cases/{case_id}/documents?name=a.pdf", data=b"%PDF-1.7").get_json()["id"],
        "incoming_letter_id": incoming.get_json()["id"],
        "complaint_id": complaint_id,
        "run_id": run_id,
        "task_id": owner.get("/tasks?tab=desk").get_json()["data"][0]["id"],
        "session_id": owner.get("/session").get_json()["session_id"],
        "household_id": household_id,
        "incident_id": "inc_" + "1" * 26,
        "restriction_id": "rst_" + "1" * 26,
        "notification_id": "ntf_" + "1" * 26,
        "user_id": owner.actor.id,
        "membership_id": membership_id,
        "request_id": "rrq_" + "1" * 26,
        "endpoint_id": endpoint_id,
        "delivery_id": "whd_" + "1" * 26,
        "draft_id": draft_id,
        "key": "hello_ask",
        "comment_id": add_comment(SYSTEM, draft_id, text="Invented remark"),
        "other_id": "ver_" + "1" * 26,
        "key_id": issue_key(SYSTEM, receiver, name="x", scopes=["events:read"]).id,
    }


def test_each_route_hides_another_organisations_objects(office: Office):
    owner = office.handler()
    things = theirs(office, owner)
    stranger = office.browser(office.land.at_desk("case_handler", "hillin"))
    supervisor = office.browser(office.land.at_desk("supervisor", "hillin"))
    provider = office.browser(office.land.receiver(_other_provider(office)))
    tried, wrong = 0, []
    for operation in OPERATIONS:
        parts = PART.findall(operation.rule)
        if not parts or EVERYBODYS & set(parts):
            continue
        path = PART.sub(lambda found: things[found[1]], operation.rule).removeprefix("/api/v1")
        for browser in (stranger, supervisor, provider):
            file = {"query_string": {"name": "a.pdf"}, "data": b"%PDF-1.7"} if operation.upload else {}
            answer = browser.ask(operation.method, path, **(file or {"json": body_of(operation)}))
            tried += 1
            # 403: the role may not do this at all, whatever it is done to; it is said before anything is looked up.
            if answer.status_code != 404 and not _is_about_the_role(answer.get_json()):
                wrong.append(f"{operation.method} {operation.rule} {answer.status_code} {answer.text[:200]}")
    assert wrong == []
    assert tried > 150
    assert owner.get(f"/cases/{things['case_id']}").get_json()["priority"] == "normal"


def test_the_owner_reads_each_of_the_things_that_strangers_do_not(office: Office):
    owner = office.handler()
    things = theirs(office, owner)
    read = 0
    for operation in OPERATIONS:
        parts = set(PART.findall(operation.rule))
        hidden = {"incident_id", "letter_id", "complaint_id", "key_id", "endpoint_id", "user_id", "draft_id"}
        if operation.method != "GET" or not parts or parts & (EVERYBODYS | hidden):
            continue
        if operation.permission == "disclosure.read":
            continue  # oversight reads the ledger of a person; those who work on the case read the case's own
        path = PART.sub(lambda found: things[found[1]], operation.rule).removeprefix("/api/v1")
        answer = owner.get(path)
        if operation.name == "print_appointment":
            assert answer.get_json()["code"] == "no_appointment", "the owner learns what is missing"
            continue
        assert answer.status_code == 200, path
        read += 1
    assert read > 15


def _is_about_the_role(body: Any) -> bool:
    return isinstance(body, dict) and (body.get("status"), body.get("code")) == (403, "not_allowed")


def _other_provider(office: Office) -> str:
    from nrm.models import Desk

    taken = some_service(office, "JOB").organisation_id
    found = select(Desk.organisation_id).where(Desk.role == "receiving_desk", Desk.organisation_id != taken)
    return str(office.land.session.execute(found.order_by(Desk.organisation_id)).scalars().first())


def test_lists_hold_nothing_of_another_organisation(office: Office):
    owner = office.handler()
    theirs(office, owner)
    stranger = office.browser(office.land.at_desk("case_handler", "hillin"))
    for path in (
        "/cases",
        "/tasks?tab=desk",
        "/tasks?tab=mine",
        "/referrals",
        "/referrals?direction=sent",
        "/notifications",
    ):
        assert stranger.get(path).get_json()["data"] == [], path
    found = stranger.post("/people/search", {"name": "Tarvin Olmer Quellstone"}).get_json()["data"]
    assert all(card["masked"] and card["mother"] == "" for card in found)


def test_nobody_gets_anything_without_signing_in(office: Office):
    browser = office.browser()
    for operation in OPERATIONS:
        if operation.signed_in:
            path = PART.sub("x_1", operation.rule).removeprefix("/api/v1")
            assert browser.ask(operation.method, path, json=body_of(operation)).status_code == 401, operation.rule
