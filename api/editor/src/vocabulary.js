// What a diagram may name, as the service tells it; every list is [{code, name, …}].
import { named, page, t } from "./texts.js";

const list = (rows, key = "code") =>
  (Array.isArray(rows) ? rows : Object.entries(rows ?? {}).map(([code, row]) => ({ code, ...(typeof row === "object" ? row : { name: row }) })))
    .map((row) => (typeof row === "string" ? { code: row } : row))
    .map((row) => ({ ...row, code: row[key] ?? row.code ?? row.key ?? row.name, name: named(row) || row.code || row.key || row.name }));

/** Codes of the product itself have their words here. */
const worded = (codes, group) => codes.map((code) => ({ code, name: t(`${group}_${code}`) }));

export class Vocabulary {
  constructor(told) {
    this.told = told;
    this.roles = list(told.roles);
    const kinds = new Set([...told.organisations.map((each) => each.key), "provider"]);
    this.organisations = [...kinds].map((code) => ({ code, name: page.texts[`organisation_${code}`] ?? code }));
    this.forms = list(told.forms);
    this.services = list(told.services);
    this.outcomeCodes = list(told.outcomes);
    this.stages = list(told.stages);
    this.checks = list(told.checks);
    this.messages = list(told.messages);
    this.tables = list(told.decision_tables);
    this.callTables = list(told.call_tables);
    this.settings = list(told.settings);
    this.paths = list(told.paths);
    this.calendars = worded(told.calendars, "calendar");
    this.anchors = worded(told.anchors, "anchor");
    this.ladders = list(told.ladders);
    this.levels = list(told.levels);
  }

  /** Give the questions of a form. */
  fields(key) {
    return list(this.forms.find((form) => form.code === key)?.fields, "name").map((field) => ({
      ...field,
      name: field.code,
      label: named(field) || field.code,
      choices: field.choices?.length ? list(field.choices, "key") : undefined,
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
    return this.paths.find((path) => path.code === key)?.values ?? [];
  }
}
