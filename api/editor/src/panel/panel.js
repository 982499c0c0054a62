// The panel beside the drawing: what the selected element says, in parts.
import { html, render, useState } from "@bpmn-io/diagram-js-ui";
import { hasTexts, speaker } from "../languages.js";
import { is, textsOf } from "../model.js";
import { page, t } from "../texts.js";
import { FlowPart } from "./condition.js";
import { eventParts } from "./event_parts.js";
import { Choice, Group, Text } from "./fields.js";
import { CallPart, CheckPart, DeskPart, DuePart, FormPart, RepeatPart, ServicePart, TablePart, ValuesPart } from "./step_parts.js";

const PARTS = [FlowPart, DeskPart, FormPart, DuePart, CheckPart, TablePart, CallPart, RepeatPart, ...eventParts, ValuesPart, ServicePart];
const LANGUAGES = ["ar", "ckb", "en"];
const INSTRUCTED = ["bpmn:Activity", "bpmn:Process", "bpmn:Participant"];

function TextsPart({ element, bo, editor }) {
  if (!hasTexts(bo)) return null;
  const holder = speaker(bo);
  const texts = (kind) => ({ ...(kind === "name" && bo.name && !textsOf(holder).en ? { [page.language]: bo.name } : {}), ...textsOf(holder, kind) });
  const order = [page.language, ...LANGUAGES.filter((code) => code !== page.language)];
  const inputs = (kind, lines) =>
    order.map((lang) => html`<${Text} key=${`${element.id}-${kind}-${lang}`} name=${`${kind}-${lang}`} lang=${lang} lines=${lines} value=${texts(kind)[lang]}
      label=${t(`${kind}_in`, { language: page.languages[lang] })} onChange=${(value) => editor.languages.say(element, kind, lang, value)} />`);
  return html`<${Group} title=${t("part_texts")} open>${inputs("name", 0)}<${Id} key=${element.id} element=${element} bo=${bo} editor=${editor} /><//>
    ${INSTRUCTED.some((type) => is(bo, type)) && html`<${Group} title=${t("part_instruction")} open=${Object.keys(textsOf(holder, "instruction")).length > 0}>${inputs("instruction", 3)}<//>`}`;
}

const ID = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** The id by which scenarios, checks and messages name a step; a path's own key stays. */
function Id({ element, bo, editor }) {
  const [wrong, setWrong] = useState("");
  if (INSTRUCTED.slice(1).some((type) => is(bo, type))) return null;
  const set = (text) => {
    const id = text.trim();
    if (id === bo.id) return setWrong("");
    const taken = editor.registry.get(id) || editor.modeler.get("moddle").ids.assigned(id);
    if (!ID.test(id) || taken) return setWrong(t(taken ? "id_taken" : "id_wrong", { id }));
    setWrong("");
    return editor.modeling.updateProperties(element, { id });
  };
  return html`<${Text} name="id" label=${t("id")} ltr value=${bo.id} hint=${t("id_hint")} onChange=${set} />
    ${wrong && html`<p class="ed-hint" role="alert">${wrong}</p>`}`;
}

/** What the pad beside an element does, for those who have no mouse. */
function Adding({ element, editor }) {
  const { modeler, modeling } = editor;
  const choices = modeler.get("appending").choices(element);
  const targets = editor.outline().filter(({ code }) => mayConnect(editor, element, code));
  const removable = element !== editor.whole() && modeler.get("rules").allowed("elements.delete", { elements: [element] });
  if (!choices.length && !targets.length && !removable) return null;
  const options = ["append", "border"]
    .map((group) => ({ name: t(`menu_${group}`), options: choices.filter((each) => each.group === group).map(({ code }) => ({ code, name: t(`step_${code}`) })) }))
    .filter((group) => group.options.length);
  return html`<${Group} title=${t("part_add")}>
    ${choices.length > 0 &&
    html`<${Choice} name="add" label=${t("add_after")} value="" options=${options} none=${t("condition_choose")} onChange=${(code) => choices.find((each) => each.code === code)?.add()} />`}
    ${targets.length > 0 &&
    html`<${Choice} name="connect" label=${t("add_flow")} value="" options=${targets} none=${t("condition_choose")} onChange=${(code) => editor.connect(element, code)} />`}
    ${removable && html`<button type="button" class="ed-small" name="take-away" onClick=${() => modeling.removeElements([element])}>${t("take_away")}</button>`}
  <//>`;
}

/** Say whether a flow may lead from an element to another; one that is there is not drawn twice. */
function mayConnect(editor, source, id) {
  const target = editor.registry.get(id);
  if (!is(source, "bpmn:FlowNode") || !is(target, "bpmn:FlowNode") || target === source) return false;
  const there = (source.outgoing ?? []).some((flow) => flow.target === target);
  const allowed = editor.modeler.get("rules").allowed("connection.create", { source, target });
  return !there && allowed?.type === "bpmn:SequenceFlow";
}

function Several({ elements, editor }) {
  return html`<p>${t("selected_count", { n: elements.length })}</p>
    <div class="ed-buttons">${["left", "center", "right", "top", "middle", "bottom"].map(
      (way) => html`<button type="button" class="ed-small" key=${way} onClick=${() => editor.modeler.get("alignElements").trigger(elements, way)}>${t(`align_${way}`)}</button>`,
    )}</div>`;
}

function Panel({ elements, editor }) {
  if (elements.length > 1) return html`<${Several} elements=${elements} editor=${editor} />`;
  const element = elements[0] ?? editor.whole();
  if (!element) return null;
  const bo = element.businessObject;
  const parts = { element, bo, editor };
  return html`<div class="ed-panel" key=${bo.id} data-element=${bo.id}>
    <h2 class="ed-head" id="panel-head">${editor.kindOf(bo)}${bo.name ? html`<span class="ed-sub"> ${bo.name}</span>` : null}</h2>
    <fieldset class="ed-all" disabled=${editor.readOnly}>
      <${TextsPart} ...${parts} />
      ${PARTS.map((Part) => html`<${Part} key=${Part.name} ...${parts} />`)}
      <${Adding} element=${element} editor=${editor} />
    </fieldset>
    <${editor.Beside} ...${parts} />
  </div>`;
}

/** Show the panel in a place and keep it true. */
export function showPanel(place, editor) {
  let asked = false;
  const show = () => {
    asked = false;
    const elements = editor.modeler.get("selection").get().map((each) => each.labelTarget ?? each);
    render(html`<${Panel} elements=${[...new Set(elements)]} editor=${editor} />`, place);
  };
  const later = () => {
    if (!asked) queueMicrotask(show);
    asked = true;
  };
  editor.modeler.on(["selection.changed", "commandStack.changed", "import.done", "root.set"], later);
  editor.showPanel = later;
  show();
}
