// Reads cases (tree, scope, today, this) as JSON from standard input, writes what the browser's evaluator makes of them.
// The module is loaded as a data URL, so that it is an ES module whatever the version of node and the folder.
import { readFileSync } from "node:fs";

const source = readFileSync(process.argv[2]);
const url = `data:text/javascript;base64,${source.toString("base64")}`;
const { evaluate, fromPlain, toPlain, LimitExceeded } = await import(url);

function outcome({ tree, scope, today, self }) {
  try {
    const options = { today: today && fromPlain({ $date: today }), self: fromPlain(self) };
    return { value: toPlain(evaluate(tree, fromPlain(scope), options)) };
  } catch (error) {
    if (error instanceof LimitExceeded) return { error: error.code };
    throw error;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(outcome)));
