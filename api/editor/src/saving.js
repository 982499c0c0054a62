// Saves by itself, a moment after the last change, and always says in words whether it has.
import { LineLost, Refused, get, put } from "./doors.js";
import { forget, keep } from "./kept.js";
import { number, page, t } from "./texts.js";

const PAUSE = 900;
const AGAIN = 5000;

export class Saving {
  /** @param say called with {state, text}; onSaved with what the service answered. */
  constructor(editor, { say, onSaved, onConflict }) {
    Object.assign(this, { editor, say, onSaved, onConflict });
    this.version = 0;
    this.changes = 0;
    this.saved = 0;
    this.busy = null;
    this.state = "";
    this.stopped = false;
    addEventListener("beforeunload", (event) => this.unsaved && !this.editor.readOnly && event.preventDefault());
    addEventListener("online", () => this.unsaved && this.soon(0));
    // Whoever signs in again in another window comes back to this one.
    addEventListener("focus", () => this.unsaved && this.state === "signed_out" && this.soon(0));
  }

  get unsaved() {
    return this.changes !== this.saved;
  }

  changed() {
    if (this.editor.readOnly) return;
    this.changes += 1;
    this.say({ state: "waiting", text: t("save_waiting") });
    this.soon(PAUSE);
  }

  /** Forget what was not saved. */
  drop() {
    this.saved = this.changes;
    forget();
  }

  soon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), wait);
  }

  /** Save what has changed; when it is done, all is saved or the reason is said. */
  async now() {
    clearTimeout(this.timer);
    if (this.busy) {
      await this.busy;
      return this.unsaved && !this.stopped ? this.now() : undefined;
    }
    if (!this.unsaved || this.stopped) return undefined;
    this.busy = this.once();
    try {
      return await this.busy;
    } finally {
      this.busy = null;
    }
  }

  async once() {
    const at = this.changes;
    this.say({ state: "saving", text: t("save_saving") });
    const { xml } = await this.editor.modeler.saveXML({ format: true });
    try {
      const told = await put(`/path-drafts/${page.draft}/diagram`, { diagram: xml }, this.version);
      this.version = told.version;
      this.saved = at;
      this.state = "saved";
      forget();
      this.say({ state: "saved", text: t("save_saved", { time: clock(told.saved_at) }) });
      this.onSaved(told);
      if (this.unsaved) this.soon(PAUSE);
    } catch (problem) {
      keep(this.version, xml);
      await this.failed(problem);
    }
  }

  async failed(problem) {
    if (problem instanceof LineLost || problem.status === 429 || problem.status >= 500) {
      this.say({ state: "lost", text: t("save_lost") });
      this.soon(AGAIN);
    } else if (problem instanceof Refused && (problem.status === 412 || problem.status === 409)) {
      this.stopped = true;
      const theirs = await get(`/path-drafts/${page.draft}`).catch(() => null);
      this.say({ state: "conflict", text: t("save_conflict") });
      this.onConflict(theirs);
    } else if (problem.status === 401) {
      this.state = "signed_out";
      this.say({ state: "lost", text: t("save_signed_out"), link: { href: `/sign-in?next=/me`, text: t("save_sign_in") } });
    } else {
      this.say({ state: "refused", text: t("save_refused", { reason: problem.message }) });
    }
  }
}

/** Write the time of day of a moment. */
export function clock(moment) {
  const date = moment ? new Date(moment) : new Date();
  const two = (part) => String(part).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}`.replace(/\d/g, (digit) => number(digit));
}
