"""What a receiver sees of a returnee, field by field: every profile, consent, level, part and scope of a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import product
from typing import Final

import pytest
from sqlalchemy import delete, insert, update

from nrm import ids
from nrm.actors import Actor, ActorKind, Seat
from nrm.db import db
from nrm.models import Case, Disclosure, Household, IdentityDocument, Person, Referral
from nrm.queries import referrals as queries
from nrm.queries.referral_subjects import Subject
from nrm.rules.consent import PROFILES, SERVICE_PROFILES, default_categories, forbidden_categories
from nrm.sealing import seal
from nrm.vocabulary import DataCategory
from tests.actions.test_referrals import Loop
from tests.world import World

BELONGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("names", "latin", "phones", "safe_contact", "address", "governorate", "language"), "contact"),
    **dict.fromkeys(("sex", "age"), "age"),
    "born": "birth",
    **dict.fromkeys(("mother", "documents", "nationality"), "documents"),
    "household": "household",
    **dict.fromkeys(("return_type", "host_country"), "return"),
    "vulnerabilities": "protection",
}
"""Field → the kind of data that it is: the table of domain reference §4.3, written down a second time."""

ONLY_IF_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "livelihood": frozenset({"contact", "age", "work", "adjustments"}),
    "housing": frozenset({"contact", "age", "documents", "household", "adjustments"}),
    "legal": frozenset({"contact", "birth", "age", "documents", "household", "return"}),
    "education": frozenset({"contact", "birth", "age", "documents", "household", "adjustments"}),
    "health": frozenset({"contact", "birth", "age", "health", "adjustments"}),
    "psychosocial": frozenset({"contact", "age", "household", "health", "protection"}),
    "child_protection": frozenset({"contact", "birth", "age", "documents", "household", "health", "protection"}),
    "shelter": frozenset({"contact", "age", "adjustments", "protection"}),
}
"""Profile → what may ever go to such a service, from the same table."""

BY_CODE: Final = frozenset({"psychosocial", "child_protection", "shelter"})
"""Profiles in which a person goes by a code unless somebody decides otherwise."""

SCOPES: Final = ((), ("subject:read",))
PURPOSES: Final = (None, "service")
LEVELS: Final = ("standard", "restricted", "strict")


def test_every_field_that_can_be_shown_is_in_the_table():
    assert {item.name for item in fields(Subject)} == {"ref", *BELONGS}


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_service_never_gets_what_its_profile_leaves_out(profile: str):
    codes = [code for code, name in SERVICE_PROFILES.items() if name == profile]
    assert codes
    for code, category in product(codes, DataCategory):
        refused = bool(forbidden_categories(code, [category]))
        assert refused == (category not in ONLY_IF_NEEDED[profile]), (code, category)
        if category in default_categories(code):
            assert not refused
    assert all(("contact" in default_categories(code)) == (profile not in BY_CODE) for code in codes)


class Told(Loop):
    """A returnee of whom everything is known, and a referral of the case."""

    def __init__(self, land: World) -> None:
        super().__init__(land)
        self.consent(categories=list(DataCategory))
        self.sent = self.send(categories=["contact"])


@pytest.fixture
def told_all(land: World) -> Told:
    loop = Told(land)
    row = loop.now(loop.sent.id)
    identity = {
        "names": {"own": "Canary", "surname": "Example", "latin": "Canary Example", "mother": "Invented Mother"},
        "born": "1990-02-03",
        "phones": ["+0000000001"],
        "safe_contact": {"channel": "phone"},
        "address": {"street": "Invented Street 1"},
    }
    home, paper = ids.new_id("hou"), ids.new_id("doc")
    now = land.clock.now()
    with db.engine.begin() as connection:
        connection.execute(insert(Household).values(id=home, created_at=now))
        known = {"sex": "male", "birth_year": 1990, "nationality": "XX", "language": "ar", "governorate": "norvale"}
        connection.execute(
            update(Person)
            .where(Person.id == row.person_id)
            .values(identity=seal(identity, row=row.person_id, column="people.identity"), household_id=home, **known)
        )
        connection.execute(
            insert(Person).values(
                id=(other := ids.new_id("per")),
                identity=seal({}, row=other, column="people.identity"),
                household_id=home,
                household_role="child",
                sex="female",
                birth_year=2018,
                created_at=now,
                updated_at=now,
            )
        )
        connection.execute(
            insert(IdentityDocument).values(
                id=paper,
                person_id=row.person_id,
                kind="passport",
                created_at=now,
                number=seal("X0000017", row=paper, column="identity_documents.number"),
            )
        )
        flags = seal(["trafficking"], row=row.case_id, column="cases.vulnerabilities")
        facts = {"return_type": "forced", "host_country": "XX", "vulnerabilities": flags}
        connection.execute(update(Case).where(Case.id == row.case_id).values(**facts))
    land.session.close()
    return loop


def consents() -> Iterator[frozenset[str]]:
    """Give each kind of data alone, none, all, and all but one."""
    every = frozenset(str(category) for category in DataCategory)
    yield frozenset()
    yield every
    for category in every:
        yield frozenset({category})
        yield every - {category}


def oracle(who: str, level: str, disclosed: frozenset[str], scopes: tuple[str, ...], purpose: str | None) -> set[str]:
    """Say which fields show, from the rules in words."""
    if who == "team":
        return set(BELONGS)
    if who == "gone":
        return set()
    seen = set(disclosed)
    if who == "program":
        if "subject:read" not in scopes:
            return set()
        if purpose is None:
            seen -= {"health", "protection"}
            if level != "standard":
                return set()
    return {name for name, category in BELONGS.items() if category in seen}


def shown(actor: Actor, loop: Told, purpose: str | None) -> set[str]:
    loop.land.session.close()
    view = queries.referral(actor, loop.land.clock.now(), loop.sent.id, purpose=purpose)
    return {item.name for item in fields(view.subject) if item.name != "ref" and getattr(view.subject, item.name)}


def test_each_receiver_sees_the_fields_that_were_disclosed_to_it_and_no_other(told_all: Told):
    loop = told_all
    row = loop.now(loop.sent.id)
    key = Actor(
        kind=ActorKind.KEY,
        id="key_" + "0" * 26,
        seats=(
            Seat(organisation_id=row.to_organisation_id or "", desk_id=None, role="partner", permissions=frozenset()),
        ),
    )
    tried = 0
    for level, disclosed in product(LEVELS, consents()):
        with db.engine.begin() as connection:
            connection.execute(update(Case).where(Case.id == row.case_id).values(level=level))
            connection.execute(
                update(Disclosure).where(Disclosure.referral_id == row.id).values(categories=sorted(disclosed))
            )
        assert shown(loop.provider, loop, None) == oracle("desk", level, disclosed, (), None), (level, disclosed)
        for scopes, purpose in product(SCOPES, PURPOSES):
            granted = frozenset({"referrals:read", *scopes})
            asker = replace(key, seats=(replace(key.seats[0], permissions=granted),))
            expected = oracle("program", level, disclosed, scopes, purpose)
            assert shown(asker, loop, purpose) == expected, (level, disclosed, scopes, purpose)
            tried += 1
    assert tried == len(LEVELS) * 22 * 4


@pytest.mark.parametrize("state", ["withdrawn", "cancelled", "entered_in_error"])
def test_once_it_is_over_nobody_outside_sees_a_field(told_all: Told, state: str):
    loop = told_all
    with db.engine.begin() as connection:
        connection.execute(update(Referral).where(Referral.id == loop.sent.id).values(state=state))
    assert shown(loop.provider, loop, None) == oracle("gone", "standard", frozenset(), (), None)
    assert shown(loop.handler, loop, None) == oracle("team", "standard", frozenset(), (), None)


def test_without_a_line_in_the_ledger_a_receiver_sees_nothing(told_all: Told):
    loop = told_all
    with db.engine.begin() as connection:
        connection.execute(delete(Disclosure))
    assert shown(loop.provider, loop, None) == set()
