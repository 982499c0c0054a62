"""Mailed links: whether one may still be opened, and who stands behind the browser that opened it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from nrm.actors import Actor, ActorKind, Seat
from nrm.credentials import secret_hash
from nrm.db import db
from nrm.errors import NotSignedIn
from nrm.models import AnswerLink, Organisation, Referral

ROLE: Final = "mailed_link"
"""The role of a link's one seat."""

ANSWERS: Final = frozenset({"referral.receive"})
"""What whoever opened a link may do, for its one referral."""

READS: Final = "subject:read"
"""What is added when that reader asks to see the returnee's data."""


class LinkState(StrEnum):
    """How a link stands."""

    GOOD = "good"
    OPENED = "opened"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Whoever answers by a link.

    Attributes:
        actor: acts for the organisation, on this referral only.
        referral_id: the referral.
    """

    actor: Actor
    referral_id: str


def state_of(secret: str, now: datetime) -> LinkState:
    """Say whether a link may be opened; looking at it changes nothing."""
    row = db.session.execute(
        select(AnswerLink.opened_at, AnswerLink.expires_at).where(AnswerLink.token_sha256 == secret_hash(secret))
    ).one_or_none()
    if row is None:
        return LinkState.UNKNOWN
    if row.opened_at is not None:
        return LinkState.OPENED
    return LinkState.GOOD if row.expires_at > now else LinkState.EXPIRED


def answerer_of_link(secret: str) -> Answerer:
    """Give who stands behind a link, opened or not.

    Raises:
        NotSignedIn: there is no such link.
    """
    return _answerer(AnswerLink.token_sha256 == secret_hash(secret))


def answerer_of_session(secret: str, now: datetime, *, reads: bool = False) -> Answerer:
    """Give who answers from the browser that opened a link.

    Args:
        secret: what its cookie holds.
        now: the present moment.
        reads: the reader asked to see the returnee's data.

    Raises:
        NotSignedIn: no such browser, its time is over, or it has answered.
    """
    return _answerer(
        AnswerLink.session_sha256 == secret_hash(secret),
        AnswerLink.session_until > now,
        AnswerLink.answered_at.is_(None),
        reads=reads,
    )


def _answerer(*conditions: object, reads: bool = False) -> Answerer:
    row = db.session.execute(
        select(AnswerLink.id, AnswerLink.organisation_id, AnswerLink.referral_id, Referral.livemode)
        .join(Referral, Referral.id == AnswerLink.referral_id)
        .join(Organisation, Organisation.id == AnswerLink.organisation_id)
        .where(*conditions, Organisation.active)  # type: ignore[arg-type]  # conditions of columns
    ).one_or_none()
    if row is None:
        raise NotSignedIn("link_over")
    seat = Seat(
        organisation_id=row.organisation_id,
        desk_id=None,
        role=ROLE,
        permissions=ANSWERS | ({READS} if reads else frozenset()),
    )
    return Answerer(
        actor=Actor(kind=ActorKind.LINK, id=row.id, seats=(seat,), livemode=row.livemode),
        referral_id=row.referral_id,
    )
