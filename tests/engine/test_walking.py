"""A diagram read aloud: its steps in the order in which people meet them."""

from __future__ import annotations

import pytest

from nrm.engine.confined_drawings import walk_confined
from nrm.engine.walking import walk_diagram
from nrm.errors import BadPath
from tests.installations import ROOT, TESTLAND

PATHS = sorted((ROOT / "workflows").glob("*/paths/*.bpmn"))


def test_steps_are_read_in_the_order_of_the_flows_with_where_they_lead():
    steps = walk_diagram((TESTLAND / "paths" / "hello.bpmn").read_bytes())
    assert steps[0].kind == "startEvent"
    assert steps[-1].kind == "endEvent"
    places = {step.id: place for place, step in enumerate(steps)}
    assert all(target in places for step in steps for _, target in step.leads)
    asked = next(step for step in steps if step.kind == "userTask")
    assert asked.names.keys() == {"ar", "ckb", "en"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_step_of_a_path_is_read_once(path):
    steps = walk_diagram(path.read_bytes())
    ids = [step.id for step in steps]
    assert len(ids) == len(set(ids)) > 2
    parts = {step.id for step in steps if step.kind == "subProcess"}
    for place, step in enumerate(steps):
        assert step.inside == "" or step.inside in parts
        assert step.inside == "" or ids.index(step.inside) < place
        assert step.kind != "boundaryEvent" or step.beside in ids


def test_a_child_that_can_be_killed_reads_the_same():
    xml = (TESTLAND / "paths" / "hello.bpmn").read_bytes()
    assert walk_confined(xml) == walk_diagram(xml)


def test_what_is_no_diagram_is_refused():
    for bad in (b"", b"<x/>", b"<!DOCTYPE x [<!ENTITY y 'z'>]><x/>"):
        with pytest.raises(BadPath):
            walk_confined(bad)


def test_a_ring_of_flows_is_read_once():
    xml = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d"><process id="p">
      <startEvent id="s"/><userTask id="a" name="A"/><userTask id="b"/><endEvent id="alone"/>
      <sequenceFlow id="f1" sourceRef="s" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="b"/>
      <sequenceFlow id="f3" sourceRef="b" targetRef="a" name="again"/><sequenceFlow id="f4" sourceRef="b" targetRef="gone"/>
    </process></definitions>"""
    steps = walk_diagram(xml)
    assert [(step.id, [target for _, target in step.leads]) for step in steps] == [
        ("s", ["a"]),
        ("a", ["b"]),
        ("b", ["a"]),
        ("alone", []),
    ]
    assert steps[2].leads[0][0] == {"en": "again"}
