"""Referrals: list, read, create, every verb of the normative table, and the end of the loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from api.schemas.referrals import (
    VERB_SCHEMAS,
    AddMessage,
    ChangeReferral,
    CloseLoop,
    Confirm,
    CreateReferral,
    RecordCall,
    ReferralQuery,
)
from api.transport.endpoint import Ask, Noun
from api.transport.shapes import Made, made
from nrm.actions import referrals as actions
from nrm.actions import restrictions
from nrm.actions.reading import note_read
from nrm.actions.referral_calls import record_call as record_referral_call
from nrm.actions.referral_changes import Given
from nrm.actions.referral_drafts import change_referral
from nrm.actors import ActorKind
from nrm.errors import Conflict, NotValid, Problem
from nrm.installation import installation
from nrm.queries import referrals as queries
from nrm.queries.page import Page
from nrm.queries.referral_shapes import ReferralView
from nrm.queries.referrals import ReferralFilter, ReferralMessage
from nrm.rules.statuses import REFERRAL_VERBS, Verb

referrals = Noun("referrals")


@referrals.get("/referrals", query=ReferralQuery, answer=ReferralView, paged=True, scope="referrals:read")
def list_referrals(ask: Ask) -> Page[ReferralView]:
    """List referrals that one's desk received, or that one's organisation sent; the latest changed first."""
    only = ReferralFilter(
        state=ask.query.get("state"),
        urgency=ask.query.get("urgency"),
        open_only=ask.query["open"],
        updated_since=ask.query.get("updated_since"),
        case=ask.query.get("case"),
        external_id=ask.query.get("external_id"),
    )
    return queries.referrals(
        ask.actor,
        installation().clock.now(),
        came_in=ask.query["direction"] == "received",
        only=only,
        after=ask.after,
        limit=ask.limit,
    )


@referrals.post(
    "/referrals",
    body=CreateReferral,
    answer=ReferralView,
    status=201,
    permission="referral.send",
    scope="referrals:send",
)
def create(ask: Ask) -> ReferralView:
    """Prepare a referral and, unless it stays a draft, send it through the consent gate.

    An external_id stands for one referral of the sending organisation: used again, the answer is 409 with existing_id.
    """
    return actions.create_referral(ask.actor, ask.body.pop("case_id"), **ask.body)


@referrals.get("/referrals/<referral_id>", answer=ReferralView, scope="referrals:read", purposed=True)
def read_referral(ask: Ask, referral_id: str) -> ReferralView:
    """Read a referral; the fields of the person are those that the asker's part and the consent allow.

    The receiver's first read of personal data acknowledges the referral, and each is recorded. A program reads them
    with the scope subject:read, and restricted ones only when the header NRM-Purpose says what for.
    """
    now = installation().clock.now()
    found = queries.referral(ask.actor, now, referral_id, purpose=ask.purpose)
    if not _is_read_by_receiver(ask, found):
        return found
    note_read(ask.actor, "referral", referral_id, purpose=ask.purpose)
    if found.state == "sent" and "acknowledge" in found.allowed_actions:
        # Two of the desk may open it at once: the other one's reading has acknowledged it then.
        with suppress(Conflict):
            actions.do_verb(ask.actor, referral_id, "acknowledge", version=found.version, given=Given())
        return queries.referral(ask.actor, now, referral_id, purpose=ask.purpose)
    return found


def _is_read_by_receiver(ask: Ask, found: ReferralView) -> bool:
    if ask.actor.kind is ActorKind.KEY:
        return found.relation in ("receiver", "team") and found.is_personal
    return found.relation == "receiver"


@referrals.patch(
    "/referrals/<referral_id>",
    body=ChangeReferral,
    answer=ReferralView,
    versioned=True,
    permission="referral.send",
    scope="referrals:send",
)
def change(ask: Ask, referral_id: str) -> ReferralView:
    """Change a draft of a referral."""
    return change_referral(ask.actor, referral_id, changes=ask.body, version=ask.version)


@referrals.post("/referrals/<referral_id>/confirm-restriction", scope="referrals:act")
def confirm_restriction(ask: Ask, referral_id: str) -> None:
    """Confirm that one's organisation uses what came with a referral no more, after its consent ended.

    For an organisation that is reached by letter, mail or telephone the office of the case records its word.
    """
    restrictions.confirm_of_referral(ask.actor, referral_id)


@referrals.get(
    "/referrals/<referral_id>/messages",
    answer=ReferralMessage,
    paged=True,
    scope="referrals:read",
    purposed=True,
)
def list_messages(ask: Ask, referral_id: str) -> Page[ReferralMessage]:
    """List the notes between sender and receiver, the oldest first.

    Empty for a program that may not read what is personal.
    """
    return queries.messages(
        ask.actor,
        installation().clock.now(),
        referral_id,
        purpose=ask.purpose,
        after=ask.after,
        limit=ask.limit,
    )


@referrals.post(
    "/referrals/<referral_id>/messages", body=AddMessage, answer=Made, status=201, shape=made, scope="referrals:act"
)
def add_message(ask: Ask, referral_id: str) -> str:
    """Add a note that sender and receiver both read."""
    return actions.add_referral_note(ask.actor, referral_id, text=ask.body["text"])


@referrals.post(
    "/referrals/<referral_id>/calls",
    body=RecordCall,
    answer=ReferralView,
    versioned=True,
    permission="referral.send",
    scope="referrals:send",
)
def record_call(ask: Ask, referral_id: str) -> ReferralView:
    """Record a telephone call to the receiver, and its answer where it has no screen of its own."""
    body = ask.body
    fields = {name: body.pop(name, None) for name in ("reason", "outcome", "at", "delivered_on")}
    if body.get("answer") is None and any(value is not None for value in fields.values()):
        raise NotValid([Problem(pointer="/answer", code="required")])
    return record_referral_call(ask.actor, referral_id, **body, given=Given(**fields), version=ask.version)


@referrals.post(
    "/referrals/<referral_id>/confirm", body=Confirm, answer=ReferralView, versioned=True, scope="referrals:send"
)
def confirm(ask: Ask, referral_id: str) -> ReferralView:
    """Record what the returnee says about a completed referral, where no path asks."""
    return actions.confirm_referral(
        ask.actor,
        referral_id,
        received=ask.body["received"],
        satisfaction=ask.body.get("satisfaction"),
        version=ask.version,
    )


@referrals.post(
    "/referrals/<referral_id>/close-loop", body=CloseLoop, answer=ReferralView, versioned=True, scope="referrals:send"
)
def close_loop(ask: Ask, referral_id: str) -> ReferralView:
    """Answer the loop of a referral that was not served: unmet, or no longer needed."""
    return actions.close_loop(ask.actor, referral_id, answer=ask.body["answer"], version=ask.version)


def _handler(name: str, verb: Verb) -> Callable[..., ReferralView]:
    def perform(ask: Ask, referral_id: str) -> ReferralView:
        return actions.do_verb(ask.actor, referral_id, name, version=ask.version, given=Given(**ask.body))

    perform.__name__ = name
    fields = ", ".join((*(("reason",) if verb.reasons else ()), *verb.needed))
    needs = f"Needs {fields}." if fields else ""
    second = " The first call asks; it happens when a second person of the national unit says the same."
    perform.__doc__ = f"{name.replace('_', ' ').capitalize()} a referral.\n\n{needs}{second if verb.two_people else ''}"
    return perform


for _name, _verb in REFERRAL_VERBS.items():
    referrals.post(
        f"/referrals/<referral_id>/{_name.replace('_', '-')}",
        body=VERB_SCHEMAS[_name],
        answer=ReferralView,
        versioned=True,
        scope="referrals:act",
    )(_handler(_name, _verb))
