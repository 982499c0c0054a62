"""Drafts of referrals: what is changed before they are sent."""

from __future__ import annotations

from collections.abc import Mapping

from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work, action
from nrm.actions.referral_loading import load_as_sender, result, touch
from nrm.actions.referral_sending import (
    check_draft,
    check_links,
    offered_service,
    receiving_desk,
    seal_text,
)
from nrm.errors import IllegalMove
from nrm.models import Case, Referral
from nrm.queries.referral_shapes import ReferralView
from nrm.rules.consent import default_categories
from nrm.vocabulary import ReferralState


@action("referral.change", permission="referral.send")
def change_referral(
    work: Work, referral_id: str, *, changes: Mapping[str, str | list[str] | None], version: int | None
) -> ReferralView:
    """Change a draft; what is not named stays as it is.

    Args:
        work: the transaction.
        referral_id: a referral that was not sent yet.
        changes: field → new value: service_id, reason, urgency, expected_result, categories, plan_service_id,
            external_id. Another service brings its own categories, unless some are named.
        version: the version that the actor saw.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor stands in no part to it, or does not send it.
        NotValid: a field is wrong.
        AlreadyDone: the external id stands for another referral of the organisation.
        IllegalMove: it was sent already.
        StaleVersion: it changed since.
    """
    loaded = load_as_sender(work, referral_id, version=version)
    referral = loaded.referral
    if referral.state != ReferralState.DRAFT:
        raise IllegalMove(loaded.actions(), "not_a_draft")
    _change(work, loaded.case, referral, changes)
    touch(work, referral)
    clocks.record(work, referral, "referral.changed", fields=sorted(changes))
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


def _change(work: Work, case: Case, referral: Referral, changes: Mapping[str, str | list[str] | None]) -> None:
    service = offered_service(work, case, str(changes.get("service_id") or referral.service_id))
    moved = service.id != referral.service_id
    named = changes.get("categories")
    kept = sorted(default_categories(service.category)) if moved or "categories" in changes else referral.categories
    categories = sorted(set(named)) if isinstance(named, list) else list(kept)
    urgency = str(changes.get("urgency") or referral.urgency)
    check_draft(service, urgency=urgency, categories=categories)
    external_id = _text(changes, "external_id", referral.external_id)
    plan_service_id = _text(changes, "plan_service_id", referral.plan_service_id)
    check_links(
        work,
        case,
        plan_service_id=plan_service_id,
        external_id=external_id if external_id != referral.external_id else None,
    )
    referral.urgency, referral.categories = urgency, categories
    referral.external_id, referral.plan_service_id = external_id, plan_service_id
    if moved:
        referral.service_id, referral.category = service.id, service.category
        referral.to_organisation_id, referral.to_desk_id = service.organisation_id, receiving_desk(service, case)
    for name in ("reason", "expected_result"):
        if name in changes:
            text = _text(changes, name, None)
            setattr(referral, name, seal_text(text, f"/{name}", referral.id, f"referrals.{name}", longest=2_000))


def _text(changes: Mapping[str, str | list[str] | None], name: str, before: str | None) -> str | None:
    value = changes.get(name, before)
    return value if isinstance(value, str) else None
