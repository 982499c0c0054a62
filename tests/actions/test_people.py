"""Registering people: found under many spellings first, seen only by those who need to, joined and taken apart."""

import pytest
from sqlalchemy import func, select

from nrm.actions import cases
from nrm.actions.people import (
    PossibleDuplicate,
    add_paper,
    change_paper,
    change_person,
    find_people,
    join_household,
    make_household,
    read_criteria,
    register_person,
)
from nrm.actions.person_merging import merge_people, unmerge_people
from nrm.actors import SYSTEM, Actor, ActorKind
from nrm.db import db
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion
from nrm.models import Case, Event, IdentityDocument, Person, PersonToken
from nrm.queries import people
from nrm.queries.people import likely_duplicates
from tests.people_data import AZAD, SHIRIN, person
from tests.seats import seated


@pytest.fixture
def sara(installed):
    return seated("sara", "case_handler", desk="moh_case_handler_norvale")


@pytest.fixture
def far_away(installed):
    return seated("omar", "case_handler", desk="hro_case_handler_sandor")


def with_case(data, *, governorate="norvale", level="standard"):
    made = register_person(SYSTEM, data)
    opened = cases.open_case(SYSTEM, made.id, governorate=governorate, level=level, path=None)
    return made.id, opened.id


def find(actor, **sought):
    return find_people(actor, read_criteria(sought))


def now(installed):
    return installed.clock.now()


def test_a_person_is_registered_and_nothing_personal_lies_open(installed, sara):
    made = register_person(sara, AZAD)
    view = people.person(sara, made.id, now(installed))
    assert view.data.full_name == "آزاد محمد عبد الرحمن حسین البرزنجي"
    assert view.data.phones == ("+9647701234567",)
    assert (view.data.birth_year, view.data.precision) == (1987, "day")
    assert [paper.number for paper in view.papers] == ["A 1234567"]
    tokens = db.session.scalars(select(PersonToken.token)).all()
    assert all(len(token) == 32 for token in tokens)
    events = str(db.session.execute(select(Event.data, Event.subject_id)).all())
    assert "7701234567" not in events
    assert "آزاد" not in events


@pytest.mark.parametrize(
    "sought",
    [
        {"name": "ازاد محمد"},
        {"name": "ئازاد محەمەد عەبدولڕەحمان"},
        {"name": "Azad Muhammad"},
        {"name": "Azad Mohamed Abdul Rahman Husain"},
        {"name": "البرزنجي آزاد"},
        {"phone": "٠٧٧٠١٢٣٤٥٦٧"},
        {"phone": "+964 770 123 4567"},
        {"document": "a1234567"},
        {"document": "A-123 4567"},
    ],
)
def test_one_person_is_found_under_many_spellings(installed, sara, sought):
    made = register_person(sara, AZAD)
    register_person(sara, SHIRIN)
    assert [card.id for card in find(sara, **sought)] == [made.id]


def test_the_likeliest_comes_first(installed, sara):
    azad = register_person(sara, AZAD).id
    cousin = register_person(
        sara,
        person(AZAD, names={"grandfather": "سعد", "mother": "هدى", "latin": ""}, born="1999", phones=[], documents=[]),
    ).id
    found = find(sara, name="آزاد محمد عبد الرحمن", born="1987-05-12", mother="گوڵاڵە")
    assert [card.id for card in found] == [azad, cousin]
    assert found[0].verdict == "likely"
    assert "same_birth_date" in found[0].reasons


def test_whoever_has_no_access_sees_initials_and_whom_to_ask(installed, sara, far_away):
    with_case(AZAD)
    (card,) = find(far_away, name="آزاد محمد", phone="07701234567")
    assert card.masked
    assert card.name == "آ. م. ع. ح. ا."
    assert (card.born, card.precision, card.governorate) == ("1987", "year", "norvale")
    assert (card.mother, card.latin, card.sex, card.case_id) == ("", "", None, None)
    assert card.has_open_case
    assert card.ask.organisation_names["en"] == "Ministry of Homecoming"
    assert not {"same_phone", "mother_same"} & set(card.reasons)
    with pytest.raises(NotFound):
        people.person(far_away, card.id, now(installed))


def test_the_desk_of_the_case_sees_everything(installed, sara):
    person_id, case_id = with_case(AZAD)
    (card,) = find(sara, name="آزاد محمد")
    assert not card.masked
    assert card.case_id == case_id
    assert people.person(sara, person_id, now(installed)).case_ids == (case_id,)


def test_a_strictly_confidential_person_cannot_be_found_by_strangers(installed, far_away):
    person_id, _ = with_case(AZAD, level="strict")
    assert find(far_away, name="آزاد محمد") == ()
    assert find(far_away, document="A1234567") == ()
    again = register_person(far_away, AZAD)
    assert again.id != person_id
    assert likely_duplicates(db.session(), again.id) == (person_id,)


def test_a_search_is_recorded_without_what_was_searched(installed, sara):
    register_person(sara, AZAD)
    find(sara, name="آزاد محمد", phone="07701234567")
    data = db.session.scalars(select(Event.data).where(Event.kind == "record.read")).all()
    assert data == [{"found": 1, "masked": 0, "by": ["name", "phone"]}]


def test_nobody_searches_without_a_permission_or_without_a_word(installed, sara):
    with pytest.raises(NotAllowed):
        find_people(Actor(kind=ActorKind.USER, id="usr_x"), read_criteria({"name": "x y"}))
    for nothing in ({}, {"name": "  "}, {"born": "1980"}, {"document": "--"}):
        with pytest.raises(NotValid):
            read_criteria(nothing)
    with pytest.raises(NotValid) as caught:
        read_criteria({"phone": "12", "born": "yesterday", "name": "x\0"})
    assert {problem.pointer for problem in caught.value.problems} == {"/phone", "/born", "/name"}


def test_somebody_known_is_not_registered_twice_by_mistake(installed, sara):
    first = register_person(sara, AZAD)
    again = person(AZAD, names={"own": "ئازاد", "father": "محەمەد"}, documents=[])
    with pytest.raises(PossibleDuplicate) as caught:
        register_person(sara, again)
    assert [card.id for card in caught.value.found] == [first.id]
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1
    second = register_person(sara, again, known=[first.id])
    assert likely_duplicates(db.session(), second.id) == (first.id,)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"names": {"own": "\u202eevil"}}, "/names/own"),
        ({"names": {"nick": "x"}}, "/names/nick"),
        ({"born": "2087-01-01"}, "/born"),
        ({"born": "12/05/1987"}, "/born"),
        ({"sex": "m"}, "/sex"),
        ({"governorate": "atlantis"}, "/governorate"),
        ({"phones": ["12"]}, "/phones/0"),
        ({"documents": [{"kind": "library_card"}]}, "/documents/0/kind"),
        ({"documents": [{"kind": "passport", "number": "a\0b"}]}, "/documents/0/number"),
        ({"religion": "x"}, "/religion"),
        ({"safe_contact": {"channel": "\ud800"}}, "/safe_contact/channel"),
        ({"language": ["ar"]}, "/language"),
    ],
)
def test_a_mistake_is_named_by_its_place_and_nothing_is_stored(installed, sara, change, pointer):
    with pytest.raises(NotValid) as caught:
        register_person(sara, person(AZAD, **change))
    assert [problem.pointer for problem in caught.value.problems] == [pointer]
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


@pytest.mark.parametrize("data", [None, [], "x", {}, {"names": {}}, {"names": None}, {"names": "Azad"}])
def test_somebody_without_a_name_is_not_registered(installed, sara, data):
    with pytest.raises(NotValid):
        register_person(sara, data)


def test_a_changed_name_is_found_under_the_new_spelling_only(installed, sara):
    made = register_person(sara, SHIRIN)
    changed = change_person(sara, made.id, {"names": {"own": "نسرين"}, "born": "1971-02"}, version=1)
    assert changed.version == 2
    view = people.person(sara, made.id, now(installed))
    assert view.data.names["father"] == "دلشاد"
    assert (view.data.born, view.data.precision) == ("1971-02", "month")
    assert [card.id for card in find(sara, name="نسرين دلشاد")] == [made.id]
    assert find(sara, name="شيرين") == ()


def test_a_change_based_on_an_old_view_is_refused(installed, sara):
    made = register_person(sara, SHIRIN)
    change_person(sara, made.id, {"sex": None}, version=1)
    with pytest.raises(StaleVersion):
        change_person(sara, made.id, {"sex": "female"}, version=1)


def test_a_stranger_changes_nothing(installed, sara, far_away):
    person_id, _ = with_case(AZAD)
    with pytest.raises(NotFound):
        change_person(far_away, person_id, {"sex": "female"}, version=1)
    with pytest.raises(NotFound):
        add_paper(far_away, person_id, {"kind": "passport", "number": "B7654321"})


def test_a_lost_paper_is_recorded_and_a_found_number_searched(installed, sara):
    made = register_person(sara, SHIRIN)
    paper = add_paper(sara, made.id, {"kind": "national_card", "status": "lost"})
    assert find(sara, document="B7654321") == ()
    change_paper(sara, paper, {"number": "B 7654321", "status": "held"})
    assert [card.id for card in find(sara, document="b7654321")] == [made.id]
    with pytest.raises(NotValid) as caught:
        change_paper(sara, paper, {"status": "eaten"})
    assert caught.value.problems[0].pointer == "/status"
    assert "7654321" in db.session.scalar(select(IdentityDocument.number))


def test_a_family_is_kept_together_and_strangers_do_not_see_it(installed, sara, far_away):
    azad, _ = with_case(AZAD)
    child = register_person(sara, person(AZAD, names={"own": "دانا"}, born="2015", phones=[], documents=[])).id
    family = make_household(sara, {azad: "head", child: "child"})
    assert {card.id for card in people.household(sara, family, now(installed))} == {azad, child}
    with pytest.raises(NotValid):
        join_household(sara, child, family, role="king")
    join_household(sara, child, None)
    assert {card.id for card in people.household(sara, family, now(installed))} == {azad}
    with pytest.raises(NotFound):
        people.household(far_away, family, now(installed))


def test_two_records_of_one_person_are_joined_and_taken_apart_again(installed, sara):
    keep, keep_case = with_case(AZAD)
    cases_before = {keep_case: keep}
    other_data = person(
        AZAD, names={"own": "ئازاد"}, phones=["07709999999"], documents=[{"kind": "national_card", "number": "N555666"}]
    )
    other = register_person(sara, other_data, known=[keep]).id
    merge_people(sara, keep, other)
    with pytest.raises(NotFound):
        people.person(sara, other, now(installed))
    assert [card.id for card in find(sara, document="N555666")] == [keep]
    assert [card.id for card in find(sara, phone="07709999999")] == [keep]
    assert {paper.number for paper in people.person(sara, keep, now(installed)).papers} == {"A 1234567", "N555666"}
    unmerge_people(sara, other)
    assert [card.id for card in find(sara, document="N555666")] == [other]
    assert {paper.number for paper in people.person(sara, keep, now(installed)).papers} == {"A 1234567"}
    assert dict(db.session.execute(select(Case.id, Case.person_id)).all()) == cases_before


def test_the_case_of_a_joined_record_moves_and_comes_back(installed, sara):
    keep = register_person(sara, AZAD).id
    other = register_person(sara, person(AZAD, phones=[]), known=[keep]).id
    case_id = cases.open_case(SYSTEM, other, governorate="norvale", path=None).id
    merge_people(sara, keep, other)
    assert people.person(sara, keep, now(installed)).case_ids == (case_id,)
    unmerge_people(sara, other)
    assert people.person(sara, other, now(installed)).case_ids == (case_id,)
    kinds = db.session.scalars(select(Event.kind).where(Event.stream == keep).order_by(Event.seq)).all()
    assert kinds == ["person.registered", "person.merged", "person.unmerged"]


def test_two_open_cases_are_not_joined(installed, sara):
    one, _ = with_case(AZAD)
    two = register_person(SYSTEM, AZAD, known=[one]).id
    cases.open_case(SYSTEM, two, governorate="norvale", path=None)
    with pytest.raises(IllegalMove):
        merge_people(sara, one, two)
    with pytest.raises(NotValid):
        merge_people(sara, one, one)


def test_possible_duplicates_are_listed_for_those_who_may_join_them(installed, sara, far_away):
    one, _ = with_case(AZAD)
    two = register_person(sara, person(AZAD, documents=[]), known=[one]).id
    with_case(SHIRIN, governorate="hillin")
    assert [card.id for card in people.possible_duplicates(sara, one, now(installed))] == [two]
    (pair,) = people.duplicate_pairs(sara, now(installed))
    assert {pair.first.id, pair.second.id} == {one, two}
    with pytest.raises(NotFound):
        people.possible_duplicates(far_away, one, now(installed))
