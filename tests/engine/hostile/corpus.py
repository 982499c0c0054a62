"""The table: name, what is in the file, the finding that it must get.

`CANARY` in a file stands for a path that hostile code would create.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.engine import samples as s


class Hostile(NamedTuple):
    """A hostile file and the code of the finding that it must get; its element where that is known."""

    name: str
    xml: bytes
    code: str
    element: str | None = None


HERE = Path(__file__).parent
FILES = {
    "data_object_two_levels_deep": ("data_object", "thing"),
    "gateway_runs_a_command": ("bad_condition", "yes"),
    "external_entity": ("doctype", None),
    "billion_laughs": ("doctype", None),
    "script_task": ("script_task", "work"),
    "scripts_before_and_after": ("pre_post_script", "work"),
    "camunda_java": ("vendor_code", "work"),
    "correlation_runs_code": ("correlation_code", "key"),
    "gateways_for_ever": ("loop_without_wait", "one"),
}

SHELL = "__import__('os').system('touch CANARY')"
OPEN = "open('CANARY','w')"
ESCAPES = {
    "import": SHELL,
    "open": OPEN,
    "subclasses": "[c for c in ().__class__.__base__.__subclasses__() if c.__name__=='_wrap_close'][0].__init__.__globals__['popen']('touch CANARY')",
    "class_attribute": "visits.__class__.__mro__",
    "globals": "selected.__globals__['__builtins__']['open']('CANARY','w')",
    "lambda": f"(lambda: {OPEN})()",
    "walrus": f"(x := {OPEN})",
    "comprehension": f"[{OPEN} for x in [1]]",
    "f_string": "f\"{open('CANARY')}\"",
    "format": "'{0.__class__}'.format(visits)",
    "percent": "'%1000000000d' % 1",
    "power": "9**9**9**9",
    "shift": "1 << 99999999",
    "eval": f'eval("{OPEN}")',
    "exec": f'exec("{OPEN}")',
    "getattr": "getattr(visits, '__class__')",
    "index": "visits[0]",
    "star": "count(*visits)",
    "ternary": f"{OPEN} if 1 else 2",
    "assignment": "visits = 1",
    "statement": f"1; {OPEN}",
    "newline": f"1\n{OPEN}",
    "juel": "${exec('touch CANARY')}",
    "feel": "=visits > 1",
    "jinja": "{{ cycler.__init__.__globals__.os.popen('touch CANARY').read() }}",
    "brackets": "(" * 900 + "1" + ")" * 900,
    "nots": "not " * 490 + "1",
    "chain": "1" + "+1" * 990,
    "long_number": "9" * 1_900,
    "long_text": "'" + "x" * 5_000 + "'",
    "fullwidth": "ｏｐｅｎ('CANARY')",
    "private": "__builtins__",
    "empty": " ",
}


def _condition(text: str) -> bytes:
    inner = s.SMALL_INNER.replace(s.flow("which", "served", "new_need and visits > 0"), s.flow("which", "served", text))
    return s.whole(inner)


def _step(step: str) -> bytes:
    inner = s.SMALL_INNER.replace(
        s.flow("record", "which"), s.flow("record", "extra") + step + s.flow("extra", "which")
    )
    return s.whole(inner)


def _plain(body: str, before: str = "", root: str = "") -> bytes:
    return (
        before + s.HEAD.split("\n", 1)[1] + root + f'<bpmn:process id="p">{body}</bpmn:process></bpmn:definitions>'
    ).encode()


def _nested(levels: int) -> str:
    body = s.start("s") + s.end("e") + s.flow("s", "e")
    for level in range(levels):
        body = f'<bpmn:subProcess id="n{level}">{body}</bpmn:subProcess>'
    return body


def _row(steps: int) -> str:
    row = [f"u{n}" for n in range(steps)]
    return "".join(f'<bpmn:userTask id="{step}"/>' for step in row)


def _call_chain(values: str) -> str:
    return s.call("extra", inner=s.multi(values))


TIMER = "<bpmn:timerEventDefinition><bpmn:{0}>{1}</bpmn:{0}></bpmn:timerEventDefinition>"
RANK = f'<bpmn:businessRuleTask id="extra" name="x">{s.ext(chr(60) + "nrm:table key=" + chr(34) + "../../etc/passwd" + chr(34) + "/>")}</bpmn:businessRuleTask>'
MULTI = "<bpmn:multiInstanceLoopCharacteristics>{}</bpmn:multiInstanceLoopCharacteristics>"

TABLE = [
    # code in every place that SpiffWorkflow would evaluate
    Hostile("code in a timer", _step(s.catch("extra", TIMER.format("timeDuration", OPEN))), "bad_duration", "extra"),
    Hostile("code in a date", _step(s.catch("extra", TIMER.format("timeDate", OPEN))), "bad_date", "extra"),
    Hostile("code in a cycle", _step(s.catch("extra", TIMER.format("timeCycle", OPEN))), "timer_cycle", "extra"),
    Hostile("code in a due time", s.SMALL.replace(b'time="P3D"', f'time="{OPEN}"'.encode()), "bad_duration", "visit"),
    Hostile("code in a parameter", s.SMALL.replace(b"value=\"'visit'\"", f'value="{OPEN}"'.encode()), "bad_param", "record"),
    Hostile("code as a check", s.SMALL.replace(b'"record_visit"', f'"{SHELL}"'.encode()), "unknown_check", "record"),
    Hostile("code as cardinality", _step(s.call("extra", inner=MULTI.format(f"<bpmn:loopCardinality>{OPEN}</bpmn:loopCardinality>"))), "loop_cardinality", "extra"),
    Hostile("code as completion condition", _step(s.call("extra", inner=MULTI.format(f"<bpmn:completionCondition>{OPEN}</bpmn:completionCondition>"))), "completion_condition", "extra"),
    Hostile("code as a list", _step(_call_chain(OPEN)), "value_never_given", "extra"),
    Hostile("code as an item", _step(s.call("extra", inner=s.multi(item=OPEN).replace(f"item.{OPEN}", "item"))), "bad_value_name"),
    Hostile("code as a called path", _step(s.call("extra", "").replace('name="extra"', f'name="extra" calledElement="{OPEN}"')), "unknown_path", "extra"),
    Hostile("code as a passed value", _step(s.call("extra", extra=f'<nrm:pass name="a" from="{OPEN}"/>')), "value_never_given", "extra"),
    Hostile("code as a taken value", _step(s.call("extra", extra=f'<nrm:take name="{OPEN}" from="a"/>')), "bad_value_name", "extra"),
    Hostile("code in a conditional event", _step(s.catch("extra", f"<bpmn:conditionalEventDefinition><bpmn:condition>{OPEN}</bpmn:condition></bpmn:conditionalEventDefinition>")), "conditional_event", "extra"),
    Hostile("code in a loop marker", _step(s.user("extra", inner=f"<bpmn:standardLoopCharacteristics><bpmn:loopCondition>{OPEN}</bpmn:loopCondition></bpmn:standardLoopCharacteristics>")), "loop_marker", "extra"),
    Hostile("code that ends an ad-hoc", _step(f'<bpmn:adHocSubProcess id="extra"><bpmn:completionCondition>{OPEN}</bpmn:completionCondition></bpmn:adHocSubProcess>'), "ad_hoc", "extra"),
    Hostile("code in a data mapping", _step(s.user("extra", inner=f"<bpmn:dataInputAssociation><bpmn:transformation>{OPEN}</bpmn:transformation></bpmn:dataInputAssociation>")), "data_mapping", "extra"),
    Hostile("a service operator of SpiffWorkflow", _step(s.user("extra", extra='<f:serviceTaskOperator xmlns:f="http://spiffworkflow.org/bpmn/schema/1.0/core" id="x"/>')), "vendor_code"),
    Hostile("unit tests of SpiffWorkflow", _step(s.user("extra", extra=f'<f:unitTests xmlns:f="http://spiffworkflow.org/bpmn/schema/1.0/core">{OPEN}</f:unitTests>')), "vendor_code"),
    Hostile("a table outside of the pack", _step(RANK), "unknown_table", "extra"),
    Hostile("an import of another file", _plain("", root='<bpmn:import namespace="x" location="file:///etc/passwd" importType="x"/>'), "import_refused"),
    Hostile("a message with code as its name", _step(s.catch("extra", s.message("m.accepted"))).replace(b'"referral.accepted"', f'"{OPEN}"'.encode()), "unknown_message", "extra"),
    # XML
    Hostile("a parameter entity", _plain("", before='<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]>'), "doctype"),
    Hostile("an external DTD", _plain("", before='<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd">'), "doctype"),
    Hostile("quadratic blow-up", _plain("", before=f'<!DOCTYPE a [<!ENTITY a "{"x" * 50_000}">]>'), "doctype"),
    Hostile("an inclusion", _plain('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'), "foreign_element"),
    Hostile("a style sheet", _plain("", before='<?xml-stylesheet href="http://127.0.0.1/"?>'), "processing_instruction"),
    Hostile("an entity that nobody defined", _plain("<bpmn:documentation>&nobody;</bpmn:documentation>"), "not_xml"),
    Hostile("deep nesting", _plain("<bpmn:subProcess>" * 100_000), "too_deep"),
    Hostile("sixty sub-processes in each other", _plain(_nested(60)), "too_deep"),
    Hostile("a hundred thousand elements", _plain("<bpmn:task/>" * 100_000), "too_many_elements"),
    Hostile("a hundred and eighty thousand attributes", _plain("<bpmn:task " + " ".join(f'a{n}=""' for n in range(180_000)) + "/>"), "too_many_attributes"),
    Hostile("a thousand steps", _plain(_row(1_000)), "too_many_steps"),
    Hostile("a text of a megabyte", _plain(f"<bpmn:documentation>{'x' * 1_000_000}</bpmn:documentation>"), "text_too_long"),
    Hostile("an attribute of a megabyte", _plain(f'<bpmn:task id="t" name="{"x" * 1_000_000}"/>'), "text_too_long"),
    Hostile("a file of three megabytes", _plain(" " * 3_000_000), "file_too_large"),
    Hostile("a NUL", s.SMALL.replace(b'name="visit"', b'name="vi\x00sit"'), "nul_character"),
    Hostile("a NUL as a reference", s.SMALL.replace(b'name="visit"', b'name="vi&#0;sit"'), "not_xml"),
    Hostile("a lone surrogate", s.SMALL.replace(b'name="visit"', b'name="vi\xed\xa0\x80sit"'), "not_decodable"),
    Hostile("a lone surrogate as a reference", s.SMALL.replace(b'name="visit"', b'name="vi&#xD800;sit"'), "not_xml"),
    Hostile("UTF-16", s.SMALL.decode().encode("utf-16"), "wrong_encoding"),
    Hostile("UTF-7", s.SMALL.replace(b"UTF-8", b"UTF-7"), "wrong_encoding"),
    Hostile("EBCDIC", s.SMALL.replace(b"UTF-8", b"cp037"), "wrong_encoding"),
    Hostile("two marks of two encodings", b"\xef\xbb\xbf" + s.SMALL.replace(b"UTF-8", b"windows-1256"), "wrong_encoding"),
    Hostile("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "nul_character"),
    Hostile("a zip", b"PK\x03\x04" + b"x" * 100, "not_xml"),
    Hostile("a web page", b"<html><script>alert(1)</script></html>", "not_bpmn"),
    Hostile("half a file", s.SMALL[: len(s.SMALL) // 2], "not_xml"),
    Hostile("text hidden by a comment", _condition("visits > 0 <!-- -->").replace(b"&lt;!-- --&gt;", f"<!-- -->, {OPEN}".encode()), "bad_condition", "which.served"),
    Hostile("text hidden by CDATA", _condition("X").replace(b">X<", f"><![CDATA[{OPEN}]]><".encode()), "bad_condition", "which.served"),
    Hostile("a child inside a condition", _condition("X").replace(b">X<", f">visits<bpmn:script>{OPEN}</bpmn:script><".encode()), "script_task", "which.served"),
    # ids and names
    Hostile("ids twice", _plain('<bpmn:userTask id="a"/><bpmn:userTask id="a"/>'), "duplicate_id", "a"),
    Hostile("an id that breaks a query", _plain("<bpmn:userTask id=\"a' or '1'='1\"/>"), "bad_id"),
    Hostile("an id that is a path", _plain('<bpmn:userTask id="../../x"/>'), "bad_id"),
    Hostile("an id of a script", _plain('<bpmn:userTask id="&lt;script&gt;"/>'), "bad_id"),
    Hostile("an id that runs backwards", _plain('<bpmn:userTask id="a\u202eb"/>'), "bad_id"),
    Hostile("a name that runs backwards", s.SMALL.replace(b'name="visit"', 'name="a\u202eb"'.encode()), "hidden_character", "visit"),
    Hostile("typename as a taken value", _step(s.call("extra", extra='<nrm:take name="typename" from="x"/>')), "reserved_name", "extra"),
    Hostile("typename in a condition", _condition("typename == 'datetime'"), "reserved_name", "which.served"),
    Hostile("typename as an item", _step(s.call("extra", inner=s.multi(item="typename"))), "reserved_name"),
    Hostile("a value in a title", s.SMALL.replace(b'name="visit"', b'name="Visit {{ person.name }}"'), "title_with_value", "visit"),
    # never ending
    Hostile("a path that calls itself at once", s.process(s.start() + s.flow("begin", "again") + s.call("again", "small_path") + s.flow("again", "done") + s.end("done")), "calls_itself_without_wait", "again"),
    Hostile("a check in a circle", s.process(s.start() + s.flow("begin", "a") + s.check("a") + s.flow("a", "b") + s.check("b") + s.flow("b", "a")), "loop_without_wait", "a"),
    Hostile("a step that follows itself", s.process(s.start() + s.flow("begin", "a") + s.check("a") + s.flow("a", "a")), "loop_without_wait", "a"),
    Hostile("a boundary error that leads back", s.process(s.start() + s.flow("begin", "a") + s.call("a") + s.boundary("bad", "a", '<bpmn:errorEventDefinition errorRef="e.broken"/>') + s.flow("bad", "a") + s.flow("a", "done") + s.end("done")), "loop_without_wait", "a"),
    Hostile("a fork bomb", s.process(s.start() + s.flow("begin", "m") + s.gateway("m") + s.flow("m", "f") + s.gateway("f", "parallel") + s.flow("f", "m") + s.flow("f", "m", name="f.m2")), "loop_without_wait", "m"),
    Hostile("a huge multi-instance", _step(s.call("extra", inner=MULTI.format("<bpmn:loopCardinality>1000000</bpmn:loopCardinality>"))), "loop_cardinality", "extra"),
    Hostile("a duration beyond all calendars", _step(s.catch("extra", s.timer("P99999999999D"))), "bad_duration", "extra"),
    Hostile("a duration of nothing", _step(s.catch("extra", s.timer("PT0S"))), "bad_duration", "extra"),
    Hostile("a compensation that does nothing", _step('<bpmn:intermediateThrowEvent id="extra"><bpmn:compensateEventDefinition/></bpmn:intermediateThrowEvent>'), "compensation", "extra"),
    Hostile("a thing nobody has heard of", _plain('<bpmn:backdoor id="x"/>'), "unknown_element", "x"),
    Hostile("positions at the end of the world", s.SMALL.replace(b'x="1" y="2" width', b'x="NaN" y="1e999" width'), "bad_coordinates"),
]  # fmt: skip

CORPUS = (
    [Hostile(name, (HERE / f"{name}.bpmn").read_bytes(), code, element) for name, (code, element) in FILES.items()]
    + [
        Hostile(f"condition: {name}", _condition(text), "bad_condition", "which.served")
        for name, text in ESCAPES.items()
    ]
    + TABLE
)
