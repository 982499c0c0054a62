// The guided conditions: question → comparison → value, joined by "and" or by "or". What they cannot say stays a raw
// expression of the same small language.

const TOKEN = /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_.]*)|(==|!=|<=|>=|<|>|\(|\)|\[|\]|,))/y;

function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) return text.slice(at).trim() ? null : found;
    const [, quoted, digits, name, sign] = match;
    if (quoted !== undefined) found.push({ kind: "text", value: quoted.slice(1, -1).replace(/\\(.)/g, "$1") });
    else if (digits !== undefined) found.push({ kind: "number", value: digits });
    else if (name !== undefined) found.push({ kind: "name", value: name });
    else found.push({ kind: sign, value: sign });
  }
  return found;
}

class Reader {
  constructor(list) {
    this.list = list;
    this.at = 0;
  }
  peek(value) {
    const token = this.list[this.at];
    return token && token.kind !== "text" && token.value === value;
  }
  take(value) {
    if (!this.peek(value)) return false;
    this.at += 1;
    return true;
  }
  next() {
    return this.list[this.at++];
  }
}

const COMPARED = { "==": "is", "!=": "is_not", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least" };
const SIGNS = Object.fromEntries(Object.entries(COMPARED).map(([sign, code]) => [code, sign]));
const WORDS = new Set(["and", "or", "not", "in", "True", "False", "None", "if", "else"]);

function literal(reader) {
  const token = reader.next();
  if (!token) return null;
  if (token.kind === "text") return { type: "text", value: token.value };
  if (token.kind === "number") return { type: "number", value: token.value };
  if (token.kind === "name" && token.value === "date" && reader.take("(")) {
    const day = reader.next();
    return day?.kind === "text" && reader.take(")") ? { type: "date", value: day.value } : null;
  }
  if (token.kind === "name" && (token.value === "True" || token.value === "False")) {
    return { type: "boolean", value: token.value };
  }
  return null;
}

function call(reader, name, negated) {
  if (!reader.take("(")) return null;
  const first = reader.next();
  if (first?.kind !== "name" || WORDS.has(first.value)) return null;
  if (name === "is_missing") {
    return reader.take(")") ? { name: first.value, compare: negated ? "answered" : "missing", value: "" } : null;
  }
  if (!reader.take(",")) return null;
  const code = reader.next();
  if (code?.kind !== "text" || !reader.take(")")) return null;
  return { name: first.value, compare: negated ? "selected_not" : "selected", value: code.value, type: "text" };
}

function oneOf(reader, name) {
  if (!reader.take("[")) return null;
  const codes = [];
  do {
    const code = reader.next();
    if (code?.kind !== "text") return null;
    codes.push(code.value);
  } while (reader.take(","));
  return reader.take("]") ? { name, compare: "one_of", value: codes, type: "text" } : null;
}

/** Read what follows `'code' in`: a list by its name. */
function within(reader, value) {
  const list = reader.next();
  return list?.kind === "name" && !WORDS.has(list.value) ? { name: list.value, compare: "selected", value, type: "in" } : null;
}

function term(reader) {
  const negated = reader.take("not");
  if (!negated && reader.take("(")) {
    const inner = term(reader);
    return inner && reader.take(")") ? inner : null;
  }
  const token = reader.next();
  if (token?.kind === "text" && !negated && reader.take("in")) return within(reader, token.value);
  if (token?.kind !== "name" || WORDS.has(token.value)) return null;
  if (token.value === "selected" || token.value === "is_missing") return call(reader, token.value, negated);
  if (reader.peek("(")) return null;
  const sign = Object.keys(COMPARED).find((each) => reader.peek(each));
  if (!sign && !negated && reader.take("in")) return oneOf(reader, token.value);
  if (!sign) return { name: token.value, compare: negated ? "not_yes" : "yes", value: "" };
  if (negated) return null;
  reader.next();
  const value = literal(reader);
  if (!value) return null;
  if (value.type === "boolean" && sign === "==") {
    return { name: token.value, compare: value.value === "True" ? "yes" : "no", value: "" };
  }
  return value.type === "boolean" ? null : { name: token.value, compare: COMPARED[sign], ...value };
}

/** Read an expression: {join: "and" | "or", terms: [{name, compare, value, type}]}; null when it is not of this shape. */
export function readCondition(text) {
  if (!text?.trim()) return { join: "and", terms: [] };
  const list = tokens(text);
  if (!list) return null;
  const reader = new Reader(list);
  const [terms, joins] = [[term(reader)], new Set()];
  while (terms.at(-1) && reader.at < list.length) {
    const join = reader.next();
    if (join.kind !== "name" || (join.value !== "and" && join.value !== "or")) return null;
    joins.add(join.value);
    terms.push(term(reader));
  }
  if (terms.includes(null) || joins.size > 1) return null;
  return { join: [...joins][0] ?? "and", terms };
}

const quote = (text) => `'${text.replace(/([\\'])/g, "\\$1")}'`;

function writeTerm({ name, compare, value, type }) {
  if (compare === "yes") return name;
  if (compare === "no") return `${name} == False`;
  if (compare === "not_yes") return `not ${name}`;
  if (compare === "one_of") return `${name} in [${value.map(quote).join(", ")}]`;
  if (compare === "missing") return `is_missing(${name})`;
  if (compare === "answered") return `not is_missing(${name})`;
  if (compare === "selected" && type === "in") return `${quote(value)} in ${name}`;
  if (compare === "selected") return `selected(${name}, ${quote(value)})`;
  if (compare === "selected_not") return `not selected(${name}, ${quote(value)})`;
  const written = type === "number" ? value : type === "date" ? `date(${quote(value)})` : quote(value);
  return `${name} ${SIGNS[compare]} ${written}`;
}

const VALUELESS = new Set(["yes", "no", "not_yes", "missing", "answered"]);

/** Say whether a row of the guided condition is filled in. */
export const isWhole = ({ name, compare, value }) => Boolean(name && compare && (VALUELESS.has(compare) || value?.length > 0));

/** Write a guided condition as an expression; rows that are not whole are left out. */
export function writeCondition({ join, terms }) {
  return terms.filter(isWhole).map(writeTerm).join(` ${join} `);
}

/** Say whether a comparison needs a value beside it. */
export const needsValue = (compare) => !VALUELESS.has(compare);

const NUMBERS = new Set(["integer", "decimal", "money", "number", "calculate"]);
const DATES = new Set(["date", "datetime"]);

/** Give the comparisons that a question of a type can have. */
export function comparisons(type) {
  if (["boolean", "acknowledge", "yes_no"].includes(type)) return ["yes", "no", "not_yes"];
  if (type === "select_multiple" || type === "list") return ["selected", "selected_not", "answered", "missing"];
  if (NUMBERS.has(type) || DATES.has(type)) return ["is", "is_not", "less", "at_most", "more", "at_least", "answered", "missing"];
  if (type === "any") return ["is", "is_not", "one_of", "yes", "no", "not_yes", "less", "at_most", "more",
      "at_least", "selected", "selected_not", "answered", "missing"];
  return ["is", "is_not", "one_of", "answered", "missing"];
}

/** Give the kind of literal that a question of a type is compared with. */
export function literalType(type, value) {
  if (NUMBERS.has(type)) return "number";
  if (DATES.has(type)) return "date";
  return type === "any" && /^-?\d+(\.\d+)?$/.test(value) ? "number" : "text";
}
