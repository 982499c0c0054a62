"""A referral under the lock of its case, the parts in which the actor stands to it, and how it stands after a verb."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from nrm.actions._action import Work
from nrm.actors import Seat
from nrm.errors import NotAllowed, NotFound, StaleVersion
from nrm.models import Case, Organisation, Referral, Service
from nrm.queries.referral_shapes import ReferralView, around, shape
from nrm.queries.referral_subjects import Subject, reference
from nrm.queries.scope import sees_case
from nrm.rules.redaction import Relation
from nrm.rules.statuses import referral_actions, referral_parties
from nrm.vocabulary import Channel, Party, ReferralState

_S = ReferralState


@dataclass(slots=True)
class LoadedReferral:
    """A referral under the lock of its case."""

    referral: Referral
    case: Case
    parties: frozenset[Party]
    receiver: Organisation | None

    def actions(self) -> tuple[str, ...]:
        """List the verbs that fit now."""
        referral = self.referral
        return referral_actions(
            ReferralState(referral.state), self.parties, cancellation_requested=referral.cancellation_requested
        )


def load_referral(work: Work, referral_id: str, *, version: int | None = None) -> LoadedReferral:
    """Load a referral with its case, both locked, and say in which parts the actor stands to it.

    Args:
        work: the transaction.
        referral_id: the referral.
        version: the version that the actor saw; None when the change does not depend on one.

    Raises:
        NotFound: there is no such referral, or it is not the actor's to know of.
        StaleVersion: it changed since.
    """
    # What was changed and not yet written would be lost when the rows are read again.
    work.session.flush()
    found = work.session.execute(
        select(Case, Referral)
        .join(Referral, Referral.case_id == Case.id)
        .where(Referral.id == referral_id)
        .with_for_update(of=[Case, Referral])
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    case, referral = found
    work.hold(case)
    receiver = (
        work.session.get(Organisation, referral.to_organisation_id) if referral.to_organisation_id is not None else None
    )
    parties = parties_of(work, case, referral, receiver)
    if not parties and not _sees(work, case):
        raise NotFound
    if version is not None and referral.version != version:
        raise StaleVersion(referral.version)
    return LoadedReferral(referral=referral, case=case, parties=parties, receiver=receiver)


def load_as_sender(work: Work, referral_id: str, *, version: int | None) -> LoadedReferral:
    """Load a referral for a change that only its sender may make.

    Raises:
        NotFound: there is no such referral, or it is not the actor's to know of.
        NotAllowed: the actor may know of it, but does not send it.
        StaleVersion: it changed since.
    """
    loaded = load_referral(work, referral_id, version=version)
    if Party.SENDER not in loaded.parties:
        raise NotAllowed("not_your_referral")
    return loaded


def parties_of(work: Work, case: Case, referral: Referral, receiver: Organisation | None) -> frozenset[Party]:
    """Say in which parts the actor stands to a referral."""
    actor = work.actor
    if actor.is_system:
        return frozenset({Party.SYSTEM})
    if referral.livemode != actor.livemode:
        return frozenset()
    mine = [seat for seat in actor.seats if seat.organisation_id == referral.from_organisation_id]
    theirs = [seat for seat in actor.seats if seat.organisation_id == referral.to_organisation_id]
    sends = bool(mine) and _sees(work, case, writing=True)
    receives = bool(theirs) and referral.state != _S.DRAFT and _at_receiving_desk(referral, theirs)
    return referral_parties(
        sends=sends,
        receives=receives,
        in_national_unit=actor.may("referral.correct") and _sees(work, case),
        channel=Channel(receiver.channel) if receiver else Channel.PORTAL,
        permissions=frozenset().union(*(seat.permissions for seat in actor.seats)),
    )


def _at_receiving_desk(referral: Referral, seats: list[Seat]) -> bool:
    desks = {seat.desk_id for seat in seats}
    return referral.to_desk_id is None or None in desks or referral.to_desk_id in desks


def _sees(work: Work, case: Case, *, writing: bool = False) -> bool:
    condition = sees_case(work.actor, work.now, writing=writing)
    return work.session.execute(select(Case.id).where(Case.id == case.id, condition)).first() is not None


def touch(work: Work, referral: Referral) -> None:
    """Count a change of a referral."""
    referral.updated_at = work.now
    referral.version += 1


def result(work: Work, case: Case, referral: Referral, loaded: LoadedReferral | None = None) -> ReferralView:
    """Say how a referral stands after a verb, without anything personal: an answer may be kept with a request key."""
    receiver = (
        work.session.get(Organisation, referral.to_organisation_id) if referral.to_organisation_id is not None else None
    )
    parties = loaded.parties if loaded else parties_of(work, case, referral, receiver)
    service = work.session.get(Service, referral.service_id) if referral.service_id is not None else None
    sender = work.session.get_one(Organisation, referral.from_organisation_id)
    return shape(
        referral,
        around(service, sender, receiver),
        subject=Subject(ref=reference(case.id)),
        relation=_relation(parties),
        parties=parties,
    )


def _relation(parties: frozenset[Party]) -> Relation:
    if Party.SENDER in parties:
        return Relation.TEAM
    return Relation.RECEIVER if Party.RECEIVER in parties else Relation.OVERVIEW


def replace_parties(loaded: LoadedReferral, parties: frozenset[Party]) -> LoadedReferral:
    """Give the same referral as it looks in another part."""
    return LoadedReferral(referral=loaded.referral, case=loaded.case, parties=parties, receiver=loaded.receiver)
