// The guided conditions say the same as the expressions that stand in the diagrams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { comparisons, isWhole, readCondition, writeCondition } from "../src/conditions.js";
import { diagrams } from "./diagrams.js";

const TEXT = /<bpmn:conditionExpression[^>]*>([^<]*)</g;
const unescaped = (text) => text.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
const all = new Set(diagrams().flatMap(({ xml }) => [...xml.matchAll(TEXT)].map((match) => unescaped(match[1]))));

test("every condition of our diagrams that is read as questions is written back letter for letter", () => {
  const read = [...all].filter((text) => readCondition(text));
  assert.ok(all.size > 100);
  assert.deepEqual(read.filter((text) => writeCondition(readCondition(text)) !== text), []);
});

test("at least nine of ten conditions of our diagrams can be changed without writing an expression", () => {
  const raw = [...all].filter((text) => !readCondition(text));
  assert.ok(raw.length * 10 <= all.size, raw.join("\n"));
});

test("what questions cannot say is left alone", () => {
  for (const text of ["a == 1 and b or c", "a + 1 > 2", "not (a == 1)", "count(list) > 0", "a ==", "a == 'x", "a.b.c()", "'x'", "a in b"]) {
    assert.equal(readCondition(text), null, text);
  }
});

test("a code with a quote and a backslash cannot break out of its text", () => {
  const term = { name: "a", compare: "is", value: "x' or 'y' == 'y\\", type: "text" };
  const written = writeCondition({ join: "and", terms: [term] });
  assert.deepEqual(readCondition(written).terms, [term]);
});

test("a row that is not filled in is no part of the condition", () => {
  assert.equal(isWhole({ name: "a", compare: "is", value: "" }), false);
  assert.equal(isWhole({ name: "a", compare: "missing", value: "" }), true);
  assert.equal(writeCondition({ join: "or", terms: [{ name: "a", compare: "yes", value: "" }, { name: "", compare: "is", value: "1" }] }), "a");
});

test("each type of question has comparisons that fit", () => {
  assert.deepEqual(comparisons("yes_no"), ["yes", "no", "not_yes"]);
  assert.ok(comparisons("date").includes("at_least"));
  assert.ok(comparisons("select_multiple").includes("selected"));
  assert.ok(!comparisons("select_one").includes("more"));
});
