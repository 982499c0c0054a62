// Comments on the selected element: what a colleague should look at.
import { html, useEffect, useState } from "@bpmn-io/diagram-js-ui";
import { get, post } from "./doors.js";
import { Text } from "./panel/fields.js";
import { page, t } from "./texts.js";
import { clock } from "./saving.js";

const address = `/path-drafts/${page.draft}/comments`;

/** Give the comments on an element, and a place for a new one. */
export function Beside({ element, editor }) {
  const [list, setList] = useState(null);
  const [text, setText] = useState("");
  const [failed, setFailed] = useState("");
  const about = element === editor.root() || element === editor.whole() ? null : element.id;
  const load = () => get(address).then((told) => setList(told), () => setList([]));
  useEffect(() => void load(), [element.id]);
  const send = () =>
    text.trim() && post(address, { element: about, text: text.trim() }).then(() => (setText(""), setFailed(""), load()), (problem) => setFailed(problem.message));
  const resolve = (id) => post(`/path-comments/${id}/resolve`).then(load, (problem) => setFailed(problem.message));
  const open = (list ?? []).filter((each) => (each.element ?? null) === about && !each.resolved_at);
  return html`<section class="ed-comments" aria-label=${t("comments")}>
    <h3 class="ed-sub-head">${t("comments")}</h3>
    ${open.map(
      (each) => html`<div class="ed-comment" key=${each.id}>
        <p class="ed-hint"><b>${each.author}</b> ${clock(each.created_at)}</p>
        <p dir="auto">${each.text}</p>
        <button type="button" class="ed-small" onClick=${() => resolve(each.id)}>${t("comment_resolve")}</button>
      </div>`,
    )}
    <${Text} name="comment" label=${t("comment_new")} lines="2" value=${text} onChange=${setText} />
    <button type="button" class="ed-small" onClick=${send}>${t("comment_send")}</button>
    ${failed && html`<p class="ed-hint" role="alert">${failed}</p>`}
  </section>`;
}
