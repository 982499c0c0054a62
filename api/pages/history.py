"""The history of a case in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from api.pages.codes import label
from api.pages.kit.visits import Visit
from nrm.queries.timeline import TimelineEntry
from nrm.vocabulary import ReopenReason, TransferReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry of the history in words.

    Attributes:
        what: the fact.
        who: who did it.
        when: the moment, in words.
        exact: the moment.
        about: name of the step, state or thing that it is about.
        address: the page of that; "" for none.
        times: how many alike stand in this one line.
    """

    what: str
    who: str
    when: str
    exact: datetime
    about: str
    address: str
    times: int = 1


_ACCESS: Final = "case.access_"
_PAGES: Final[Mapping[str, str]] = {"task": "/tasks/", "referral": "/referrals/", "person": "/people/"}


def history(visit: Visit, entries: Iterable[TimelineEntry]) -> tuple[Told, ...]:
    """Say the history of a case; what one act did to the access of many desks is one line."""
    lines: list[Told] = []
    for entry in entries:
        line = told(visit, entry)
        if lines and entry.kind.startswith(_ACCESS) and replace(lines[-1], times=1, exact=line.exact) == line:
            lines[-1] = replace(lines[-1], times=lines[-1].times + 1)
        else:
            lines.append(line)
    return tuple(lines)


def told(visit: Visit, entry: TimelineEntry) -> Told:
    """Say an entry of a case's history in the reader's language."""
    who = entry.actor_name or visit.words.t("tasks.system" if entry.actor == "system" else "cases.a_program")
    return Told(
        what=visit.words.t("events." + entry.kind),
        who=who,
        when=visit.words.moment(entry.at),
        exact=entry.at,
        about=_about(visit, entry),
        address=_PAGES[entry.subject_kind] + entry.subject_id if entry.subject_kind in _PAGES else "",
    )


_REASONS: Final[Mapping[str, str]] = {
    "need.unmet": "unmet_reason",
    "referral.declined": "decline_reason",
    "referral.redirected": "decline_reason",
    "referral.held": "hold_reason",
    "referral.not_completed": "not_served_reason",
    "referral.cancelled": "cancel_reason",
    "referral.cancellation_requested": "cancel_reason",
    "referral.withdrawn": "withdraw_reason",
    "referral.entered_in_error": "error_reason",
    "document.entered_in_error": "error_reason",
}
"""Kind of event → the labels that say its reason."""

_SAID: Final[Mapping[str, str]] = {
    "outcome": "referral_outcome",
    "stage": "stage",
    "level": "level",
    "category": "service_category",
    "priority": "urgency",
}
"""Word of an event's data → the labels that say its codes."""


def _about(visit: Visit, entry: TimelineEntry) -> str:
    if entry.names:
        return visit.words.name(entry.names)
    if entry.kind.startswith(_ACCESS):
        return ""
    return _reason(visit, entry) or next(
        (label(visit, group, entry.data[name]) for name, group in _SAID.items() if entry.data.get(name)), ""
    )


def _reason(visit: Visit, entry: TimelineEntry) -> str:
    """Say why something was done, "" where nobody said so."""
    reason = entry.data.get("reason")
    if entry.kind == "case.closed":
        return label(visit, "case_outcome", entry.data.get("outcome"))
    if entry.kind == "case.transferred" and reason in set(TransferReason):
        return visit.words.t(f"cases.transfer_{reason}")
    if entry.kind == "case.reopened" and reason in set(ReopenReason):
        return visit.words.t(f"cases.reopen_{reason}")
    return label(visit, _REASONS[entry.kind], reason) if entry.kind in _REASONS else ""
