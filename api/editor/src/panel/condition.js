// When a flow is taken: question → comparison → value; or the expression itself.
import { html, useState } from "@bpmn-io/diagram-js-ui";
import { knownBefore } from "../before.js";
import { comparisons, isWhole, literalType, needsValue, readCondition, writeCondition } from "../conditions.js";
import { is } from "../model.js";
import { t } from "../texts.js";
import { Check, Choice, Group, Text, latin } from "./fields.js";

const CHOOSING = ["bpmn:ExclusiveGateway", "bpmn:InclusiveGateway"];

/** Give the part of the panel for a flow that a deciding step has. */
export function FlowPart({ element, bo, editor }) {
  const source = bo.sourceRef;
  if (!CHOOSING.some((type) => is(source, type))) return null;
  const isDefault = source.default === bo;
  const setDefault = (wanted) =>
    editor.model.together(() => {
      const gateway = editor.registry.get(source.id);
      editor.model.update(gateway, source, { default: wanted ? bo : undefined });
      if (wanted && bo.conditionExpression) editor.model.update(element, bo, { conditionExpression: undefined });
    });
  return html`<${Group} title=${t("part_condition")} open>
    <${Check} name="default" label=${t("flow_default")} value=${isDefault} onChange=${setDefault} />
    ${!isDefault && html`<${Condition} key=${bo.id} element=${element} bo=${bo} editor=${editor} />`}
  <//>`;
}

function Condition({ element, bo, editor }) {
  const text = bo.conditionExpression?.body ?? "";
  const read = readCondition(text);
  const [raw, setRaw] = useState(false);
  const [draft, setDraft] = useState(null);
  const write = (body) => {
    const expression = body.trim() ? editor.model.expression(bo, body.trim()) : undefined;
    editor.model.update(element, bo, { conditionExpression: expression });
  };
  if (raw || !read) {
    return html`<${Text} name="expression" label=${t("condition_raw")} ltr lines="3" value=${text} hint=${t("condition_raw_hint")} onChange=${write} />
      ${read ? html`<button type="button" class="ed-small" onClick=${() => setRaw(false)}>${t("condition_guided")}</button>` : html`<p class="ed-hint">${t("condition_only_raw")}</p>`}`;
  }
  // Rows that are not whole yet live here only; what is whole is written into the file.
  const shown = draft && writeCondition(draft) === writeCondition(read) ? draft : read;
  const change = (next) => {
    setDraft(next);
    const body = writeCondition(next);
    if (body !== writeCondition(read)) write(body);
  };
  const terms = shown.terms.length ? shown.terms : [{ name: "", compare: "is", value: "" }];
  const set = (at, term) => change({ ...shown, terms: terms.map((each, index) => (index === at ? term : each)) });
  const known = knownBefore(bo, editor.vocabulary, (step) => editor.nameOf(step));
  return html`
    ${terms.length > 1 &&
    html`<${Choice} name="join" label=${t("condition_join")} value=${shown.join} none=${null} onChange=${(join) => change({ ...shown, terms, join })}
      options=${["and", "or"].map((code) => ({ code, name: t(`join_${code}`) }))} />`}
    ${terms.map((term, at) => html`<${Term} key=${at} at=${at} term=${term} known=${known} onChange=${(next) => set(at, next)}
      onRemove=${terms.length > 1 ? () => change({ ...shown, terms: terms.filter((_, index) => index !== at) }) : null} />`)}
    <div class="ed-buttons">
      <button type="button" class="ed-small" disabled=${!terms.every(isWhole)} onClick=${() => setDraft({ ...shown, terms: [...terms, { name: "", compare: "is", value: "" }] })}>${t("condition_add")}</button>
      <button type="button" class="ed-small" onClick=${() => setRaw(true)}>${t("condition_as_text")}</button>
    </div>
    ${text && html`<p class="ed-hint">${t("condition_written")} <code dir="ltr">${text}</code></p>`}`;
}

function Term({ at, term, known, onChange, onRemove }) {
  const fields = known.flatMap((group) => group.fields);
  const field = fields.find((each) => each.name === term.name) ?? { name: term.name, type: "any" };
  const compared = comparisons(field.type);
  if (!compared.includes(term.compare) && term.name) compared.unshift(term.compare);
  const choose = (name) => {
    const type = fields.find((each) => each.name === name)?.type ?? "any";
    const possible = comparisons(type);
    onChange({ name, compare: possible.includes(term.compare) ? term.compare : possible[0], value: "", type: literalType(type, "") });
  };
  const groups = known.map((group) => ({ name: group.step, options: group.fields.map((each) => ({ code: each.name, name: each.label ?? each.name })) }));
  return html`<div class="ed-row ed-term" role="group" aria-label=${t("condition_row", { n: at + 1 })}>
    <${Choice} name=${`question-${at}`} label=${t("condition_question")} value=${term.name} options=${groups} onChange=${choose} none=${t("condition_choose")} />
    <${Choice} name=${`compare-${at}`} label=${t("condition_compare")} value=${term.compare} none=${null}
      options=${compared.map((code) => ({ code, name: t(`compare_${code}`) }))} onChange=${(compare) => onChange({ ...term, compare, value: emptied(term, compare) })} />
    ${needsValue(term.compare) && html`<${Value} at=${at} term=${term} field=${field} onChange=${onChange} />`}
    ${onRemove && html`<button type="button" class="ed-small" onClick=${onRemove}>${t("remove")}</button>`}
  </div>`;
}

/** A list of codes and one code are different values. */
function emptied(term, compare) {
  if ((compare === "one_of") === Array.isArray(term.value)) return term.value;
  return compare === "one_of" ? (term.value ? [term.value] : []) : (term.value[0] ?? "");
}

function Value({ at, term, field, onChange }) {
  const label = t("condition_value");
  const set = (value) => onChange({ ...term, value, type: term.type === "in" ? "in" : literalType(field.type, String(value)) });
  if (term.compare === "one_of" && field.choices) {
    const flip = (code, wanted) => set(wanted ? [...term.value, code] : term.value.filter((each) => each !== code));
    return html`<fieldset class="ed-group"><legend>${label}</legend>
      ${field.choices.map((each) => html`<${Check} key=${each.code} name=${`value-${at}`} label=${each.name} value=${term.value.includes(each.code)} onChange=${(wanted) => flip(each.code, wanted)} />`)}
    </fieldset>`;
  }
  if (field.choices) return html`<${Choice} name=${`value-${at}`} label=${label} value=${term.value} options=${field.choices} onChange=${set} />`;
  const several = term.compare === "one_of";
  const number = literalType(field.type, String(term.value)) === "number";
  return html`<${Text} name=${`value-${at}`} label=${label} ltr value=${several ? term.value.join(", ") : term.value} placeholder=${field.type === "date" ? "2026-01-31" : undefined}
    onChange=${(text) => set(several ? text.split(",").map((each) => each.trim()).filter(Boolean) : number ? latin(text) : text.trim())} />`;
}
