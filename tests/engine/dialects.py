"""Small diagrams written as other tools write them: their prefixes, encodings, extensions and liberties."""

from __future__ import annotations

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ROW = (
    '<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="t"/><{task} id="t" name="Ask"{more}>{inside}</{task}>'
    '<sequenceFlow id="f2" sourceRef="t" targetRef="e"/><endEvent id="e"/>'
)


def row(task: str = "userTask", more: str = "", inside: str = "") -> str:
    return ROW.format(task=task, more=more, inside=inside)


def bare(body: str, root: str = "", key: str = "path", more: str = "", outside: str = "") -> str:
    """Definitions without a prefix."""
    return f'<definitions xmlns="{MODEL}" targetNamespace="x"{more}>{root}<process id="{key}">{body}</process>{outside}</definitions>'


def drawn(*boxes: tuple[str, str], edges: str = "", plane: str = "path") -> str:
    shapes = "".join(
        f'<di:BPMNShape xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" id="{name}_di" bpmnElement="{name}">'
        f'<dc:Bounds xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" {box}/></di:BPMNShape>'
        for name, box in boxes
    )
    return (
        '<di:BPMNDiagram xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI">'
        f'<di:BPMNPlane bpmnElement="{plane}">{shapes}{edges}</di:BPMNPlane></di:BPMNDiagram>'
    )


CAMUNDA = ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
ZEEBE = ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
WHOLE = [
    ("s", 'x="0" y="20" width="36" height="36"'),
    ("t", 'x="90" y="0" width="100" height="80"'),
    ("e", 'x="250" y="20" width="36" height="36"'),
]

DIALECTS: dict[str, tuple[bytes, set[str]]] = {
    # name: (file, codes of the changes that must be told)
    "bpmn.io": (
        (bare(row("task"), key="Process_0abc")).replace("<", "<bpmn:").replace("<bpmn:/", "</bpmn:").replace(f'xmlns="{MODEL}"', f'xmlns:bpmn="{MODEL}"').encode(),
        {"import_plain_task", "import_path_key", "import_laid_out"},
    ),
    "camunda 7": (
        bare(row(more=' camunda:formKey="ask_guest" camunda:candidateGroups="reception" camunda:dueDate="P3D"',
                 inside='<extensionElements><camunda:taskListener class="org.x.Y" event="create"/></extensionElements>'), more=CAMUNDA).encode(),
        {"import_taken_over", "import_vendor"},
    ),
    "camunda 8": (
        bare(row("callActivity", inside='<extensionElements><zeebe:calledElement processId="child"/></extensionElements>')
             + '<exclusiveGateway id="g" default="f4"/><sequenceFlow id="f3" sourceRef="g" targetRef="e"><conditionExpression>=amount &gt; 5</conditionExpression></sequenceFlow><sequenceFlow id="f4" sourceRef="g" targetRef="e"/>', more=ZEEBE).encode(),
        {"import_taken_over", "import_vendor", "import_condition"},
    ),
    "flowable": (
        bare('<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="t"/><serviceTask id="t" flowable:expression="${bean.call()}" xmlns:flowable="http://flowable.org/bpmn"/>'
             '<sequenceFlow id="f2" sourceRef="t" targetRef="g"/><exclusiveGateway id="g" default="f4"/><sequenceFlow id="f3" sourceRef="g" targetRef="e"><conditionExpression><![CDATA[${approved == "yes" && amount > 3}]]></conditionExpression></sequenceFlow>'
             '<sequenceFlow id="f4" sourceRef="g" targetRef="e"/><endEvent id="e"/>').encode(),
        {"import_vendor", "import_condition"},
    ),
    "jbpm": (
        (bare(row("scriptTask", inside="<script>System.out.println(1);</script>"), root='<itemDefinition id="i" structureRef="String"/>',
              more=' xmlns:drools="http://www.jboss.org/drools" exporter="jBPM"').replace('<process id="path">', '<process id="com.sample.path" drools:packageName="x"><property id="p" itemSubjectRef="i"/>')).encode(),
        {"import_script", "import_data", "import_vendor", "import_path_key"},
    ),
    "signavio": (
        bare(row().replace('id="s"', 'id="sid-1"').replace('"s"', '"sid-1"'), key="sid-AB",
             more=' xmlns:signavio="http://www.signavio.com"',
             root='<extensionElements><signavio:signavioDiagramMetaData metaKey="revisionid" metaValue="1"/></extensionElements>').encode(),
        {"import_vendor", "import_path_key"},
    ),
    "bizagi": (
        bare(row(), key="Id_42", root='<BizagiExtensions xmlns="http://www.bizagi.com/bpmn20"><BizagiProperties/></BizagiExtensions>').encode("utf-8-sig"),
        {"import_vendor", "import_path_key"},
    ),
    "adonis": (
        ('<?xml version="1.0" encoding="UTF-16"?>' + bare(row("task"), key="obj.1")).encode("utf-16"),
        {"import_encoding", "import_plain_task"},
    ),
    "visio": (
        ('<?xml version="1.0" encoding="utf-16"?>\r\n' + bare(row("manualTask").replace('id="t"', 'id="Shape 12"').replace('"t"', '"Shape 12"'), key="Página 1")).encode(),
        {"import_new_id", "import_path_key"},
    ),
    "windows arabic": (
        ('<?xml version="1.0" encoding="windows-1256"?>' + bare(row().replace('name="Ask"', 'name="سؤال"').replace('"t"', '"مهمة"'))).encode("windows-1256"),
        {"import_encoding", "import_new_id"},
    ),
    "letters that are no utf-8": (
        ('<?xml version="1.0" encoding="UTF-8"?>' + bare(row().replace('name="Ask"', 'name="Rechnung klären"'))).encode("windows-1252"),
        {"import_encoding_guessed"},
    ),
    "prefixes that nobody declares": (
        bare(row(more=' camunda:formKey="ask_guest"').replace("<startEvent", "<bpmn:startEvent")).encode(),
        {"import_prefix"},
    ),
    "a namespace with a space": (bare(row(), more=' xmlns:Process="http://A.3.0/Initial Import/Process"').encode(), {"import_prefix"}),
    "only pools": (
        f'<definitions xmlns="{MODEL}"><collaboration id="c"><participant id="p1" name="Office"/><participant id="p2" name="Family"/>'
        '<messageFlow id="m" sourceRef="p1" targetRef="p2"/></collaboration></definitions>'.encode(),
        {"import_no_process"},
    ),
    "utf-16 without a mark": (bare(row()).encode("utf-16-le"), {"import_encoding"}),
    "no namespace": (bare(row()).replace(f' xmlns="{MODEL}"', "").encode(), {"import_namespace"}),
    "draft of the standard": (bare(row()).replace(MODEL, "http://schema.omg.org/spec/BPMN/2.0").encode(), {"import_namespace"}),
    "prefixed attributes": (
        f'<b:definitions xmlns:b="{MODEL}"><b:process b:id="path"><b:startEvent b:id="s"/><b:sequenceFlow b:id="f" b:sourceRef="s" b:targetRef="e"/><b:endEvent b:id="e"/></b:process></b:definitions>'.encode(),
        {"import_namespace"},
    ),
    "wrapped": (f"<export><page>{bare(row())}</page></export>".encode(), {"import_wrapped"}),
    "process alone": (f'<process xmlns="{MODEL}" id="path">{row()}</process>'.encode(), {"import_wrapped"}),
    "instructions and comments": (("<?xml-stylesheet href='x'?><!-- by hand -->" + bare("<?note x?>" + row())).encode(), {"import_instructions", "import_comments"}),
    "without ids": (bare('<startEvent/><task name="a"/><endEvent/>').replace(' id="path"', "").encode(), {"import_id_given", "import_plain_task"}),
    "ids twice": (bare(row() + '<userTask id="t"/>').encode(), {"import_id_repeated"}),
    "ids of numbers": (bare(row().replace('"t"', '"17"').replace('"s"', '"{9F-1}"')).encode(), {"import_new_id"}),
    "a very long id": (bare(row().replace('"t"', f'"{"a" * 90}"')).encode(), {"import_new_id"}),
    "qualified references": (
        bare('<startEvent id="s"/><sequenceFlow id="f1" sourceRef="x:s" targetRef="x:e"/><endEvent id="e"/>', more=' xmlns:x="urn:x"').encode(),
        {"import_laid_out"},
    ),
    "pools": (
        f'<definitions xmlns="{MODEL}"><collaboration id="c"><participant id="p1" processRef="one"/><participant id="p2" processRef="two"/><participant id="p3" name="black box"/>'
        f'<messageFlow id="m" sourceRef="t" targetRef="p3"/></collaboration><process id="one" isExecutable="true">{row()}</process>'
        f'<process id="two" isExecutable="true"><startEvent id="s2"/></process></definitions>'.encode(),
        {"import_other_process", "import_laid_out"},
    ),
    "transaction and ad hoc": (
        bare(row("transaction", inside='<startEvent id="a"/><sequenceFlow id="i" sourceRef="a" targetRef="b"/><endEvent id="b"><cancelEventDefinition/></endEvent>')
             + '<adHocSubProcess id="free"><task id="x"/></adHocSubProcess>').encode(),
        {"import_transaction", "import_ad_hoc", "import_plain_task"},
    ),
    "complex gateway": (bare(row() + '<complexGateway id="g" activationCondition="x"/>').encode(), {"import_complex_gateway", "import_attributes"}),
    "compensation": (
        bare(row() + '<boundaryEvent id="c" attachedToRef="t"><compensateEventDefinition/></boundaryEvent><userTask id="undo" isForCompensation="true"/>'
             '<association id="a" sourceRef="c" targetRef="undo"/>').encode(),
        {"import_laid_out"},
    ),
    "data": (
        bare('<dataObject id="d"/><dataObjectReference id="dr" dataObjectRef="d"/><dataStoreReference id="ds"/>'
             + row(inside='<ioSpecification><inputSet/><outputSet/></ioSpecification><dataInputAssociation id="da"><sourceRef>dr</sourceRef></dataInputAssociation>'),
             root='<dataStore id="store"/>', outside=drawn(*WHOLE, ("dr", 'x="0" y="90" width="36" height="50"'))).encode(),
        {"import_data", "import_shapes_dropped", "import_lines_drawn"},
    ),
    "artifacts": (
        bare(row() + '<textAnnotation id="n"><text>note</text></textAnnotation><association id="a" sourceRef="n" targetRef="t"/><group id="gr" categoryValueRef="cv"/>',
             root='<category id="cat"><categoryValue id="cv" value="x"/></category>').encode(),
        {"import_laid_out"},
    ),
    "choreography": (
        f'<definitions xmlns="{MODEL}"><choreography id="ch"><startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="t"/><choreographyTask id="t" name="Order" initiatingParticipantRef="p"><participantRef>p</participantRef></choreographyTask>'
        '<sequenceFlow id="f2" sourceRef="t" targetRef="e"/><endEvent id="e"/></choreography></definitions>'.encode(),
        {"import_choreography", "import_element", "import_attributes"},
    ),
    "unknown elements": (bare(row(inside="<hologram/>") + "<wormhole/>").encode(), {"import_element"}),
    "half a drawing": (bare(row(), outside=drawn(WHOLE[0])).encode(), {"import_laid_out"}),
    "a drawing without lines": (bare(row(), outside=drawn(*WHOLE)).encode(), {"import_lines_drawn"}),
    "two drawings": (bare(row(), outside=drawn(*WHOLE) + drawn(*WHOLE)).encode(), {"import_second_drawing"}),
    "a drawing of nonsense": (bare(row(), outside=drawn(("s", 'x="NaN" y="1e99" width="-1" height=""'), *WHOLE[1:])).encode(), {"import_laid_out"}),
    "a closed sub-process": (
        bare(row("subProcess", inside='<startEvent id="a"/><sequenceFlow id="i" sourceRef="a" targetRef="b"/><endEvent id="b"/>'), outside=drawn(*WHOLE)).encode(),
        {"import_content_drawn"},
    ),
    "flows beside their sub-process": (
        bare(row("subProcess", inside='<startEvent id="a"/><endEvent id="b"/>') + '<sequenceFlow id="i" sourceRef="a" targetRef="b"/>').encode(),
        {"import_moved"},
    ),
    "steps in a lane": (bare('<laneSet><lane id="l"><userTask id="x"/></lane></laneSet>' + row()).encode(), {"import_moved"}),
    "flows that split": (
        bare(row() + '<sequenceFlow id="f3" sourceRef="t" targetRef="e"/><sequenceFlow id="f4" sourceRef="s" targetRef="t"><conditionExpression>x &gt; 1</conditionExpression></sequenceFlow>', outside=drawn(*WHOLE)).encode(),
        {"import_gateway_added"},
    ),
    "links": (
        bare('<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="go"/><intermediateThrowEvent id="go"><linkEventDefinition name="L"/></intermediateThrowEvent>'
             '<intermediateCatchEvent id="on"><linkEventDefinition name="L"/></intermediateCatchEvent><sequenceFlow id="f2" sourceRef="on" targetRef="e"/><endEvent id="e"/>').encode(),
        {"import_link"},
    ),
    "a shared event": (
        bare('<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="w"/><intermediateCatchEvent id="w"><eventDefinitionRef>later</eventDefinitionRef></intermediateCatchEvent>'
             '<sequenceFlow id="f2" sourceRef="w" targetRef="e"/><endEvent id="e"/>', root='<timerEventDefinition id="later"><timeDuration>P1D</timeDuration></timerEventDefinition>').encode(),
        {"import_shared_event"},
    ),
    "yes as one": (bare(row(), key="path").replace('id="path"', 'id="path" isClosed="0" isExecutable="1"').encode(), {"import_yes_no"}),
    "unnamed messages": (bare(row(), root='<message id="m1"/>').encode(), {"import_message_named"}),
    "a long note": (bare(row(inside=f"<documentation>{'long ' * 4000}</documentation>")).encode(), {"import_text_cut"}),
    "a condition in words": (
        bare(row() + '<exclusiveGateway id="g" default="f4"/><sequenceFlow id="f3" sourceRef="g" targetRef="e"><conditionExpression>${is it = fine?}</conditionExpression></sequenceFlow><sequenceFlow id="f4" sourceRef="g" targetRef="e"/>').encode(),
        {"import_condition_left"},
    ),
    "an empty process": (bare("").encode(), set()),
    "letters of an Arabic machine": (
        ('<?xml version="1.0" encoding="UTF-8"?>' + bare(row().replace('name="Ask"', 'name="تسجيل العائد في IOM"'))).encode("windows-1256"),
        {"import_encoding_guessed"},
    ),
    "Java's name of an encoding": (('<?xml version="1.0" encoding="Cp1256"?>' + bare(row().replace('name="Ask"', 'name="سؤال"'))).encode("windows-1256"), {"import_encoding"}),
    "choreography with its participants": (
        f'<definitions xmlns="{MODEL}"><choreography id="ch"><participant id="p" name="A"/><participant id="q"/><messageFlow id="m" sourceRef="p" targetRef="q"/>'
        '<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="t"/><choreographyTask id="t" name="Order" initiatingParticipantRef="p"><participantRef>p</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask>'
        '<sequenceFlow id="f2" sourceRef="t" targetRef="e"/><endEvent id="e"/></choreography></definitions>'.encode(),
        {"import_choreography", "import_element"},
    ),
    "several processes of which none says whether it runs": (
        f'<definitions xmlns="{MODEL}"><process id="one">{row()}</process><process id="two"><startEvent id="s2"/></process></definitions>'.encode(),
        {"import_other_process", "import_laid_out"},
    ),
    "lists and decisions of camunda 7": (
        bare(row(more=' camunda:candidateGroups="reception, night"', inside='<multiInstanceLoopCharacteristics camunda:collection="${people}" camunda:elementVariable="person"/>')
             + '<businessRuleTask id="d" camunda:decisionRef="priority" camunda:resultVariable="x"/>', more=CAMUNDA).encode(),
        {"import_taken_over", "import_vendor"},
    ),
    "lists, decisions and times of camunda 8": (
        bare(row(inside='<multiInstanceLoopCharacteristics isSequential="true"><extensionElements><zeebe:loopCharacteristics inputCollection="=items" inputElement="item"/></extensionElements></multiInstanceLoopCharacteristics>')
             + '<businessRuleTask id="d"><extensionElements><zeebe:calledDecision decisionId="priority" resultVariable="r"/></extensionElements></businessRuleTask>'
             '<boundaryEvent id="b" attachedToRef="t"><timerEventDefinition><timeDuration>=duration("PT1H")</timeDuration></timerEventDefinition></boundaryEvent>'
             "<boundaryEvent id=\"b2\" attachedToRef=\"t\"><timerEventDefinition><timeDuration>'P3D'</timeDuration></timerEventDefinition></boundaryEvent>", more=ZEEBE).encode(),
        {"import_taken_over", "import_vendor", "import_duration"},
    ),
}  # fmt: skip
