"""Those who manage users, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.actions._action import transact
from nrm.actions.seats import end_membership
from nrm.actions.users import disable_user
from nrm.actors import SYSTEM
from nrm.errors import Conflict
from nrm.models import Membership, User
from tests.api.conftest import Office
from tests.pages.administrators import administrator, organisation
from tests.pages.conftest import Page, Reader

Readers = Callable[..., Reader]
OWN = "nine invented lamps at noon"
NEW = {"login": "Lana.Invented", "name": "Lana Invented", "email": "lana@example.org", "language": "en"}


@pytest.fixture
def boss(office: Office, reader: Readers) -> Reader:
    return reader(administrator(office))


def secret_of(page: Page) -> str:
    return next(word for word in page.words if word.count("-") == 3 and len(word) == 19)


def added(boss: Reader, **changes: str) -> tuple[str, str]:
    """Add a user; give the address of the page about it and the first password."""
    page = boss.send(boss.open("/admin/users/new"), "/admin/users/new", **{**NEW, **changes})
    assert page.status == 200, page.alerts
    return page.links["I have kept it, go on"], secret_of(page)


def test_a_colleague_is_added_seated_and_signs_in(boss: Reader, office: Office):
    page = boss.open(boss.open("/admin").links["Users"])
    assert page.status == 200
    address, password = added(boss)
    page = boss.open(f"{address}?organisation={organisation(office, 'moh')}")
    assert page.inline == []
    office.land.session.close()
    desk = office.land.at_desk("case_handler", "norvale").desks[0]
    seated = boss.send(page, "/seats", desk=desk, role="case_handler", until="2031-05-04")
    assert "The role is given" in seated.says
    assert "Case handler" in seated.says
    assert "2031" in seated.says

    colleague = Reader(client=office.app.test_client())
    inside = colleague.send(colleague.open("/sign-in"), "/sign-in", login="lana.invented", password=password)
    inside = colleague.send(inside, "/me/password", current=password, new=OWN, again=OWN)
    assert (inside.status, "My work" in inside.says) == (200, True)

    ended = boss.send(boss.open(address), "/end")
    assert "The role has ended" in ended.says
    assert "Role ended" in ended.says
    out = boss.send(boss.open(address), "/disable")
    assert "shut out" in out.says
    assert colleague.open("/work").leads("/sign-in")
    back = boss.send(out, "/enable")
    assert "sits nowhere" in back.says


def test_what_is_wrong_with_a_new_user_is_said_and_what_was_typed_stays(boss: Reader):
    page = boss.send(boss.open("/admin/users/new"), "/new", login="no spaces here", name="  ", email="nothing")
    assert page.status == 422
    assert {"#new-login", "#new-name", "#new-email"} <= set(page.links.values())
    assert ("login", "no spaces here") in page.form("/new").fields
    added(boss)
    again = boss.send(boss.open("/admin/users/new"), "/new", **NEW)
    assert again.status == 422
    assert "#new-login" in again.links.values()


def test_a_name_that_is_markup_is_shown_as_it_was_typed(boss: Reader):
    name = '<script>alert("1")</script>'
    address, _ = added(boss, name=name)
    page = boss.open(address)
    assert page.inline == []
    assert name in page.says
    assert "<script>alert" not in page.text


def test_somebody_is_found_by_a_part_of_the_name_and_the_address_does_not_tell_it(boss: Reader):
    added(boss)
    found = boss.send(boss.open("/admin/users"), "/admin/users/find", text="invented")
    assert any("Lana Invented" in words for words in found.links)
    nobody = boss.send(found, "/admin/users/find", text="%_%")
    assert "No user found" in nobody.says
    assert all("text=" not in link for link in found.links.values())


def test_a_role_for_the_whole_country_waits_for_a_second_person(boss: Reader, office: Office, reader: Readers):
    address, _ = added(boss)
    page = boss.open(f"{address}?organisation={organisation(office, 'moh')}")
    asked = boss.send(page, "/seats", role="administrator")
    assert "waits for a second person" in asked.says
    mine = boss.open("/admin/users")
    assert "somebody else decides" in mine.says
    assert not any("role-requests" in form.action for form in mine.forms)

    second = reader(administrator(office))
    listed = second.open("/admin/users")
    request = next(form.action for form in listed.forms if "role-requests" in form.action)
    done = second.send(listed, request, decision="approve")
    assert "The decision is recorded" in done.says
    assert "sits nowhere" not in second.open(address).says


@pytest.mark.parametrize("until", ["tomorrow", "2020-01-01", "9999-12-31", "0000-00-00"])
def test_an_absurd_last_day_is_refused_at_the_field(boss: Reader, office: Office, until: str):
    address, _ = added(boss)
    page = boss.open(f"{address}?organisation={organisation(office, 'moh')}")
    refused = boss.send(page, "/seats", role="case_handler", until=until)
    assert refused.status == 422
    assert "#seat-until" in refused.links.values()


def test_a_lost_telephone_and_a_lost_password_are_helped_and_nobody_helps_oneself(boss: Reader, office: Office):
    address, first = added(boss)
    page = boss.send(boss.open(address), "/password")
    assert secret_of(page) != first
    assert "All sessions have ended" in boss.send(boss.open(address), "/sessions/end").says
    myself = boss.open(f"/admin/users/{boss.actor.id}")
    assert not any(myself.leads(end) for end in ("/disable", "/password", "/second-factor", "/sessions/end"))
    token = dict(myself.form(f"/admin/users/{boss.actor.id}").fields)["token"]
    assert boss.post(f"/admin/users/{boss.actor.id}/disable", {"token": token}).status == 403


def test_the_last_administrator_cannot_be_locked_out(boss: Reader, office: Office):
    page = boss.open(f"/admin/users/{boss.actor.id}")
    refused = boss.send(page, "/end")
    assert refused.status == 409
    assert "Give that role to somebody else first" in refused.says
    second = administrator(office, "hro")
    seat = office.land.session.execute(select(Membership.id).where(Membership.user_id == boss.actor.id)).scalar_one()
    office.land.session.close()
    end_membership(second, seat)
    third = office.land.seat(None, organisation(office, "papers"), "provider_manager")
    with pytest.raises(Conflict) as caught:
        end_membership(
            second,
            office.land.session.execute(select(Membership.id).where(Membership.user_id == second.id)).scalar_one(),
        )
    assert caught.value.code == "last_manager"
    disable_user(second, third.id)


def test_a_stale_page_changes_nothing(boss: Reader, office: Office):
    address, _ = added(boss)
    old = boss.open(address)
    boss.send(boss.open(address), address, name="Another Invented Name")
    stale = boss.send(old, address, name="Overwritten")
    assert stale.status == 412
    office.land.session.close()
    assert office.land.session.execute(select(User.name).where(User.login == "lana.invented")).scalar_one() == (
        "Another Invented Name"
    )


def test_who_manages_one_organisation_sees_and_seats_its_own_people_only(boss: Reader, office: Office, reader: Readers):
    manager = reader(administrator(office, "open_door", "provider_manager"))
    address, _ = added(manager, login="quiet.one")
    page = manager.open(address)
    roles = page.form("/seats")
    assert "administrator" not in dict(roles.fields).values()
    assert manager.send(page, "/seats", role="provider_focal_point").status == 200
    assert manager.send(manager.open(address), "/seats", role="case_handler").status in {403, 422}
    assert manager.send(manager.open(address), "/seats", organisation=organisation(office, "moh")).status in {403, 422}
    theirs = f"/admin/users/{boss.actor.id}"
    assert manager.open(theirs).status == 404
    token = dict(page.form("/seats").fields)["token"]
    for verb in ("", "/disable", "/password", "/second-factor", "/sessions/end", "/seats"):
        assert manager.post(theirs + verb, {"token": token, "role": "provider_focal_point"}).status == 404
    assert boss.actor.id not in str(manager.open("/admin/users").links)
    assert not any("role-requests" in form.action for form in manager.open("/admin/users").forms)


def test_others_do_not_come_in(handler: Reader):
    for address in ("/admin/users", "/admin/users/new", "/admin/users/usr_1"):
        assert handler.open(address).status == 403


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_it_is_all_there_in_the_readers_language(office: Office, reader: Readers, language: str):
    one = reader(administrator(office), language)
    for address in ("/admin", "/admin/users", "/admin/users/new", f"/admin/users/{one.actor.id}"):
        page = one.open(address)
        assert (page.status, page.language, page.direction) == (200, language, "rtl")


def test_the_history_of_a_user_names_no_case(boss: Reader, office: Office, opened: Callable[..., str]):
    opened()
    someone = office.land.at_desk("case_handler", "norvale", "one")
    transact(SYSTEM, lambda work: work.record("case.access_given", stream="system", subject=("user", someone.id)))
    page = boss.open(f"/admin/users/{someone.id}")
    assert "Nothing was changed yet" in page.says
