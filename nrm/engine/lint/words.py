"""The allow-list: every element and attribute that a path may contain.

What is not here is refused, so a new trick of a modeller or an attacker meets a closed door. Elements that BPMN has
and the engine cannot run correctly have their own finding code, so that an author learns what to draw instead.
"""

from __future__ import annotations

from typing import Final

_FLOW_NODE: Final = "id name"
_TASK: Final = "id name isForCompensation startQuantity completionQuantity"

ALLOWED: Final[dict[str, frozenset[str]]] = {
    name: frozenset(attributes.split())
    for name, attributes in {
        "definitions": "id name targetNamespace expressionLanguage typeLanguage exporter exporterVersion",
        "documentation": "id textFormat",
        "extensionElements": "",
        "process": "id name isExecutable processType isClosed",
        "collaboration": "id name isClosed",
        "participant": "id name processRef",
        "messageFlow": "id name sourceRef targetRef messageRef",
        "laneSet": "id name",
        "childLaneSet": "id name",
        "lane": "id name",
        "flowNodeRef": "",
        "incoming": "",
        "outgoing": "",
        "userTask": _TASK + " implementation",
        "manualTask": _TASK,
        "serviceTask": _TASK + " implementation",
        "sendTask": _TASK + " implementation messageRef",
        "receiveTask": _TASK + " implementation messageRef instantiate",
        "businessRuleTask": _TASK + " implementation",
        "callActivity": _TASK + " calledElement",
        "subProcess": _TASK + " triggeredByEvent",
        "startEvent": _FLOW_NODE + " isInterrupting parallelMultiple",
        "endEvent": _FLOW_NODE,
        "boundaryEvent": _FLOW_NODE + " attachedToRef cancelActivity parallelMultiple",
        "intermediateCatchEvent": _FLOW_NODE + " parallelMultiple",
        "intermediateThrowEvent": _FLOW_NODE,
        "exclusiveGateway": _FLOW_NODE + " default gatewayDirection",
        "inclusiveGateway": _FLOW_NODE + " default gatewayDirection",
        "parallelGateway": _FLOW_NODE + " gatewayDirection",
        "eventBasedGateway": _FLOW_NODE + " gatewayDirection instantiate eventGatewayType",
        "sequenceFlow": "id name sourceRef targetRef isImmediate",
        "conditionExpression": "id language",
        "messageEventDefinition": "id messageRef",
        "timerEventDefinition": "id",
        "timeDuration": "id language",
        "timeDate": "id language",
        "signalEventDefinition": "id signalRef",
        "errorEventDefinition": "id errorRef",
        "escalationEventDefinition": "id escalationRef",
        "terminateEventDefinition": "id",
        "message": "id name",
        "error": "id name errorCode",
        "escalation": "id name escalationCode",
        "signal": "id name",
        "multiInstanceLoopCharacteristics": "id isSequential",
        "loopDataInputRef": "",
        "inputDataItem": "id name isCollection",
        "textAnnotation": "id textFormat",
        "text": "",
        "association": "id sourceRef targetRef associationDirection",
        "group": "id name categoryValueRef",
        "category": "id name",
        "categoryValue": "id value",
    }.items()
}
"""BPMN element → its attributes without a namespace."""

_EVENTS: Final = "startEvent endEvent boundaryEvent intermediateCatchEvent intermediateThrowEvent"
_TASKS: Final = "userTask manualTask serviceTask sendTask receiveTask businessRuleTask callActivity subProcess"
_ARTIFACTS: Final = "process subProcess collaboration"

PARENTS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(parents.split())
    for name, parents in {
        "definitions": "",
        "process": "definitions",
        "collaboration": "definitions",
        "message": "definitions",
        "error": "definitions",
        "escalation": "definitions",
        "signal": "definitions",
        "category": "definitions",
        "categoryValue": "category",
        "participant": "collaboration",
        "messageFlow": "collaboration",
        "laneSet": "process subProcess",
        "childLaneSet": "lane",
        "lane": "laneSet childLaneSet",
        "flowNodeRef": "lane",
        "conditionExpression": "sequenceFlow",
        "messageEventDefinition": _EVENTS,
        "timerEventDefinition": _EVENTS,
        "signalEventDefinition": _EVENTS,
        "errorEventDefinition": _EVENTS,
        "escalationEventDefinition": _EVENTS,
        "terminateEventDefinition": _EVENTS,
        "timeDuration": "timerEventDefinition",
        "timeDate": "timerEventDefinition",
        "multiInstanceLoopCharacteristics": _TASKS,
        "loopDataInputRef": "multiInstanceLoopCharacteristics",
        "inputDataItem": "multiInstanceLoopCharacteristics",
        "textAnnotation": _ARTIFACTS,
        "association": _ARTIFACTS,
        "group": _ARTIFACTS,
        "text": "textAnnotation",
    }.items()
}
"""BPMN element → the elements that may hold it; steps and flows were checked when the file was read."""

REFUSED: Final[dict[str, str]] = {
    "task": "plain_task",
    "scriptTask": "script_task",
    "script": "script_task",
    "complexGateway": "complex_gateway",
    "transaction": "transaction",
    "adHocSubProcess": "ad_hoc",
    "dataObject": "data_object",
    "dataObjectReference": "data_object",
    "dataStore": "data_store",
    "dataStoreReference": "data_store",
    "dataInputAssociation": "data_mapping",
    "dataOutputAssociation": "data_mapping",
    "ioSpecification": "data_mapping",
    "ioBinding": "data_mapping",
    "property": "data_mapping",
    "dataInput": "data_mapping",
    "dataOutput": "data_mapping",
    "itemDefinition": "data_mapping",
    "compensateEventDefinition": "compensation",
    "linkEventDefinition": "link_event",
    "cancelEventDefinition": "cancel_event",
    "conditionalEventDefinition": "conditional_event",
    "eventDefinitionRef": "shared_event",
    "standardLoopCharacteristics": "loop_marker",
    "loopCardinality": "loop_cardinality",
    "completionCondition": "completion_condition",
    "loopDataOutputRef": "loop_output",
    "outputDataItem": "loop_output",
    "complexBehaviorDefinition": "completion_condition",
    "correlationProperty": "correlation_code",
    "correlationKey": "correlation_code",
    "correlationSubscription": "correlation_code",
    "timeCycle": "timer_cycle",
    "import": "import_refused",
    "interface": "interface_refused",
    "operationRef": "interface_refused",
    "choreography": "choreography",
    "choreographyTask": "choreography",
    "subChoreography": "choreography",
    "callChoreography": "choreography",
    "conversation": "choreography",
}
"""BPMN element → code of the finding that says what to draw instead."""

EXECUTABLE_VENDORS: Final[dict[str, str]] = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://camunda.org/schema/zeebe/1.0": "Camunda 8",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "SpiffWorkflow",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://operaton.org/schema/1.0/bpmn": "Operaton",
    "http://www.jboss.org/drools": "jBPM",
    "http://www.bonitasoft.org/studio/connector/definition/6.0": "Bonita",
    "http://sourceforge.net/bpmn/definitions/_1": "Activiti",
}
"""Namespaces in which other engines keep code or addresses to call."""

QUIET_VENDORS: Final = frozenset(
    {
        "http://bpmn.io/schema/bpmn/biocolor/1.0",
        "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
        "http://camunda.org/schema/modeler/1.0",
    }
)
"""Namespaces of colours and of the modeller's own notes; nothing is said about them."""

_PERSON: Final = frozenset({"userTask", "manualTask"})
_ANY: Final = frozenset({"*"})

EXTENSIONS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "desk": (frozenset({"role", "organisation"}), _PERSON | {"lane"}),
    "form": (frozenset({"key"}), frozenset({"userTask"})),
    "due": (frozenset({"time", "calendar", "anchor", "reminder", "ladder"}), _PERSON),
    "check": (frozenset({"name"}), frozenset({"serviceTask", "sendTask"})),
    "service": (frozenset({"category"}), frozenset({"userTask", "sendTask", "callActivity"})),
    "outcome": (frozenset({"code"}), frozenset({"endEvent"})),
    "stage": (frozenset({"code"}), _ANY),
    "call": (frozenset({"table", "key", "version", "result"}), frozenset({"callActivity"})),
    "pass": (
        frozenset({"name", "from"}),
        frozenset({"callActivity", "intermediateThrowEvent", "endEvent", "sendTask"}),
    ),
    "take": (
        frozenset({"name", "from"}),
        frozenset({"callActivity", "intermediateCatchEvent", "boundaryEvent", "receiveTask", "startEvent"}),
    ),
    "table": (frozenset({"key", "result"}), frozenset({"businessRuleTask"})),
    "correlation": (frozenset({"key"}), frozenset({"message"})),
    "multi": (
        frozenset({"list", "item"}),
        _PERSON | {"serviceTask", "sendTask", "callActivity", "subProcess"},
    ),
    "leave": (frozenset({"message", "to"}), frozenset({"subProcess"})),
    "level": (frozenset({"code"}), frozenset({"process"})),
    "text": (frozenset({"kind", "lang"}), _ANY),
}
"""Our extension element → (its attributes, the BPMN elements that may hold it); `nrm-moddle.json` says the same."""

REPEATABLE: Final = frozenset({"pass", "take", "text"})
"""Extension elements of which one element may hold several."""
