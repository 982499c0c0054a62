// Try the draft: moves are played on the real engine from the start each time; what is open then is shown here and on
// the drawing, and offers the next moves. Nothing is kept but what is recorded as a scenario.
import { html, render, useState } from "@bpmn-io/diagram-js-ui";
import { Questions, given, withSamples } from "./answers.js";
import { LineLost, get, look, put } from "./doors.js";
import { Choice, Duration, Rows, Text } from "./panel/fields.js";
import { clock } from "./saving.js";
import { number, page, t } from "./texts.js";

const address = `/path-drafts/${page.draft}`;

export class Trial {
  constructor(editor, place) {
    Object.assign(this, { editor, place });
    this.past = [];
    this.now = { moves: [], checks: {}, start: {} };
    this.view = null;
    this.told = "";
    this.draw();
  }

  draw() {
    render(html`<${Pane} trial=${this} view=${this.view} told=${this.told} count=${this.past.length} />`, this.place);
  }

  /** Begin with the values that the path is started with. */
  begin(start) {
    this.past = [];
    return this.play({ moves: [], checks: {}, start });
  }

  /** Make one more move. */
  move(move) {
    return this.go({ ...this.now, moves: [...this.now.moves, move] });
  }

  /** Say what a registered check answers. */
  answer(check, values) {
    return this.go({ ...this.now, checks: { ...this.now.checks, [check]: [...(this.now.checks[check] ?? []), values] } });
  }

  async go(next) {
    const before = this.now;
    this.past.push(before);
    const took = await this.play(next);
    if (!took) {
      this.past.pop();
      this.now = before;
      this.draw();
    }
  }

  back() {
    const before = this.past.pop();
    return before ? this.play(before) : undefined;
  }

  end() {
    this.view = null;
    this.told = "";
    this.editor.marks.clear("trial");
    this.draw();
  }

  /** Play moves; true when all were made. */
  async play(next) {
    this.told = "";
    try {
      await this.editor.saving.now();
      const view = await look(`${address}/trials`, next);
      const refused = view.problem && this.view && next.moves.length > this.now.moves.length;
      this.told = view.problem?.text ?? "";
      if (!refused) {
        this.now = next;
        this.view = view;
        this.mark();
      }
      this.draw();
      return !refused;
    } catch (problem) {
      this.told = problem instanceof LineLost ? t("line_lost") : reasons(problem);
      this.draw();
      return false;
    }
  }

  mark() {
    const { marks } = this.editor;
    marks.clear("trial");
    const by = (state) => this.view.steps.filter((step) => step.state === state).map((step) => step.id);
    marks.set("trial", "trial-done", [...by("done"), ...Object.keys(this.view.ways)]);
    marks.set("trial", this.view.status === "failed" ? "trial-failed" : "trial-current", by("current"));
    for (const id of by("current")) marks.badge("trial", id, "●", t("trial_here"));
    const at = this.editor.registry.get(by("current").at(-1));
    if (at) this.editor.modeler.get("canvas").scrollToElement(at, { top: 120, left: 220, right: 220, bottom: 120 });
  }

  async record(name, title) {
    try {
      const content = { ...this.now, expect: this.view.outcome, title };
      const told = await put(`${address}/scenarios/${name}`, content, this.editor.saving.version);
      this.editor.saving.version = told.version;
      this.told = t("trial_recorded", { name });
    } catch (problem) {
      this.told = problem instanceof LineLost ? t("line_lost") : reasons(problem);
    }
    this.draw();
  }

  /** Play a scenario that was recorded before. */
  async load(name) {
    const { scenarios } = await get(address);
    const found = scenarios[name];
    this.past = [];
    this.view = null;
    return this.play({ moves: found.steps ?? [], checks: found.checks ?? {}, start: found.start ?? {} });
  }
}

const reasons = (problem) =>
  [problem.message, ...(problem.problem.findings ?? problem.problem.errors ?? []).map((each) => each.text ?? each.detail ?? each.message)].filter(Boolean).join(" ");

const value = (text) => (text === "true" ? true : text === "false" ? false : /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);
const values = (rows) => Object.fromEntries(rows.filter((row) => row.name).map((row) => [row.name, value(row.value ?? "")]));

function Pane({ trial, view, told }) {
  const alert = told ? html`<p class="ed-told" role="alert">${told}</p>` : null;
  if (!view) return html`<${Before} trial=${trial} />${alert}`;
  const running = view.status === "running";
  return html`
    <p class="ed-state"><b>${t(`trial_${view.status}`, { outcome: view.outcome ?? "—" })}</b><br /><span class="ed-hint">${t("trial_clock", { moment: moment(view.clock) })}</span></p>
    ${alert}
    ${view.checks.map((each) => html`<${Check} key=${each.token + (trial.now.checks[each.check] ?? []).length} each=${each} trial=${trial} />`)}
    ${running && html`<${Open} view=${view} trial=${trial} />`}
    <div class="ed-buttons">
      <button type="button" class="ed-small" disabled=${!trial.past.length} onClick=${() => trial.back()}>${t("trial_back")}</button>
      <button type="button" class="ed-small" onClick=${() => trial.begin(trial.now.start)}>${t("trial_again")}</button>
      <button type="button" class="ed-small" onClick=${() => trial.end()}>${t("trial_end")}</button>
    </div>
    <h3 class="ed-sub-head">${t("trial_moves", { n: trial.now.moves.length })}</h3>
    <ol class="ed-list">${trial.now.moves.map((move, at) => html`<li key=${at}>${said(move, trial.editor)}</li>`)}</ol>
    ${!trial.editor.readOnly && html`<${Record} trial=${trial} />`}
    <details><summary>${t("trial_log")}</summary><ol class="ed-list">${view.log.map((line, at) => html`<li key=${at}><span class="ed-hint">${moment(line.at)}</span> ${line.text}</li>`)}</ol></details>`;
}

function Before({ trial }) {
  const key = trial.editor.process()?.id;
  const known = trial.editor.vocabulary.paths.find((path) => path.code === key)?.values ?? [];
  const [rows, setRows] = useState(known.map((name) => ({ name, value: "" })));
  const [names, setNames] = useState(null);
  const stories = () => get(address).then(({ scenarios }) => setNames(Object.keys(scenarios)));
  const columns = ["name", "value"].map((name) => ({ name, label: t(`trial_start_${name}`) }));
  return html`<p>${t("trial_says")}</p>
    <${Rows} label=${t("trial_start")} rows=${rows} columns=${columns} add=${t("add_row")} onChange=${setRows} />
    <div class="ed-buttons"><button type="button" id="trial-begin" class="ed-small main" onClick=${() => trial.begin(values(rows.filter((row) => row.value)))}>${t("trial_begin")}</button>
      <button type="button" class="ed-small" onClick=${stories}>${t("trial_stories")}</button></div>
    ${names && !names.length && html`<p class="ed-hint">${t("trial_no_stories")}</p>`}
    ${names?.length > 0 && html`<${Choice} name="story" label=${t("trial_story")} value="" options=${names.map((code) => ({ code, name: code }))} onChange=${(name) => name && trial.load(name)} />`}`;
}

/** A check of the program: the trial says what it answers. */
function Check({ each, trial }) {
  const [answers, setAnswers] = useState({});
  const rows = each.values.map((name) => ({ name, value: answers[name] ?? "" })).filter((row) => row.value !== "");
  return html`<section class="ed-card"><h3 class="ed-sub-head">${each.name}</h3>
    <p class="ed-hint">${t("trial_check", { check: each.check })} ${t("trial_check_value")}</p>
    ${each.values.map((name) => html`<${Text} key=${name} name=${`check-${name}`} label=${html`<code dir="ltr">${name}</code>`} ltr value=${answers[name]} onChange=${(text) => setAnswers((now) => ({ ...now, [name]: text.trim() }))} />`)}
    <button type="button" class="ed-small main" onClick=${() => trial.answer(each.check, values(rows))}>${t("trial_answer")}</button></section>`;
}

/** What is open: each of it is a next move. */
function Open({ view, trial }) {
  const nothing = !view.tasks.length && !view.children.length && !view.timers.length && !view.messages.length && !view.checks.length;
  return html`
    ${nothing && html`<p class="ed-hint">${t("trial_nothing")}</p>`}
    ${view.tasks.map((task) => html`<${Task} key=${task.token} task=${task} trial=${trial} day=${view.clock.slice(0, 10)} />`)}
    ${view.children.map((child) => html`<${Child} key=${child.token} child=${child} trial=${trial} />`)}
    ${view.messages.map((each) => html`<section class="ed-card" key=${each.token}><h3 class="ed-sub-head">${each.name}</h3>
      <p class="ed-hint">${t("trial_message", { message: each.message })}</p>
      <button type="button" class="ed-small" onClick=${() => trial.move({ message: each.message, values: {} })}>${t("trial_message_send")}</button></section>`)}
    ${view.timers.map((timer) => html`<section class="ed-card" key=${timer.token}><h3 class="ed-sub-head">${timer.name}</h3>
      <p class="ed-hint">${t("trial_timer", { moment: moment(timer.at) })}</p>
      <button type="button" class="ed-small" onClick=${() => trial.move({ advance: until(view.clock, timer.at) })}>${t("trial_timer_go")}</button></section>`)}
    <${Advance} trial=${trial} />`;
}

function Task({ task, trial, day }) {
  const [answers, setAnswers] = useState({});
  const { vocabulary } = trial.editor;
  const fields = vocabulary.fields(task.form);
  const role = vocabulary.roles.find((each) => each.code === task.role)?.name ?? task.role;
  const complete = () => trial.move({ complete: task.step, answers: given(answers), ...(task.item === null ? {} : { item: task.item }) });
  return html`<section class="ed-card"><h3 class="ed-sub-head">${task.name}${task.item ? html` <bdi>(${task.item})</bdi>` : null}</h3>
    <p class="ed-hint">${[role, task.due_at ? t("trial_due", { moment: moment(task.due_at) }) : null].filter(Boolean).join(" · ")}</p>
    ${fields.length > 0 &&
    html`<details><summary>${t("form_questions", { n: fields.length })}</summary><${Questions} fields=${fields} answers=${answers} onChange=${setAnswers} /></details>
      <button type="button" class="ed-small" onClick=${() => setAnswers(withSamples(fields, answers, day))}>${t("trial_fill")}</button>`}
    <button type="button" class="ed-small main" onClick=${complete}>${t("trial_complete")}</button></section>`;
}

function Child({ child, trial }) {
  const [outcome, setOutcome] = useState("");
  const path = trial.editor.vocabulary.paths.find((each) => each.code === child.path)?.name ?? child.path;
  const end = () => trial.move({ child: child.step, outcome, ...(child.item === null ? {} : { item: child.item }) });
  return html`<section class="ed-card"><h3 class="ed-sub-head">${child.name}</h3>
    <p class="ed-hint">${t("trial_child", { path })}</p>
    <${Choice} name="child-outcome" label=${t("outcome")} value=${outcome} options=${trial.editor.vocabulary.outcomes()} onChange=${setOutcome} />
    <button type="button" class="ed-small main" disabled=${!outcome} onClick=${end}>${t("trial_child_end")}</button></section>`;
}

function Advance({ trial }) {
  const [time, setTime] = useState("P1D");
  return html`<details><summary>${t("trial_advance")}</summary>
    <${Duration} name="advance" label=${t("trial_advance_by")} value=${time} settings=${[]} onChange=${setTime} />
    <button type="button" class="ed-small" disabled=${!time} onClick=${() => trial.move({ advance: time })}>${t("trial_timer_go")}</button></details>`;
}

function Record({ trial }) {
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  return html`<details><summary>${t("trial_record")}</summary>
    <${Text} name="scenario-title" label=${t("trial_record_title")} value=${title} onChange=${setTitle} />
    <${Text} name="scenario-name" label=${t("trial_record_name")} ltr value=${name} hint=${t("trial_record_hint")} onChange=${(text) => setName(text.trim())} />
    <button type="button" class="ed-small main" disabled=${!name} onClick=${() => trial.record(name, title)}>${t("trial_record_do")}</button></details>`;
}

function said(move, editor) {
  const name = (id) => editor.nameOfId(id) ?? id;
  if (move.complete) return t("move_complete", { step: name(move.complete) });
  if (move.advance) return html`${t("move_advance")} <bdi dir="ltr">${move.advance}</bdi>`;
  if (move.message) return t("move_message", { message: move.message });
  if (move.child) return t("move_child", { step: name(move.child), outcome: move.outcome ?? move.code ?? "" });
  return html`<code dir="ltr">${JSON.stringify(move)}</code>`;
}

/** Write the time between two moments as a duration. */
function until(from, to) {
  const seconds = Math.max(1, Math.ceil((Date.parse(to) - Date.parse(from)) / 1000));
  return seconds % 86400 === 0 ? `P${seconds / 86400}D` : seconds % 3600 === 0 ? `PT${seconds / 3600}H` : `PT${seconds}S`;
}

function moment(text) {
  const date = new Date(text);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  // Isolated, so that in a line from right to left the day stays before the hour.
  return `\u2066${number(day)} ${clock(text)}\u2069`;
}
