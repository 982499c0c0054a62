// Only what can be known at a place of the path is offered there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BpmnModdle } from "bpmn-moddle";
import { knownBefore, stepsBefore } from "../src/before.js";
import { UNITS, readDuration, writeDuration } from "../src/durations.js";
import { diagrams, moddleOfOurs } from "./diagrams.js";

const read = async (name) => {
  // Several packs have a path of that name: the fullest one.
  const [{ xml }] = diagrams()
    .filter((each) => each.name === name)
    .sort((one, other) => other.xml.length - one.xml.length);
  return (await new BpmnModdle({ nrm: moddleOfOurs() }).fromXML(xml)).elementsById;
};
const ids = (steps) => steps.map((step) => step.id).sort();

test("what comes after a step is not known at it, what may have come before is", async () => {
  const all = await read("service_referral.bpmn");
  const before = ids(stepsBefore(all.may_send));
  assert.ok(before.includes("prepare") && before.includes("gate_check"));
  assert.ok(before.includes("fix"), "a way back makes a later step an earlier one");
  assert.ok(!before.includes("confirm"));
});

test("an event on the border of a box knows what was done inside the box", async () => {
  const all = await read("service_referral.bpmn");
  const border = Object.values(all).find((each) => each.$type === "bpmn:BoundaryEvent" && each.attachedToRef === all.body);
  const before = ids(stepsBefore(border));
  assert.ok(before.includes("prepare") && before.includes("start"));
});

test("each question is offered once, with the step that asks it; checks, calls and entries give values too", async () => {
  const all = await read("service_referral.bpmn");
  const vocabulary = {
    fields: (key) => (key === "referral_request" || key ? [{ name: `asked_${key}`, type: "text" }] : []),
    check: (name) => ({ values: [`set_by_${name}`] }),
    outputs: () => [],
    outcomes: () => [],
    startValues: () => ["given"],
  };
  const groups = knownBefore(all.may_send.outgoing[0], vocabulary, (step) => step.id);
  const names = groups.flatMap((group) => group.fields.map((field) => field.name));
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes("set_by_send_gate") && names.includes("given"));
  assert.ok(!names.includes("set_by_confirm_referral"));
});

test("durations of one part are numbers with a unit, all others stay text", () => {
  for (const [unit] of UNITS) assert.deepEqual(readDuration(writeDuration(3, unit)), { amount: 3, unit });
  assert.deepEqual(readDuration("PT5M"), { amount: 5, unit: "minutes" });
  assert.deepEqual(readDuration("P5M"), { amount: 5, unit: "months" });
  for (const text of ["P1DT2H", "setting:x", "", "3 days"]) assert.equal(readDuration(text), null);
});
