"""A draft is taken as a file, carried elsewhere and brought in again; and what a hostile designer tries."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from nrm.rules.bundles import Bundle, read_bundle, write_bundle
from tests.api.conftest import Browser, Office
from tests.api.test_path_drafts import begun
from tests.drafting import designer as designer_of

ZIP = "application/zip"


@pytest.fixture
def designer(office: Office) -> Browser:
    return office.browser(designer_of(office.land))


def bring(browser: Browser, content: bytes) -> Any:
    return browser.post("/path-drafts/bundle", data=content, headers={"Content-Type": ZIP})


def taken(browser: Browser) -> Bundle:
    draft = begun(browser, path="hello")
    answer = browser.get(f"/path-drafts/{draft['id']}/bundle")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hello-draft.zip"'
    return read_bundle(answer.data)


def changed(bundle: Bundle, **parts: Any) -> bytes:
    said = {name: getattr(bundle, name) for name in ("path", "names", "diagram", "forms", "scenarios")}
    return write_bundle(Bundle(**{**said, **parts}))


def test_a_bundle_brings_diagram_forms_and_scenarios_to_a_new_path(designer: Browser):
    bundle = taken(designer)
    assert set(bundle.forms) == {"hello_ask", "hello_serve"}
    assert set(bundle.scenarios) == {"tea", "no_tea"}
    other = changed(bundle, path="hello_again", diagram=bundle.diagram.replace(b'"hello"', b'"hello_again"'))
    answer = bring(designer, other)
    assert answer.status_code == 201, answer.text
    seen = designer.get(f"/path-drafts/{answer.get_json()['id']}").get_json()
    assert seen["draft"]["path"] == "hello_again"
    assert seen["draft"]["base_version_id"] is None
    assert set(seen["forms"]) == {"hello_ask", "hello_serve"}
    found = designer.post(f"/path-drafts/{answer.get_json()['id']}/findings", {}).get_json()
    assert [each for each in found if each["severity"] == "error"] == []


def test_a_bundle_of_a_path_that_is_there_becomes_a_draft_of_it(designer: Browser):
    answer = bring(designer, changed(taken(designer)))
    seen = designer.get(f"/path-drafts/{answer.get_json()['id']}").get_json()
    assert seen["draft"]["base_number"] == 1


def test_a_version_is_taken_by_whoever_reads_paths(office: Office, designer: Browser):
    reader = office.browser(office.land.at_desk("supervisor", "norvale"))
    hello = next(row for row in reader.get("/paths").get_json() if row["key"] == "hello")
    answer = reader.get(f"/path-versions/{hello['latest_id']}/bundle")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hello-v1.zip"'
    assert bring(reader, answer.data).status_code == 403


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"path": "Bad Key"}, "not_a_code"),
        ({"path": "fine", "names": {"en": "Only"}}, "required"),
        ({"forms": {"ask": {"form": "other"}}}, None),
        ({"scenarios": {"x": {"steps": "none"}}}, "not_a_scenario"),
        ({"diagram": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, "doctype"),
        ({"diagram": b"no xml"}, "not_xml"),
    ],
)
def test_a_wrong_part_stops_the_whole_bundle(designer: Browser, parts: dict[str, Any], code: str | None):
    before = designer.get("/path-drafts").get_json()
    bundle = taken(designer)
    answer = bring(designer, changed(bundle, **parts))
    assert answer.status_code == 422, answer.text
    if code is not None:
        assert code in {each["code"] for each in answer.get_json()["errors"]}
    assert len(designer.get("/path-drafts").get_json()) == len(before) + 1, "only the one that was taken"


HELLO_NAME = '<nrm:text kind="name" lang="en">'
EVIL_TEXTS = (
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&lt;/text&gt;&lt;image href=x onerror=alert(1)&gt;",
    "]]&gt;&lt;svg onload=alert(1)&gt;",
    "{{ 7 * 7 }}{% for x in () %}",
    "${7*7} #{7*7} %(x)s {0.__class__}",
)


@pytest.mark.parametrize("text", EVIL_TEXTS)
def test_markup_in_a_name_stays_text_in_drawings_differences_and_findings(designer: Browser, text: str):
    draft = begun(designer, path="hello")["id"]
    seen = designer.get(f"/path-drafts/{draft}").get_json()
    base = seen["draft"]["base_version_id"]
    place = seen["diagram"].index(HELLO_NAME, seen["diagram"].index('<bpmn:userTask id="ask"')) + len(HELLO_NAME)
    diagram = seen["diagram"][:place] + text + seen["diagram"][place:]
    saved = designer.put(f"/path-drafts/{draft}/diagram", {"diagram": diagram, "version": 1})
    assert saved.status_code == 200, saved.text
    page = designer.client.get(f"/studio/drafts/{draft}/review", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    for mark in ("<script>alert", "<image", "<svg onload", "onerror=alert(1)>"):
        assert mark not in page.get_data(as_text=True)
    told = designer.get(f"/path-versions/{base}/difference/{draft}").get_json()
    assert told["changed"]


@pytest.mark.parametrize(
    "evil",
    [
        '<bpmn:scriptTask id="evil" scriptFormat="python"><bpmn:script>import os</bpmn:script></bpmn:scriptTask>',
        '<bpmn:serviceTask id="evil"><bpmn:extensionElements><nrm:check name="__import__"/></bpmn:extensionElements>'
        "</bpmn:serviceTask>",
        '<bpmn:dataObjectReference id="evil" dataObjectRef="evil"/>',
    ],
)
def test_a_diagram_that_would_run_code_is_kept_as_a_draft_and_never_published(designer: Browser, evil: str):
    draft = begun(designer, path="hello")["id"]
    diagram = designer.get(f"/path-drafts/{draft}").get_json()["diagram"]
    diagram = diagram.replace("<bpmn:startEvent", evil + "<bpmn:startEvent", 1)
    saved = designer.put(f"/path-drafts/{draft}/diagram", {"diagram": diagram, "version": 1})
    assert saved.status_code == 200, saved.text
    asked = designer.post(f"/path-drafts/{draft}/submit", {"version": 2})
    assert asked.status_code == 422, asked.text
    assert designer.post(f"/path-drafts/{draft}/trials", {}).status_code == 422


def test_an_expression_that_reaches_for_python_is_an_error(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    diagram = designer.get(f"/path-drafts/{draft}").get_json()["diagram"]
    start = diagram.index(">", diagram.index("<bpmn:conditionExpression")) + 1
    stop = diagram.index("</bpmn:conditionExpression>", start)
    evil = diagram[:start] + "().__class__.__base__.__subclasses__()" + diagram[stop:]
    saved = designer.put(f"/path-drafts/{draft}/diagram", {"diagram": evil, "version": 1})
    assert {each["severity"] for each in saved.get_json()["findings"]} >= {"error"}
    assert designer.post(f"/path-drafts/{draft}/submit", {"version": 2}).status_code == 422


@pytest.mark.parametrize(
    "diagram",
    [
        "<a>" * 60_000,
        "<a " + " ".join(f'a{n}="1"' for n in range(60_000)) + "/>",
        '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></a>',
        "<a>" + "x" * 1_900_000 + "</a>",
    ],
    ids=["deep", "wide", "laughs", "outside", "include", "long"],
)
def test_a_file_made_to_hang_or_fill_is_refused_soon(designer: Browser, diagram: str):
    draft = begun(designer, path="hello")["id"]
    before = time.monotonic()
    answer = designer.put(f"/path-drafts/{draft}/diagram", {"diagram": diagram, "version": 1})
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["errors"][0]["detail"]
    assert time.monotonic() - before < 20
    assert "root:" not in answer.text
    assert designer.get(f"/path-drafts/{draft}").get_json()["draft"]["version"] == 1


def test_a_diagram_beyond_the_limit_is_refused_by_its_length(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    answer = designer.put(f"/path-drafts/{draft}/diagram", {"diagram": "x" * 2_000_001, "version": 1})
    assert (answer.status_code, answer.get_json()["errors"][0]["code"]) == (422, "too_long")
    huge = orjson.dumps({"diagram": "x" * 6_100_000, "version": 1})
    answer = designer.ask(
        "PUT", f"/path-drafts/{draft}/diagram", data=huge, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


def test_a_trial_that_never_comes_to_rest_is_stopped(designer: Browser):
    draft = begun(designer, path="wait_for_answer")["id"]
    begin = time.monotonic()
    answer = designer.post(
        f"/path-drafts/{draft}/trials", {"moves": [{"advance": "P1D"}] * 500, "settings": {"answer_wait": "PT0S"}}
    )
    assert answer.status_code in (200, 422), answer.text
    assert time.monotonic() - begin < 20
