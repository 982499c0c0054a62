// A form's questions as simple inputs, for those who try a path.
import { html } from "@bpmn-io/diagram-js-ui";
import { Check, Choice, Text } from "./panel/fields.js";
import { t } from "./texts.js";

const YES_NO = new Set(["acknowledge", "boolean", "yes_no"]);
const NOT_ASKED = new Set(["calculate", "note", "file", "signature", "repeat", "group"]);
const SAMPLES = { integer: "1", decimal: "1", money: "1", phone: "+9647000000000", geopoint: "33.3 44.4", datetime: "2026-01-15T10:00:00+00:00" };

/** Give the questions that a trial asks. */
export const asked = (fields) => fields.filter((field) => !field.in_repeat && !NOT_ASKED.has(field.type));

function sample(field, day) {
  if (field.type === "select_multiple") return field.choices?.length ? [field.choices[0].code] : [];
  if (field.choices?.length) return field.choices[0].code;
  if (YES_NO.has(field.type)) return "yes";
  if (field.type === "date") return day;
  if (["person", "organisation", "service", "user", "case"].includes(field.type)) return `${field.type}_1`;
  return SAMPLES[field.type] ?? t("trial_sample");
}

/** Answer what nobody has answered yet with something that fits. */
export function withSamples(fields, answers, day) {
  const rest = asked(fields).filter((field) => answers[field.name] === undefined || answers[field.name] === "");
  return { ...answers, ...Object.fromEntries(rest.map((field) => [field.name, sample(field, day)])) };
}

/** Leave out what was not answered. */
export const given = (answers) => Object.fromEntries(Object.entries(answers).filter(([, value]) => value !== "" && value !== undefined && value.length !== 0));

export function Questions({ fields, answers, onChange }) {
  return asked(fields).map((field) => {
    const set = (value) => onChange({ ...answers, [field.name]: value });
    const common = { key: field.name, name: `answer-${field.name}`, label: field.label, value: answers[field.name] ?? "", onChange: set };
    if (field.type === "select_multiple" && field.choices?.length) return html`<${Several} ...${common} choices=${field.choices} />`;
    if (field.choices?.length) return html`<${Choice} ...${common} options=${field.choices} />`;
    if (YES_NO.has(field.type)) return html`<${Choice} ...${common} options=${["yes", "no"].map((code) => ({ code, name: t(`answer_${code}`) }))} />`;
    return html`<${Text} ...${common} hint=${field.type === "date" ? "2026-01-31" : undefined} />`;
  });
}

function Several({ label, choices, value, name, onChange }) {
  const chosen = Array.isArray(value) ? value : [];
  const flip = (code, wanted) => onChange(wanted ? [...chosen, code] : chosen.filter((each) => each !== code));
  return html`<fieldset class="ed-group"><legend>${label}</legend>
    ${choices.map((each) => html`<${Check} key=${each.code} name=${name} label=${each.name} value=${chosen.includes(each.code)} onChange=${(wanted) => flip(each.code, wanted)} />`)}
  </fieldset>`;
}
