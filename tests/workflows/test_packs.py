"""Every country pack is whole: texts in three languages, references that lead somewhere, drawings that can be read."""

import json
import re
from collections import Counter
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from lxml import etree

from nrm.countries import ItemKind, Pack, read_pack
from nrm.engine.parsing import compile_path
from nrm.engine.steps import Resources, StepKind
from nrm.engine.tables import read_table
from nrm.errors import NotValid
from nrm.expressions import check
from nrm.rules.answers import validate_answers
from nrm.rules.deadlines import parse_calendar
from nrm.rules.forms import Form, parse_form
from nrm.rules.permissions import PERMISSIONS

WORKFLOWS = Path(__file__).parents[2] / "workflows"
COUNTRIES = ["iraq", "testland"]
PATHS = sorted(path.relative_to(WORKFLOWS).as_posix() for path in WORKFLOWS.glob("*/paths/*.bpmn"))
LANGUAGES = {"ar", "ckb", "en"}
ARABIC_LETTER = re.compile(r"[\u0620-\u064a\u066e-\u06d3]")
SORANI_ONLY = re.compile(r"[ڕڵێۆەڤگچپژی]")
# Letters that Arabic keyboards give and that Sorani does not write.
NOT_SORANI = re.compile(r"[يىكةؤإأآ]")
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
NRM = "{urn:nrm-engine:bpmn:1}"
ELIGIBILITY = {"age", "sex", "return_type", "months_since_return", "host_country"}
STEPS = {
    f"{BPMN}{name}"
    for name in [
        "userTask",
        "serviceTask",
        "sendTask",
        "businessRuleTask",
        "callActivity",
        "subProcess",
        "startEvent",
        "endEvent",
        "boundaryEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
    ]
}


def pack_of(country: str) -> Pack:
    return read_pack(WORKFLOWS / country)


def forms_of(pack: Pack) -> dict[str, Form]:
    lists = {code.list for code in pack.codes}
    return {key: parse_form(form, code_lists=lists) for key, form in pack.forms.items()}


def resources_of(pack: Pack) -> Resources:
    settings = {key: item["value"] for key, item in pack.contents(ItemKind.SETTING).items()}
    calls = {key: item["entries"] for key, item in pack.contents(ItemKind.CALL_TABLE).items()}
    return Resources(settings=settings, tables=pack.contents(ItemKind.TABLE), call_tables=calls)


def texts_in(data, where=""):
    """Give every object of texts in a JSON document with the place where it stands."""
    if isinstance(data, dict):
        if data and data.keys() <= LANGUAGES and all(isinstance(text, str) for text in data.values()):
            yield where, data
        else:
            for key, value in data.items():
                yield from texts_in(value, f"{where}/{key}")
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from texts_in(value, f"{where}/{place}")


def texts_of(country):
    for file in sorted((WORKFLOWS / country).rglob("*.json")):
        if "scenarios" not in file.parts and "labels" not in file.parts:
            yield from texts_in(json.loads(file.read_text()), file.name)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_text_of_the_data_exists_in_three_languages(country):
    missing = [where for where, text in texts_of(country) if {key for key in text if text[key].strip()} != LANGUAGES]
    assert missing == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_arabic_and_kurdish_texts_are_in_their_script(country):
    wrong = [
        (where, text[language])
        for where, text in texts_of(country)
        for language in ("ar", "ckb")
        if not ARABIC_LETTER.search(text[language])
    ]
    assert wrong == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_kurdish_is_written_with_kurdish_letters(country):
    wrong = [(where, text["ckb"]) for where, text in texts_of(country) if NOT_SORANI.search(text["ckb"])]
    assert wrong == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_arabic_is_not_written_with_kurdish_letters(country):
    wrong = [(where, text["ar"]) for where, text in texts_of(country) if SORANI_ONLY.search(text["ar"])]
    assert wrong == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_labels_name_the_same_things_in_each_language(country):
    labels = pack_of(country).contents(ItemKind.LABELS)
    keys = {
        language: {(group, key) for group, part in labels[language].items() for key in part} for language in LANGUAGES
    }
    assert keys["ar"] == keys["ckb"] == keys["en"]
    assert all(text.strip() for part in labels.values() for group in part.values() for text in group.values())


@pytest.mark.parametrize("country", COUNTRIES)
def test_roles_ask_for_permissions_that_exist(country):
    roles = pack_of(country).contents(ItemKind.ROLE)
    unknown = {(key, name) for key, role in roles.items() for name in role["permissions"] if name not in PERMISSIONS}
    assert unknown == set()


@pytest.mark.parametrize("country", COUNTRIES)
def test_calendars_can_be_read_and_holidays_say_whether_they_are_verified(country):
    for calendar in pack_of(country).contents(ItemKind.CALENDAR).values():
        assert parse_calendar(calendar).weekend == {4, 5}
        dates = [day["date"] for day in calendar["holidays"]]
        assert dates == sorted(set(dates))
        assert all(isinstance(day["verified"], bool) for day in calendar["holidays"])


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_service_is_offered_where_its_organisation_has_a_desk_that_receives(country):
    pack = pack_of(country)
    places = {place.key: place for place in pack.places}
    categories = {code.code for code in pack.codes if code.list == "service_category"}
    for service in pack.services:
        assert service.category in categories
        for governorate, _ in service.coverage:
            assert any(
                desk.organisation == service.organisation
                and desk.role == "receiving_desk"
                and desk.governorate in (None, governorate)
                and desk.jurisdiction in (None, places[governorate].jurisdiction)
                for desk in pack.desks
            ), (service.code, governorate)


@pytest.mark.parametrize("country", COUNTRIES)
def test_conditions_of_services_can_be_read(country):
    wrong = [
        service.code
        for service in pack_of(country).services
        if service.eligibility and check(service.eligibility, ELIGIBILITY)
    ]
    assert wrong == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_help_that_must_not_be_found_is_hidden_and_neutrally_named(country):
    pack = pack_of(country)
    strict = {
        code.code: code for code in pack.codes if code.list == "service_category" and code.extra["level"] == "strict"
    }
    for service in pack.services:
        if service.category in strict:
            assert service.visibility == "hidden", service.code
            assert strict[service.category].names["en"].lower() not in service.names["en"].lower()


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_place_has_the_desks_that_a_case_needs(country):
    pack = pack_of(country)
    for place in pack.places:
        if place.parent is None:
            here = {desk.role for desk in pack.desks if desk.governorate == place.key}
            assert {"case_handler", "supervisor", "reception", "followup_officer", "coordinator"} <= here


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_service_category_has_a_path(country):
    pack = pack_of(country)
    table = pack.contents(ItemKind.CALL_TABLE)["service_paths"]
    assert set(table["entries"]) == {code.code for code in pack.codes if code.list == "service_category"}
    assert table["default"] in pack.paths


@pytest.mark.parametrize("country", COUNTRIES)
def test_ladders_tell_roles_that_exist(country):
    pack = pack_of(country)
    for ladder in pack.contents(ItemKind.LADDER).values():
        shares = [rung["at"] for rung in ladder["rungs"]]
        assert shares == sorted(shares)
        assert {role for rung in ladder["rungs"] for role in rung["roles"]} <= set(pack.contents(ItemKind.ROLE))


@pytest.mark.parametrize("path", PATHS)
def test_what_a_path_names_exists(path):
    country = path.split("/")[0]
    pack = pack_of(country)
    forms = forms_of(pack)
    outcomes = {code.code for code in pack.codes if code.list == "run_outcome"}
    stages = pack.contents(ItemKind.LABELS)["en"]["stage"]
    spec = compile_path((WORKFLOWS / path).read_bytes(), resources=resources_of(pack))
    for step in spec.steps.values():
        if step.kind is StepKind.TASK:
            assert step.form in forms, step.id
            assert step.role in pack.contents(ItemKind.ROLE), step.id
            assert step.instructions.keys() == LANGUAGES, step.id
            assert step.due is not None, step.id
            assert step.due.ladder in pack.contents(ItemKind.LADDER), step.id
        assert step.outcome is None or step.outcome in outcomes, step.id
        assert step.stage is None or step.stage in stages, step.id
        assert step.table is None or step.table in pack.contents(ItemKind.TABLE), step.id
    assert spec.called <= set(pack.paths)


@pytest.mark.parametrize("path", PATHS)
def test_every_step_and_named_flow_has_its_text_in_three_languages(path):
    root = etree.parse(WORKFLOWS / path).getroot()
    for element in root.iter(*STEPS, f"{BPMN}lane", f"{BPMN}process", f"{BPMN}sequenceFlow"):
        texts = {
            text.get("lang"): text.text for text in element.iterfind(f"{BPMN}extensionElements/{NRM}text[@kind='name']")
        }
        named = element.tag == f"{BPMN}sequenceFlow" or (element.tag.endswith("Gateway") and not element.get("name"))
        if texts or not named:
            assert {language for language, text in texts.items() if text} == LANGUAGES, element.get("id")
            assert texts["en"] == element.get("name")
            assert not NOT_SORANI.search(texts["ckb"]), element.get("id")


def boxes_of(root):
    boxes = {}
    for shape in root.iter("{*}BPMNShape"):
        bounds = shape.find("{*}Bounds")
        boxes[shape.get("bpmnElement")] = tuple(float(bounds.get(key)) for key in ("x", "y", "width", "height"))
    return boxes


def meet(one, other):
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_step_is_drawn_and_no_two_lie_on_each_other(path):
    root = etree.parse(WORKFLOWS / path).getroot()
    boxes = boxes_of(root)
    steps = {element.get("id"): element for element in root.iter(*STEPS)}
    assert steps.keys() <= boxes.keys()
    edges = {edge.get("bpmnElement") for edge in root.iter("{*}BPMNEdge")}
    assert {flow.get("id") for flow in root.iter(f"{BPMN}sequenceFlow")} <= edges
    plain = [name for name, element in steps.items() if not element.tag.endswith(("subProcess", "boundaryEvent"))]
    assert [pair for pair in combinations(plain, 2) if meet(boxes[pair[0]], boxes[pair[1]])] == []


@pytest.mark.parametrize("path", PATHS)
def test_no_flow_is_drawn_through_a_step(path):
    root = etree.parse(WORKFLOWS / path).getroot()
    boxes = boxes_of(root)
    steps = {
        element.get("id"): boxes[element.get("id")]
        for element in root.iter(*STEPS)
        if not element.tag.endswith("subProcess")
    }
    flows = {flow.get("id"): flow for flow in root.iter(f"{BPMN}sequenceFlow")}
    for edge in root.iter("{*}BPMNEdge"):
        flow = flows[edge.get("bpmnElement")]
        points = [(float(point.get("x")), float(point.get("y"))) for point in edge.iterfind("{*}waypoint")]
        for (x1, y1), (x2, y2) in pairwise(points):
            line = (min(x1, x2), min(y1, y2), abs(x1 - x2), abs(y1 - y2))
            crossed = {name for name, box in steps.items() if meet(line, box)}
            assert crossed <= {flow.get("sourceRef"), flow.get("targetRef")}, flow.get("id")


@pytest.mark.parametrize("country", COUNTRIES)
def test_codes_are_given_once(country):
    codes = Counter((code.list, code.code) for code in pack_of(country).codes)
    assert [code for code, number in codes.items() if number > 1] == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_form_is_asked_by_a_path(country):
    pack = pack_of(country)
    resources = resources_of(pack)
    asked = {step.form for xml in pack.paths.values() for step in compile_path(xml, resources=resources).steps.values()}
    assert set(pack.forms) <= asked


def test_iraq_has_its_governorates_and_the_region_its_own_offices():
    pack = pack_of("iraq")
    governorates = {place.key: place for place in pack.places if place.parent is None}
    assert len(governorates) == 19
    assert (governorates["basra"].iso, governorates["baghdad"].iso) == ("IQ-BA", "IQ-BG")
    assert governorates["halabja"].iso is None
    assert not governorates["halabja"].verified
    region = {key for key, place in governorates.items() if place.jurisdiction == "kurdistan"}
    assert region == {"duhok", "erbil", "halabja", "sulaymaniyah"}
    training = [service for service in pack.services if service.category == "VT" and "MOLSA" in service.organisation]
    served = {service.organisation: {place for place, _ in service.coverage} for service in training}
    assert served == {"MOLSA": set(governorates) - region, "KRG-MOLSA": region}


def test_testland_has_the_awkward_services_that_tests_need():
    pack = pack_of("testland")
    services = {service.code: service for service in pack.services}
    assert services["training_one_seat"].slots == 1
    assert not services["rooms_paused"].accepting
    assert services["quiet_rooms"].visibility == "hidden"
    (agreement,) = [entry for entry in pack.agreements if entry.organisation == "old_pact"]
    assert agreement.expires_on is not None
    assert agreement.expires_on.year < 2026
    assert {entry.channel for entry in pack.organisations} == {"api", "email", "letter", "phone", "portal"}


@pytest.mark.parametrize("path", PATHS)
def test_a_list_is_named_in_our_words_so_that_other_editors_open_the_file_without_a_warning(path):
    """BPMN's own words refer to a data object, and modelling tools warn where a file has none."""
    text = (WORKFLOWS / path).read_text("utf-8")
    assert "loopDataInputRef" not in text
    assert "inputDataItem" not in text


def test_the_committee_cannot_grant_more_than_the_programme_gives():
    """The published amounts of the European programme: by kind of return, less for a minor (Frontex)."""
    form = parse_form(json.loads((WORKFLOWS / "iraq/forms/grant_decision.json").read_bytes()))
    table = read_table("entitlement", (WORKFLOWS / "iraq/tables/entitlement.dmn").read_text("utf-8"))

    def decide(amount: int, return_type: str, programme: str = "eurp") -> set[str]:
        values = {"programme": programme, "return_type": return_type, "minor": False}
        limit = table.decide(values, today=date(2026, 5, 1), element="limit")
        answers = {
            "grant_decision": "approve",
            "granted_amount": "1000000",
            "granted_euro": amount,
            "decision_reasons": "Good plan",
            "members_present": 3,
            "conflict_declared": False,
        }
        try:
            checked = validate_answers(form, answers, today=date(2026, 5, 1), values_from_earlier=limit, partial=True)
        except NotValid as refused:
            return {problem.pointer for problem in refused.problems}
        return {problem.pointer for problem in checked.problems}

    assert "/granted_euro" not in decide(2615, "avrr")
    assert "/granted_euro" in decide(2616, "avrr")
    assert "/granted_euro" in decide(1206, "forced")
    assert "/granted_euro" not in decide(10, "avrr", programme="none")
