// What a step says, part by part: who does it, the form, the time, the check, what it calls, what it repeats.
import { html } from "@bpmn-io/diagram-js-ui";
import { attributesOf, is, isAny, own, ownAll } from "../model.js";
import { t } from "../texts.js";
import { Check, Choice, Duration, Group, Rows, Text, latin } from "./fields.js";

const PERSON = ["bpmn:UserTask", "bpmn:ManualTask"];

const row = (editor, element, bo, kind) => ({
  value: attributesOf(own(bo, kind)),
  set: (attributes) => editor.model.set(element, bo, kind, attributes),
});

export function DeskPart({ element, bo, editor }) {
  if (!isAny(bo, [...PERSON, "bpmn:Lane"])) return null;
  const desk = row(editor, element, bo, "Desk");
  const { roles, organisations } = editor.vocabulary;
  return html`<${Group} title=${t("part_desk")} open>
    <${Choice} name="role" label=${t("desk_role")} value=${desk.value.role} options=${roles} onChange=${(role) => desk.set({ role })}
      none=${is(bo, "bpmn:Lane") ? "—" : t("desk_of_lane")} />
    <${Choice} name="organisation" label=${t("desk_organisation")} value=${desk.value.organisation} options=${organisations} none=${t("desk_any")}
      onChange=${(organisation) => desk.set({ organisation })} />
  <//>`;
}

export function FormPart({ element, bo, editor }) {
  if (!is(bo, "bpmn:UserTask")) return null;
  const form = row(editor, element, bo, "Form");
  const fields = editor.vocabulary.fields(form.value.key);
  return html`<${Group} title=${t("part_form")} open>
    <${Choice} name="form" label=${t("form")} value=${form.value.key} options=${editor.vocabulary.forms} onChange=${(key) => form.set({ key })} />
    ${fields.length > 0 &&
    html`<details><summary>${t("form_questions", { n: fields.length })}</summary><ul class="ed-list">${fields.map((each) => html`<li key=${each.name}>${each.label} <code dir="ltr">${each.name}</code></li>`)}</ul></details>`}
    ${form.value.key && editor.formAddress && html`<p><a href=${editor.formAddress(form.value.key)}>${t("form_edit")}</a></p>`}
  <//>`;
}

export function DuePart({ element, bo, editor }) {
  if (!isAny(bo, PERSON)) return null;
  const { settings, calendars, anchors, ladders } = editor.vocabulary;
  const due = row(editor, element, bo, "Due");
  const reminder = due.value.reminder === undefined ? "" : String(due.value.reminder);
  const set = (attributes) => due.set({ ...attributes });
  return html`<${Group} title=${t("part_due")} open>
    <${Duration} key=${bo.id} name="due" label=${t("due_time")} value=${due.value.time} settings=${settings} onChange=${(time) => (time ? set({ time }) : editor.model.setAll(element, bo, "Due", []))} />
    ${due.value.time &&
    html`<${Choice} name="calendar" label=${t("due_calendar")} value=${due.value.calendar ?? "working"} none=${null} options=${calendars} onChange=${(calendar) => set({ calendar })} />
      <${Choice} name="anchor" label=${t("due_anchor")} value=${due.value.anchor ?? "opened"} none=${null} options=${anchors} onChange=${(anchor) => set({ anchor })} />
      <${Text} name="reminder" label=${t("due_reminder")} ltr value=${reminder} hint=${t("due_reminder_hint")}
        onChange=${(text) => set({ reminder: /^\d{1,3}$/.test(latin(text)) ? Number(latin(text)) : "" })} />
      <${Choice} name="ladder" label=${t("due_ladder")} value=${due.value.ladder ?? "task"} none=${null} options=${ladders} onChange=${(ladder) => set({ ladder })} />`}
  <//>`;
}

export function ServicePart({ element, bo, editor }) {
  if (!isAny(bo, ["bpmn:UserTask", "bpmn:SendTask", "bpmn:CallActivity"])) return null;
  const service = row(editor, element, bo, "Service");
  return html`<${Group} title=${t("part_service")} open=${Boolean(service.value.category)}>
    <${Choice} name="service" label=${t("service_category")} value=${service.value.category} options=${editor.vocabulary.services} onChange=${(category) => service.set({ category })} />
  <//>`;
}

export function CheckPart({ element, bo, editor }) {
  if (!isAny(bo, ["bpmn:ServiceTask", "bpmn:SendTask"])) return null;
  const check = own(bo, "Check");
  const known = editor.vocabulary.check(check?.name);
  const params = (check?.params ?? []).map(attributesOf);
  const expected = (known?.params ?? []).map((each) => (typeof each === "string" ? { name: each } : each));
  const names = [...new Set([...expected.map((each) => each.name), ...params.map((each) => each.name)])];
  const value = (name) => params.find((each) => each.name === name)?.value ?? "";
  const set = (name, text) => {
    const rest = names.map((each) => ({ name: each, value: each === name ? text.trim() : value(each) })).filter((each) => each.value);
    editor.model.set(element, bo, "Check", { name: check.name, params: rest });
  };
  return html`<${Group} title=${t("part_check")} open>
    <${Choice} name="check" label=${t("check_name")} value=${check?.name} options=${editor.vocabulary.checks}
      onChange=${(name) => editor.model.setAll(element, bo, "Check", name ? [{ name }] : [])} />
    ${names.map((name) => html`<${CheckParam} key=${`${check.name}.${name}`} name=${name} required=${expected.find((each) => each.name === name)?.required} value=${value(name)} editor=${editor} onChange=${(text) => set(name, text)} />`)}
    ${known?.values?.length > 0 && html`<p class="ed-hint">${t("check_sets")} <code dir="ltr">${known.values.map((each) => each.name ?? each).join(", ")}</code></p>`}
  <//>`;
}

/** `from` names the task whose answers the check reads; all other parameters are expressions. */
function CheckParam({ name, required, value, editor, onChange }) {
  const label = required ? t("check_param_needed", { name }) : t("check_param", { name });
  if (name === "from" || name === "approved_in") {
    const tasks = editor.tasks().map((bo) => ({ code: `'${bo.id}'`, name: editor.nameOf(bo) }));
    return html`<${Choice} name=${`param-${name}`} label=${label} value=${value} options=${tasks} onChange=${onChange} hint=${t("check_from_hint")} />`;
  }
  return html`<${Text} name=${`param-${name}`} label=${label} ltr value=${value} onChange=${onChange} hint=${t("check_param_hint")} />`;
}

export function TablePart({ element, bo, editor }) {
  if (!is(bo, "bpmn:BusinessRuleTask")) return null;
  const table = row(editor, element, bo, "Table");
  const known = editor.vocabulary.tables.find((each) => each.code === table.value.key);
  const names = (rows) => (rows ?? []).map((each) => each.name ?? each).join(", ");
  return html`<${Group} title=${t("part_table")} open>
    <${Choice} name="table" label=${t("table")} value=${table.value.key} options=${editor.vocabulary.tables} onChange=${(key) => table.set({ key })} />
    ${known && html`<p class="ed-hint">${t("table_reads")} <code dir="ltr">${names(known.inputs)}</code><br />${t("table_sets")} <code dir="ltr">${names(known.outputs)}</code></p>`}
  <//>`;
}

export function CallPart({ element, bo, editor }) {
  if (!is(bo, "bpmn:CallActivity")) return null;
  const call = row(editor, element, bo, "Call");
  const { paths, callTables } = editor.vocabulary;
  const way = call.value.table !== undefined && !bo.calledElement ? "table" : "path";
  const versions = paths.find((path) => path.code === bo.calledElement)?.versions ?? [];
  const change = (wanted) =>
    editor.model.together(() => {
      if (wanted === "path") call.set({ table: "", key: "" });
      else {
        editor.model.update(element, bo, { calledElement: undefined });
        call.set({ table: callTables[0]?.code ?? "", version: "" });
      }
    });
  const number = (each) => String(each.version ?? each.number ?? each);
  return html`<${Group} title=${t("part_call")} open>
    <${Choice} name="call-way" label=${t("call_way")} value=${way} none=${null} onChange=${change} options=${["path", "table"].map((code) => ({ code, name: t(`call_${code}`) }))} />
    ${way === "path"
      ? html`<${Choice} name="called" label=${t("call_path")} value=${bo.calledElement} options=${paths} onChange=${(key) => editor.model.update(element, bo, { calledElement: key || undefined })} />
          <${Choice} name="version" label=${t("call_version")} value=${call.value.version ? String(call.value.version) : ""} none=${t("call_newest")}
            options=${versions.map((each) => ({ code: number(each), name: t("call_this_version", { version: number(each) }) }))} onChange=${(version) => call.set({ version: version ? Number(version) : "" })} />`
      : html`<${Choice} name="call-table" label=${t("call_table")} value=${call.value.table} options=${callTables} onChange=${(table) => call.set({ table })} />
          <${Text} name="call-key" label=${t("call_key")} ltr value=${call.value.key} onChange=${(key) => call.set({ key: key.trim() })} />`}
    <${Text} name="call-result" label=${t("call_result")} ltr value=${call.value.result} onChange=${(result) => call.set({ result: result.trim() })} />
  <//>`;
}

/** Values that go along and come back. */
export function ValuesPart({ element, bo, editor }) {
  const gives = isAny(bo, ["bpmn:CallActivity", "bpmn:IntermediateThrowEvent", "bpmn:SendTask"]) || (is(bo, "bpmn:EndEvent") && bo.eventDefinitions?.length);
  const takes = isAny(bo, ["bpmn:CallActivity", "bpmn:IntermediateCatchEvent", "bpmn:BoundaryEvent", "bpmn:ReceiveTask"]);
  if (!gives && !takes) return null;
  const rows = (kind) => ownAll(bo, kind).map(attributesOf);
  const columns = (kind) => ["name", "from"].map((name) => ({ name, label: t(`${kind}_${name}`) }));
  return html`<${Group} title=${t("part_values")} open=${rows("Pass").length + rows("Take").length > 0}>
    ${gives && html`<${Rows} label=${t("pass")} rows=${rows("Pass")} columns=${columns("pass")} add=${t("add_row")} onChange=${(next) => editor.model.setAll(element, bo, "Pass", next)} />`}
    ${takes && html`<${Rows} label=${t("take")} rows=${rows("Take")} columns=${columns("take")} add=${t("add_row")} onChange=${(next) => editor.model.setAll(element, bo, "Take", next)} />`}
  <//>`;
}

export function RepeatPart({ element, bo, editor }) {
  const marker = bo.loopCharacteristics;
  if (!is(marker, "bpmn:MultiInstanceLoopCharacteristics")) return null;
  const multi = row(editor, element, bo, "Multi");
  return html`<${Group} title=${t("part_repeat")} open>
    <${Text} name="multi-list" label=${t("repeat_list")} ltr value=${multi.value.list} onChange=${(list) => multi.set({ list: list.trim() })} />
    <${Text} name="multi-item" label=${t("repeat_item")} ltr value=${multi.value.item} onChange=${(item) => multi.set({ item: item.trim() })} />
    <${Check} name="sequential" label=${t("repeat_in_order")} value=${Boolean(marker.isSequential)} onChange=${(isSequential) => editor.model.update(element, marker, { isSequential })} />
  <//>`;
}
