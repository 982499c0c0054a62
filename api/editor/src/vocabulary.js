// What a diagram may name, as the service tells it; every list is [{code, name, …}].
import { named } from "./texts.js";

const list = (rows, key = "code") =>
  (Array.isArray(rows) ? rows : Object.entries(rows ?? {}).map(([code, row]) => ({ code, ...(typeof row === "object" ? row : { name: row }) })))
    .map((row) => (typeof row === "string" ? { code: row } : row))
    .map((row) => ({ ...row, code: row[key] ?? row.code ?? row.key ?? row.name, name: named(row) || row.code || row.key || row.name }));

export class Vocabulary {
  constructor(told) {
    this.told = told;
    this.roles = list(told.roles ?? told.desks);
    this.organisations = list(told.organisations);
    this.forms = list(told.forms);
    this.services = list(told.services ?? told.categories);
    this.outcomeCodes = list(told.outcomes);
    this.stages = list(told.stages);
    this.checks = list(told.checks);
    this.messages = list(told.messages);
    this.tables = list(told.decision_tables);
    this.callTables = list(told.call_tables);
    this.settings = list(told.settings);
    this.paths = list(told.paths);
    this.calendars = list(told.calendars ?? ["working", "clock"]);
    this.anchors = list(told.anchors ?? ["opened", "arrival", "return"]);
    this.ladders = list(told.ladders);
    this.levels = list(told.levels ?? ["standard", "restricted", "strict"]);
  }

  /** Give the questions of a form. */
  fields(key) {
    return list(this.forms.find((form) => form.code === key)?.fields, "name").map((field) => ({
      ...field,
      name: field.code,
      label: named(field) || field.code,
      choices: field.choices ? list(field.choices, "name").map((each) => ({ code: each.code, name: named(each) || each.code })) : undefined,
    }));
  }

  check(name) {
    return this.checks.find((each) => each.code === name);
  }

  outputs(key) {
    const table = this.tables.find((each) => each.code === key);
    return (table?.outputs ?? []).map((each) => (typeof each === "string" ? { name: each, type: "any" } : { type: "any", ...each }));
  }

  outcomes() {
    return this.outcomeCodes;
  }

  /** Give the names of the values that a path has from its start. */
  startValues(key) {
    const passed = this.told.passed?.[key] ?? this.paths.find((path) => path.code === key)?.passed ?? [];
    return [...(this.told.values ?? []), ...passed];
  }
}
