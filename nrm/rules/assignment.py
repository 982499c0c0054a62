"""Which desk gets a piece of work: the most specific one that covers the place, always the same one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFacts:
    """What decides which desk gets work.

    Attributes:
        id: id of the desk.
        code: its code in the pack; ties are broken by it.
        role: desk role.
        organisation: id of its organisation.
        organisation_kind: kind or code of the organisation, as a diagram may name it.
        governorate: place that it works for; None for everywhere in its jurisdiction.
        jurisdiction: jurisdiction that it belongs to; None for all of the country.
        active: it takes work.
    """

    id: str
    code: str
    role: str
    organisation: str
    organisation_kind: str = ""
    governorate: str | None = None
    jurisdiction: str | None = None
    active: bool = True


def resolve_desk(
    desks: Iterable[DeskFacts],
    *,
    role: str,
    governorate: str | None,
    jurisdiction: str | None,
    organisation: str | None = None,
    organisation_kind: str | None = None,
) -> DeskFacts | None:
    """Find the desk for a role at a place.

    A desk of another governorate or another jurisdiction never gets the work. Among those that cover the place, a
    desk of the governorate comes before one of the jurisdiction, and that before one of the whole country.

    Args:
        desks: candidates, in any order.
        role: desk role that the step names.
        governorate: where the case is; None when unknown: then only desks without one fit.
        jurisdiction: the governorate's jurisdiction.
        organisation: only desks of this organisation.
        organisation_kind: only desks of organisations of this kind.

    Returns:
        The desk, or None when nobody covers the place: a visible incident, never a silent loss.
    """
    fitting = [
        desk
        for desk in desks
        if desk.active
        and desk.role == role
        and desk.governorate in (None, governorate)
        and desk.jurisdiction in (None, jurisdiction)
        and organisation in (None, desk.organisation)
        and organisation_kind in (None, desk.organisation_kind)
    ]
    return min(
        fitting,
        key=lambda desk: (desk.governorate is None, desk.jurisdiction is None, desk.code, desk.id),
        default=None,
    )
