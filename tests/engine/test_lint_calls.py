"""Defects between paths, and values of the wrong kind: each stops a case where it stands, so each is found before."""

from __future__ import annotations

import dataclasses

import pytest

from nrm.engine.finding_files import known_from_json, known_to_json
from nrm.engine.lint import KnownCall, KnownPath, lint_path
from nrm.engine.parsing import compile_path
from nrm.engine.path_ends import path_callers, path_ends
from nrm.engine.steps import Resources
from tests.engine import diagrams as d
from tests.engine import samples as s

KNOWN = dataclasses.replace(
    s.KNOWN,
    ends={
        "other_path": KnownPath(
            outcomes=frozenset({"provided"}), errors=frozenset({"broken"}), values=frozenset({"met"})
        ),
        "third_path": KnownPath(outcomes=frozenset({"unmet"})),
    },
    callers={"small_path": (KnownCall(caller="other_path", errors=None),)},
    versions={"other_path": frozenset({1, 2})},
)
SHOWN = {
    "outcome_never_given", "take_never_given", "error_not_caught", "unknown_version", "multi_not_a_list",
    "timer_not_a_date", "boundary_twice", "wait_without_limit",
    "outcomes_are_a_list", "error_heard_by_nobody", "caller_asks_outcome", "caller_takes_value", "caller_catches_not",
}  # fmt: skip
"""What is looked for below: a defect shows each of them."""


def of(inner: str, *codes: str) -> list[tuple[str, str, str]]:
    """Give the findings with one of these codes: code, element, severity."""
    assert SHOWN.issuperset(codes)
    found = lint_path(s.whole(inner), resources=s.RESOURCES, known=KNOWN)
    return [(each.code, each.element, str(each.severity)) for each in found if each.code in codes]


def asked(condition: str, *, call: str = "other_path", extra: str = '<nrm:call result="how"/>', inner: str = "") -> str:
    return (
        s.start("go") + s.flow("go", "serve") + s.call("serve", call, extra=extra, inner=inner) + s.flow("serve", "which")
        + s.gateway("which", default="which.no") + s.flow("which", "yes", condition) + s.flow("which", "no")
        + s.end("yes") + s.end("no", "unmet")
    )  # fmt: skip


CAUGHT = s.boundary("failed", "serve", '<bpmn:errorEventDefinition errorRef="e.broken"/>') + s.flow("failed", "no")


@pytest.mark.parametrize("condition", ["how == 'provded'", "'provded' != how", "how in ['provided', 'provded']"])
def test_an_outcome_that_the_called_path_never_has_is_found(condition: str):
    assert of(asked(condition), "outcome_never_given") == [("outcome_never_given", "which.yes", "error")]
    assert of(asked(condition.replace("provded", "provided")), "outcome_never_given") == []


def test_an_outcome_is_not_judged_when_something_else_gives_the_value_or_the_version_is_bound():
    also = asked("met == 'provded'", extra='<nrm:call result="met"/>').replace(
        s.start("go") + s.flow("go", "serve"), s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "serve")
    )  # fmt: skip
    assert of(also, "outcome_never_given") == []
    assert of(asked("how == 'provded'", extra='<nrm:call result="how" version="1"/>'), "outcome_never_given") == []


@pytest.mark.parametrize("condition, wrong", [("how == 'provided'", True), ("'provided' in how", False)])
def test_the_outcomes_of_all_rounds_are_not_compared_with_one(condition: str, wrong: bool):
    extra = '<nrm:call result="how"/><nrm:multi list="service_ids" item="one"/>'
    inner = asked(condition, extra=extra, inner="<bpmn:multiInstanceLoopCharacteristics/>")
    assert of(inner, "outcomes_are_a_list") == ([("outcomes_are_a_list", "which.yes", "error")] if wrong else [])
    assert of(asked(condition), "outcomes_are_a_list") == []


def test_an_error_of_a_path_that_nobody_calls_is_told():
    fails = s.start("go") + s.flow("go", "no") + s.end("no", "", '<bpmn:errorEventDefinition errorRef="e.broken"/>')

    def told(paths: dict[str, frozenset[str]], more: str = "") -> list[str]:
        known = dataclasses.replace(KNOWN, paths=paths)
        found = lint_path(s.whole(fails + more), resources=s.RESOURCES, known=known)
        return [each.element for each in found if each.code == "error_heard_by_nobody"]

    assert told({"small_path": frozenset(), "other_path": frozenset()}) == ["no"]
    assert told({"small_path": frozenset(), "other_path": frozenset({"small_path"})}) == []


def test_every_path_of_a_call_table_may_give_the_outcome():
    table = '<nrm:call table="service_paths" key="service_ids" result="how"/>'
    assert of(asked("how == 'unmet'", call="", extra=table), "outcome_never_given") == [
        ("outcome_never_given", "which.yes", "error")
    ]
    assert of(asked("how == 'provided'", call="", extra=table), "outcome_never_given") == []


def test_a_value_that_the_called_path_never_gives_is_found():
    takes = '<nrm:call result="how"/><nrm:take name="met" from="{}"/>'
    assert of(asked("met", extra=takes.format("mett")), "take_never_given") == [("take_never_given", "serve", "error")]
    assert of(asked("met", extra=takes.format("met")), "take_never_given") == []


def test_an_error_of_the_called_path_that_nobody_catches_is_told():
    inner = asked("how == 'provided'")
    assert of(inner, "error_not_caught") == [("error_not_caught", "serve", "warning")]
    assert of(inner + CAUGHT, "error_not_caught") == []
    other = CAUGHT.replace('errorRef="e.broken"', "")
    assert of(inner + other, "error_not_caught") == []
    further_out = s.start("b") + s.sub("held", inner) + s.flow("b", "held") + s.flow("held", "after") + s.end("after")
    caught = CAUGHT.replace('attachedToRef="serve"', 'attachedToRef="held"').replace(
        'targetRef="no"', 'targetRef="after"'
    )
    assert of(further_out + caught, "error_not_caught") == []


def test_a_call_of_a_version_that_is_not_there_is_found():
    bound = asked("how == 'provided'", extra='<nrm:call version="{}" result="how"/>')
    assert of(bound.format(3), "unknown_version") == [("unknown_version", "serve", "error")]
    assert of(bound.format(2), "unknown_version") == []
    assert of(bound.format(3).replace("other_path", "third_path"), "unknown_version") == []


@pytest.mark.parametrize("value, wrong", [("visits", True), ("day", True), ("met", True), ("service_ids", False)])
def test_a_step_is_not_repeated_over_what_is_no_list(value: str, wrong: bool):
    over = f'<nrm:multi list="{value}" item="one"/>'
    inner = (
        s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "each")
        + s.user("each", extra=over, inner="<bpmn:multiInstanceLoopCharacteristics/>") + s.flow("each", "done") + s.end("done")
    )  # fmt: skip
    assert of(inner, "multi_not_a_list") == ([("multi_not_a_list", "each", "error")] if wrong else [])


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("day", False), ("add_days(day, 3)", False), ("if_(met, day, today())", False), ("new_need", False),
        ("visits", True), ("day + 3", True), ("3", True), ("days_between(day, today())", True), ("met", True),
    ],
)  # fmt: skip
def test_a_timer_waits_for_what_can_be_a_date(text: str, wrong: bool):
    timer = f"<bpmn:timerEventDefinition><bpmn:timeDate>{text}</bpmn:timeDate></bpmn:timerEventDefinition>"
    inner = (
        s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "record") + s.check("record")
        + s.flow("record", "later") + s.catch("later", timer) + s.flow("later", "done") + s.end("done")
    )  # fmt: skip
    assert of(inner, "timer_not_a_date") == ([("timer_not_a_date", "later", "error")] if wrong else [])


def test_two_events_of_one_step_do_not_wait_for_the_same():
    def with_events(*definitions: str) -> str:
        events = "".join(
            s.boundary(f"b{number}", "visit", definition) + s.flow(f"b{number}", "done")
            for number, definition in enumerate(definitions)
        )
        return (
            s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "done") + s.end("done") + events
        )

    def error(code: str) -> str:
        return f'<bpmn:errorEventDefinition errorRef="{code}"/>' if code else "<bpmn:errorEventDefinition/>"

    accepted, declined = s.message("m.accepted"), s.message("m.declined")
    twice = [("boundary_twice", "b1", "error")]
    assert of(with_events(accepted, accepted), "boundary_twice") == twice
    assert of(with_events(error(""), error("")), "boundary_twice") == twice
    assert of(with_events(accepted, declined, s.timer("P1D"), s.timer("P2D")), "boundary_twice") == []
    assert of(with_events(error("e.broken"), error("")), "boundary_twice") == []


LETTER = s.start("go") + s.flow("go", "letter") + s.catch("letter", s.message("m.letter")) + s.flow("letter", "done")
LETTER += s.end("done")
BOTH = (
    s.start("go") + s.flow("go", "wait") + s.gateway("wait", "event") + s.flow("wait", "letter") + s.flow("wait", "other")
    + s.catch("letter", s.message("m.letter")) + s.flow("letter", "done") + s.end("done") + s.flow("other", "done")
)  # fmt: skip


@pytest.mark.parametrize(
    "inner, where",
    [
        (LETTER, "letter"),
        (LETTER.replace("m.letter", "m.accepted"), None),
        (BOTH + s.catch("other", '<bpmn:signalEventDefinition signalRef="s.all"/>'), "wait"),
        (BOTH + s.catch("other", s.message("m.accepted")), None),
        (BOTH + s.catch("other", s.timer("P9D")), None),
        (s.start("b") + s.sub("held", LETTER) + s.flow("b", "held") + s.flow("held", "after") + s.end("after")
         + s.boundary("nudge", "held", s.timer("P3D"), "false") + s.flow("nudge", "after"), None),
    ],
)  # fmt: skip
def test_a_wait_that_nothing_limits_is_told(inner: str, where: str | None):
    assert of(inner, "wait_without_limit") == ([("wait_without_limit", where, "warning")] if where else [])


FAILS = d.end("broken", event=d.ref("error", "e"))
ERROR = '<bpmn:error id="e" errorCode="broken"/>'


def test_what_comes_out_of_a_path_is_known_to_those_that_call_it():
    child = d.start() + d.box("manualTask", "work") + FAILS + d.chain("start", "work", "broken")
    parent = d.start() + d.call("serve", "child") + d.end("done", "served") + d.chain("start", "serve", "done")
    catches = d.boundary("oops", "serve", d.ref("error", "e")) + d.flow("oops", "done")
    specs = {
        key: compile_path(d.diagram(body, root=ERROR, key=key), resources=Resources())
        for key, body in (("child", child), ("parent", parent), ("careful", parent + catches))
    }
    ends = path_ends(specs, Resources())
    assert ends["child"] == KnownPath(outcomes=frozenset({"broken"}), errors=frozenset({"broken"}))
    assert (ends["parent"].errors, ends["careful"].errors) == (frozenset({"broken"}), frozenset())
    assert ends["parent"].outcomes == frozenset({"served"})
    assert known_from_json(known_to_json(KNOWN)) == KNOWN


ASKING = (
    d.start() + d.call("serve", "child", extra='<nrm:call result="how"/><nrm:take name="met" from="met"/>')
    + d.box("exclusiveGateway", "which", default="no") + d.flow("which", "good", "how == 'served' and met")
    + d.flow("which", "bad", id="no") + d.end("good", "served") + d.end("bad", "unmet") + d.chain("start", "serve", "which")
)  # fmt: skip
SERVED = d.start() + d.box("manualTask", "work") + d.chain("start", "work", "which")
SERVED += d.box("exclusiveGateway", "which", default="rest") + d.flow("which", "done", "met") + d.end("done", "served")
SERVED += d.flow("which", "other", id="rest") + d.end("other", "unmet")


def test_a_change_that_takes_from_callers_what_they_ask_for_is_told_to_who_makes_it():
    def lint(body: str) -> set[tuple[str, str, str]]:
        found = lint_path(d.diagram(body, root=ERROR, key="child"), resources=Resources(), known=known)
        return {(each.code, each.element, str(each.severity)) for each in found if each.code.startswith("caller_")}

    specs = {
        "child": compile_path(d.diagram(SERVED, key="child"), resources=Resources()),
        "asking": compile_path(d.diagram(ASKING, key="asking"), resources=Resources()),
    }
    callers = path_callers(specs)
    assert callers == {
        "child": (KnownCall(caller="asking", outcomes=frozenset({"served"}), values=frozenset({"met"})),)
    }
    known = dataclasses.replace(s.KNOWN, ends=path_ends(specs, Resources()), callers=callers)
    assert lint(SERVED) == set()
    assert lint(SERVED.replace('code="served"', 'code="provided"')) == {("caller_asks_outcome", "child", "warning")}
    assert lint(SERVED.replace(">met<", ">seen<")) == {("caller_takes_value", "child", "warning")}
    broken = SERVED.replace(d.end("other", "unmet"), d.end("other", event=d.ref("error", "e")))
    assert lint(broken) == {("caller_catches_not", "child", "warning")}
    calls = dataclasses.replace(callers["child"][0], errors=None)
    known = dataclasses.replace(known, callers={"child": (calls,)})
    assert lint(broken) == set()
