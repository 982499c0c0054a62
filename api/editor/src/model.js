// Reads and writes what a step says in our own elements (`nrm:…` in its extensionElements). Every change goes through
// the modeller's commands, so that it can be undone.

export const is = (thing, type) => {
  const bo = thing?.businessObject ?? thing;
  return Boolean(bo?.$instanceOf?.(type));
};
export const isAny = (thing, types) => types.some((type) => is(thing, type));

/** Give our own elements of one kind ("Desk", "Text" …) of a business object. */
export function ownAll(bo, kind) {
  return (bo.get?.("extensionElements")?.get("values") ?? []).filter((each) => each.$type === `nrm:${kind}`);
}
export const own = (bo, kind) => ownAll(bo, kind)[0];

/** Give the definition of an event: message, timer … */
export const definitionOf = (bo) => (is(bo, "bpmn:ReceiveTask") ? bo : bo.eventDefinitions?.[0]);

const KINDS = [
  ["Message", "message", "name"],
  ["Error", "error", "errorCode"],
  ["Escalation", "escalation", "escalationCode"],
  ["Signal", "signal", "name"],
];

export class Model {
  constructor(modeler) {
    this.modeler = modeler;
    this.modeling = modeler.get("modeling");
    this.moddle = modeler.get("moddle");
    this.registry = modeler.get("elementRegistry");
    this.stack = modeler.get("commandStack");
  }

  /** Replace the own elements of one kind by new ones: a list of attributes. */
  setAll(element, bo, kind, rows) {
    const holder = bo.get("extensionElements") ?? this.moddle.create("bpmn:ExtensionElements", { values: [] });
    const rest = holder.get("values").filter((each) => each.$type !== `nrm:${kind}`);
    const at = holder.get("values").findIndex((each) => each.$type === `nrm:${kind}`);
    const made = rows.map((row) => this.make(kind, row));
    const values = [...rest];
    values.splice(at < 0 ? rest.length : Math.min(at, rest.length), 0, ...made);
    const next = values.length ? this.moddle.create("bpmn:ExtensionElements", { values }) : undefined;
    for (const each of values) each.$parent = next;
    if (next) next.$parent = bo;
    this.modeling.updateModdleProperties(element, bo, { extensionElements: next });
  }

  make(kind, row) {
    const { params, ...attributes } = row;
    const made = this.moddle.create(`nrm:${kind}`, attributes);
    if (params) {
      made.params = params.map((param) => Object.assign(this.moddle.create("nrm:Param", param), { $parent: made }));
    }
    return made;
  }

  /** Set one own element; one that says nothing any more goes away. */
  set(element, bo, kind, attributes) {
    const before = own(bo, kind);
    const row = { ...attributesOf(before), ...attributes };
    if (before?.params && !("params" in attributes)) row.params = before.params.map(attributesOf);
    for (const name of Object.keys(row)) if (row[name] === "" || row[name] === undefined || row[name] === null) delete row[name];
    if (row.params && !row.params.length) delete row.params;
    this.setAll(element, bo, kind, Object.keys(row).length ? [row] : []);
  }

  /** Set properties of BPMN's own. */
  update(element, bo, properties) {
    this.modeling.updateModdleProperties(element, bo, properties);
  }

  /** Give the elements that stand beside the process in the file: messages, errors … */
  roots(kind) {
    return (this.modeler.getDefinitions()?.rootElements ?? []).filter((each) => each.$type === `bpmn:${kind}`);
  }

  /** Make an event name a message, an error, an escalation or a signal; one that the file lacks is added to it. */
  refer(element, definition, kind, code, correlation) {
    const [, word, attribute] = KINDS.find(([name]) => name === kind);
    const reference = `${word}Ref`;
    if (!code) return this.update(element, definition, { [reference]: undefined });
    let found = this.roots(kind).find((each) => each[attribute] === code);
    if (!found) {
      const definitions = this.modeler.getDefinitions();
      const taken = new Set(definitions.rootElements.map((each) => each.id));
      let id = `${word}_${code.replace(/[^A-Za-z0-9_]/g, "_")}`;
      while (taken.has(id)) id += "_";
      found = this.moddle.create(`bpmn:${kind}`, { id, name: code, [attribute]: code });
      if (kind === "Message") {
        const values = [this.moddle.create("nrm:Correlation", { key: correlation ?? "run" })];
        found.extensionElements = this.moddle.create("bpmn:ExtensionElements", { values });
      }
      found.$parent = definitions;
      this.update(element, definitions, { rootElements: [found, ...definitions.rootElements] });
    }
    return this.update(element, definition, { [reference]: found });
  }

  /** Give a formal expression that belongs to a business object. */
  expression(parent, body) {
    const made = this.moddle.create("bpmn:FormalExpression", { body });
    made.$parent = parent;
    return made;
  }

  /** Do several changes as one, so that one undo takes all back. */
  together(change) {
    this.stack.execute("nrm.together", { change });
  }
}

/** Runs several commands as one. */
function Together(commandStack) {
  commandStack.register("nrm.together", { preExecute: ({ change }) => change() });
}
Together.$inject = ["commandStack"];
export const togetherModule = { __init__: ["nrmTogether"], nrmTogether: ["type", Together] };

/** Give the attributes of an own element as a plain object. */
export function attributesOf(element) {
  if (!element) return {};
  const names = element.$descriptor.properties.filter((each) => each.isAttr || each.isBody).map((each) => each.ns.localName);
  return Object.fromEntries(names.filter((name) => Object.hasOwn(element, name)).map((name) => [name, element.get(name)]));
}

/** Give the texts of one kind by language. */
export function textsOf(bo, kind = "name") {
  return Object.fromEntries(
    ownAll(bo, "Text").filter((each) => (each.kind ?? "name") === kind).map((each) => [each.lang, each.value ?? ""]),
  );
}
