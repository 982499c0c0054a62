// All diagrams of the packs.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKS = join(dirname(fileURLToPath(import.meta.url)), "../../../workflows");

export function diagrams() {
  return readdirSync(PACKS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((pack) =>
      readdirSync(join(PACKS, pack.name, "paths"))
        .filter((name) => name.endsWith(".bpmn"))
        .map((name) => ({ pack: pack.name, name, xml: readFileSync(join(PACKS, pack.name, "paths", name), "utf8") })),
    );
}

export const moddleOfOurs = () => JSON.parse(readFileSync(join(PACKS, "nrm-moddle.json"), "utf8"));
