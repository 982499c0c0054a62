"""Mailed links by which an organisation without a screen answers a referral: made when the mail is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from nrm import ids
from nrm.actions._action import Work
from nrm.credentials import new_session_secret, secret_hash
from nrm.models import AnswerLink, Delivery, Organisation, Referral
from nrm.vocabulary import Channel

LINK_LASTS: Final = timedelta(days=7)


def make_link(work: Work, delivery: Delivery) -> str | None:
    """Make the link of a mail about a referral, when it is about to be sent.

    The secret is random, 256 bits, and leaves with the mail; a second attempt to send makes another one, since nobody
    knows whether the first mail has arrived.

    Returns:
        The secret; None where the mail is not to an organisation that answers by mail, or about no referral.
    """
    if delivery.channel != str(Channel.EMAIL) or delivery.subject_kind != "referral" or not delivery.organisation_id:
        return None
    organisation = work.session.get_one(Organisation, delivery.organisation_id)
    referral = work.session.get(Referral, delivery.subject_id)
    if organisation.channel != str(Channel.EMAIL) or referral is None:
        return None
    if referral.to_organisation_id != organisation.id:
        return None
    secret = new_session_secret()
    work.add(
        AnswerLink,
        id=ids.new_id("lnk"),
        referral_id=referral.id,
        organisation_id=organisation.id,
        token_sha256=secret_hash(secret),
        created_at=work.now,
        expires_at=work.now + LINK_LASTS,
    )
    return secret
