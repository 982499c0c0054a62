"""A sound path with one of everything, from which each defect differs by one change."""

from __future__ import annotations

import dataclasses

from nrm.engine.lint import KnownTable
from nrm.engine.steps import Resources
from tests.engine import samples as s

NMULTI = '<nrm:multi list="service_ids" item="service_id"/>'
MARKER = '<bpmn:multiInstanceLoopCharacteristics isSequential="false"/>'

INNER = (
    s.start("go")
    + s.flow("go", "meet")
    # a person asks again until it is met
    + s.gateway("meet") + s.flow("meet", "visit") + s.user("visit") + s.flow("visit", "record")
    + s.check("record", params='<nrm:param name="from" value="\'visit\'"/>') + s.flow("record", "again")
    + s.gateway("again", default="again.split") + s.flow("again", "meet", "not met") + s.flow("again", "split")
    # two branches in parallel: one that waits for an answer, one that has a time limit
    + s.gateway("split", "parallel") + s.flow("split", "wait") + s.flow("split", "work")
    + s.gateway("wait", "event") + s.flow("wait", "accepted") + s.flow("wait", "late")
    + s.catch("accepted", s.message("m.accepted")) + s.catch("late", s.timer("setting:answer_time"))
    + s.flow("accepted", "heard") + s.flow("late", "heard") + s.gateway("heard") + s.flow("heard", "join")
    + s.sub("work", s.start("inside") + s.flow("inside", "prepare") + s.user("prepare") + s.flow("prepare", "worked") + s.end("worked", ""))
    + s.boundary("cut", "work", s.timer("P9D")) + s.flow("cut", "worked_out") + s.flow("work", "worked_out")
    + s.gateway("worked_out") + s.flow("worked_out", "join")
    + s.gateway("join", "parallel") + s.flow("join", "rank")
    # a table, calls over a list, an inclusive choice
    + f'<bpmn:businessRuleTask id="rank" name="rank">{s.ext("<nrm:table key=" + chr(34) + "priority" + chr(34) + "/>", s.names("rank"))}</bpmn:businessRuleTask>\n'
    + s.flow("rank", "serve") + s.call("serve", extra=NMULTI, inner=MARKER) + s.flow("serve", "some")
    + s.gateway("some", "inclusive", default="some.three") + s.flow("some", "one", "visits > 1") + s.flow("some", "two", "new_need")
    + s.flow("some", "three") + s.user("one") + s.user("two") + s.user("three")
    + s.flow("one", "all") + s.flow("two", "all") + s.flow("three", "all") + s.gateway("all", "inclusive")
    + s.flow("all", "which") + s.gateway("which", default="which.unserved")
    + s.flow("which", "served", "priority == 'high'") + s.flow("which", "unserved")
    + s.end("served") + s.end("unserved", "unmet")
)  # fmt: skip

BASE = s.whole(INNER).decode()
PRIORITY = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:t">
<decision id="priority" name="priority"><decisionTable id="t" hitPolicy="FIRST">
<input id="i"><inputExpression id="ie"><text>visits</text></inputExpression></input><output id="o" name="priority"/>
<rule id="r1"><inputEntry id="a"><text>&gt; 3</text></inputEntry><outputEntry id="b"><text>'high'</text></outputEntry></rule>
<rule id="r2"><inputEntry id="c"><text>-</text></inputEntry><outputEntry id="e"><text>'low'</text></outputEntry></rule>
</decisionTable></decision></definitions>"""
RESOURCES = Resources(
    settings={"answer_time": "P5D", "most_visits": "3"},
    tables={"priority": PRIORITY},
    call_tables={"service_paths": {"housing": "other_path"}},
)
KNOWN = dataclasses.replace(
    s.KNOWN,
    forms={**s.KNOWN.forms, "visit": {**s.KNOWN.forms["visit"], "road": "select_one"}},
    choices={"visit": {"road": frozenset({"land", "air"}), "service_ids": frozenset({"housing", "health"})}},
    tables={"priority": KnownTable(inputs=frozenset({"visits"}), outputs=frozenset({"priority"}))},
)
