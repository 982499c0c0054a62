"""The clocks of a referral: when an answer is due, who is reminded, who is told, when it expires.

One job per referral wakes it at the next moment that matters. The moments come from the referral's own columns, so a
pause, a new focal point or a restart of the service changes nothing about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.access import give_access
from nrm.actions.deliveries import EMAIL, tell_organisation, way_to
from nrm.models import Case, Notification, Organisation, Referral
from nrm.queries import packs
from nrm.rules.deadlines import (
    EXPIRING,
    REFERRAL_LADDER,
    Calendar,
    Clocks,
    Ladder,
    add_back,
    due_at,
    remaining,
    running_clock,
    share_at,
)
from nrm.vocabulary import Access, Holder, Level, Priority, ReferralState

_S = ReferralState


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When something is to be done about a running clock.

    Attributes:
        reminder: when to remind the receiver.
        rungs: when to tell each rung of the ladder.
        expiry: when the referral ends by itself: nobody answered, or nobody reported on the service.
    """

    reminder: datetime
    rungs: tuple[datetime, ...]
    expiry: datetime


def clocks_of(referral: Referral) -> Clocks:
    """Give the clocks that belong to a referral's urgency."""
    return packs.pack().clocks[Priority(referral.urgency)]


def ladder() -> Ladder:
    """Give the ladder of referrals."""
    return packs.pack().ladder("referral") or REFERRAL_LADDER


def calendar_of(case: Case) -> Calendar:
    """Give the working calendar under which a case's referrals run."""
    return packs.pack().calendar_for(case.jurisdiction)


def restart(work: Work, case: Case, referral: Referral, *, expected_end: date | None = None) -> None:
    """Let the clock run that belongs to the state that a referral has now; the one that ran before is forgotten.

    Args:
        work: the transaction.
        case: its locked case.
        referral: the referral, in its new state.
        expected_end: when the service should be over, for a service that has begun.
    """
    name = running_clock(ReferralState(referral.state))
    if name is None or referral.clock != name:
        referral.escalation = 0
    referral.clock = name
    referral.paused_at, referral.pause_left = None, None
    if name is None:
        referral.clock_started_at = referral.reply_due_at = None
    else:
        start = _start(work, referral, name, expected_end, calendar_of(case))
        clocks = clocks_of(referral)
        referral.clock_started_at = start
        referral.reply_due_at = due_at(start, getattr(clocks, name), calendar=calendar_of(case), kind=clocks.kind)
    wake(work, case, referral)


def _start(work: Work, referral: Referral, name: str, expected_end: date | None, calendar: Calendar) -> datetime:
    if name == "decide":
        # Both clocks of an undecided referral began when it was sent: acknowledging does not buy time.
        return referral.sent_at or work.now
    if name == "feedback":
        end = expected_end or (work.now + timedelta(days=service_days())).date()
        return max(work.now, datetime.combine(end, time(0), tzinfo=calendar.zone).astimezone(UTC))
    return work.now


def service_days() -> int:
    """Give how long a service takes when nobody said when it ends, in days."""
    return int(packs.pack().settings.get("service_days", "90"))


def pause(work: Work, case: Case, referral: Referral) -> None:
    """Let the decision clock rest; the time that is left is kept, also when it rests already for another cause."""
    if referral.reply_due_at is not None:
        if referral.paused_at is None:
            clocks = clocks_of(referral)
            left = remaining(work.now, referral.reply_due_at, calendar=calendar_of(case), kind=clocks.kind)
            referral.pause_left = int(left.total_seconds())
        else:
            # The new rest has its own length.
            _leave_out_rest(work, case, referral)
        referral.paused_at = work.now
    wake(work, case, referral)


def _leave_out_rest(work: Work, case: Case, referral: Referral) -> None:
    """Move the start of a rested clock so that until now only the time counts that ran before the rest."""
    started, paused = referral.clock_started_at, referral.paused_at
    if started is None or paused is None:
        return
    kind = clocks_of(referral).kind
    ran = remaining(started, paused, calendar=calendar_of(case), kind=kind)
    referral.clock_started_at = add_back(work.now, -ran, calendar=calendar_of(case), kind=kind)


def go_on(work: Work, case: Case, referral: Referral, clock: str) -> None:
    """Let a rested clock run on with the time that it had left.

    Args:
        work: the transaction.
        case: its locked case.
        referral: the referral, in its new state.
        clock: name of the clock that runs now.
    """
    if referral.pause_left is None:
        restart(work, case, referral)
        return
    clocks = clocks_of(referral)
    left = timedelta(seconds=referral.pause_left)
    referral.reply_due_at = add_back(work.now, left, calendar=calendar_of(case), kind=clocks.kind)
    _leave_out_rest(work, case, referral)
    referral.clock = clock
    referral.paused_at, referral.pause_left = None, None
    wake(work, case, referral)


def moments(case: Case, referral: Referral) -> Moments | None:
    """Work out when something is to be done about the running clock; None when none runs."""
    if referral.clock is None or referral.reply_due_at is None or referral.clock_started_at is None:
        return None
    clocks, calendar = clocks_of(referral), calendar_of(case)
    start, end = referral.clock_started_at, referral.reply_due_at

    def at(percent: int) -> datetime:
        return share_at(start, end, percent, calendar=calendar, kind=clocks.kind)

    return Moments(
        reminder=at(clocks.reminder),
        rungs=tuple(at(rung.percent) for rung in ladder()),
        expiry=at(clocks.expire if referral.clock in EXPIRING else clocks.give_up),
    )


def wake(work: Work, case: Case, referral: Referral) -> None:
    """Set the referral's one job to the next moment that matters, or forget it."""
    key = f"referral:{referral.id}"
    work.cancel_jobs(key)
    upcoming = next_moment(case, referral)
    if upcoming is not None:
        work.enqueue(
            "referral_clock",
            {"referral": referral.id},
            due_at=max(upcoming, work.now),
            queue="timers",
            case_id=case.id,
            dedup_key=key,
        )


def next_moment(case: Case, referral: Referral) -> datetime | None:
    """Give the next moment at which something is to be done about a referral; None when nothing will be."""
    state = ReferralState(referral.state)
    zone = calendar_of(case).zone
    if state is _S.ON_HOLD:
        return _day_start(referral.hold_until, zone)
    if state is _S.WAITLISTED:
        return _day_start(referral.review_on, zone)
    if state is _S.INFO_REQUESTED:
        # The sender's own time to answer; the receiver's clock rests.
        return referral.paused_at + timedelta(days=info_days()) if referral.paused_at else None
    found = moments(case, referral)
    if found is None:
        return None
    return next_duty(referral, found)[1]


def next_duty(referral: Referral, found: Moments) -> tuple[str, datetime]:
    """Name what is to be done next about a running clock ("remind", "escalate", "end"), and when.

    Each is done once, in order: of two at the same moment people are told before the referral ends.
    """
    waiting = [("escalate", at) for at in found.rungs[referral.escalation : referral.escalation + 1]]
    if referral.escalation == 0 and not _reminded(referral, found):
        waiting.insert(0, ("remind", found.reminder))
    return min([*waiting, ("end", found.expiry)], key=lambda duty: duty[1])


def info_days() -> int:
    """Give how many days the sender has to answer a question (domain reference §6.2: three)."""
    return int(packs.pack().settings.get("info_days", "3"))


def _reminded(referral: Referral, found: Moments) -> bool:
    return referral.reminded_at is not None and referral.reminded_at >= found.reminder


def _day_start(day: date | None, zone: object) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type]  # a tzinfo


def remind(work: Work, case: Case, referral: Referral) -> None:
    """Remind the receiver that an answer is due soon."""
    referral.reminded_at = work.now
    if referral.to_desk_id is not None:
        notify(work, "referral.due_soon", referral, desk=referral.to_desk_id)
    _tell_receiver(work, referral, "referral_due_soon")
    record(work, referral, "referral.due_soon", clock=referral.clock)


def escalate(work: Work, case: Case, referral: Referral) -> None:
    """Tell the next rung of the ladder that an answer is late."""
    rungs = ladder()
    rung = rungs[referral.escalation]
    referral.escalation += 1
    told = []
    data = packs.pack()
    for role in rung.roles:
        place = {"governorate": case.governorate, "jurisdiction": case.jurisdiction}
        own = data.find_desk(role, organisation_id=referral.to_organisation_id, governorate=case.governorate)
        desk = own or data.find_desk(role, **place)
        if desk is None:
            continue
        told.append(desk.id)
        notify(work, "referral.overdue", referral, desk=desk.id)
        inside = desk.organisation_id != referral.to_organisation_id
        if inside and case.level != Level.STRICT:
            give_access(work, case.id, holder=(Holder.DESK, desk.id), access=Access.OVERVIEW, reason="escalation")
    if data.provider_roles & set(rung.roles):
        _tell_receiver(work, referral, "referral_overdue")
    record(
        work,
        referral,
        "referral.overdue",
        clock=referral.clock,
        rung=referral.escalation,
        roles=list(rung.roles),
        desks=told,
    )


def _tell_receiver(work: Work, referral: Referral, template: str) -> None:
    """Let a receiver without a screen know by its own channel; a letter would come too late for a clock."""
    receiver = work.session.get(Organisation, referral.to_organisation_id or "")
    if receiver is not None and referral.livemode and way_to(receiver) == EMAIL:
        tell_organisation(work, receiver.id, template=template, subject=("referral", referral.id))


def notify(work: Work, kind: str, referral: Referral, *, desk: str) -> None:
    """Leave a neutral notice at a desk; none about the sandbox, which nobody at a desk can see."""
    if not referral.livemode:
        return
    work.add(
        Notification,
        id=ids.new_id("ntf"),
        desk_id=desk,
        kind=kind,
        subject_kind="referral",
        subject_id=referral.id,
        created_at=work.now,
    )


def record(work: Work, referral: Referral, kind: str, **data: str | int | bool | list[str] | None) -> None:
    """State a fact about a referral, after its row was changed: state and version stand in the fact."""
    work.record(
        kind,
        stream=referral.case_id,
        subject=("referral", referral.id),
        data={"state": str(referral.state), "version": referral.version, **data},
        organisation_id=referral.to_organisation_id,
        sender_id=referral.from_organisation_id,
    )
