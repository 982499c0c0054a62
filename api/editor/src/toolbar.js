// The buttons above the drawing.
import { LineLost, get, post } from "./doors.js";
import { page, t } from "./texts.js";

const place = (id) => document.getElementById(id);

export function connectToolbar(editor, findings, tabs) {
  const { modeler } = editor;
  const act = (name) => modeler.get("editorActions").trigger(name);
  const actions = {
    undo: () => act("undo"),
    redo: () => act("redo"),
    find: () => act("find"),
    "zoom-in": () => modeler.get("zoomScroll").stepZoom(1),
    "zoom-out": () => modeler.get("zoomScroll").stepZoom(-1),
    "zoom-all": () => editor.showAll(),
    minimap: (button) => {
      modeler.get("minimap").toggle();
      button.setAttribute("aria-pressed", String(modeler.get("minimap").isOpen()));
    },
    simulate: () => modeler.get("toggleMode").toggleMode(),
    coverage: (button) => toggle(button, "coverage", () => showCoverage(editor)),
    difference: (button) => toggle(button, "difference", () => showDifference(editor)),
    download: () => editor.download(),
    submit: () => submit(editor, findings, tabs),
  };
  for (const [name, action] of Object.entries(actions)) {
    const button = place(`do-${name}`);
    if (button) button.addEventListener("click", () => action(button));
  }
  const undone = () => {
    place("do-undo").disabled = !modeler.get("commandStack").canUndo();
    place("do-redo").disabled = !modeler.get("commandStack").canRedo();
  };
  modeler.on("tokenSimulation.toggleMode", ({ active }) => place("do-simulate").setAttribute("aria-pressed", String(active)));
  modeler.on(["commandStack.changed", "import.done"], undone);
  undone();
  if (editor.readOnly) place("do-submit").hidden = true;
  editor.download = async () => editor.give((await modeler.saveXML({ format: true })).xml);
  editor.give = (xml) => give(xml, `${editor.process()?.id ?? "path"}.bpmn`);
  outline(editor);

  function toggle(button, layer, show) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    editor.marks.clear(layer);
    tell("");
    if (on) show().catch((problem) => tell(problem instanceof LineLost ? t("line_lost") : problem.message));
  }
}

/** Say something below the buttons, with lines to unfold. */
export function tell(text, lines = []) {
  const told = place("editor-told");
  told.replaceChildren(text);
  told.hidden = !text;
  if (!lines.length) return;
  const [more, head, list] = ["details", "summary", "ul"].map((name) => document.createElement(name));
  head.textContent = t("told_lines", { n: lines.length });
  for (const line of lines) list.appendChild(document.createElement("li")).textContent = line;
  more.append(head, list);
  told.append(more);
}

/** All steps in a list: the way to any of them without a mouse. */
function outline(editor) {
  const list = place("outline");
  const fill = () => {
    const first = list.options[0];
    list.replaceChildren(first, ...editor.outline().map(({ code, name }) => new Option(name, code)));
  };
  list.addEventListener("focus", fill);
  list.addEventListener("change", () => {
    editor.select(list.value);
    list.selectedIndex = 0;
  });
  fill();
}

async function showCoverage(editor) {
  await editor.saving.now();
  const told = await get(`/path-drafts/${page.draft}/coverage`);
  const gaps = told.gaps.map((each) => each.element);
  editor.marks.set("coverage", "coverage-gap", gaps);
  gaps.forEach((id) => editor.marks.badge("coverage", id, "?", t("coverage_gap")));
  const failed = told.scenarios.filter((each) => !each.passed).map((each) => `${each.name}: ${each.findings.map((one) => one.text).join(" ")}`);
  const why = [...told.findings.map((each) => each.text), ...failed];
  if (why.length) return tell(why.join(" "));
  return tell(gaps.length ? t("coverage_gaps", { n: gaps.length }) : t("coverage_whole"));
}

async function showDifference(editor) {
  await editor.saving.now();
  const base = editor.draft.base_version_id;
  if (!base) return tell(t("difference_no_base"));
  const told = await get(`/path-versions/${base}/difference/${page.draft}`);
  const ids = (rows) => [...new Set(rows.map((each) => each.element))];
  const [added, changed, moved] = [ids(told.added), ids(told.changed), told.layout_only];
  editor.marks.set("difference", "difference-added", added);
  editor.marks.set("difference", "difference-changed", changed);
  editor.marks.set("difference", "difference-moved", moved);
  added.forEach((id) => editor.marks.badge("difference", id, "+", t("difference_added")));
  changed.forEach((id) => {
    const words = told.changed.filter((each) => each.element === id).map((each) => each.text);
    editor.marks.badge("difference", id, "~", words.join("\n"));
  });
  tell(t("difference_said", { added: added.length, changed: changed.length, removed: ids(told.removed).length }), [
    ...told.added,
    ...told.removed,
    ...told.changed,
    ...(told.forms ?? []),
  ].map((each) => each.text));
  return undefined;
}

async function submit(editor, findings, tabs) {
  await editor.saving.now();
  if (editor.saving.unsaved) return tell(t("submit_unsaved"));
  if (findings.counts().error) {
    tabs.show("findings", true);
    return tell(t("submit_errors", { n: findings.counts().error }));
  }
  try {
    await post(`/path-drafts/${page.draft}/submit`, {}, editor.saving.version);
    location.assign(`/studio/drafts/${page.draft}/review`);
  } catch (problem) {
    tell(problem instanceof LineLost ? t("line_lost") : t("submit_refused", { reason: reasons(problem) }));
  }
  return undefined;
}

const reasons = (problem) =>
  [problem.message, ...(problem.problem.errors ?? []).map((each) => each.detail ?? "")].filter(Boolean).join(" ");

/** Give a diagram as a file. */
function give(xml, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([xml], { type: "application/xml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
