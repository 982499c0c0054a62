// The modeller with what we add to it: our elements, our menus, the reader's language.
import Modeler from "bpmn-js/lib/Modeler";
import minimapModule from "diagram-js-minimap";
import simulationModule from "bpmn-js-token-simulation";
import moddle from "../../../workflows/nrm-moddle.json";
import { Languages, speaker } from "./languages.js";
import { menusModule } from "./menus.js";
import { Model, is, textsOf, togetherModule } from "./model.js";
import { page, say, t } from "./texts.js";

const translateModule = { translate: ["value", say] };
const GIVEN = ["bpmn:FlowNode", "bpmn:SequenceFlow", "bpmn:Lane", "bpmn:Participant"];
const READABLE = 0.7;
const BESIDE = 125;
const EDGE = 20;
const KINDS = {
  "bpmn:UserTask": "kind_user_task",
  "bpmn:ManualTask": "kind_manual",
  "bpmn:ServiceTask": "kind_check",
  "bpmn:SendTask": "kind_send",
  "bpmn:ReceiveTask": "kind_receive",
  "bpmn:BusinessRuleTask": "kind_table",
  "bpmn:CallActivity": "kind_call",
  "bpmn:SubProcess": "kind_part",
  "bpmn:ExclusiveGateway": "kind_exclusive",
  "bpmn:ParallelGateway": "kind_parallel",
  "bpmn:InclusiveGateway": "kind_inclusive",
  "bpmn:EventBasedGateway": "kind_event_gateway",
  "bpmn:StartEvent": "kind_start",
  "bpmn:EndEvent": "kind_end",
  "bpmn:BoundaryEvent": "kind_border",
  "bpmn:IntermediateCatchEvent": "kind_wait",
  "bpmn:IntermediateThrowEvent": "kind_milestone",
  "bpmn:SequenceFlow": "kind_flow",
  "bpmn:Lane": "kind_lane",
  "bpmn:Participant": "kind_pool",
  "bpmn:Process": "kind_path",
  "bpmn:TextAnnotation": "step_note",
};

export class Editor {
  constructor(container) {
    this.modeler = new Modeler({
      container,
      moddleExtensions: { nrm: moddle },
      additionalModules: [translateModule, togetherModule, menusModule, minimapModule, simulationModule],
      textRenderer: { defaultStyle: { fontFamily: getComputedStyle(document.documentElement).fontFamily } },
    });
    this.model = new Model(this.modeler);
    this.modeler.nrmModel = this.model;
    this.modeling = this.modeler.get("modeling");
    this.registry = this.modeler.get("elementRegistry");
    this.languages = new Languages(this.modeler, page.language);
    this.readOnly = false;
    this.Beside = () => null;
  }

  /** Show a diagram, all of it. */
  async open(xml) {
    await this.modeler.importXML(xml);
    this.showAll();
    const canvas = this.modeler.get("canvas");
    const start = this.registry.filter((each) => is(each, "bpmn:StartEvent"))[0];
    if (canvas.zoom() < READABLE && start) {
      canvas.zoom(READABLE);
      canvas.scrollToElement(start, { top: 200, left: 250, right: 250, bottom: 200 });
    }
  }

  /** Show all of the drawing, beside the palette. */
  showAll() {
    const canvas = this.modeler.get("canvas");
    const { inner, outer } = canvas.viewbox();
    const [wide, high] = [outer.width - BESIDE - EDGE, outer.height - 2 * EDGE];
    if (!inner.width || wide < 1 || high < 1) return;
    const scale = Math.min(1, wide / inner.width, high / inner.height);
    const x = inner.x - (BESIDE + (wide - inner.width * scale) / 2) / scale;
    const y = inner.y - (EDGE + (high - inner.height * scale) / 2) / scale;
    canvas.viewbox({ x, y, width: outer.width / scale, height: outer.height / scale });
  }

  root() {
    return this.modeler.get("canvas").getRootElement();
  }

  /** Give what stands for the whole path: its pool, or the drawing itself where there is none. */
  whole() {
    const root = this.root();
    return is(root, "bpmn:Collaboration") ? (this.registry.filter((each) => is(each, "bpmn:Participant"))[0] ?? root) : root;
  }

  /** Give the path's process. */
  process() {
    return this.modeler.getDefinitions().rootElements.find((each) => is(each, "bpmn:Process"));
  }

  /** Select an element and bring it into sight. */
  select(id) {
    const element = this.registry.get(id) ?? this.poolOf(id);
    if (!element) return;
    if (element === this.root()) this.modeler.get("selection").select([]);
    else {
      this.modeler.get("canvas").scrollToElement(element, 80);
      this.modeler.get("selection").select(element);
    }
    this.onSelected?.(element);
  }

  /** A path's own id is on the pool that shows it. */
  poolOf(id) {
    return this.registry.filter((each) => is(each, "bpmn:Participant") && each.businessObject.processRef?.id === id)[0];
  }

  /** Draw a flow to an element and select it. */
  connect(source, id) {
    const made = this.modeling.connect(source, this.registry.get(id));
    if (made) this.modeler.get("selection").select(made);
  }

  kindOf(bo) {
    return t(KINDS[bo.$type] ?? "kind_other");
  }

  /** Name a business object for people. */
  nameOf(bo) {
    const texts = textsOf(speaker(bo));
    return texts[page.language] || bo.name || texts.en || `${this.kindOf(bo)} ${bo.id}`;
  }

  /** Name an element by its id; null when the drawing has no such element. */
  nameOfId(id) {
    const element = this.registry.get(id) ?? this.poolOf(id);
    return element ? this.nameOf(element.businessObject) : null;
  }

  /** Give the tasks of the path, for those who read their answers. */
  tasks() {
    return this.registry.filter((each) => is(each, "bpmn:UserTask") && !each.labelTarget).map((each) => each.businessObject);
  }

  /** Give everything that can be selected, from left to right. */
  outline() {
    return this.registry
      .filter((each) => !each.labelTarget && GIVEN.some((type) => is(each, type)) && (!is(each, "bpmn:SequenceFlow") || each.businessObject.name))
      .sort((a, b) => (a.x ?? a.waypoints[0].x) - (b.x ?? b.waypoints[0].x))
      .map((each) => ({ code: each.id, name: `${this.kindOf(each.businessObject)}: ${this.nameOf(each.businessObject)}` }));
  }
}
