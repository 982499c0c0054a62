// What an event waits for or tells, how an end counts, and what belongs to the whole path.
import { html } from "@bpmn-io/diagram-js-ui";
import { attributesOf, definitionOf, is, isAny, own, ownAll } from "../model.js";
import { t } from "../texts.js";
import { Check, Choice, Duration, Group, Rows, Text } from "./fields.js";

const CORRELATIONS = ["run", "case"];
const CODED = { "bpmn:ErrorEventDefinition": "Error", "bpmn:EscalationEventDefinition": "Escalation", "bpmn:SignalEventDefinition": "Signal" };

export function MessagePart({ element, bo, editor }) {
  const definition = definitionOf(bo);
  if (!is(bo, "bpmn:ReceiveTask") && !is(definition, "bpmn:MessageEventDefinition")) return null;
  const message = definition.messageRef;
  const known = [...editor.vocabulary.messages];
  for (const each of editor.model.roots("Message")) {
    if (!known.some((one) => one.code === each.name)) known.push({ code: each.name, name: each.name });
  }
  const told = known.find((each) => each.code === message?.name);
  const choose = (name) => {
    const correlation = known.find((each) => each.code === name)?.correlation ?? (name.startsWith("referral.") || name.startsWith("letter.") ? "run" : "case");
    editor.model.refer(element, definition, "Message", name, correlation);
  };
  return html`<${Group} title=${t("part_message")} open>
    <${Choice} name="message" label=${t("message")} value=${message?.name} options=${known.map((each) => ({ code: each.code, name: each.name === each.code ? each.code : `${each.name} (${each.code})` }))} onChange=${choose} />
    <${Text} name="message-name" label=${t("message_own")} ltr value=${told ? "" : message?.name} onChange=${(name) => name.trim() && choose(name.trim())} />
    ${message &&
    html`<${Choice} name="correlation" label=${t("message_to")} value=${own(message, "Correlation")?.key ?? "run"} none=${null}
      options=${CORRELATIONS.map((code) => ({ code, name: t(`message_to_${code}`) }))} onChange=${(key) => editor.model.setAll(element, message, "Correlation", [{ key }])} />`}
  <//>`;
}

export function TimerPart({ element, bo, editor }) {
  const definition = definitionOf(bo);
  if (!is(definition, "bpmn:TimerEventDefinition")) return null;
  const date = definition.timeDate?.body;
  const value = date ?? definition.timeDuration?.body ?? "";
  const set = (text) => {
    const isDate = text && !text.startsWith("P") && !text.startsWith("setting:");
    const made = text ? editor.model.expression(definition, text.trim()) : undefined;
    editor.model.update(element, definition, { timeDuration: isDate ? undefined : made, timeDate: isDate ? made : undefined, timeCycle: undefined });
  };
  return html`<${Group} title=${t("part_timer")} open>
    <${Duration} key=${bo.id} name="timer" label=${t("timer_wait")} value=${value} settings=${editor.vocabulary.settings} dates onChange=${set} />
  <//>`;
}

export function CodePart({ element, bo, editor }) {
  const definition = definitionOf(bo);
  const kind = CODED[definition?.$type];
  if (!kind) return null;
  const word = kind.toLowerCase();
  const found = definition[`${word}Ref`];
  const value = kind === "Signal" ? found?.name : found?.[`${word}Code`];
  return html`<${Group} title=${t(`part_${word}`)} open>
    <${Text} name="code" label=${t(`${word}_code`)} ltr value=${value} onChange=${(code) => editor.model.refer(element, definition, kind, code.trim())} />
  <//>`;
}

export function BorderPart({ element, bo, editor }) {
  if (!is(bo, "bpmn:BoundaryEvent") || is(definitionOf(bo), "bpmn:ErrorEventDefinition")) return null;
  return html`<${Group} title=${t("part_border")} open>
    <${Check} name="interrupting" label=${t("border_interrupts")} value=${bo.cancelActivity !== false} onChange=${(cancelActivity) => editor.modeling.updateProperties(element, { cancelActivity })} />
  <//>`;
}

export function OutcomePart({ element, bo, editor }) {
  if (!is(bo, "bpmn:EndEvent")) return null;
  const outcome = attributesOf(own(bo, "Outcome"));
  return html`<${Group} title=${t("part_outcome")} open>
    <${Choice} name="outcome" label=${t("outcome")} value=${outcome.code} options=${editor.vocabulary.outcomes()} onChange=${(code) => editor.model.set(element, bo, "Outcome", { code })} />
  <//>`;
}

export function StagePart({ element, bo, editor }) {
  if (!is(bo, "bpmn:FlowNode") || !editor.vocabulary.stages.length) return null;
  const stage = attributesOf(own(bo, "Stage"));
  return html`<${Group} title=${t("part_stage")} open=${Boolean(stage.code)}>
    <${Choice} name="stage" label=${t("stage")} value=${stage.code} options=${editor.vocabulary.stages} onChange=${(code) => editor.model.set(element, bo, "Stage", { code })} />
  <//>`;
}

export function LeavePart({ element, bo, editor }) {
  if (!is(bo, "bpmn:SubProcess")) return null;
  const rows = ownAll(bo, "Leave").map(attributesOf);
  const columns = [
    { name: "message", label: t("leave_message") },
    { name: "to", label: t("leave_to") },
  ];
  return html`<${Group} title=${t("part_leave")} open=${rows.length > 0}>
    <${Rows} label=${t("leave")} rows=${rows} columns=${columns} add=${t("add_row")} onChange=${(next) => editor.model.setAll(element, bo, "Leave", next)} />
  <//>`;
}

export function LevelPart({ element, bo, editor }) {
  const process = is(bo, "bpmn:Participant") ? bo.processRef : is(bo, "bpmn:Process") ? bo : null;
  if (!process) return null;
  return html`<${Group} title=${t("part_level")} open>
    <${Choice} name="level" label=${t("level")} value=${own(process, "Level")?.code ?? "standard"} none=${null} options=${editor.vocabulary.levels}
      onChange=${(code) => editor.model.set(element, process, "Level", { code })} />
    <p class="ed-hint">${t("path_key")} <code dir="ltr">${process.id}</code></p>
  <//>`;
}

export const eventParts = [MessagePart, TimerPart, CodePart, BorderPart, OutcomePart, LeavePart, StagePart, LevelPart];
export const isGiven = (bo) => isAny(bo, ["bpmn:FlowNode", "bpmn:SequenceFlow", "bpmn:Lane", "bpmn:Participant", "bpmn:Process"]);
