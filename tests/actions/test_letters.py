"""Offices that answer on paper: letters with numbers, what they tell, and what their answers move."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from nrm.actions import cases, consents, letter_answers, letters, referrals, tasks
from nrm.db import db
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion
from nrm.models import Disclosure, Event, Letter, Organisation, Outcome, Person, Referral, Run, Service
from nrm.queries import letters as queries
from nrm.queries.referral_shapes import ReferralView
from nrm.sealing import seal
from tests.actions.test_races import at_once
from tests.world import World

DATA = ["contact", "age"]
PHONE = "+9647700000123"


class Office:
    """A handler with a case, and an organisation that answers by letter."""

    def __init__(self, land: World, service: str = "training_coast", path: str | None = None) -> None:
        self.land = land
        self.handler = land.at_desk("case_handler", "norvale")
        person = land.person()
        identity = {
            "names": {"own": "تارفين", "father": "أولمر", "mother": "ميرا"},
            "born": "1991-04-02",
            "phones": [PHONE],
        }
        with db.engine.begin() as connection:
            sealed = seal(identity, row=person, column="people.identity")
            connection.execute(update(Person).where(Person.id == person).values(identity=sealed))
        self.case = cases.open_case(self.handler, person, governorate="norvale", path=path)
        land.session.close()
        self.service = land.session.execute(select(Service).where(Service.code == service)).scalar_one()
        land.session.expunge_all()

    def consent(self, categories: list[str] = DATA) -> None:
        purposes = ["casework", "share_provider"]
        consents.record_consent(self.handler, self.case.id, purposes=purposes, categories=categories, mode="written")

    def refer(self) -> ReferralView:
        return referrals.create_referral(
            self.handler, self.case.id, service_id=self.service.id, reason="تعلم مهنة", categories=DATA
        )

    def support(self, **more) -> letters.LetterResult:
        to = {"template": "support_letter", "organisation_id": self.service.organisation_id, **more}
        return letters.register_letter(self.handler, self.case.id, **to)

    def register(self) -> list[queries.LetterRow]:
        self.land.session.close()
        return list(queries.letters(self.handler, self.land.clock.now()).items)

    def page(self, letter_id: str) -> str:
        self.land.session.close()
        return queries.page(self.handler, self.land.clock.now(), letter_id, style_url="/letter.css")

    def answer(self, letter_id: str, answer: str, **more) -> letters.LetterResult:
        given = {"number": "و/١٧", "dated": self.land.clock.now().date(), "version": None, **more}
        return letter_answers.record_answer(self.handler, letter_id, answer=answer, **given)

    def referral(self, referral_id: str) -> Referral:
        self.land.session.close()
        return self.land.session.get_one(Referral, referral_id)


@pytest.fixture
def office(land: World) -> Office:
    return Office(land)


def test_a_referral_to_an_office_without_a_screen_leaves_as_a_letter(office: Office):
    office.consent()
    sent = office.refer()
    (line,) = office.register()
    assert (line.referral_id, line.number, line.template) == (sent.id, 1, "referral_letter")
    assert line.to_organisation_id == office.service.organisation_id
    page = office.page(line.id)
    assert "تارفين أولمر" in page
    assert f'<bdi dir="ltr">{PHONE}</bdi>' in page
    assert "تعلم مهنة" in page
    assert 'dir="rtl"' in page
    assert "<script" not in page
    assert "style=" not in page


def test_a_letter_tells_no_more_than_the_referral_discloses(office: Office):
    office.consent()
    referrals.create_referral(
        office.handler, office.case.id, service_id=office.service.id, reason="تعلم مهنة", categories=["age"]
    )
    (line,) = office.register()
    page = office.page(line.id)
    assert "تارفين" not in page
    assert PHONE not in page
    assert "P-" in page, "the person goes under a code"


@pytest.mark.parametrize(
    ("answer", "given", "state"),
    [
        ("received", {}, "acknowledged"),
        ("agreed", {}, "accepted"),
        ("refused", {"reason": "no_capacity"}, "declined"),
    ],
)
def test_what_the_office_wrote_back_moves_the_referral(office: Office, answer: str, given: dict, state: str):
    office.consent()
    sent = office.refer()
    (line,) = office.register()
    office.answer(line.id, answer, **given)
    assert office.referral(sent.id).state == state
    (after,) = office.register()
    assert (after.answer, after.answer_number) == (answer, "و/17")


def test_an_office_first_confirms_and_then_agrees_but_not_twice(office: Office):
    office.consent()
    sent = office.refer()
    (line,) = office.register()
    office.answer(line.id, "received")
    office.answer(line.id, "agreed")
    assert office.referral(sent.id).state == "accepted"
    with pytest.raises(IllegalMove) as refused:
        office.answer(line.id, "refused", reason="no_capacity")
    assert refused.value.code == "letter_answered"


def test_a_refusal_without_a_reason_is_not_recorded_at_all(office: Office):
    office.consent()
    sent = office.refer()
    (line,) = office.register()
    with pytest.raises(NotValid):
        office.answer(line.id, "refused")
    assert office.referral(sent.id).state == "sent"
    assert office.register()[0].answer is None


def test_a_support_letter_is_stopped_by_the_gate_and_takes_no_number(office: Office):
    office.consent()
    with pytest.raises(NotValid) as refused:
        office.support()
    assert refused.value.problems[0].code == "category_not_covered"
    assert office.register() == []


def test_numbers_have_no_gaps_and_begin_again_with_the_year(office: Office):
    office.consent(["contact", "birth", "documents"])
    assert office.support().number == 1
    with pytest.raises(NotValid):
        office.support(language="xx")
    with pytest.raises(NotValid):
        office.support(template="no_such_letter")
    assert office.support().number == 2
    office.land.move(days=365)
    later = office.support()
    assert (later.number, later.year) == (1, office.land.clock.now().year)


def test_four_first_letters_of_a_year_at_the_same_moment_get_four_numbers(installed, land: World):
    offices = [Office(land) for _ in range(4)]
    for office in offices:
        office.consent(["contact", "birth", "documents"])
    land.session.close()
    made = at_once(installed, *[office.support for office in offices])
    assert sorted(letter.number for letter in made) == [1, 2, 3, 4]


def test_a_support_letter_has_a_line_in_the_ledger(office: Office):
    office.consent(["contact", "birth", "documents"])
    made = office.support()
    office.land.session.close()
    letter = office.land.session.get_one(Letter, made.id)
    line = office.land.session.get_one(Disclosure, letter.disclosure_id)
    assert (line.kind, sorted(line.categories)) == ("letter", ["birth", "contact", "documents"])
    kinds = office.land.session.execute(select(Event.kind).where(Event.subject_id == made.id)).scalars().all()
    assert kinds == ["letter.registered"]


def test_the_office_chooses_language_and_digits(office: Office):
    office.consent(["contact", "birth", "documents"])
    arabic = office.page(office.support(language="ar", digits="arab").id)
    sorani = office.page(office.support(language="ckb").id)
    assert 'lang="ar"' in arabic
    assert "٢/٤/١٩٩١" in arabic
    assert "العدد:" in arabic
    assert 'lang="ckb"' in sorani
    assert "2/4/1991" in sorani
    assert "ژمارە:" in sorani


def test_an_organisation_gets_letters_in_its_own_language_and_digits(office: Office):
    own = {"letter_language": "ckb", "letter_digits": "arab"}
    with db.engine.begin() as connection:
        receiver = Organisation.id == office.service.organisation_id
        connection.execute(update(Organisation).where(receiver).values(**own))
    office.consent(["contact", "birth", "documents"])
    page = office.page(office.support().id)
    assert 'lang="ckb"' in page
    assert "٢/٤/١٩٩١" in page
    assert "2/4/1991" in office.page(office.support(digits="latin").id), "the letter's own choice comes first"


def test_markup_in_a_name_stays_a_name(office: Office):
    office.consent()
    referrals.create_referral(
        office.handler,
        office.case.id,
        service_id=office.service.id,
        reason="<script>alert(1)</script>",
        categories=DATA,
    )
    assert "<script" not in office.page(office.register()[0].id)


def test_a_stranger_does_not_learn_of_letters(office: Office):
    office.consent()
    office.refer()
    (line,) = office.register()
    stranger = office.land.at_desk("case_handler", "hillin")
    now = office.land.clock.now()
    office.land.session.close()
    assert queries.letters(stranger, now).items == ()
    with pytest.raises(NotFound):
        queries.page(stranger, now, line.id, style_url="")
    with pytest.raises(NotFound):
        letter_answers.record_answer(stranger, line.id, answer="agreed", number="1", dated=now.date(), version=None)
    with pytest.raises(NotAllowed):
        queries.letters(office.land.at_desk("reception", "norvale"), now)


def test_an_answer_cannot_be_older_than_its_letter_nor_come_tomorrow(office: Office):
    office.consent()
    office.refer()
    (line,) = office.register()
    for day in (line.dated - timedelta(days=1), line.dated + timedelta(days=1), date(1, 1, 1)):
        with pytest.raises(NotValid) as refused:
            office.answer(line.id, "agreed", dated=day)
        assert refused.value.problems[0].code == "answer_date_impossible"
    with pytest.raises(StaleVersion):
        office.answer(line.id, "agreed", version=7)


def test_printing_is_noted_once(office: Office):
    office.consent()
    office.refer()
    (line,) = office.register()
    first = letters.mark_printed(office.handler, line.id, version=line.version)
    office.land.move(hours=1)
    again = letters.mark_printed(office.handler, line.id, version=first.version)
    assert again.version == first.version
    assert office.register()[0].printed_at is not None


@pytest.mark.parametrize(("answer", "end"), [("agreed", "answered"), ("refused", "stopped")])
def test_a_path_writes_a_letter_and_goes_on_with_the_answer(land: World, answer: str, end: str):
    office = Office(land, path="letter_to_office")
    office.consent(["contact", "birth", "documents"])
    task = land.open_tasks(office.case.id)["write"]
    version = tasks.claim_task(office.handler, task.id).version
    tasks.complete_task(office.handler, task.id, answers={"note": "All was done"}, version=version)
    (line,) = office.register()
    office.answer(line.id, "received")
    land.session.close()
    assert land.session.execute(select(Run.status).where(Run.case_id == office.case.id)).scalars().all() == ["running"]
    office.answer(line.id, answer)
    land.session.close()
    run = select(Outcome.code).join(Run, Run.id == Outcome.subject_id).where(Run.case_id == office.case.id)
    assert land.session.execute(run).scalars().all() == [end]


def test_a_path_writes_no_letter_that_the_consent_does_not_cover(land: World):
    office = Office(land, path="letter_to_office")
    office.consent()
    task = land.open_tasks(office.case.id)["write"]
    version = tasks.claim_task(office.handler, task.id).version
    tasks.complete_task(office.handler, task.id, answers={"note": "All was done"}, version=version)
    assert office.register() == []
    run = select(Outcome.code).join(Run, Run.id == Outcome.subject_id).where(Run.case_id == office.case.id)
    assert land.session.execute(run).scalars().all() == ["no_consent"]
