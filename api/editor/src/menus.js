// Palette, pad and menus offer what the engine runs, and nothing else.
import { is, isAny } from "./model.js";
import { t } from "./texts.js";

const CATCH = "bpmn:IntermediateCatchEvent";
const definition = (name) => ({ eventDefinitionType: `bpmn:${name}EventDefinition` });

/** Everything that can be drawn: code of its name, group, icon, type, options. */
export const STEPS = [
  { code: "task", group: "activity", icon: "bpmn-icon-user-task", type: "bpmn:UserTask" },
  { code: "check", group: "activity", icon: "bpmn-icon-service-task", type: "bpmn:ServiceTask" },
  { code: "table", group: "activity", icon: "bpmn-icon-business-rule-task", type: "bpmn:BusinessRuleTask" },
  { code: "call", group: "activity", icon: "bpmn-icon-call-activity", type: "bpmn:CallActivity" },
  { code: "exclusive", group: "gateway", icon: "bpmn-icon-gateway-xor", type: "bpmn:ExclusiveGateway" },
  { code: "parallel", group: "gateway", icon: "bpmn-icon-gateway-parallel", type: "bpmn:ParallelGateway" },
  { code: "inclusive", group: "gateway", icon: "bpmn-icon-gateway-or", type: "bpmn:InclusiveGateway" },
  { code: "event_gateway", group: "gateway", icon: "bpmn-icon-gateway-eventbased", type: "bpmn:EventBasedGateway", options: { instantiate: false, eventGatewayType: "Exclusive" } },
  { code: "wait_message", group: "event", icon: "bpmn-icon-intermediate-event-catch-message", type: CATCH, options: definition("Message") },
  { code: "wait_timer", group: "event", icon: "bpmn-icon-intermediate-event-catch-timer", type: CATCH, options: definition("Timer") },
  { code: "end", group: "event", icon: "bpmn-icon-end-event-none", type: "bpmn:EndEvent" },
  { code: "end_terminate", group: "event", icon: "bpmn-icon-end-event-terminate", type: "bpmn:EndEvent", options: definition("Terminate") },
  { code: "end_error", group: "event", icon: "bpmn-icon-end-event-error", type: "bpmn:EndEvent", options: definition("Error") },
];
const BORDERS = [
  { code: "border_message", icon: "bpmn-icon-intermediate-event-catch-message", options: definition("Message") },
  { code: "border_timer", icon: "bpmn-icon-intermediate-event-catch-timer", options: definition("Timer") },
  { code: "border_error", icon: "bpmn-icon-intermediate-event-catch-error", options: definition("Error") },
  { code: "border_escalation", icon: "bpmn-icon-intermediate-event-catch-escalation", options: definition("Escalation") },
];

/** Entries of the replace menu that lead to something which runs. */
const RUNS = new Set(
  (
    "none-start none-end none-intermediate-throw none-intermediate-throwing user-task service-task send-task receive-task " +
    "manual-task rule-task call-activity expanded-subprocess subprocess exclusive-gateway parallel-gateway " +
    "inclusive-gateway event-based-gateway message-intermediate-catch message-intermediate-throw " +
    "timer-intermediate-catch escalation-intermediate-throw signal-intermediate-catch signal-intermediate-throw " +
    "message-end escalation-end error-end signal-end terminate-end message-boundary timer-boundary " +
    "escalation-boundary error-boundary signal-boundary non-interrupting-message-boundary " +
    "non-interrupting-timer-boundary non-interrupting-escalation-boundary non-interrupting-signal-boundary " +
    "sequence-flow default-flow conditional-flow"
  )
    .split(" ")
    .map((name) => `replace-with-${name}`),
);
const MARKERS = new Set(["toggle-parallel-mi", "toggle-sequential-mi", "toggle-non-interrupting"]);
const APPENDED = "nrm-append";

class NrmPalette {
  constructor(palette, create, elementFactory, handTool, lassoTool, spaceTool, globalConnect) {
    Object.assign(this, { create, elementFactory, handTool, lassoTool, spaceTool, globalConnect });
    palette.registerProvider(this);
  }

  getPaletteEntries() {
    const tool = (icon, code, click) => ({ group: "tools", className: icon, title: t(code), action: { click } });
    const entries = {
      "hand-tool": tool("bpmn-icon-hand-tool", "tool_hand", (event) => this.handTool.activateHand(event)),
      "lasso-tool": tool("bpmn-icon-lasso-tool", "tool_lasso", (event) => this.lassoTool.activateSelection(event)),
      "space-tool": tool("bpmn-icon-space-tool", "tool_space", (event) => this.spaceTool.activateSelection(event)),
      "global-connect-tool": tool("bpmn-icon-connection-multi", "tool_connect", (event) => this.globalConnect.start(event)),
      "tool-separator": { group: "tools", separator: true },
      "create.start": this.entry({ code: "start", group: "event", icon: "bpmn-icon-start-event-none", type: "bpmn:StartEvent" }),
    };
    for (const step of STEPS) {
      if (!["end_error", "end_terminate"].includes(step.code)) entries[`create.${step.code}`] = this.entry(step);
    }
    entries["create.subprocess"] = this.drawn("bpmn-icon-subprocess-expanded", "step_subprocess", () => this.subprocess());
    entries["create.pool"] = this.drawn("bpmn-icon-participant", "step_pool", () => this.elementFactory.createParticipantShape());
    entries["create.note"] = this.entry({ code: "note", group: "artifact", icon: "bpmn-icon-text-annotation", type: "bpmn:TextAnnotation" });
    return entries;
  }

  entry(step) {
    const shape = () => this.elementFactory.createShape({ type: step.type, ...step.options });
    return { ...this.drawn(step.icon, `step_${step.code}`, shape), group: step.group };
  }

  drawn(icon, code, shape) {
    const start = (event) => this.create.start(event, shape());
    return { group: "collaboration", className: icon, title: t(code), action: { dragstart: start, click: start } };
  }

  subprocess() {
    const box = this.elementFactory.createShape({ type: "bpmn:SubProcess", x: 0, y: 0, isExpanded: true });
    const start = this.elementFactory.createShape({ type: "bpmn:StartEvent", x: 40, y: 82, parent: box });
    return [box, start];
  }
}
NrmPalette.$inject = ["palette", "create", "elementFactory", "handTool", "lassoTool", "spaceTool", "globalConnect"];

/** Append to a step what may follow it; put an event on the border of one. */
export class Appending {
  constructor(elementFactory, autoPlace, modeling, selection) {
    Object.assign(this, { elementFactory, autoPlace, modeling, selection });
  }

  append(source, step) {
    const shape = this.elementFactory.createShape({ type: step.type, ...step.options });
    return this.autoPlace.append(source, shape);
  }

  attach(host, border) {
    const shape = this.elementFactory.createShape({ type: "bpmn:BoundaryEvent", ...border.options });
    const place = { x: host.x + host.width - 30 - 45 * (host.attachers?.length ?? 0), y: host.y + host.height };
    const made = this.modeling.createShape(shape, place, host, { attach: true });
    this.selection.select(made);
    return made;
  }

  /** Give what may be added to an element: [{code, icon, group, add}]. */
  choices(element) {
    const follows = followers(element).map((step) => ({ ...step, group: "append", add: () => this.append(element, step) }));
    const borders = isAny(element, ["bpmn:Activity"])
      ? BORDERS.map((border) => ({ ...border, group: "border", add: () => this.attach(element, border) }))
      : [];
    return [...follows, ...borders];
  }
}
Appending.$inject = ["elementFactory", "autoPlace", "modeling", "selection"];

function followers(element) {
  if (!is(element, "bpmn:FlowNode") || is(element, "bpmn:EndEvent")) return [];
  if (is(element, "bpmn:EventBasedGateway")) return STEPS.filter((step) => step.code.startsWith("wait_"));
  return STEPS;
}

class NrmPad {
  constructor(contextPad, popupMenu, appending) {
    Object.assign(this, { contextPad, popupMenu, appending });
    contextPad.registerProvider(500, this);
    popupMenu.registerProvider(APPENDED, { getPopupMenuEntries: (element) => this.menu(element) });
    popupMenu.registerProvider("bpmn-replace", 500, {
      getPopupMenuEntries: () => (entries) => kept(entries, RUNS),
      getPopupMenuHeaderEntries: () => (entries) => kept(entries, MARKERS),
    });
  }

  getContextPadEntries(element) {
    return (entries) => {
      const left = Object.fromEntries(
        Object.entries(entries).filter(([name]) => !name.startsWith("append.") || name === "append.text-annotation"),
      );
      const choices = this.appending.choices(element);
      if (!choices.length || element.type === "label") return left;
      const quick = choices.filter(({ code }) => ["task", "exclusive", "end", "wait_message", "wait_timer"].includes(code));
      const shown = is(element, "bpmn:EventBasedGateway") ? quick : quick.filter(({ code }) => !code.startsWith("wait_"));
      const first = Object.fromEntries(
        shown.map((choice) => [
          `append.${choice.code}`,
          { group: "model", className: choice.icon, title: t("append", { step: t(`step_${choice.code}`) }), action: { click: choice.add } },
        ]),
      );
      const more = { group: "model", className: "bpmn-icon-more", title: t("append_more"), html: undefined, action: { click: (event) => this.open(event, element) } };
      return { ...first, "append.more": { ...more, className: "editor-more" }, ...left };
    };
  }

  getMultiElementContextPadEntries() {
    return (entries) => entries;
  }

  open(event, element) {
    const pad = this.contextPad.getPad(element).html.getBoundingClientRect();
    const place = { x: pad.left, y: pad.bottom + 5, cursor: { x: event.x, y: event.y } };
    this.popupMenu.open(element, APPENDED, place, { title: t("append_more"), width: 300, search: true });
  }

  menu(element) {
    return Object.fromEntries(
      this.appending.choices(element).map((choice) => [
        `append-${choice.code}`,
        {
          label: t(`step_${choice.code}`),
          className: choice.icon,
          group: { id: choice.group, name: t(`menu_${choice.group}`) },
          action: () => (this.popupMenu.close(), choice.add()),
        },
      ]),
    );
  }
}
NrmPad.$inject = ["contextPad", "popupMenu", "appending"];

const kept = (entries, names) => Object.fromEntries(Object.entries(entries).filter(([name]) => names.has(name)));

export const menusModule = {
  __init__: ["paletteProvider", "nrmPad"],
  paletteProvider: ["type", NrmPalette],
  appending: ["type", Appending],
  nrmPad: ["type", NrmPad],
};
