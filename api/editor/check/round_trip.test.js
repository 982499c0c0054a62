// Each of our files survives a reader and writer of BPMN that knows nothing of our elements, and one that knows them.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { BpmnModdle } from "bpmn-moddle";
import { diagrams, moddleOfOurs } from "./diagrams.js";

const OUT = join(dirname(fileURLToPath(import.meta.url)), "../../../build/round_trips");
const KINDS = { plain: () => new BpmnModdle(), ours: () => new BpmnModdle({ nrm: moddleOfOurs() }) };
const ELEMENT = /<nrm:(\w+)/g;
const counted = (xml) => {
  const counts = {};
  for (const [, name] of xml.matchAll(ELEMENT)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

for (const [kind, make] of Object.entries(KINDS)) {
  for (const { pack, name, xml } of diagrams()) {
    test(`${kind}: ${pack}/${name}`, async () => {
      const moddle = make();
      const { rootElement, warnings } = await moddle.fromXML(xml);
      assert.deepEqual(warnings.map((each) => each.message), []);
      const written = (await moddle.toXML(rootElement, { format: true })).xml;
      assert.deepEqual(counted(written), counted(xml));
      mkdirSync(join(OUT, kind, pack), { recursive: true });
      writeFileSync(join(OUT, kind, pack, name), written);
    });
  }
}
