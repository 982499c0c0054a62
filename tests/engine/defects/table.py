"""The seeded defects: each one change to a sound path, what must be found for it, and where."""

from __future__ import annotations

from typing import NamedTuple

from nrm.engine.findings import Severity
from tests.engine import samples as s
from tests.engine.defects.base import BASE, MARKER

ERROR, WARNING = Severity.ERROR, Severity.WARNING


class Seeded(NamedTuple):
    """A change, and its finding.

    Attributes:
        code: of the finding.
        element: where it must be.
        changes: texts of the base and what takes their place.
        severity: of the finding.
        also: codes of what else this change brings about, and is said too.
    """

    code: str
    element: str
    changes: tuple[tuple[str, str], ...]
    severity: Severity = ERROR
    also: tuple[str, ...] = ()

    @property
    def xml(self) -> bytes:
        text = BASE
        for old, new in self.changes:
            assert old in text, old
            text = text.replace(old, new)
        return text.encode()


def one(
    code: str, element: str, old: str, new: str = "", severity: Severity = ERROR, *, also: tuple[str, ...] = ()
) -> Seeded:
    return Seeded(code, element, ((old, new),), severity, also)


EXTRA = s.user("extra")
TABLE: tuple[Seeded, ...] = (
    # cannot run
    one("plain_task", "prepare", s.user("prepare"), '<bpmn:task id="prepare" name="prepare"/>', also=("text_missing",)),
    one("script_task", "prepare", s.user("prepare"), '<bpmn:scriptTask id="prepare"><bpmn:script>1</bpmn:script></bpmn:scriptTask>'),
    one("complex_gateway", "all", '<bpmn:inclusiveGateway id="all"/>', '<bpmn:complexGateway id="all"/>'),
    one("loop_marker", "prepare", "</bpmn:userTask>\n" + s.flow("prepare", "worked"), "<bpmn:standardLoopCharacteristics/></bpmn:userTask>\n" + s.flow("prepare", "worked")),
    one("timer_cycle", "late", "<bpmn:timeDuration>setting:answer_time</bpmn:timeDuration>", "<bpmn:timeCycle>R3/P1D</bpmn:timeCycle>"),
    one("implicit_split", "visit", s.flow("visit", "record"), s.flow("visit", "record") + s.flow("visit", "served")),
    one("not_executable", "small_path", 'isExecutable="true"', 'isExecutable="false"'),
    # dead ends and what nothing leads to
    one("dead_end", "three", s.flow("three", "all")),
    one("unreachable", "extra", s.end("served"), s.end("served") + EXTRA + s.flow("extra", "served")),
    one("no_end", "work", s.flow("prepare", "worked") + s.end("worked", ""), also=("no_way_to_end", "dead_end")),
    one("no_way_to_end", "extra", s.flow("three", "all"), s.flow("three", "extra") + EXTRA + s.flow("extra", "extra"), also=("no_way_to_end",)),
    one("no_start", "work", s.start("inside") + s.flow("inside", "prepare")),
    one("several_starts", "inside2", s.start("inside"), s.start("inside") + s.start("inside2") + s.flow("inside2", "prepare")),
    one("flow_to_nothing", "one.all", s.flow("one", "all"), s.flow("one", "nowhere", name="one.all"), also=("dead_end",)),
    one("flow_crosses_subprocess", "prepare.worked", s.flow("prepare", "worked"), s.flow("prepare", "join", name="prepare.worked"), also=("dead_end", "unreachable", "no_way_to_end")),
    one("flow_out_of_end", "served", s.end("served"), s.end("served") + s.flow("served", "unserved")),
    # choices
    one("gateway_without_default", "again", ' default="again.split"', also=("flow_without_condition",)),
    one("default_is_no_flow", "which", ' default="which.unserved"', ' default="visit.record"', also=("flow_without_condition",)),
    one("flow_without_condition", "which.served", s.flow("which", "served", "priority == 'high'"), s.flow("which", "served")),
    one("condition_after_step", "one.all", s.flow("one", "all"), s.flow("one", "all", "met")),
    one("condition_after_gateway", "split.wait", s.flow("split", "wait"), s.flow("split", "wait", "met")),
    one("bad_condition", "which.served", "priority == 'high'", "priority == 'high"),
    one("value_never_given", "which.served", "priority == 'high'", "prioritty == 'high'"),
    one("value_never_given", "again.meet", "not met", "not happy"),
    one("free_text_decision", "visit", "visits &gt; 1", "notes == 'many'", also=("free_text_decision",)),
    one("doubtful_condition", "which.served", "priority == 'high'", "1 == 2", WARNING),
    one("soundness_dead_step", "served", "priority == 'high'", "priority == 'high' and priority == 'low'"),
    one("soundness_dead_step", "one", "visits &gt; 1", "visits &gt; 3 and visits &lt; 2"),
    # states
    one("soundness_deadlock", "join", '<bpmn:parallelGateway id="split"/>', '<bpmn:exclusiveGateway id="split" default="split.work"/>', also=("flow_without_condition",)),
    one("soundness_deadlock", "all", '<bpmn:inclusiveGateway id="all"/>', '<bpmn:parallelGateway id="all"/>'),
    one("soundness_deadlock", "heard", '<bpmn:exclusiveGateway id="heard"/>', '<bpmn:parallelGateway id="heard"/>'),
    one("soundness_deadlock", "worked_out", '<bpmn:exclusiveGateway id="worked_out"/>', '<bpmn:parallelGateway id="worked_out"/>'),
    one("soundness_deadlock", "join", s.flow("late", "heard"), s.flow("late", "unserved"), also=("gateway_without_purpose",)),
    one("soundness_lack_of_synchronisation", "join", '<bpmn:parallelGateway id="join"/>', '<bpmn:exclusiveGateway id="join"/>'),
    one("soundness_lack_of_synchronisation", "all", '<bpmn:inclusiveGateway id="all"/>', '<bpmn:exclusiveGateway id="all"/>'),
    one("soundness_lack_of_synchronisation", "worked_out", s.boundary("cut", "work", s.timer("P9D")), s.boundary("cut", "work", s.timer("P9D"), "false")),
    one("soundness_never_ends", "visit", "not met", "met or not met"),
    one("soundness_never_ends", "x", s.flow("one", "all"), s.flow("one", "m") + s.gateway("m") + s.flow("m", "pause") + s.catch("pause", s.timer()) + s.flow("pause", "x") + s.gateway("x", default="x.all") + s.flow("x", "m", "met") + s.flow("x", "all"), WARNING),
    one("loop_without_wait", "meet", s.flow("meet", "visit") + s.user("visit") + s.flow("visit", "record"), s.flow("meet", "record"), also=("value_never_given", "value_may_be_missing")),
    one("parallel_in_loop", "all", s.flow("which", "unserved") + s.end("served"), s.flow("which", "meet", name="which.unserved") + s.end("served"), WARNING, also=("unreachable",)),
    # what conditions compare answers with
    one("choice_not_offered", "some.one", "visits &gt; 1", "road == 'sea'"),
    one("choice_not_offered", "some.one", "visits &gt; 1", "road != 'sea'"),
    one("choice_not_offered", "some.one", "visits &gt; 1", "visits &gt; 1 or 'sea' == road"),
    one("choice_not_offered", "some.one", "visits &gt; 1", "road in ['land', 'sea']"),
    one("choice_not_offered", "some.one", "visits &gt; 1", "selected(service_ids, 'food')"),
    one("choice_not_offered", "some.one", "visits &gt; 1", "'food' in service_ids"),
    one("choice_not_offered", "record", 'value="\'visit\'"', 'value="road == \'sea\'"'),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "visits == '1'"),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "visits &gt; 'one'", also=("doubtful_condition",)),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "visits in ['1', '2']"),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "met == 'yes'"),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "met == 1"),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "day == '2026-01-01'"),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "road == 3"),
    one("compared_with_other_kind", "some.one", "visits &gt; 1", "service_ids == 'housing'"),
    # events and times
    one("event_gateway_with_one_way", "wait", s.flow("wait", "late"), also=("unreachable",)),
    one("event_gateway_without_event", "three", s.flow("wait", "late"), s.flow("wait", "three"), also=("unreachable", "soundness_deadlock", "value_may_be_missing")),
    one("several_timers", "wait", s.flow("wait", "late"), s.flow("wait", "late") + s.flow("wait", "later") + s.catch("later", s.timer()) + s.flow("later", "heard")),
    one("timer_without_time", "late", s.timer("setting:answer_time"), "<bpmn:timerEventDefinition/>"),
    one("bad_duration", "cut", "P9D", "nine days"),
    one("bad_duration", "prepare", s.user("prepare"), s.user("prepare", due="P0D")),
    one("unknown_setting", "late", "setting:answer_time", "setting:no_such_time"),
    one("due_after_timer", "prepare", "P9D", "P2D"),
    one("due_after_timer", "prepare", s.user("prepare"), s.user("prepare", due="P1M")),
    one("due_after_timer", "one", s.user("one"), s.user("one") + s.boundary("gone", "one", s.timer("PT4H")) + s.flow("gone", "all")),
    one("timer_never_comes", "nudge", s.boundary("cut", "work", s.timer("P9D")), s.boundary("cut", "work", s.timer("P9D")) + s.boundary("nudge", "work", s.timer("P10D"), "false") + s.flow("nudge", "nudged") + s.end("nudged", "")),
    one("timer_never_comes", "pause", s.flow("prepare", "worked"), s.flow("prepare", "pause") + s.catch("pause", s.timer("P3W")) + s.flow("pause", "worked")),
    one("bad_due", "visit", s.user("visit"), s.user("visit").replace('<nrm:due time="P3D"/>', '<nrm:due time="P3D" reminder="175"/>')),
    one("task_without_due", "visit", s.user("visit"), s.user("visit").replace('<nrm:due time="P3D"/>', "")),
    one("unknown_ladder", "visit", s.user("visit"), s.user("visit").replace('<nrm:due time="P3D"/>', '<nrm:due time="P3D" ladder="rope"/>')),
    one("boundary_never_fires", "cut2", s.end("served"), s.end("served") + s.boundary("cut2", "record", s.timer()) + s.flow("cut2", "unserved"), WARNING),
    one("unnamed_message", "m.accepted", 'name="referral.accepted"', 'name=""'),
    one("unknown_message", "accepted", 'name="referral.accepted"', 'name="referral.acceptd"', WARNING),
    one("case_message_missing", "whole", 'name="consent.withdrawn"', 'name="consent.other"', WARNING, also=("unknown_message",)),
    # what steps name
    one("unknown_role", "prepare", s.user("prepare"), s.user("prepare").replace("case_handler", "king")),
    one("task_without_desk", "prepare", s.user("prepare"), s.user("prepare").replace('<nrm:desk role="case_handler"/>', "")),
    one("unknown_form", "prepare", s.user("prepare"), s.user("prepare", form="no_such")),
    one("task_without_form", "prepare", s.user("prepare"), s.user("prepare").replace('<nrm:form key="visit"/>', "")),
    one("unknown_service", "prepare", s.user("prepare"), s.user("prepare", extra='<nrm:service category="magic"/>')),
    one("unknown_check", "record", 'name="record_visit"', 'name="os.system"', also=("value_never_given",)),
    one("unknown_param", "record", '<nrm:param name="from"', '<nrm:param name="form"'),
    one("unknown_table", "rank", '<nrm:table key="priority"/>', '<nrm:table key="no_such"/>', also=("value_never_given",)),
    one("unknown_path", "serve", 'calledElement="other_path"', 'calledElement="no_such"'),
    one("call_without_path", "serve", ' calledElement="other_path"'),
    one("multi_without_marker", "serve", MARKER),
    one("multi_without_list", "serve", '<nrm:multi list="service_ids" item="service_id"/>', '<nrm:multi item="service_id"/>'),
    one("unknown_outcome", "served", '<nrm:outcome code="provided"/><nrm:text lang="ar">served', '<nrm:outcome code="splendid"/><nrm:text lang="ar">served'),
    one("end_without_outcome", "finished", '<nrm:outcome code="provided"/><nrm:text lang="ar">served', '<nrm:text lang="ar">served'),
    one("text_missing", "visit", '<nrm:text lang="ckb">visit ک</nrm:text>'),
    one("title_with_value", "prepare", 'name="prepare"', 'name="prepare {person}"'),
)  # fmt: skip
