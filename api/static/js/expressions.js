// Evaluates the JSON tree of an expression (see nrm/expressions/transfer.py) exactly as the server does.
// No eval, no access to prototypes: a name is looked up among an object's own keys only.
// Meaning is fixed by tests/expressions/golden.json, which runs this file too.

const FRACTION_DIGITS = 10;
const INTEGER_DIGITS = 15;
const ONE = 10n ** BigInt(FRACTION_DIGITS);
const BOUND = 10n ** BigInt(INTEGER_DIGITS) * ONE;
const VALUE_LENGTH = 10000;
const VALUE_ITEMS = 1000;
const STEPS = 20000;
const MOST_DAYS = 4000000;
const BLANK = /^[ \t\r\n]+|[ \t\r\n]+$/g;
const CAPITALS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZÇÊÎŞÛ"];
const SMALL = [..."abcdefghijklmnopqrstuvwxyzçêîşû"];

/** A text or list that is too long, or too much to look at; `code` is the key of the message catalogue. */
export class LimitExceeded extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** An exact decimal number with ten places. */
export class Num {
  /** @param {bigint} scaled the number times 10^10 */
  constructor(scaled) {
    this.scaled = scaled;
    Object.freeze(this);
  }

  get whole() {
    return this.scaled % ONE === 0n;
  }

  toString() {
    const size = this.scaled < 0n ? -this.scaled : this.scaled;
    const fraction = String(size % ONE).padStart(FRACTION_DIGITS, "0").replace(/0+$/, "");
    return (this.scaled < 0n ? "-" : "") + String(size / ONE) + (fraction ? `.${fraction}` : "");
  }
}

/** A calendar date. */
export class Day {
  constructor(year, month, day) {
    this.year = year;
    this.month = month;
    this.day = day;
    Object.freeze(this);
  }

  get key() {
    return this.year * 10000 + this.month * 100 + this.day;
  }

  toString() {
    const pad = (number, width) => String(number).padStart(width, "0");
    return `${pad(this.year, 4)}-${pad(this.month, 2)}-${pad(this.day, 2)}`;
  }
}

/** A date-time, with or without an offset. */
export class Moment {
  constructor(text, day, micros, aware) {
    this.text = text;
    this.day = day;
    this.micros = micros;
    this.aware = aware;
    Object.freeze(this);
  }

  toString() {
    return this.text;
  }
}

const GROUP = Object.freeze({});

class Situation {
  constructor(scope, today, self) {
    this.scope = scope;
    this.today = today;
    this.self = self;
    this.steps = STEPS;
  }

  spend(steps) {
    this.steps -= steps;
    if (this.steps < 0) throw new LimitExceeded("too_many_steps");
  }
}

// ---- values --------------------------------------------------------------------------------------------------------

const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);
const isGroup = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isSpecial(value);
const isSpecial = (value) => value instanceof Num || value instanceof Day || value instanceof Moment;
const codePoints = (text) => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

const inRange = (scaled) => (scaled > -BOUND && scaled < BOUND ? new Num(scaled) : null);

// Divides and rounds half away from zero.
function quotient(top, bottom) {
  const negative = top < 0n !== bottom < 0n;
  const upper = top < 0n ? -top : top;
  const lower = bottom < 0n ? -bottom : bottom;
  const rounded = (2n * upper + lower) / (2n * lower);
  return negative ? -rounded : rounded;
}

function decimalText(text) {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/.exec(text.toLowerCase());
  if (match === null) return null;
  const exponent = Number(match[4] ?? 0) - (match[3] ?? "").length + FRACTION_DIGITS;
  const digits = BigInt(match[2] + (match[3] ?? ""));
  if (digits === 0n) return new Num(0n);
  if (exponent > 60) return null;
  if (exponent < -400) return new Num(0n);
  const size = exponent >= 0 ? digits * 10n ** BigInt(exponent) : quotient(digits, 10n ** BigInt(-exponent));
  return inRange(match[1] === "-" ? -size : size);
}

function fromDate(text) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return match === null ? null : madeDay(Number(match[1]), Number(match[2]), Number(match[3]));
}

function fromMoment(text) {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  const day = match === null ? null : fromDate(match[1]);
  if (day === null) return null;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  const zone = match[6] === undefined || match[6] === "Z" ? 0 : offsetSeconds(match[6]);
  const micros = BigInt(ordinal(day)) * 86400000000n + BigInt(seconds - zone) * 1000000n;
  return new Moment(text, day, micros + BigInt((match[5] ?? "").padEnd(6, "0")), match[6] !== undefined);
}

function offsetSeconds(text) {
  const seconds = Number(text.slice(1, 3)) * 3600 + Number(text.slice(4, 6)) * 60;
  return text.startsWith("-") ? -seconds : seconds;
}

/**
 * Make a scope of JSON values: `{"$date": "2026-01-31"}`, `{"$datetime": …}` and `{"$decimal": "2.5"}` become typed.
 */
export function fromPlain(json) {
  if (Array.isArray(json)) return json.map(fromPlain);
  if (typeof json !== "object" || json === null) return json;
  const keys = Object.keys(json);
  if (keys.length === 1 && typeof json[keys[0]] === "string") {
    if (keys[0] === "$date") return fromDate(json.$date);
    if (keys[0] === "$datetime") return fromMoment(json.$datetime);
    if (keys[0] === "$decimal") return decimalText(json.$decimal);
  }
  return Object.fromEntries(keys.map((key) => [key, fromPlain(json[key])]));
}

/** Write a value as JSON: whole numbers as numbers, other typed values as `fromPlain` reads them. */
export function toPlain(value) {
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof Num) return value.whole ? Number(value.scaled / ONE) : { $decimal: value.toString() };
  if (value instanceof Day) return { $date: value.toString() };
  if (value instanceof Moment) return { $datetime: value.toString() };
  return value;
}

function read(value, situation) {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean" || isSpecial(value)) return value;
  if (typeof value === "number") return Number.isFinite(value) ? decimalText(String(value)) : null;
  if (typeof value === "string") return readText(value);
  return Array.isArray(value) ? readList(value, situation) : null;
}

function readText(value) {
  if (value.length > VALUE_LENGTH && codePoints(value) > VALUE_LENGTH) throw new LimitExceeded("value_too_long");
  return value === "" ? null : value;
}

function readList(value, situation) {
  if (value.length > VALUE_ITEMS) throw new LimitExceeded("list_value_too_long");
  situation.spend(value.length);
  return pack(value.map((item) => readItem(item, situation)));
}

function readItem(item, situation) {
  if (Array.isArray(item)) return null;
  return isGroup(item) ? GROUP : read(item, situation);
}

function pack(items) {
  const there = items.filter((item) => item !== null);
  return there.length > 0 ? there : null;
}

function lookUp(situation, path) {
  let value = own(situation.scope, path[0]);
  for (const part of path.slice(1)) {
    if (Array.isArray(value)) {
      if (value.length > VALUE_ITEMS) throw new LimitExceeded("list_value_too_long");
      situation.spend(value.length);
      value = value.filter(isGroup).map((item) => own(item, part));
    } else if (isGroup(value)) value = own(value, part);
    else return null;
  }
  return read(value, situation);
}

function fold(text, situation) {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  situation.spend(Math.floor(codePoints(text) / 10));
  return text
    .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x6f0));
}

function numeric(text, situation) {
  const clean = fold(text, situation).replace(BLANK, "").replaceAll("٫", ".");
  const match = /^[+-]?([0-9]+)(?:\.([0-9]+))?$/.exec(clean);
  if (match === null || match[1].length > INTEGER_DIGITS || (match[2] ?? "").length > 2 * INTEGER_DIGITS) return null;
  return decimalText(clean);
}

function kind(value) {
  if (value instanceof Num) return "number";
  if (value instanceof Day) return "date";
  if (value instanceof Moment) return value.aware ? "time" : "local time";
  return typeof value === "string" ? "text" : typeof value === "boolean" ? "boolean" : null;
}

const isOrdered = (kindOf) => kindOf === "number" || kindOf === "date" || kindOf === "time" || kindOf === "local time";

function order(value) {
  if (value instanceof Num) return value.scaled;
  return value instanceof Day ? value.key : value.micros;
}

// true, false, or null when the two do not compare.
function equal(left, right, situation) {
  const common = kind(left);
  if (common === null || common !== kind(right)) return null;
  if (common === "text") return left === right || fold(left, situation) === fold(right, situation);
  return common === "boolean" ? left === right : order(left) === order(right);
}

function holds(values, value, situation) {
  if (values === null || value === null) return null;
  const items = Array.isArray(values) ? values : [values];
  situation.spend(items.length);
  return items.some((item) => equal(item, value, situation) === true);
}

/** Say whether a value counts as true: true, a number that is not 0, a text or list that is not empty, any date. */
export function truthy(value) {
  if (value instanceof Num) return value.scaled !== 0n;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

// ---- dates ---------------------------------------------------------------------------------------------------------

const isLeap = (year) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year, month) => (month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);

function madeDay(year, month, day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12) return null;
  return day >= 1 && day <= daysIn(year, month) ? new Day(year, month, day) : null;
}

// Days since 0001-01-01, which is 1.
function ordinal(day) {
  const before = day.year - 1;
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  for (let month = 1; month < day.month; month += 1) days += daysIn(day.year, month);
  return days + day.day;
}

function fromOrdinal(days) {
  if (days < 1 || days > 3652059) return null;
  let year = Math.max(1, Math.floor(days / 366));
  while (year < 9999 && ordinal(new Day(year + 1, 1, 1)) <= days) year += 1;
  let rest = days - ordinal(new Day(year, 1, 1));
  let month = 1;
  while (rest >= daysIn(year, month)) {
    rest -= daysIn(year, month);
    month += 1;
  }
  return new Day(year, month, rest + 1);
}

const dayOf = (value) => (value instanceof Day ? value : value instanceof Moment ? value.day : null);
const int = (number) => new Num(BigInt(number) * ONE);

function wholeOf(value, most) {
  if (!(value instanceof Num) || !value.whole) return null;
  const whole = value.scaled / ONE;
  return whole >= -BigInt(most) && whole <= BigInt(most) ? Number(whole) : null;
}

function toDate(situation, value) {
  return typeof value === "string" ? fromDate(fold(value, situation).replace(BLANK, "")) : dayOf(value);
}

function age(situation, born, at) {
  const birth = dayOf(born);
  const then = at === undefined ? situation.today : dayOf(at);
  if (birth === null || then === null || birth.key > then.key) return null;
  return int(Math.floor((then.key - birth.key) / 10000));
}

function daysBetween(_, start, end) {
  const [first, last] = [dayOf(start), dayOf(end)];
  return first === null || last === null ? null : int(ordinal(last) - ordinal(first));
}

function addDays(_, start, days) {
  const [first, count] = [dayOf(start), wholeOf(days, MOST_DAYS)];
  return first === null || count === null ? null : fromOrdinal(ordinal(first) + count);
}

function addMonths(_, start, months) {
  const [first, count] = [dayOf(start), wholeOf(months, MOST_DAYS)];
  if (first === null || count === null) return null;
  const place = first.year * 12 + first.month - 1 + count;
  const year = Math.floor(place / 12);
  if (year < 1 || year > 9999) return null;
  const month = place - year * 12 + 1;
  return new Day(year, month, Math.min(first.day, daysIn(year, month)));
}

// ---- functions -----------------------------------------------------------------------------------------------------

const numbers = (left, right) => left instanceof Num && right instanceof Num;
const add = (left, right) => (numbers(left, right) ? inRange(left.scaled + right.scaled) : null);
const subtract = (left, right) => (numbers(left, right) ? inRange(left.scaled - right.scaled) : null);
const multiply = (left, right) => (numbers(left, right) ? inRange(quotient(left.scaled * right.scaled, ONE)) : null);
const divide = (left, right) =>
  numbers(left, right) && right.scaled !== 0n ? inRange(quotient(left.scaled * ONE, right.scaled)) : null;
const negate = (value) => (value instanceof Num ? new Num(-value.scaled) : null);

function flat(situation, values) {
  const found = [];
  for (const value of values) {
    if (Array.isArray(value)) {
      situation.spend(value.length);
      found.push(...value);
    } else if (value !== null) found.push(value);
  }
  return found;
}

function sum(situation, ...values) {
  return flat(situation, values).reduce((total, item) => (total === null ? null : add(total, item)), new Num(0n));
}

function extreme(situation, values, better) {
  const found = flat(situation, values);
  const kinds = new Set(found.map(kind));
  if (kinds.size !== 1 || !isOrdered(kind(found[0]))) return null;
  return found.reduce((best, item) => (better(order(item), order(best)) ? item : best));
}

function count(_, values) {
  if (values === null) return int(0);
  return int(Array.isArray(values) ? values.length : 1);
}

function round(_, value, places = int(0)) {
  const digits = wholeOf(places, FRACTION_DIGITS);
  if (!(value instanceof Num) || digits === null || digits < 0) return null;
  const unit = 10n ** BigInt(FRACTION_DIGITS - digits);
  return inRange(quotient(value.scaled, unit) * unit);
}

function toDecimal(situation, value) {
  if (typeof value === "string") return numeric(value, situation);
  return value instanceof Num ? value : null;
}

function toInt(situation, value) {
  const found = toDecimal(situation, value);
  return found === null ? null : new Num((found.scaled / ONE) * ONE);
}

function toText(_, value) {
  if (typeof value === "string") return value;
  return value instanceof Num || value instanceof Day ? value.toString() : null;
}

function concat(situation, ...values) {
  const parts = values.map((value) => (value === null ? "" : toText(situation, value)));
  if (parts.includes(null)) return null;
  return readText(parts.join(""));
}

function len(_, value) {
  if (typeof value === "string") return int(codePoints(value));
  return Array.isArray(value) ? int(value.length) : null;
}

function lower(situation, value) {
  if (typeof value !== "string") return null;
  situation.spend(Math.floor(codePoints(value) / 10));
  return Array.from(value, (letter) => SMALL[CAPITALS.indexOf(letter)] ?? letter).join("");
}

function folded(test) {
  return (situation, text, part) =>
    typeof text === "string" && typeof part === "string" && test(fold(text, situation), fold(part, situation));
}

function isDigits(situation, value) {
  return typeof value === "string" && /^[0-9]+$/.test(fold(value, situation));
}

function partOfDate(part) {
  return (_, value) => {
    const day = dayOf(value);
    return day === null ? null : int(day[part]);
  };
}

const FUNCTIONS = new Map(
  Object.entries({
    abs: (_, value) => (value instanceof Num && value.scaled < 0n ? negate(value) : value instanceof Num ? value : null),
    add_days: addDays,
    add_months: addMonths,
    age,
    coalesce: (_, ...values) => values.find((value) => value !== null) ?? null,
    concat,
    contains: folded((text, part) => text.includes(part)),
    count,
    count_selected: count,
    date: toDate,
    days_between: daysBetween,
    decimal: toDecimal,
    ends_with: folded((text, part) => text.endsWith(part)),
    if_: (_, condition, then, otherwise) => (truthy(condition) ? then : otherwise),
    int: toInt,
    is_digits: isDigits,
    is_missing: (_, value) => value === null,
    len,
    lower,
    max: (situation, ...values) => extreme(situation, values, (item, best) => item > best),
    min: (situation, ...values) => extreme(situation, values, (item, best) => item < best),
    month: partOfDate("month"),
    round,
    selected: (situation, values, code) => holds(values, code, situation) === true,
    starts_with: folded((text, part) => text.startsWith(part)),
    sum,
    text: toText,
    today: (situation) => situation.today,
    year: partOfDate("year"),
  }),
);

// ---- the tree ------------------------------------------------------------------------------------------------------

function ordered(test) {
  return (left, right) => isOrdered(kind(left)) && kind(left) === kind(right) && test(order(left), order(right));
}

const TESTS = new Map([
  ["==", (left, right, situation) => equal(left, right, situation) === true],
  ["!=", (left, right, situation) => equal(left, right, situation) === false],
  ["<", ordered((left, right) => left < right)],
  ["<=", ordered((left, right) => left <= right)],
  [">", ordered((left, right) => left > right)],
  [">=", ordered((left, right) => left >= right)],
  ["in", (left, right, situation) => holds(right, left, situation) === true],
  ["not in", (left, right, situation) => holds(right, left, situation) === false],
]);

const SIGNS = new Map([["+", add], ["-", subtract], ["*", multiply], ["/", divide]]);
const isMissingLiteral = (tree) => tree[0] === "lit" && (tree[1] === null || tree[1] === "");

function compare(tree, situation) {
  let left = work(tree[1], situation);
  for (let place = 2; place < tree.length; place += 2) {
    const [sign, next] = [tree[place], tree[place + 1]];
    const right = work(next, situation);
    if (!holdsBetween(sign, tree[place - 1], left, next, right, situation)) return false;
    left = right;
  }
  return true;
}

function holdsBetween(sign, leftTree, left, rightTree, right, situation) {
  if ((sign === "==" || sign === "!=") && (isMissingLiteral(leftTree) || isMissingLiteral(rightTree))) {
    return sign === "==" ? left === null && right === null : (left === null) !== (right === null);
  }
  return TESTS.get(sign)(left, right, situation);
}

function listOf(tree, situation) {
  situation.spend(tree.length - 1);
  return pack(tree.slice(1).map((item) => work(item, situation)).map((item) => (Array.isArray(item) ? null : item)));
}

const WORKERS = new Map(
  Object.entries({
    lit: (tree, situation) => read(fromPlain(tree[1]), situation),
    name: (tree, situation) => lookUp(situation, tree.slice(1)),
    this: (_, situation) => read(situation.self, situation),
    list: listOf,
    not: (tree, situation) => !truthy(work(tree[1], situation)),
    neg: (tree, situation) => negate(work(tree[1], situation)),
    and: (tree, situation) => tree.slice(1).every((part) => truthy(work(part, situation))),
    or: (tree, situation) => tree.slice(1).some((part) => truthy(work(part, situation))),
    compare,
    call: (tree, situation) =>
      FUNCTIONS.get(tree[1])(situation, ...tree.slice(2).map((part) => work(part, situation))),
  }),
);

function work(tree, situation) {
  const sign = SIGNS.get(tree[0]);
  if (sign !== undefined) return sign(work(tree[1], situation), work(tree[2], situation));
  return WORKERS.get(tree[0])(tree, situation);
}

/**
 * Work out an expression.
 *
 * @param {Array} tree from `to_json`
 * @param {object} scope values by name: JSON values, or typed ones from `fromPlain`
 * @param {{today?: Day|null, self?: unknown}} [options] the date of `today()`; the value that `.` stands for
 * @returns {null|boolean|string|Num|Day|Moment|Array} null is missing
 * @throws {LimitExceeded} a text or list is too long, or there is too much to look at
 */
export function evaluate(tree, scope, { today = null, self = null } = {}) {
  const value = work(tree, new Situation(scope, today, self));
  return Array.isArray(value) ? pack(value.map((item) => (item === GROUP ? null : item))) : value;
}
