"""Answers by a mailed link: it is opened once, gives one answer, and is sent again when somebody asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from nrm.actions import deliveries
from nrm.actions._action import Work, action
from nrm.credentials import new_session_secret, secret_hash
from nrm.errors import NotSignedIn
from nrm.models import AnswerLink, Delivery, Referral

SESSION_LASTS: Final = timedelta(minutes=30)
AGAIN_AFTER: Final = timedelta(minutes=10)
"""A new link is mailed only when the last mail is older: nobody can fill a mailbox by asking."""


@action("answer_link.open")
def open_link(work: Work, secret: str) -> str:
    """Open a link, once, and give the secret for the browser that did.

    Raises:
        NotSignedIn: there is no such link, it was opened before, or is too old.
    """
    row = work.session.execute(
        select(AnswerLink).where(AnswerLink.token_sha256 == secret_hash(secret)).with_for_update()
    ).scalar_one_or_none()
    if row is None or row.opened_at is not None or row.expires_at <= work.now:
        raise NotSignedIn("link_over")
    session = new_session_secret()
    row.opened_at = work.now
    row.session_sha256 = secret_hash(session)
    row.session_until = work.now + SESSION_LASTS
    work.record(
        "link.opened",
        stream=row.organisation_id,
        subject=("referral", row.referral_id),
        data={"link": row.id},
        organisation_id=row.organisation_id,
    )
    return session


@action("answer_link.answered")
def end_session(work: Work, session: str) -> None:
    """End the browser's right to answer: one link, one answer; while the referral is open the next link is mailed.

    Raises:
        NotSignedIn: there is no such browser, or it has answered.
    """
    row = work.session.execute(
        select(AnswerLink).where(AnswerLink.session_sha256 == secret_hash(session)).with_for_update()
    ).scalar_one_or_none()
    if row is None or row.answered_at is not None:
        raise NotSignedIn("link_over")
    row.answered_at = work.now
    referral = work.session.get_one(Referral, row.referral_id)
    if referral.ended_at is None:
        _mail(work, row)


@action("answer_link.ask_again")
def ask_again(work: Work, secret: str) -> None:
    """Mail a new link for one that is over, to the address on record; at most one in ten minutes.

    Raises:
        NotSignedIn: there never was such a link.
    """
    row = work.session.execute(
        select(AnswerLink).where(AnswerLink.token_sha256 == secret_hash(secret)).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise NotSignedIn("link_over")
    asked = select(func.max(Delivery.created_at)).where(
        Delivery.subject_id == row.referral_id, Delivery.organisation_id == row.organisation_id
    )
    last = work.session.execute(asked).scalar_one_or_none()
    if last is None or last <= work.now - AGAIN_AFTER:
        _mail(work, row)


def _mail(work: Work, row: AnswerLink) -> None:
    subject = ("referral", row.referral_id)
    deliveries.mail_organisation(work, row.organisation_id, template="referral_link", subject=subject)
