// What the service found wrong: a badge on the element and a line in the list; a line leads to its element.
import { html, render } from "@bpmn-io/diagram-js-ui";
import { number, t } from "./texts.js";

const RANK = { error: 0, warning: 1, note: 2 };
export const SIGNS = { error: "✕", warning: "!", note: "i" };

export class Findings {
  constructor(editor, place, tab) {
    Object.assign(this, { editor, place, tab });
    this.list = [];
  }

  show(findings) {
    this.list = [...findings].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
    this.draw();
    render(html`<${List} findings=${this.list} go=${(finding) => this.go(finding)} nameOf=${(id) => this.editor.nameOfId(id)} />`, this.place);
    const count = this.counts();
    this.tab.textContent = this.list.length ? t("tab_findings_n", { n: this.list.length }) : t("tab_findings");
    this.tab.dataset.worst = count.error ? "error" : count.warning ? "warning" : "";
  }

  /** Lead to a finding: its element is selected, and the way that leads to the defect is marked. */
  go(finding) {
    const { marks } = this.editor;
    marks.clear("way");
    marks.set("way", "way-there", wayOf(finding));
    this.editor.select(finding.element);
  }

  counts() {
    const count = { error: 0, warning: 0, note: 0 };
    this.list.forEach((each) => (count[each.severity] += 1));
    return count;
  }

  draw() {
    const overlays = this.editor.modeler.get("overlays");
    overlays.remove({ type: "finding" });
    const by = new Map();
    for (const finding of this.list) {
      const element = this.editor.registry.get(finding.element);
      if (element && element !== this.editor.root()) by.set(element, [...(by.get(element) ?? []), finding]);
    }
    for (const [element, found] of by) {
      const badge = document.createElement("button");
      badge.type = "button";
      badge.tabIndex = -1;
      badge.className = `ed-badge ed-${found[0].severity}`;
      badge.textContent = `${SIGNS[found[0].severity]} ${number(found.length)}`;
      badge.title = found.map((each) => each.text).join("\n");
      badge.addEventListener("click", () => this.editor.select(element.id));
      overlays.add(element, "finding", { position: { top: -12, left: -12 }, html: badge });
    }
  }
}

const wayOf = (finding) => String(finding.params?.trace ?? "").split(" ").filter(Boolean);

function List({ findings, go, nameOf }) {
  if (!findings.length) return html`<p class="ed-none">${t("findings_none")}</p>`;
  const groups = ["error", "warning", "note"].map((severity) => [severity, findings.filter((each) => each.severity === severity)]);
  return groups
    .filter(([, found]) => found.length)
    .map(
      ([severity, found]) => html`<h3 class="ed-sub-head" key=${severity}>${t(`severity_${severity}`, { n: found.length })}</h3>
        <ul class="ed-list ed-findings">${found.map((each) => html`<${Line} key=${`${each.element}${each.code}${each.text}`} each=${each} go=${go} nameOf=${nameOf} />`)}</ul>`,
    );
}

function Line({ each, go, nameOf }) {
  const name = nameOf(each.element);
  const way = wayOf(each).map((id) => nameOf(id) ?? id);
  const sign = html`<span class=${`ed-sign ed-${each.severity}`} aria-hidden="true">${SIGNS[each.severity]}</span>`;
  return html`<li>
    ${name === null
      ? html`<span class="ed-line">${sign}<span>${each.text}</span></span>`
      : html`<button type="button" class="ed-line" onClick=${() => go(each)}>${sign}<span><b>${name}</b> ${each.text}</span></button>`}
    ${way.length > 1 && html`<details class="ed-hint"><summary>${t("finding_trace", { n: way.length })}</summary><ol>${way.map((step, at) => html`<li key=${at}>${step}</li>`)}</ol></details>`}
  </li>`;
}
