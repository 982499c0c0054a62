"""A charter lands: its list goes in, bad rows come back with reasons, and nobody gets two cases."""

import io
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select

from nrm.actions import cases
from nrm.actions import manifests as manifests_in
from nrm.actions._action import transact
from nrm.actions.manifests import import_manifest
from nrm.actions.people import register_person
from nrm.actors import SYSTEM, Actor, ActorKind
from nrm.db import db
from nrm.errors import NotAllowed, NotValid
from nrm.jobs import table
from nrm.jobs.hand import holding
from nrm.jobs.kinds import BULK
from nrm.models import Case, CaseNote, Event, Household, Manifest, ManifestRow, Person, Run, Task
from nrm.queries import manifests
from nrm.worker.handlers import HANDLERS
from tests.arrival_lists import HEADER, as_csv, rows
from tests.seats import seated

CHARTERS = Path(__file__).parent.parent / "fixtures" / "manifests"
ONE = ("آزاد محمد عبد الرحمن حسین", "البرزنجي", "گوڵاڵە", "ذكر", "12/05/1987", "G1234567", "norvale", "07701234567")


def line(**changes):
    keys = ("name", "surname", "mother", "sex", "born", "document", "place", "phone")
    return tuple({**dict(zip(keys, ONE, strict=True)), **changes}[key] for key in keys)


def count(model, *where):
    return db.session.scalar(select(func.count()).select_from(model).where(*where))


def totals():
    return {model.__name__: count(model) for model in (Person, Case, Run, Task, Manifest, ManifestRow, Event)}


def codes(report):
    return {
        row.number: [(problem.pointer.rsplit("/", 1)[-1], problem.code) for problem in row.problems]
        for row in report.refused
    }


def test_each_good_row_becomes_a_person_with_a_case_on_its_way(installed):
    report = import_manifest(SYSTEM, as_csv(rows(12)), "list.csv")
    assert (report.rows, report.accepted, report.refused, report.known, report.same) == (12, 12, (), (), 0)
    assert totals() | {"Event": 0} == {
        "Person": 12,
        "Case": 12,
        "Run": 12,
        "Task": 12,
        "Manifest": 1,
        "ManifestRow": 12,
        "Event": 0,
    }
    assert set(db.session.scalars(select(Case.status))) == {"open"}
    assert len(set(db.session.scalars(select(Case.number)))) == 12


def test_bad_rows_are_listed_with_their_reason_and_the_rest_goes_in(installed):
    lines = [
        line(),
        line(name="", surname=""),
        line(name="هدى سعد", born="31/02/1990", document="", phone=""),
        line(name="نور سعد علي", place="Atlantis", document="", phone=""),
        line(name="لانا سعد علي", place="", document="", phone=""),
        line(name="=cmd|' /C calc'!A0", document="", phone=""),
        line(name="ژيان كريم دلشاد", document="Z9", phone="07709999999", mother="سارة", born="1990", sex="أنثى"),
    ]
    report = import_manifest(SYSTEM, as_csv(lines))
    assert report.accepted == 2
    assert codes(report) == {
        3: [("full_name", "name_missing")],
        4: [("birth_date", "no_such_day")],
        5: [("governorate", "unknown_place")],
        6: [("governorate", "place_missing")],
        7: [("full_name", "formula")],
    }
    assert [(row.number, row.column, row.code) for row in manifests.refused_rows(SYSTEM, report.id)][:1] == [
        (3, "full_name", "name_missing")
    ]


def test_the_same_file_again_changes_nothing(installed):
    data = as_csv([*rows(5), line(place="Atlantis")])
    first = import_manifest(SYSTEM, data)
    before = totals()
    again = import_manifest(SYSTEM, data)
    assert totals() == before
    assert (again.id, again.accepted, again.same, len(again.refused)) == (first.id, 0, 5, 1)


def test_the_same_rows_in_another_order_and_another_file_change_nothing(installed):
    lines = list(rows(6))
    import_manifest(SYSTEM, as_csv(lines))
    before = totals()
    again = import_manifest(SYSTEM, as_csv([line(name="نور سعد علي", document="", phone=""), *reversed(lines)]))
    assert (again.accepted, again.same) == (1, 6)
    assert totals()["Person"] == before["Person"] + 1


def test_a_known_person_with_an_open_case_gets_no_second_one(installed):
    person = register_person(
        SYSTEM,
        {
            "names": {"own": "ئازاد", "father": "محەمەد", "grandfather": "عەبدولڕەحمان", "mother": "گوڵاڵە"},
            "born": "1987-05-12",
            "phones": ["07700000001"],
            "documents": [{"kind": "passport", "number": "g-123 4567"}],
        },
    ).id
    case = cases.open_case(SYSTEM, person, governorate="norvale", path=None).id
    report = import_manifest(SYSTEM, as_csv([line()]))
    assert report.accepted == 0
    (known,) = report.known
    assert (known.number, known.person_id, known.case_id, known.opened) == (2, person, case, False)
    assert (count(Person), count(Case)) == (1, 1)


def test_a_known_person_without_an_open_case_comes_back_to_a_new_one(installed):
    person = register_person(
        SYSTEM,
        {
            "names": {"own": "آزاد", "father": "محمد", "grandfather": "عبد الرحمن", "mother": "گوڵاڵە"},
            "born": "1987-05-12",
            "phones": ["07701234567"],
        },
    ).id
    report = import_manifest(SYSTEM, as_csv([line(document="")]))
    (known,) = report.known
    assert (known.person_id, known.opened) == (person, True)
    assert count(Case, Case.person_id == person) == 1


def test_the_same_person_twice_in_one_list_with_another_phone_is_one_person(installed):
    report = import_manifest(SYSTEM, as_csv([line(), line(phone="07705550000"), line()]))
    assert (report.accepted, len(report.known), report.same) == (1, 1, 1)
    assert (count(Person), count(Case)) == (1, 1)


def test_somebody_who_may_be_known_goes_in_and_is_listed_for_a_decision(installed):
    import_manifest(SYSTEM, as_csv([line()]))
    report = import_manifest(SYSTEM, as_csv([line(document="", phone="", born="1988")]))
    assert report.accepted == 1
    (possible,) = report.possible
    assert possible.others == tuple(db.session.scalars(select(Person.id).where(Person.id != possible.person_id)))
    assert "name_same" in possible.reasons


def test_a_brother_with_the_family_phone_is_somebody_else(installed):
    report = import_manifest(
        SYSTEM, as_csv([line(), line(name="دانا محمد عبد الرحمن حسین", document="G7654321", born="03/02/1990")])
    )
    assert (report.accepted, report.known) == (2, ())


def test_latin_and_arabic_rows_of_one_paper_are_one_person(installed):
    import_manifest(SYSTEM, as_csv([line()]))
    header = ("Full name", "Mother's name", "Date of birth", "Document no.", "Governorate")
    latin = ("Azad Mohammed Abdulrahman Hussein", "Gulala", "1987-05-12", "G1234567", "Norvale")
    report = import_manifest(SYSTEM, as_csv([latin], header))
    assert (report.accepted, len(report.known)) == (0, 1)


def test_a_list_before_the_flight_starts_before_arrival_and_one_after_it_does_not(installed):
    header = (*HEADER, "تاريخ الوصول", "ملاحظات")
    import_manifest(
        SYSTEM,
        as_csv(
            [
                (*line(), "2026-03-05", "يحتاج كرسيا متحركا"),
                (*line(name="نور سعد علي", document="", phone="", mother="سارة"), "2026-02-27", ""),
            ],
            header,
        ),
    )
    arrived = dict(
        db.session.execute(select(ManifestRow.number, Case.arrived_on).join(Case, Case.id == ManifestRow.case_id)).all()
    )
    assert arrived == {2: None, 3: date(2026, 2, 27)}
    (note,) = db.session.scalars(select(CaseNote.text))
    assert "كرسيا" in note


def test_families_on_the_list_are_kept_together(installed):
    header = (*HEADER, "رقم العائلة")
    lines = [(*row, family) for row, family in zip(rows(5), ("F1", "F1", "F2", "", ""), strict=True)]
    import_manifest(SYSTEM, as_csv(lines, header))
    together = db.session.scalars(select(Person.household_id).where(Person.household_id.is_not(None))).all()
    assert len(together) == 2
    assert len(set(together)) == 1
    assert count(Household) == 1


def test_an_import_that_broke_off_goes_on_where_it_ended(installed):
    data = as_csv(rows(250))

    def break_off(done, total):
        assert total == 250
        if done == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_manifest(SYSTEM, data, progress=break_off)
    assert count(Person) == 200
    told = []
    report = import_manifest(SYSTEM, data, progress=lambda done, total: told.append((done, total)))
    assert told == [(100, 250), (200, 250), (250, 250)]
    assert (report.accepted, report.same) == (50, 200)
    view = manifests.manifest(SYSTEM, report.id)
    assert (view.rows, view.accepted, view.known, view.refused) == (250, 250, 0, 0)


def test_columns_nobody_knows_are_named_and_can_be_mapped_by_hand(installed):
    header = ("Wer", "Mutter?", "Geb", "Wohin", "Tel")
    lines = [("Azad Mohammed Hussein", "Gulala", "1987", "Norvale", "07701234567")]
    with pytest.raises(NotValid) as caught:
        import_manifest(SYSTEM, as_csv(lines, header))
    assert caught.value.problems[0].code == "no_header"
    mapping = {"Wer": "full_name", "Mutter?": "mother_name", "Geb": "birth_date", "Wohin": "governorate"}
    report = import_manifest(SYSTEM, as_csv(lines, header), mapping=mapping)
    assert report.accepted == 1


@pytest.mark.parametrize("name", ["charter_ar.csv", "charter_en.xlsx"])
def test_a_real_shaped_charter_list_goes_in(installed, name):
    # The charters name places of another country than testland: every column is read, every place is refused.
    report = import_manifest(SYSTEM, (CHARTERS / name).read_bytes(), name)
    assert report.rows == 200
    assert {code for row in codes(report).values() for _, code in row} >= {"unknown_place"}
    assert report.unknown_columns == ()


def test_a_zip_bomb_and_other_rubbish_are_refused_and_nothing_is_kept(installed):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", b"<a/>")
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    for data, code in ((out.getvalue(), "zip_bomb"), (b"", None), (b"\0" * 50, None), (b"%PDF-1.7", None)):
        with pytest.raises(NotValid) as caught:
            import_manifest(SYSTEM, data)
        assert code in (None, caught.value.problems[0].code)
    assert totals()["Manifest"] == 0


def test_a_workbook_goes_in_like_a_text_file(installed):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["قائمة الرحلة"])
    sheet.append(list(HEADER))
    for row in rows(3):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    assert import_manifest(SYSTEM, out.getvalue(), "list.xlsx").accepted == 3


def test_nobody_imports_without_a_permission(installed):
    with pytest.raises(NotAllowed):
        import_manifest(Actor(kind=ActorKind.USER, id="usr_x"), as_csv(rows(1)))
    assert totals()["Manifest"] == 0


def test_a_list_does_not_tell_that_somebody_has_a_strictly_confidential_case(installed):
    importer = seated("huda", "national_unit", desk="hro_national_unit")
    import_manifest(SYSTEM, as_csv([line()]))
    hidden = db.session.scalar(select(Case.id))
    cases.set_level(SYSTEM, hidden, level="strict", version=None)
    report = import_manifest(importer, as_csv([line(phone="07701112222")]))
    assert (report.accepted, report.known, report.possible) == (1, (), ())
    again = import_manifest(SYSTEM, as_csv([line(phone="07703334444")]))
    assert (again.accepted, len(again.known)) == (0, 1)


def test_the_history_of_an_import_holds_no_personal_value(installed):
    import_manifest(SYSTEM, as_csv([line(), line(place="Atlantis")]))
    told = str(db.session.execute(select(Event.data, Event.subject_id)).all()) + str(
        db.session.execute(select(ManifestRow.fingerprint)).all()
    )
    for secret in ("آزاد", "1234567", "0770", "1987", "Atlantis"):
        assert secret not in told


def test_the_rows_of_a_list_lead_to_the_cases_one_may_see(installed):
    report = import_manifest(SYSTEM, as_csv([line(), line(name="نور سعد علي", document="", phone="", place="hillin")]))
    now = installed.clock.now()
    assert [row.number for row in manifests.taken_rows(SYSTEM, report.id, now)] == [2, 3]
    assert all(row.case_number for row in manifests.taken_rows(SYSTEM, report.id, now))
    assert [row.number for row in manifests.taken_rows(SYSTEM, report.id, now, after=2)] == [3]
    importer = seated("reem", "reception", desk="moh_reception_norvale")
    assert [row.case_id is None for row in manifests.taken_rows(importer, report.id, now)] == [True, True]


def run_bulk_jobs():
    """Do what the runner does with the bulk jobs that are due, and give how many there were."""
    done = 0
    while True:
        jobs = transact(
            SYSTEM, lambda work: table.claim(work.session, owner="test", queues=[BULK], limit=1, now=work.now)
        )
        if not jobs:
            return done
        with holding(jobs[0]):
            HANDLERS[jobs[0].kind](jobs[0])
        done += 1


def test_a_long_list_is_taken_at_once_and_imported_by_the_runner_in_the_senders_name(installed):
    importer = seated("huda", "national_unit", desk="moh_national_unit")
    data = as_csv([*rows(120), line(place="Atlantis")])
    manifest_id = manifests_in.receive_manifest(importer, data)
    assert manifests.manifest(importer, manifest_id).waiting
    (kept,) = (installed.config.data_dir / "manifests").iterdir()
    assert count(Person) == 0
    assert run_bulk_jobs() == 1
    view = manifests.manifest(importer, manifest_id)
    assert (view.rows, view.accepted, view.refused, view.waiting) == (121, 120, 1, False)
    assert not kept.exists()
    openers = set(db.session.scalars(select(Event.actor).where(Event.kind == "case.opened")))
    assert openers == {importer.id}
    assert manifests_in.receive_manifest(importer, data) == manifest_id
    before = totals()
    assert run_bulk_jobs() == 1
    assert totals() == before


def test_a_runner_that_dies_in_the_middle_loses_and_doubles_nothing(installed, monkeypatch):
    data = as_csv(rows(250))
    manifest_id = manifests_in.receive_manifest(SYSTEM, data)
    part, calls = manifests_in._import_part, []

    def die_at_the_third(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise ConnectionError("killed")
        return part(*arguments)

    monkeypatch.setattr(manifests_in, "_import_part", die_at_the_third)
    with pytest.raises(ConnectionError):
        run_bulk_jobs()
    assert count(Person) == 200
    monkeypatch.setattr(manifests_in, "_import_part", part)
    manifests_in.import_received(manifest_id)
    assert (count(Person), count(Case)) == (250, 250)


def test_a_file_that_cannot_be_used_is_not_even_received(installed):
    with pytest.raises(NotValid):
        manifests_in.receive_manifest(SYSTEM, b"a;b\n1;2\n")
    assert totals()["Manifest"] == 0
