"""Letters that come in: register one, the register, add one to a case."""

from __future__ import annotations

from api.schemas.letters import IncomingQuery, LinkIncoming, RegisterIncoming
from api.transport.endpoint import Ask, Noun
from nrm.actions import incoming_letters as actions
from nrm.actions.incoming_letters import IncomingResult, Target
from nrm.installation import installation
from nrm.queries import incoming_letters as queries
from nrm.queries.incoming_letters import IncomingRow
from nrm.queries.page import Page

incoming_letters = Noun("incoming_letters")


@incoming_letters.get("/incoming-letters", query=IncomingQuery, answer=IncomingRow, paged=True)
def list_incoming(ask: Ask) -> Page[IncomingRow]:
    """List letters that came in: those without a case at one's desks and those of one's cases, the newest first."""
    return queries.incoming_letters(
        ask.actor,
        installation().clock.now(),
        desk_id=ask.query.get("desk"),
        case_id=ask.query.get("case"),
        unlinked=ask.query["unlinked"],
        after=ask.after,
        limit=ask.limit,
    )


@incoming_letters.post("/incoming-letters", body=RegisterIncoming, answer=IncomingResult, status=201)
def register_incoming(ask: Ask) -> IncomingResult:
    """Register a letter that came in; it gets the next incoming number."""
    return actions.register_incoming(ask.actor, **ask.body)


@incoming_letters.get("/incoming-letters/<incoming_letter_id>", answer=IncomingRow)
def read_incoming(ask: Ask, incoming_letter_id: str) -> IncomingRow:
    """Read one line of the register."""
    return queries.incoming_letter(ask.actor, installation().clock.now(), incoming_letter_id)


@incoming_letters.post(
    "/incoming-letters/<incoming_letter_id>/link", body=LinkIncoming, answer=IncomingResult, versioned=True
)
def link_incoming(ask: Ask, incoming_letter_id: str) -> IncomingResult:
    """Add a letter to a case; where it answers a letter of ours, the referral or the path goes on by it."""
    return actions.link_incoming(ask.actor, incoming_letter_id, Target(**ask.body), version=ask.version)
