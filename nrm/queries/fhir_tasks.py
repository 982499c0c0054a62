"""Referrals as FHIR Tasks: the same rows, limited to the same askers, in the words of `nrm.rules.fhir`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from nrm.i18n import catalogue
from nrm.queries import packs
from nrm.queries.referral_shapes import ReferralView
from nrm.rules.fhir import Fhir, ReferralFacts, to_task
from nrm.vocabulary import Priority, ReferralState

_REASON_LISTS: Final = (
    "decline_reason",
    "not_served_reason",
    "cancel_reason",
    "withdraw_reason",
    "hold_reason",
    "error_reason",
)


def task_of(view: ReferralView, language: str, *, by_code: bool = False) -> Fhir:
    """Write a referral as a Task; it shows what the view shows, no more.

    Args:
        view: the referral as its reader may see it.
        language: ar, ckb or en: for the words beside the codes.
        by_code: the person is a code only, whatever the view shows.
    """
    person = {name: value for name, value in asdict(view.subject).items() if name != "ref" and value is not None}
    return to_task(facts_of(view), _labels(view, language), None if by_code else person)


def facts_of(view: ReferralView) -> ReferralFacts:
    """Take out of a referral what a Task says of it."""
    waitlist, outcome = view.waitlist, view.outcome
    return ReferralFacts(
        id=view.id,
        number=view.number,
        version=view.version,
        livemode=view.livemode,
        state=ReferralState(view.state),
        urgency=Priority(view.urgency),
        category=view.category,
        subject=view.subject.ref,
        sender=view.from_org.id,
        receiver=view.to_org.id if view.to_org else None,
        service=view.service.id if view.service else None,
        consent=view.consent.id if view.consent else None,
        replaces=view.parent_id,
        external_id=view.external_id,
        cancellation_requested=view.cancellation_requested,
        created_at=view.created_at,
        updated_at=view.updated_at,
        sent_at=view.sent_at,
        reply_due_at=view.reply_due_at,
        started_at=view.started_at,
        ended_at=view.ended_at,
        closed_at=view.closed_at,
        appointment_at=view.appointment.at if view.appointment else None,
        no_shows=view.no_shows,
        waitlist_position=waitlist.position if waitlist else None,
        review_on=waitlist.review_on if waitlist else None,
        hold_until=view.hold_until,
        redirected_to=view.redirected_to,
        end_reason=view.end_reason,
        outcome=outcome.code if outcome else None,
        delivered_on=outcome.delivered_on if outcome else None,
        reason=view.reason,
        note=outcome.note if outcome else None,
    )


def _labels(view: ReferralView, language: str) -> dict[str, str]:
    named = [view.from_org, view.to_org, view.service]
    labels = {one.id: _pick(one.names, language) for one in named if one is not None}
    states = catalogue("pages/guide", language)
    labels[f"state:{view.state}"] = states.get(f"state_{view.state}", view.state)
    labels[f"category:{view.category}"] = _code("service_category", view.category, language)
    if view.outcome is not None:
        labels[f"outcome:{view.outcome.code}"] = _code("referral_outcome", view.outcome.code, language)
    if view.end_reason is not None:
        found = (_code(name, view.end_reason, language) for name in _REASON_LISTS)
        labels[f"reason:{view.end_reason}"] = next((text for text in found if text != view.end_reason), view.end_reason)
    return labels


def _code(name: str, code: str, language: str) -> str:
    entry = packs.pack().codes.get(name, {}).get(code)
    return _pick(entry.names, language) if entry is not None else code


def _pick(names: Mapping[str, str], language: str) -> str:
    return names.get(language) or names.get("en") or next(iter(names.values()), "")
