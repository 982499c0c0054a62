"""Who could serve a need of a case: the services that can, the best first, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from nrm import i18n
from nrm.actors import Actor
from nrm.db import db
from nrm.expressions import BadExpression, Expression, parse
from nrm.models import Case, Person, Referral, Service
from nrm.queries import packs
from nrm.queries.cases import must_read
from nrm.queries.directory import (
    ServiceRow,
    covered_places,
    findable,
    must_read_directory,
    service_row,
    stale_days,
    visibilities,
)
from nrm.rules.providers import (
    LAST_ANSWERS,
    LOOK_BACK_DAYS,
    Answer,
    Need,
    Offer,
    Pool,
    Reason,
    learn,
    rank_providers,
    refused_offers,
)
from nrm.vocabulary import ReferralState, Visibility

_NO: Final = frozenset({ReferralState.DECLINED, ReferralState.REDIRECTED, ReferralState.EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A service that could serve a need, or why it cannot.

    Attributes:
        possible: it can get the referral.
        score: higher is better; None for one that cannot.
        reasons: codes that speak for or against it.
        words: the same in words, in the asker's language.
        answers: how many past referrals to it were answered, or given up, in the last year.
        accepted: how many of them it took.
        answer_days: median days until its answer; None without one.
    """

    service: ServiceRow
    possible: bool
    score: float | None
    reasons: tuple[str, ...]
    words: tuple[str, ...]
    answers: int
    accepted: int
    answer_days: float | None


def proposals(actor: Actor, now: datetime, case_id: str, *, category: str, language: str) -> tuple[Proposal, ...]:
    """Propose who could serve a need of a case: those who can, the best first, then those who cannot, and why.

    Args:
        actor: who asks.
        now: the present moment.
        case_id: the case.
        category: code of the kind of service.
        language: of the words.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it, or may not read the directory.
    """
    must_read_directory(actor)
    must_read(actor, now, case_id)
    case, person = db.session.execute(
        select(Case, Person).join(Person, Person.id == Case.person_id).where(Case.id == case_id)
    ).one()
    found = select(Service).where(*findable(actor), Service.category == category)
    rows = {row.id: row for row in db.session.scalars(found)}
    covered = covered_places(list(rows))
    pool = learn(past_answers(rows, now))
    offers = [_offer(row, covered, pool) for row in rows.values()]
    today = now.astimezone(packs.pack().zone).date()
    need = _need(case, person, category, today, visibilities(actor))
    able = rank_providers(offers, need, today=today, pool=pool, stale_days=stale_days())
    unable = refused_offers(offers, need, today=today)

    def proposal(offer: Offer, score: float | None, reasons: tuple[Reason, ...]) -> Proposal:
        record = offer.record
        return Proposal(
            service=service_row(rows[offer.id], covered),
            possible=score is not None,
            score=score,
            reasons=tuple(reason.code for reason in reasons),
            words=tuple(_words(reason, language) for reason in reasons),
            answers=record.answers if record else 0,
            accepted=record.accepted if record else 0,
            answer_days=record.days if record else None,
        )

    return (
        *(proposal(entry.offer, entry.score, entry.reasons) for entry in able),
        *(proposal(offer, None, (Reason(code),)) for offer, code in unable),
    )


def _words(reason: Reason, language: str) -> str:
    return i18n.say("reasons", reason.code, language, reason.figures) or reason.code


def _need(case: Case, person: Person, category: str, today: date, seen: frozenset[Visibility]) -> Need:
    return Need(
        category=category,
        governorate=case.governorate,
        facts={
            "age": today.year - person.birth_year if person.birth_year else None,
            "sex": person.sex,
            "return_type": case.return_type,
            "host_country": case.host_country,
        },
        visibilities=seen,
        tried=_tried(case.id, category),
    )


def _tried(case_id: str, category: str) -> frozenset[str]:
    ended = select(Referral.to_organisation_id).where(
        Referral.case_id == case_id,
        Referral.category == category,
        Referral.state.in_(["declined", "expired", "redirected", "not_completed"]),
        Referral.to_organisation_id.is_not(None),
    )
    return frozenset(str(found) for found in db.session.scalars(ended))


def past_answers(service_ids: Collection[str], now: datetime) -> Iterable[Answer]:
    """Read how services answered in the past year: for each the latest answers only, by an index.

    Args:
        service_ids: the services.
        now: the present moment.
    """
    place = func.row_number().over(partition_by=Referral.service_id, order_by=Referral.decided_at.desc())
    latest = (
        select(Referral.service_id, Referral.state, Referral.sent_at, Referral.decided_at, place.label("place"))
        .where(
            Referral.service_id.in_(list(service_ids)),
            Referral.decided_at > now - timedelta(days=LOOK_BACK_DAYS),
            Referral.sent_at.is_not(None),
            Referral.state != str(ReferralState.ENTERED_IN_ERROR),
        )
        .subquery()
    )
    rows = db.session.execute(select(latest).where(latest.c.place <= LAST_ANSWERS))
    return [
        Answer(
            service=row.service_id,
            accepted=ReferralState(row.state) not in _NO,
            sent_at=row.sent_at,
            decided_at=row.decided_at,
        )
        for row in rows
    ]


def _offer(row: Service, covered: Mapping[str, list[tuple[str, str | None]]], pool: Pool) -> Offer:
    return Offer(
        id=row.id,
        organisation=row.organisation_id,
        category=row.category,
        places=frozenset(covered.get(row.id, [])),
        eligibility=_expression(row.eligibility),
        visibility=Visibility(row.visibility),
        accepting=row.accepting,
        paused_until=row.paused_until,
        valid_until=row.valid_until,
        open_slots=row.open_slots,
        waiting_days=row.waiting_days,
        record=pool.records.get(row.id),
        last_verified_on=row.last_verified_on,
        active=row.active,
    )


def _expression(text: str) -> Expression | None:
    try:
        return parse(text) if text else None
    except BadExpression:
        return None
