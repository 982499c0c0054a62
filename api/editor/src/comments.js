// Comments on elements: how many are open stands on the drawing; beside it they are read, answered and settled.
import { html, useEffect, useState } from "@bpmn-io/diagram-js-ui";
import { LineLost, get, post } from "./doors.js";
import { Text } from "./panel/fields.js";
import { number, page, t } from "./texts.js";
import { clock } from "./saving.js";

const address = `/path-drafts/${page.draft}/comments`;

/** All comments on the draft, and the marks of the open ones on the drawing. */
export class Comments {
  constructor(editor) {
    this.editor = editor;
    this.list = [];
    this.heard = new Set();
    // An element that is drawn anew loses its marks.
    editor.modeler.on(["elements.changed", "import.done"], () => this.draw());
  }

  async load() {
    this.list = await get(address).catch(() => this.list);
    this.draw();
    this.heard.forEach((hear) => hear(this.list));
  }

  draw() {
    const overlays = this.editor.modeler.get("overlays");
    overlays.remove({ type: "comment" });
    const by = new Map();
    for (const each of this.list) if (each.element && !each.resolved_at) by.set(each.element, [...(by.get(each.element) ?? []), each]);
    for (const [id, said] of by) {
      const element = this.editor.registry.get(id);
      if (!element || element === this.editor.root()) continue;
      const badge = document.createElement("button");
      badge.type = "button";
      badge.tabIndex = -1;
      badge.className = "ed-badge ed-said";
      badge.textContent = `“ ${number(said.length)}`;
      badge.title = said.map((each) => `${each.author}: ${each.text}`).join("\n");
      badge.addEventListener("click", () => this.editor.select(id));
      overlays.add(element, "comment", { position: { top: -12, right: 12 }, html: badge });
    }
  }
}

/** Give the comments on an element, and a place for a new one or an answer. */
export function Beside({ element, editor }) {
  const [list, setList] = useState(editor.comments.list);
  const [text, setText] = useState("");
  const [failed, setFailed] = useState("");
  const about = element === editor.root() || element === editor.whole() ? null : element.id;
  useEffect(() => {
    editor.comments.heard.add(setList);
    editor.comments.load();
    return () => editor.comments.heard.delete(setList);
  }, [element.id]);
  const done = () => (setText(""), setFailed(""), editor.comments.load());
  const refused = (problem) => setFailed(problem instanceof LineLost ? t("line_lost") : problem.message);
  const send = () => text.trim() && post(address, { element: about, text: text.trim() }).then(done, refused);
  const resolve = (id) => post(`/path-comments/${id}/resolve`).then(done, refused);
  const here = list.filter((each) => (each.element ?? null) === about);
  const [open, settled] = [here.filter((each) => !each.resolved_at), here.filter((each) => each.resolved_at)];
  return html`<section class="ed-comments" aria-label=${t("comments")}>
    <h3 class="ed-sub-head">${t("comments")}</h3>
    ${open.map(
      (each) => html`<div class="ed-comment" key=${each.id}>
        <p class="ed-hint"><b>${each.author}</b> ${clock(each.created_at)}</p>
        <p dir="auto">${each.text}</p>
        <button type="button" class="ed-small" onClick=${() => resolve(each.id)}>${t("comment_resolve")}</button>
      </div>`,
    )}
    <${Text} name="comment" label=${t(open.length ? "comment_answer" : "comment_new")} lines="2" value=${text} onChange=${setText} />
    <button type="button" class="ed-small" onClick=${send}>${t("comment_send")}</button>
    ${failed && html`<p class="ed-hint" role="alert">${failed}</p>`}
    ${settled.length > 0 &&
    html`<details class="ed-hint"><summary>${t("comments_settled", { n: settled.length })}</summary>
      ${settled.map((each) => html`<p key=${each.id} dir="auto"><b>${each.author}</b> ${each.text}</p>`)}
    </details>`}
  </section>`;
}
