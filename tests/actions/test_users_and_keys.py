"""Who may add and seat whom; partners' keys."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions.keys import issue_key, revoke_key
from nrm.actions.seats import end_membership, give_membership
from nrm.actions.users import add_user, disable_user, enable_user
from nrm.actors import SYSTEM, Actor, ActorKind, Seat
from nrm.credentials import is_partner_key
from nrm.db import db
from nrm.errors import AlreadyDone, Conflict, NotAllowed, NotFound, NotSignedIn, NotValid, StaleVersion
from nrm.installation import installation
from nrm.models import ApiKey, Desk, Membership, Organisation
from nrm.queries import users
from nrm.queries.keys import actor_for_key
from nrm.queries.users import actor_of_user
from tests.seats import PASSWORD, seated


def organisation(code):
    return db.session.scalar(select(Organisation.id).where(Organisation.code == code))


def desk(code):
    return db.session.scalar(select(Desk.id).where(Desk.code == code))


def manager_of(code):
    seat = Seat(
        organisation_id=organisation(code),
        desk_id=None,
        role="provider_manager",
        permissions=frozenset({"user.manage", "key.manage"}),
    )
    user = add_user(SYSTEM, login=f"manager.{code}", name="Invented manager", password=PASSWORD)
    return Actor(kind=ActorKind.USER, id=user.id, seats=(seat,))


def now():
    return installation().clock.now()


def test_an_administrator_adds_and_seats_a_user(installed):
    admin = seated("admin1", "administrator", organisation="moh")
    user = add_user(admin, login="Lana.K", name="  لانا   کریم ", password=PASSWORD, language="ckb")
    give_membership(
        admin,
        user.id,
        organisation_id=organisation("hro"),
        desk_id=desk("hro_case_handler_hillin"),
        role="case_handler",
    )
    row = users.user(admin, user.id, now())
    assert (row.login, row.name) == ("lana.k", "لانا کریم")
    assert row.memberships[0].role == "case_handler"
    assert actor_of_user(user.id, now()).desks == (desk("hro_case_handler_hillin"),)
    assert [found.login for found in users.users(admin, now(), text="lana").items] == ["lana.k"]


def test_an_administrator_does_not_take_a_seat_from_which_cases_are_read(installed):
    admin = seated("admin1", "administrator", organisation="moh")
    seat = {"organisation_id": organisation("hro"), "desk_id": desk("hro_case_handler_hillin"), "role": "case_handler"}
    with pytest.raises(NotAllowed) as caught:
        give_membership(admin, admin.id, **seat)
    assert caught.value.code == "not_yourself"
    colleague = seated("admin2", "administrator", organisation="moh")
    give_membership(colleague, admin.id, **seat)
    assert actor_of_user(admin.id, now()).desks == (desk("hro_case_handler_hillin"),)


def test_mistakes_in_a_new_user_are_all_named(installed):
    with pytest.raises(NotValid) as caught:
        add_user(SYSTEM, login="a b", name="\u202eevil", password="short", email="nothing", language="fr")
    assert {problem.pointer for problem in caught.value.problems} == {
        "/login",
        "/name",
        "/password",
        "/email",
        "/language",
    }
    add_user(SYSTEM, login="lana", name="Lana", password=PASSWORD)
    with pytest.raises(NotValid) as caught:
        add_user(SYSTEM, login="LANA", name="Lana", password=PASSWORD)
    assert caught.value.problems[0].code == "login_taken"


def test_a_handler_may_neither_add_nor_list_users(installed):
    handler = seated("sara", "case_handler", desk="moh_case_handler_norvale")
    with pytest.raises(NotAllowed):
        add_user(handler, login="lana", name="Lana", password=PASSWORD)
    with pytest.raises(NotAllowed):
        users.users(handler, now())
    assert users.me(handler, now()).login == "sara"


def test_a_manager_of_one_organisation_manages_only_its_users(installed):
    manager = manager_of("open_door")
    theirs = seated("theirs", "receiving_desk", desk="open_door_receiving_desk")
    others = seated("others", "receiving_desk", desk="bright_bridge_receiving_desk")
    with pytest.raises(NotAllowed):
        give_membership(manager, theirs.id, organisation_id=organisation("bright_bridge"), role="provider_manager")
    with pytest.raises(NotFound):
        disable_user(manager, others.id)
    with pytest.raises(NotFound):
        users.user(manager, others.id, now())
    assert [row.login for row in users.users(manager, now()).items] == ["theirs"]
    disable_user(manager, theirs.id)


def test_a_seat_must_fit_and_is_given_once(installed):
    user = add_user(SYSTEM, login="lana", name="Lana", password=PASSWORD)
    with pytest.raises(NotValid) as caught:
        give_membership(
            SYSTEM,
            user.id,
            organisation_id=organisation("moh"),
            desk_id=desk("open_door_receiving_desk"),
            role="wizard",
        )
    assert {problem.pointer for problem in caught.value.problems} == {"/role", "/desk_id"}
    first = give_membership(SYSTEM, user.id, organisation_id=organisation("moh"), role="supervisor")
    with pytest.raises(AlreadyDone):
        give_membership(SYSTEM, user.id, organisation_id=organisation("moh"), role="supervisor")
    end_membership(SYSTEM, first)
    with pytest.raises(AlreadyDone):
        end_membership(SYSTEM, first)
    assert give_membership(SYSTEM, user.id, organisation_id=organisation("moh"), role="supervisor") == first
    assert len(db.session.scalars(select(Membership).where(Membership.user_id == user.id)).all()) == 1


def test_a_seat_with_an_end_ends_by_itself(installed):
    user = add_user(SYSTEM, login="lana", name="Lana", password=PASSWORD)
    until = now() + timedelta(days=1)
    give_membership(SYSTEM, user.id, organisation_id=organisation("moh"), role="supervisor", until=until)
    assert actor_of_user(user.id, now()).may("task.assign")
    installed.clock.move(timedelta(days=1))
    assert actor_of_user(user.id, now()).seats == ()


def test_disabling_checks_what_the_administrator_saw_and_never_oneself(installed):
    admin = seated("admin1", "administrator", organisation="moh")
    user = add_user(SYSTEM, login="lana", name="Lana", password=PASSWORD)
    with pytest.raises(NotAllowed):
        disable_user(admin, admin.id)
    with pytest.raises(StaleVersion):
        disable_user(admin, user.id, version=9)
    changed = disable_user(admin, user.id, version=1)
    with pytest.raises(AlreadyDone):
        disable_user(admin, user.id)
    enable_user(admin, user.id, version=changed.version)
    assert actor_of_user(user.id, now()).seats == ()


def test_a_key_is_shown_once_and_recognised_by_its_hash(installed):
    key = issue_key(SYSTEM, organisation("open_door"), name="Sync", scopes=["referrals:read", "referrals:act"])
    assert key.text.startswith("nrm_live_")
    assert is_partner_key(key.text)
    assert len(key.text) == len("nrm_live_") + 46
    actor = actor_for_key(key.text, now=now())
    assert actor.kind is ActorKind.KEY
    assert actor.organisations == (organisation("open_door"),)
    assert actor.may("referral.receive")
    assert not actor.may("case.read")
    assert key.text not in str(db.session.execute(select(ApiKey.__table__)).all())


def test_a_mistyped_key_never_reaches_the_database(installed, query_counter):
    key = issue_key(SYSTEM, organisation("open_door"), name="Sync", scopes=["referrals:read"]).text
    wrong = key[:20] + ("A" if key[20] != "A" else "B") + key[21:]
    for text in (wrong, key[:-1], "nrm_live_", "", key + "\n", "ü" * 60):
        with query_counter() as count, pytest.raises(NotSignedIn):
            actor_for_key(text, now=now())
        assert count() == 0


def test_a_key_ends_by_revocation_and_by_time(installed):
    first = issue_key(SYSTEM, organisation("open_door"), name="One", scopes=["events:read"], days=10)
    second = issue_key(SYSTEM, organisation("open_door"), name="Two", scopes=["events:read"], days=20)
    with pytest.raises(Conflict):
        issue_key(SYSTEM, organisation("open_door"), name="Three", scopes=["events:read"])
    issue_key(SYSTEM, organisation("open_door"), name="Trial", scopes=["events:read"], livemode=False)
    revoke_key(SYSTEM, second.id)
    with pytest.raises(AlreadyDone):
        revoke_key(SYSTEM, second.id)
    with pytest.raises(NotSignedIn):
        actor_for_key(second.text, now=now())
    installed.clock.move(timedelta(days=10))
    with pytest.raises(NotSignedIn):
        actor_for_key(first.text, now=now())


def test_a_test_key_only_sees_invented_people(installed):
    key = issue_key(SYSTEM, organisation("open_door"), name="Trial", scopes=["events:read"], livemode=False)
    assert key.text.startswith("nrm_test_")
    assert not actor_for_key(key.text, now=now()).livemode


def test_a_key_for_one_network_is_useless_elsewhere(installed):
    networks = ["192.0.2.0/24"]
    key = issue_key(SYSTEM, organisation("open_door"), name="Fixed", scopes=["events:read"], networks=networks)
    actor_for_key(key.text, now=now(), address="192.0.2.8")
    for address in ("198.51.100.1", "", "nonsense"):
        with pytest.raises(NotSignedIn):
            actor_for_key(key.text, now=now(), address=address)


def test_mistakes_in_a_key_are_all_named_and_strangers_may_not_issue_one(installed):
    with pytest.raises(NotValid) as caught:
        issue_key(SYSTEM, organisation("open_door"), name=" ", scopes=["all"], networks=["x"], days=9999)
    assert {problem.pointer for problem in caught.value.problems} == {"/name", "/scopes/0", "/networks/0", "/days"}
    with pytest.raises(NotAllowed):
        issue_key(manager_of("open_door"), organisation("bright_bridge"), name="x", scopes=["events:read"])
