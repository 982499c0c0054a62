// Builds the editor into api/static/editor: one script, one sheet, one font, the notices of what is inside, and
// build.json, by which a test without node sees that the bundle was built from these sources.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig } from "vite";
import { simulationWords } from "./simulation_words.js";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../static/editor");

const STYLED = /node_modules\/(bpmn-js|diagram-js|bpmn-js-token-simulation|diagram-js-minimap|diagram-js-direct-editing)\//;

/** Our content policy refuses style="…" in markup: it becomes data-style, which src/styles_in_markup.js applies. */
const stylesInMarkup = {
  name: "styles-in-markup",
  transform(code, id) {
    if (!STYLED.test(id) || !id.endsWith(".js")) return null;
    return { code: code.replace(/([\s`])style="/g, '$1data-style="'), map: null };
  },
};

/** The token simulation speaks only English: its words are looked up like all others. */
const wordsOfTheSimulation = {
  name: "words-of-the-simulation",
  transform(code, id) {
    if (!id.includes("node_modules/bpmn-js-token-simulation/lib/")) return null;
    const said = simulationWords(code);
    return said === code ? null : { code: `import { say as nrmSay } from "${here}/src/texts.js";\n${said}`, map: null };
  },
};

/** Of the five forms of the icon font one is enough. */
const oneFont = {
  name: "one-font",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("bpmn-font/css/bpmn.css")) return null;
    const font = "url('../font/bpmn.woff2') format('woff2')";
    return code.replace(/src: url\('[^']*eot[^']*'\);\s*src:[^;]*;/, `src: ${font};`);
  },
};

function sources() {
  const names = ["package.json", "package-lock.json", "vite.config.js", "simulation_words.js"];
  const walk = (folder) =>
    readdirSync(join(here, folder), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
  return [...names, ...walk("src"), "../../workflows/nrm-moddle.json"].sort();
}

const hash = (content) => createHash("sha256").update(content).digest("hex");

/** The licence of each package that the bundle holds. */
function notices(ids) {
  const packages = new Map();
  for (const id of ids) {
    const found = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id.replace(/^\0/, ""));
    if (found) packages.set(found[2], found[1]);
  }
  return [...packages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry));
      const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${about.license}`;
      return `${name} ${about.version} (${about.license})\n${"-".repeat(40)}\n${text}\n`;
    })
    .join("\n\n");
}

const record = {
  name: "record",
  writeBundle(_, bundle) {
    const ids = Object.values(bundle).flatMap((part) => (part.modules ? Object.keys(part.modules) : []));
    const styles = ["@bpmn-io/diagram-js-ui", "bpmn-js", "diagram-js", "bpmn-js-token-simulation", "diagram-js-minimap"];
    const all = [...ids, ...styles.map((name) => join(here, "node_modules", name, "x"))];
    writeFileSync(join(out, "licences.txt"), notices(all));
    // What a thin line gains is worth two more files: Brotli's strongest is 16 % smaller than gzip's.
    for (const name of ["editor.js", "editor.css"]) writeFileSync(join(out, `${name}.br`), brotliCompressSync(readFileSync(join(out, name))));
    const files = readdirSync(out).filter((name) => name !== "build.json").sort();
    const made = files.map((name) => {
      const content = readFileSync(join(out, name));
      const packed = name.endsWith(".br") ? {} : { gzip: gzipSync(content, { level: 9 }).length };
      return [name, { sha256: hash(content), bytes: content.length, ...packed }];
    });
    const digest = createHash("sha256");
    for (const name of sources()) digest.update(`${name}\0${hash(readFileSync(join(here, name)))}\n`);
    const build = { sources: digest.digest("hex"), files: Object.fromEntries(made) };
    writeFileSync(join(out, "build.json"), JSON.stringify(build, null, 2) + "\n");
  },
};

export default defineConfig({
  root: here,
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [stylesInMarkup, wordsOfTheSimulation, oneFont, record],
  build: {
    outDir: out,
    emptyOutDir: true,
    target: ["es2020", "chrome87", "firefox78", "safari14.1"],
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: join(here, "src/main.js"),
      output: {
        entryFileNames: "editor.js",
        inlineDynamicImports: true,
        assetFileNames: ({ names }) => (names[0]?.endsWith(".css") ? "editor.css" : names[0] ?? "asset"),
      },
    },
  },
});
