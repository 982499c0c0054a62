// The editor page: drawing, panel, findings, trial, and the line that says whether all is saved.
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";
import "bpmn-js-token-simulation/assets/css/bpmn-js-token-simulation.css";
import "diagram-js-minimap/assets/diagram-js-minimap.css";
import "./editor.css";
import { Beside, Comments } from "./comments.js";
import { Editor } from "./editor.js";
import { Findings } from "./findings.js";
import { Marks } from "./marks.js";
import { get, look } from "./doors.js";
import { forget, kept } from "./kept.js";
import { showPanel } from "./panel/panel.js";
import { Saving, clock } from "./saving.js";
import { applyStylesInMarkup } from "./styles_in_markup.js";
import { showTabs } from "./tabs.js";
import { page, t } from "./texts.js";
import { connectToolbar } from "./toolbar.js";
import { Trial } from "./trial.js";
import { Vocabulary } from "./vocabulary.js";

const WIDE = matchMedia("(min-width: 60rem)");
const place = (id) => document.getElementById(id);

async function begin() {
  document.documentElement.classList.add("editing");
  applyStylesInMarkup();
  const [told, words] = await Promise.all([get(`/path-drafts/${page.draft}`), get(`/path-vocabulary?draft=${page.draft}`)]);
  const editor = new Editor(place("canvas"));
  editor.vocabulary = new Vocabulary(words);
  editor.readOnly = !told.draft.actions.includes("save");
  editor.draft = told.draft;
  editor.formAddress = (key) => `/studio/drafts/${page.draft}/forms/${key}`;
  editor.marks = new Marks(editor);
  await editor.open(told.diagram);
  const tabs = showTabs();
  editor.onSelected = () => tabs.show("panel");
  editor.comments = new Comments(editor);
  editor.Beside = Beside;
  const findings = new Findings(editor, place("pane-findings"), place("tab-findings"));
  const state = place("save-state");
  const saving = new Saving(editor, {
    say: ({ state: code, text, link }) => {
      state.dataset.state = code;
      state.replaceChildren(text, ...(link ? [" ", linkTo(link)] : []));
    },
    onSaved: (answer) => findings.show(answer.findings),
    onConflict: (theirs) => conflict(editor, theirs),
  });
  saving.version = told.draft.version;
  editor.saving = saving;
  editor.modeler.on("commandStack.changed", () => saving.changed());
  showPanel(place("pane-panel"), editor);
  new Trial(editor, place("pane-trial"), tabs);
  connectToolbar(editor, findings, tabs);
  state.textContent = editor.readOnly ? t("read_only") : t("save_nothing");
  window.pathEditor = editor;
  document.documentElement.dataset.editor = "ready";
  putBack(editor, told.draft);
  findings.show(await look(`/path-drafts/${page.draft}/findings`, {}));
}

/** A link that opens beside this window, which stays as it is. */
function linkTo({ href, text }) {
  const link = document.createElement("a");
  Object.assign(link, { href, target: "_blank", rel: "noopener", textContent: text });
  return link;
}

/** What this window could not save the last time: put it back, or leave it; it may be taken as a file first. */
function putBack(editor, draft) {
  const found = kept();
  if (!found || editor.readOnly) return;
  const dialog = place("kept");
  // What a colleague saved meanwhile is not written over: then the own drawing is there as a file.
  const newer = found.version !== draft.version;
  place("kept-newer").hidden = !newer;
  place("kept-back").disabled = newer;
  place("kept-back").onclick = async () => {
    dialog.close();
    await editor.open(found.diagram);
    editor.saving.changed();
  };
  place("kept-file").onclick = () => editor.give(found.diagram);
  place("kept-leave").onclick = () => {
    forget();
    dialog.close();
  };
  dialog.showModal();
}

/** Somebody else saved meanwhile: say who, take theirs, or keep one's own as a file. */
function conflict(editor, theirs) {
  const dialog = place("conflict");
  const who = theirs ? t("conflict_who", { name: theirs.last_editor || "—", time: clock(theirs.draft.changed_at) }) : "";
  place("conflict-who").textContent = `${who} ${t("conflict_text")}`;
  place("conflict-theirs").onclick = () => {
    editor.saving.drop();
    location.reload();
  };
  place("conflict-keep").onclick = () => editor.download();
  dialog.showModal();
}

function start() {
  if (!WIDE.matches) {
    WIDE.addEventListener("change", start, { once: true });
    return;
  }
  begin().catch((problem) => {
    document.documentElement.classList.remove("editing");
    document.documentElement.dataset.editor = "failed";
    const notice = place("editor-failed");
    notice.hidden = false;
    notice.textContent = t("editor_failed", { reason: problem.message });
    throw problem;
  });
}

start();
