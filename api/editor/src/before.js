// What is known when a flow is chosen: the questions asked, the checks made and the tables read on some way to it.
import { is, isAny, own, ownAll } from "./model.js";

function* within(scope) {
  for (const each of scope.flowElements ?? []) {
    yield each;
    if (is(each, "bpmn:SubProcess")) yield* within(each);
  }
}

/** Give all steps from which some way leads to a step or a flow, in no order. */
export function stepsBefore(bo) {
  const found = new Set();
  const ahead = [];
  const add = (step) => {
    if (!step || found.has(step)) return;
    found.add(step);
    ahead.push(step);
  };
  const enter = (step) => (step?.incoming ?? []).forEach((flow) => add(flow.sourceRef));
  if (is(bo, "bpmn:SequenceFlow")) add(bo.sourceRef);
  else enterAll(bo);
  function enterAll(step) {
    enter(step);
    if (is(step, "bpmn:BoundaryEvent")) {
      const host = step.attachedToRef;
      for (const inner of is(host, "bpmn:SubProcess") ? within(host) : []) found.add(inner);
      if (host) enterAll(host);
    }
    if (is(step, "bpmn:StartEvent") && is(step.$parent, "bpmn:SubProcess")) enterAll(step.$parent);
  }
  while (ahead.length) {
    const step = ahead.pop();
    for (const inner of is(step, "bpmn:SubProcess") ? within(step) : []) found.add(inner);
    enterAll(step);
  }
  return [...found].filter((step) => is(step, "bpmn:FlowNode"));
}

function ofStep(step, vocabulary) {
  if (is(step, "bpmn:UserTask")) return vocabulary.fields(own(step, "Form")?.key);
  if (isAny(step, ["bpmn:ServiceTask", "bpmn:SendTask"])) return plain(vocabulary.check(own(step, "Check")?.name)?.values);
  if (is(step, "bpmn:BusinessRuleTask")) return vocabulary.outputs(own(step, "Table")?.key);
  const taken = ownAll(step, "Take").map((each) => each.name);
  const result = is(step, "bpmn:CallActivity") ? own(step, "Call")?.result : undefined;
  return [...plain(taken), ...(result ? [{ name: result, type: "select_one", choices: vocabulary.outcomes() }] : [])];
}

const plain = (names) => (names ?? []).filter(Boolean).map((each) => (typeof each === "string" ? { name: each, type: "any" } : each));

/** Give the questions that may be asked on the ways to a step or flow: [{step, fields: [{name, type, label, choices}]}]. */
export function knownBefore(bo, vocabulary, nameOf) {
  const groups = [];
  const seen = new Set();
  const add = (step, fields) => {
    const fresh = fields.filter((field) => field.name && !seen.has(field.name));
    fresh.forEach((field) => seen.add(field.name));
    if (fresh.length) groups.push({ step, fields: fresh });
  };
  for (const step of stepsBefore(bo)) add(nameOf(step), ofStep(step, vocabulary));
  for (let scope = bo.$parent; scope; scope = scope.$parent) {
    const item = own(scope, "Multi")?.item;
    if (item) add(nameOf(scope), plain([item]));
  }
  const rest = new Map();
  for (let scope = bo.$parent; scope; scope = scope.$parent) if (is(scope, "bpmn:Process")) rest.set(scope, scope.id);
  for (const [process, key] of rest) add(nameOf(process), plain(vocabulary.startValues(key)));
  return groups;
}
