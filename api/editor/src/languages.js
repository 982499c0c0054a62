// The drawing shows names in the reader's language; the file keeps all languages. BPMN's own `name` holds English in the
// file, so it is exchanged after reading and before writing.
import { is, ownAll, textsOf } from "./model.js";

const UNNAMED = ["bpmn:TextAnnotation", "bpmn:Group", "bpmn:Association", "bpmn:Message", "bpmn:Error", "bpmn:Escalation", "bpmn:Signal"];

/** Give the business object that holds a thing's texts: a pool speaks for its path. */
export function speaker(bo) {
  return is(bo, "bpmn:Participant") && bo.processRef && !ownAll(bo, "Text").length ? bo.processRef : bo;
}

/** Say whether a thing's name is said in three languages. */
export const hasTexts = (bo) => Boolean(bo.$descriptor.propertiesByName.name) && !UNNAMED.some((type) => is(bo, type));

function* inside(element) {
  yield element;
  for (const property of element.$descriptor.properties) {
    if (property.isReference || property.isAttr || property.isBody) continue;
    const value = element[property.name.replace(/^\w+:/, "")] ?? element.get(property.name);
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each?.$descriptor && each.$parent === element && each.$type) yield* inside(each);
    }
  }
}

export class Languages {
  constructor(modeler, language) {
    this.modeler = modeler;
    this.language = language;
    this.english = new WeakMap();
    modeler.on("import.parse.complete", ({ definitions }) => definitions && this.show(definitions));
    modeler.on("saveXML.start", ({ definitions }) => this.hide(definitions));
    modeler.on("saveXML.done", () => this.show(modeler.getDefinitions()));
    modeler.get("eventBus").on("commandStack.element.updateLabel.postExecuted", ({ context }) => this.renamed(context.element));
  }

  show(definitions) {
    for (const bo of inside(definitions)) {
      if (!hasTexts(bo)) continue;
      const texts = textsOf(speaker(bo));
      if (!Object.keys(texts).length) continue;
      this.english.set(bo, bo.name);
      const shown = texts[this.language];
      if (shown) bo.name = shown;
    }
  }

  hide(definitions) {
    for (const bo of inside(definitions)) {
      if (!hasTexts(bo)) continue;
      const own = textsOf(bo);
      if (Object.keys(own).length) bo.name = own.en || this.english.get(bo) || undefined;
      else if (this.english.has(bo)) bo.name = this.english.get(bo);
    }
  }

  /** Keep a changed label as the text of the reader's language. */
  renamed(element) {
    const bo = element.businessObject;
    if (!hasTexts(bo)) return;
    this.write(element, speaker(bo), "name", this.language, bo.name ?? "");
    if (speaker(bo) !== bo && this.language === "en") this.english.set(bo, bo.name);
  }

  /** Set one text; an empty one goes away. */
  write(element, bo, kind, lang, value) {
    const model = this.modeler.nrmModel;
    const rest = ownAll(bo, "Text").map((each) => ({ kind: each.kind ?? "name", lang: each.lang, value: each.value ?? "" }));
    const at = rest.findIndex((each) => each.kind === kind && each.lang === lang);
    const text = value.trim();
    if ((at < 0 ? "" : rest[at].value) === text) return;
    if (at < 0) rest.push({ kind, lang, value: text });
    else if (text) rest[at].value = text;
    else rest.splice(at, 1);
    model.setAll(element, bo, "Text", rest);
  }

  /** Set a text from the panel; the shown name changes on the drawing too. */
  say(element, kind, lang, value) {
    const bo = element.businessObject;
    const label = kind === "name" && lang === this.language && !is(bo, "bpmn:Process");
    if (label) this.modeler.get("modeling").updateLabel(element, value.trim());
    else this.write(element, speaker(bo), kind, lang, value);
  }
}
