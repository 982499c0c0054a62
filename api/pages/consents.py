"""Consent of a case's person: record and withdraw it; ask for a disclosure without one and approve it as second."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Final

from flask import Response

from api.pages.codes import labels, names, sayers
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.traces import note_strict
from nrm.actions import consents as actions
from nrm.actions import overrides
from nrm.actions.consents import GivenBy
from nrm.errors import NotFound, NotValid, Problem
from nrm.queries import cases as queries
from nrm.queries.cases import ConsentRow
from nrm.rules.texts import fold_digits
from nrm.vocabulary import Ground

consents = Pages("consents")

Told = tuple[tuple[str, str], ...]
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DONE: Final = frozenset({"recorded", "asked", "approved", "refused"})


@consents.get("/cases/<case_id>/consent")
def show_consents(visit: Visit, case_id: str) -> Answer:
    """Show what the person agreed to, what was asked for without it, and the forms for both."""
    return _page(visit, case_id)


def _page(visit: Visit, case_id: str, *, problems: Told = ()) -> Response:
    case = queries.case(visit.actor, visit.now, case_id)
    listed = queries.consents(visit.actor, visit.now, case_id)
    note_strict(visit, case)
    known = names(visit)
    done, ended = visit.query.get("done"), visit.query.get("ended", "")
    return visit.show(
        "consents/consents.html",
        status=422 if problems else 200,
        case=case,
        consents=tuple((row, _state(visit, row), _left(row)) for row in listed.consents),
        overrides=listed.overrides,
        may=frozenset(case.allowed_actions),
        organisations=tuple(sorted(known.organisations.items(), key=lambda entry: entry[1])),
        names=known,
        given=visit.form,
        problems=problems,
        done=done if done in _DONE else None,
        ended=int(ended) if re.fullmatch(r"[0-9]{1,4}", ended) else None,
        givers=tuple(str(one) for one in GivenBy),
        grounds=tuple(str(one) for one in Ground),
        purposes=labels(visit, "consent_purpose"),
        categories=labels(visit, "data_category"),
        modes=labels(visit, "consent_mode"),
        languages=labels(visit, "language"),
        **sayers(visit),
    )


def _state(visit: Visit, row: ConsentRow) -> str:
    """Say how a consent stands: withdrawn, expired, part (some of it is withdrawn) or valid."""
    if row.withdrawn_at is not None and not row.withdrawn_scope:
        return "withdrawn"
    if row.expires_at is not None and row.expires_at <= visit.now:
        return "expired"
    return "part" if row.withdrawn_scope else "valid"


def _left(row: ConsentRow) -> tuple[tuple[str, str], ...]:
    """Give what can still be withdrawn, as code list and code."""
    gone = frozenset(row.withdrawn_scope or ())
    groups = (("consent_purpose", row.purposes), ("data_category", row.categories))
    return tuple((group, code) for group, codes in groups for code in codes if code not in gone)


def _told(visit: Visit, error: NotValid, before: str = "") -> Told:
    fields = (before + one.pointer.strip("/").partition("/")[0] for one in error.problems)
    return tuple(zip(fields, (visit.problem(one.code, one.params) for one in error.problems), strict=True))


@consents.post("/cases/<case_id>/consent", permission="consent.record")
def record(visit: Visit, case_id: str) -> Answer:
    """Record what the person agreed to."""
    assent = visit.text("assent_child")
    try:
        actions.record_consent(
            visit.actor,
            case_id,
            purposes=visit.form.getlist("purposes"),
            categories=visit.form.getlist("categories"),
            mode=visit.text("mode"),
            given_by=visit.text("given_by"),
            assent_child={"yes": True, "no": False}.get(assent),
            language=visit.text("language") or None,
            interpreter=visit.text("interpreter") == "1",
            organisations_allowed=visit.form.getlist("organisations_allowed"),
            organisations_denied=visit.form.getlist("organisations_denied"),
            expires_at=_end_of(visit),
        )
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error))
    return see(f"/cases/{case_id}/consent?done=recorded")


def _end_of(visit: Visit) -> datetime | None:
    """Give the end of the last day that a consent holds, as the country counts days."""
    text = fold_digits(visit.text("expires_at"))
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), visit.words.zone)
    except ValueError:
        pass
    raise NotValid([Problem(pointer="/expires_at", code="not_a_date")])


@consents.post("/cases/<case_id>/consent/<consent_id>/withdraw", permission="consent.record")
def withdraw(visit: Visit, case_id: str, consent_id: str) -> Answer:
    """Withdraw a consent, wholly or what is ticked of it; referrals that stand on it end at once."""
    listed = queries.consents(visit.actor, visit.now, case_id).consents
    if consent_id not in {row.id for row in listed}:
        raise NotFound
    scope = visit.form.getlist("scope") if visit.text("do") != "all" else []
    if not scope and visit.text("do") != "all":
        wrong = NotValid([Problem(pointer="/scope", code="required")])
        return _page(visit, case_id, problems=_told(visit, wrong))
    try:
        ended = actions.withdraw_consent(visit.actor, consent_id, scope=scope, version=visit.version())
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error))
    return see(f"/cases/{case_id}/consent?ended={ended}")


@consents.post("/cases/<case_id>/override", permission="consent.override")
def ask(visit: Visit, case_id: str) -> Answer:
    """Ask for a disclosure without consent; a second person must approve."""
    try:
        overrides.ask_override(
            visit.actor,
            case_id,
            organisation_id=visit.text("organisation_id"),
            ground=visit.text("ground"),
            reason=visit.text("reason"),
            categories=visit.form.getlist("o-categories"),
        )
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error, "o-"))
    return see(f"/cases/{case_id}/consent?done=asked#overrides")


@consents.post("/cases/<case_id>/override/<override_id>/approve", permission="consent.approve")
def approve(visit: Visit, case_id: str, override_id: str) -> Answer:
    """Approve, as the second person, a disclosure without consent."""
    if override_id not in {row.id for row in queries.consents(visit.actor, visit.now, case_id).overrides}:
        raise NotFound
    overrides.approve_override(visit.actor, override_id)
    return see(f"/cases/{case_id}/consent?done=approved#overrides")


@consents.post("/cases/<case_id>/override/<override_id>/refuse", permission="consent.approve")
def refuse(visit: Visit, case_id: str, override_id: str) -> Answer:
    """Refuse, as the second person, a disclosure without consent."""
    if override_id not in {row.id for row in queries.consents(visit.actor, visit.now, case_id).overrides}:
        raise NotFound
    try:
        overrides.refuse_override(visit.actor, override_id, reason=visit.text("reason"))
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error, f"{override_id}-"))
    return see(f"/cases/{case_id}/consent?done=refused#overrides")
