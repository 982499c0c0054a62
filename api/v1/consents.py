"""Consents of a case: record, withdraw; disclosures without one, by two people."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.cases import AskOverride, RecordConsent, RefuseOverride, RestrictionQuery, WithdrawConsent
from api.transport.endpoint import Ask, Noun
from api.transport.shapes import Made, made
from nrm.actions import consents as actions
from nrm.actions import overrides, restrictions
from nrm.actions.reading import note_read
from nrm.installation import installation
from nrm.queries import cases as queries
from nrm.queries import disclosures
from nrm.queries.cases import ConsentList
from nrm.queries.disclosures import DisclosureEntry, RestrictionRow
from nrm.queries.page import Page

consents = Noun("consents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What withdrawing a consent did."""

    referrals_ended: int


def _withdrawn(count: int) -> Withdrawn:
    return Withdrawn(referrals_ended=count)


@consents.get("/cases/<case_id>/consents", answer=ConsentList)
def list_consents(ask: Ask, case_id: str) -> ConsentList:
    """List the consents of a case, and disclosures that were asked for without one."""
    return queries.consents(ask.actor, installation().clock.now(), case_id)


@consents.post("/cases/<case_id>/consents", body=RecordConsent, answer=Made, status=201, shape=made)
def record(ask: Ask, case_id: str) -> str:
    """Record what the person of a case agreed to."""
    return actions.record_consent(ask.actor, case_id, **ask.body)


@consents.post(
    "/consents/<consent_id>/withdraw", body=WithdrawConsent, answer=Withdrawn, versioned=True, shape=_withdrawn
)
def withdraw(ask: Ask, consent_id: str) -> int:
    """Withdraw a consent; open referrals that stand on it end at once."""
    return actions.withdraw_consent(ask.actor, consent_id, scope=ask.body["scope"], version=ask.version)


@consents.get("/people/<person_id>/disclosures", answer=DisclosureEntry, paged=True, permission="disclosure.read")
def list_disclosures(ask: Ask, person_id: str) -> Page[DisclosureEntry]:
    """List which fields of a person went to whom, when and on what ground; that it was read is recorded."""
    page = disclosures.of_person(ask.actor, installation().clock.now(), person_id, after=ask.after, limit=ask.limit)
    note_read(ask.actor, "ledger", person_id)
    return page


@consents.get("/restrictions", query=RestrictionQuery, answer=RestrictionRow, paged=True, scope="referrals:read")
def list_restrictions(ask: Ask) -> Page[RestrictionRow]:
    """List the requests to use data no more: those to one's own organisation, and those of cases that one works on."""
    return disclosures.restrictions(
        ask.actor,
        installation().clock.now(),
        only_open=ask.query["open"],
        after=ask.after,
        limit=ask.limit,
    )


@consents.post("/restrictions/<restriction_id>/confirm", scope="referrals:act")
def confirm_restriction(ask: Ask, restriction_id: str) -> None:
    """Confirm that one's organisation uses certain data no more, or record that another one said so on paper."""
    restrictions.confirm_restriction(ask.actor, restriction_id)


@consents.post("/cases/<case_id>/overrides", body=AskOverride, answer=Made, status=201, shape=made)
def ask_override(ask: Ask, case_id: str) -> str:
    """Ask for a disclosure without consent; a second person must approve."""
    return overrides.ask_override(ask.actor, case_id, **ask.body)


@consents.post("/overrides/<override_id>/approve")
def approve_override(ask: Ask, override_id: str) -> None:
    """Approve, as the second person, a disclosure without consent."""
    overrides.approve_override(ask.actor, override_id)


@consents.post("/overrides/<override_id>/refuse", body=RefuseOverride)
def refuse_override(ask: Ask, override_id: str) -> None:
    """Refuse, as the second person, a disclosure without consent."""
    overrides.refuse_override(ask.actor, override_id, **ask.body)
