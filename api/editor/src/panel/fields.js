// The inputs of the panel. Each has a visible label; a change is written when the input is left or after a short pause,
// so that one undo takes back one thought and not one letter.
import { html, useEffect, useRef, useState } from "@bpmn-io/diagram-js-ui";
import { UNITS, readDuration, writeDuration } from "../durations.js";
import { t } from "../texts.js";

const PAUSE = 500;
let numbers = 0;

function useId(name) {
  const id = useRef(null);
  id.current ??= `field-${name ?? ""}-${++numbers}`;
  return id.current;
}

/** Text that is written after a pause or when the input is left. */
function useText(value, onChange) {
  const [shown, setShown] = useState(value ?? "");
  const [timer, typed] = [useRef(0), useRef(null)];
  const latest = useRef(onChange);
  latest.current = onChange;
  const commit = () => {
    clearTimeout(timer.current);
    if (typed.current === null) return;
    const text = typed.current;
    typed.current = null;
    latest.current(text);
  };
  useEffect(() => {
    if (typed.current === null) setShown(value ?? "");
  }, [value]);
  useEffect(() => commit, []);
  const onInput = (event) => {
    typed.current = event.target.value;
    setShown(typed.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(commit, PAUSE);
  };
  return { value: shown, onInput, onBlur: commit };
}

export function Text({ name, label, value, onChange, lang, lines, hint, ltr, placeholder }) {
  const [id, text] = [useId(name), useText(value, onChange)];
  const dir = ltr ? "ltr" : lang ? (lang === "en" ? "ltr" : "rtl") : "auto";
  const about = hint ? `${id}-hint` : undefined;
  const common = { id, dir, lang: lang || undefined, name, "aria-describedby": about, placeholder, autocomplete: "off", ...text };
  return html`<div class="ed-field">
    <label for=${id}>${label}</label>
    ${lines ? html`<textarea rows=${lines} ...${common}></textarea>` : html`<input type="text" spellcheck=${!ltr} ...${common} />`}
    ${hint && html`<p class="ed-hint" id=${about}>${hint}</p>`}
  </div>`;
}

/** A choice from a list; a value that the list lacks stays and is marked as unknown. */
export function Choice({ name, label, value, options, onChange, none = "—", hint }) {
  const id = useId(name);
  const known = !value || options.some((each) => each.code === value || each.options?.some((inner) => inner.code === value));
  const item = (each) => html`<option key=${each.code} value=${each.code} selected=${each.code === (value ?? "")}>${each.name ?? each.code}</option>`;
  return html`<div class="ed-field">
    <label for=${id}>${label}</label>
    <select id=${id} name=${name} value=${value ?? ""} onChange=${(event) => onChange(event.target.value)}>
      ${none !== null && html`<option value="" selected=${!value}>${none}</option>`}
      ${!known && html`<option value=${value} selected>${t("unknown_value", { value })}</option>`}
      ${options.map((each) => (each.options ? html`<optgroup key=${each.name} label=${each.name}>${each.options.map(item)}</optgroup>` : item(each)))}
    </select>
    ${hint && html`<p class="ed-hint">${hint}</p>`}
  </div>`;
}

export function Check({ name, label, value, onChange }) {
  const id = useId(name);
  return html`<div class="ed-field ed-check">
    <input id=${id} name=${name} type="checkbox" checked=${value} onChange=${(event) => onChange(event.target.checked)} />
    <label for=${id}>${label}</label>
  </div>`;
}

/** A length of time: a number and a unit, or a setting of the country, or the text itself. */
export function Duration({ name, label, value, onChange, settings, dates }) {
  const read = readDuration(value);
  const way = read || !value ? "simple" : value.startsWith("setting:") ? "setting" : "text";
  const [chosen, setChosen] = useState(null);
  const shown = chosen ?? way;
  const ways = ["simple", "setting", "text"].map((code) => ({ code, name: t(dates && code === "text" ? "time_date" : `time_${code}`) }));
  const change = (amount, unit) => onChange(amount > 0 ? writeDuration(amount, unit) : "");
  return html`<fieldset class="ed-group">
    <legend>${label}</legend>
    <${Choice} name=${`${name}-way`} label=${t("time_way")} value=${shown} options=${ways} none=${null} onChange=${setChosen} />
    ${shown === "simple" &&
    html`<div class="ed-pair">
      <${Text} name=${`${name}-amount`} label=${t("time_amount")} ltr value=${read ? String(read.amount) : ""}
        onChange=${(text) => change(Number(latin(text)), read?.unit ?? "days")} />
      <${Choice} name=${`${name}-unit`} label=${t("time_unit")} value=${read?.unit ?? "days"} none=${null}
        options=${UNITS.map(([code]) => ({ code, name: t(`unit_${code}`) }))} onChange=${(unit) => change(read?.amount ?? 1, unit)} />
    </div>`}
    ${shown === "setting" &&
    html`<${Choice} name=${`${name}-setting`} label=${t("time_setting")} value=${(value ?? "").replace("setting:", "")} options=${settings}
      onChange=${(code) => onChange(code ? `setting:${code}` : "")} />`}
    ${shown === "text" && html`<${Text} name=${`${name}-text`} label=${t("time_written")} ltr value=${value} hint=${t("time_hint")} onChange=${onChange} />`}
  </fieldset>`;
}

/** Arabic-Indic and Persian digits count as digits. */
export const latin = (text) =>
  text.replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 0x660).replace(/[۰-۹]/g, (digit) => digit.charCodeAt(0) - 0x6f0).trim();

/** Rows that can be added and taken away: params, values that go along. */
export function Rows({ label, rows, columns, onChange, add }) {
  const set = (at, name, value) => onChange(rows.map((row, index) => (index === at ? { ...row, [name]: value } : row)));
  return html`<fieldset class="ed-group">
    <legend>${label}</legend>
    ${rows.map(
      (row, at) => html`<div class="ed-row" key=${at}>
        ${columns.map((column) => html`<${Text} key=${column.name} name=${column.name} label=${column.label} ltr value=${row[column.name]} onChange=${(value) => set(at, column.name, value)} />`)}
        <button type="button" class="ed-small" onClick=${() => onChange(rows.filter((_, index) => index !== at))}>${t("remove")}</button>
      </div>`,
    )}
    <button type="button" class="ed-small" onClick=${() => onChange([...rows, {}])}>${add}</button>
  </fieldset>`;
}

export function Group({ title, open, children }) {
  return html`<details class="ed-part" open=${open}><summary>${title}</summary><div class="ed-part-in">${children}</div></details>`;
}
