"""The consent gate, the disclosure profile and what each reader sees."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from nrm.rules.consent import (
    PROFILES,
    SERVICE_PROFILES,
    Agreement,
    Allowed,
    Consent,
    Override,
    Refused,
    default_categories,
    disclosure_rule,
    forbidden_categories,
    gate,
    named_by_code,
)
from nrm.rules.redaction import FIELD_CATEGORIES, Relation, may_show_name_in_lists, pseudonym, visible_fields
from nrm.vocabulary import DataCategory, Level

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGREEMENT = Agreement(signed_on=date(2025, 1, 1), expires_on=date(2026, 3, 1))


def consent(**more: Any) -> Consent:
    values: dict[str, Any] = {
        "id": "con_1",
        "purposes": frozenset({"share_provider"}),
        "categories": frozenset({"contact", "age"}),
        "given_at": NOW - timedelta(days=10),
    }
    return Consent(**values | more)


def ask(consents: list[Consent], agreement: Agreement | None = AGREEMENT, **more: Any) -> Allowed | Refused:
    values: dict[str, Any] = {
        "organisation": "org_a",
        "purpose": "share_provider",
        "categories": {"contact", "age"},
        "now": NOW,
    }
    return gate(consents, agreement, **values | more)


def test_a_covered_disclosure_goes_out_and_names_its_ground() -> None:
    assert ask([consent()]) == Allowed(categories=frozenset({"contact", "age"}), consent_id="con_1")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expires_at": NOW}, "expired"),
        ({"withdrawn_at": NOW - timedelta(days=1)}, "withdrawn"),
        ({"withdrawn_at": NOW, "withdrawn_scope": frozenset({"org_a"})}, "withdrawn"),
        ({"withdrawn_at": NOW, "withdrawn_scope": frozenset({"share_provider"})}, "withdrawn"),
        ({"withdrawn_at": NOW, "withdrawn_scope": frozenset({"age"})}, "category_not_covered"),
        ({"purposes": frozenset({"casework"})}, "purpose_not_covered"),
        ({"allowed": frozenset({"org_b"})}, "organisation_not_named"),
        ({"denied": frozenset({"org_a"})}, "organisation_denied"),
        ({"categories": frozenset({"contact"})}, "category_not_covered"),
    ],
)
def test_each_missing_piece_stops_the_disclosure_by_name(change: dict[str, Any], code: str) -> None:
    answer = ask([consent(**change)])
    assert isinstance(answer, Refused)
    assert answer.code == code


def test_without_any_consent_nothing_goes() -> None:
    assert ask([]) == Refused(code="no_consent")


def test_the_missing_categories_are_named_so_that_they_can_be_asked_for() -> None:
    assert ask([consent()], categories={"contact", "health"}) == Refused(
        code="category_not_covered", missing=frozenset({"health"})
    )


def test_a_withdrawal_of_one_category_leaves_the_others() -> None:
    partly = consent(withdrawn_at=NOW, withdrawn_scope=frozenset({"age"}))
    assert isinstance(ask([partly], categories={"contact"}), Allowed)


def test_a_withdrawal_in_the_future_does_not_count_yet() -> None:
    assert isinstance(ask([consent(withdrawn_at=NOW + timedelta(hours=1))]), Allowed)


@pytest.mark.parametrize(
    ("agreement", "code"),
    [
        (None, "no_agreement"),
        (Agreement(signed_on=date(2026, 3, 2)), "no_agreement"),
        (Agreement(signed_on=date(2025, 1, 1), expires_on=date(2026, 2, 28)), "agreement_expired"),
        (Agreement(signed_on=date(2025, 1, 1), categories=frozenset({"age"})), "agreement_not_covering"),
    ],
)
def test_without_a_valid_agreement_nothing_leaves(agreement: Agreement | None, code: str) -> None:
    answer = ask([consent()], agreement)
    assert isinstance(answer, Refused)
    assert answer.code == code


def test_a_later_consent_may_allow_what_an_earlier_one_denied_and_the_other_way() -> None:
    earlier = consent(id="con_1", denied=frozenset({"org_a"}))
    later = consent(id="con_2", given_at=NOW - timedelta(days=1), allowed=frozenset({"org_a"}))
    allowed = ask([earlier, later])
    assert isinstance(allowed, Allowed)
    assert allowed.consent_id == "con_2"
    open_before = consent(id="con_1")
    denied_later = consent(id="con_2", given_at=NOW - timedelta(days=1), denied=frozenset({"org_a"}))
    assert ask([open_before, denied_later]) == Refused(code="organisation_denied")


def test_a_child_needs_the_guardian_and_a_mature_minor_does_not() -> None:
    assert ask([consent()], age=14) == Refused(code="guardian_consent_required")
    assert isinstance(ask([consent(given_by="guardian")], age=14), Allowed)
    assert isinstance(ask([consent()], age=15), Allowed)


def test_an_override_counts_only_when_a_second_person_approved_it() -> None:
    asked = Override(id="ovr_1", organisation="org_a", categories=frozenset({"contact", "age"}), asked_by="usr_1")
    alone = Override(
        id="ovr_1", organisation="org_a", categories=asked.categories, asked_by="usr_1", approved_by="usr_1"
    )
    approved = Override(
        id="ovr_1", organisation="org_a", categories=asked.categories, asked_by="usr_1", approved_by="usr_2"
    )
    over = Override(
        id="ovr_1",
        organisation="org_a",
        categories=asked.categories,
        asked_by="usr_1",
        approved_by="usr_2",
        expires_at=NOW,
    )
    assert isinstance(ask([], overrides=[asked]), Refused)
    assert isinstance(ask([], overrides=[alone]), Refused)
    assert isinstance(ask([], overrides=[over]), Refused)
    assert ask([], None, overrides=[approved]) == Allowed(categories=asked.categories, override_id="ovr_1")
    assert isinstance(ask([], overrides=[approved], organisation="org_b"), Refused)
    assert isinstance(ask([], overrides=[approved], categories={"health"}), Refused)


def test_how_somebody_came_back_is_not_told_to_an_employer() -> None:
    assert forbidden_categories("JOB", {"contact", "return", "work"}) == {"return"}
    assert default_categories("JOB") == {"contact", "age", "work", "adjustments"}


def test_a_survivor_goes_to_a_shelter_under_a_code() -> None:
    assert named_by_code("VOT")
    assert named_by_code("MHP")
    assert not named_by_code("JOB")
    assert "contact" not in default_categories("GBV")


def test_an_unknown_service_gets_least() -> None:
    assert default_categories("XYZ") == {"age"}


def test_return_type_goes_nowhere_by_default() -> None:
    for service in SERVICE_PROFILES:
        assert "return" not in default_categories(service)
        for category in DataCategory:
            assert (category in default_categories(service)) == (disclosure_rule(service, category) == "send")
    assert set(SERVICE_PROFILES.values()) == set(PROFILES)


def test_a_receiver_sees_the_disclosed_categories_and_nothing_else() -> None:
    seen = visible_fields(Relation.RECEIVER, Level.STANDARD, {"contact"})
    assert {"names", "phones", "code"} <= seen
    assert seen.isdisjoint({"born", "documents", "health", "return_type", "protection"})


def test_an_administrator_sees_that_a_case_stands_somewhere_but_no_name() -> None:
    assert visible_fields(Relation.OVERVIEW, Level.STANDARD) == {"code", "state", "governorate"}
    assert visible_fields(Relation.OVERVIEW, Level.STRICT) == {"code", "state"}
    assert visible_fields(Relation.NONE, Level.STANDARD) == frozenset()
    assert visible_fields(Relation.TEAM, Level.STRICT) >= set(FIELD_CATEGORIES)


def test_a_strict_case_goes_by_a_code_that_tells_nothing() -> None:
    code = pseudonym("cas_1", b"key")
    assert code == pseudonym("cas_1", b"key")
    assert code != pseudonym("cas_1", b"other key")
    assert len({pseudonym(f"cas_{number}", b"key") for number in range(5000)}) == 5000
    assert not may_show_name_in_lists(Level.STRICT)
    assert may_show_name_in_lists(Level.RESTRICTED)
