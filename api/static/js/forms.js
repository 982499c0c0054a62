// A task's form: asks only what matters by the answers so far, and keeps what is typed on the server.
import { evaluate, fromPlain, truthy } from "./expressions.js";
import { tellLine } from "./line.js";

const form = document.getElementById("answers");
const state = document.getElementById("draft-state");
const PAUSE = 900; // milliseconds without typing before a draft is saved
const AGAIN = 8000; // milliseconds before a draft that did not come through is sent again

// ---- questions that depend on others -------------------------------------------------------------------------------

const NUMBERS = new Set(["integer", "decimal", "money"]);
const uses = form ? fromPlain(JSON.parse(form.dataset.uses)) : {};
const today = form ? fromPlain({ $date: form.dataset.today }) : null;
const BOOLEANS = { true: true, false: false };

function answer(box) {
  const kind = box.dataset.kind;
  if (kind === "some") return [...box.querySelectorAll("input:checked")].map((input) => input.value);
  if (kind === "acknowledge") return box.querySelector("input").checked;
  if (kind === "one") {
    const value = box.querySelector("input:checked")?.value ?? null;
    return value in BOOLEANS ? BOOLEANS[value] : value;
  }
  if (kind === "file") {
    if (box.querySelector("input[type=checkbox]:checked")) return null;
    return box.querySelector("input[type=file]").value || box.querySelector("input[type=hidden]")?.value || null;
  }
  const text = box.querySelector("input:not([type=hidden]), select, textarea")?.value.trim() ?? "";
  if (text === "") return null;
  if (NUMBERS.has(kind)) return fromPlain({ $decimal: text });
  if (kind === "date") return fromPlain({ $date: text });
  if (kind === "datetime") return fromPlain({ $datetime: text.length === 16 ? `${text}:00` : text });
  return text;
}

// Questions come in the order in which their conditions may read each other.
function look(boxes, scope) {
  for (const box of boxes) {
    const tree = box.dataset.relevant;
    let asked = !box.parentElement.closest("[data-off]");
    if (asked && tree) {
      try {
        asked = truthy(evaluate(JSON.parse(tree), scope, { today }));
      } catch {
        asked = true;
      }
    }
    box.toggleAttribute("data-off", !asked);
    if (box.dataset.kind === "group" || box.dataset.kind === "note") continue;
    if (box.dataset.kind === "repeat") {
      for (const round of box.querySelectorAll("[data-round]")) look(questions(round), { ...scope });
      continue;
    }
    scope[box.dataset.question] = asked ? answer(box) : null;
  }
}

function questions(place) {
  const inside = [...place.querySelectorAll("[data-question]")];
  return inside.filter((box) => box.parentElement.closest("[data-round]") === (place.closest("[data-round]") ?? null));
}

const refresh = () => look(questions(form), { ...uses });

// ---- the draft -----------------------------------------------------------------------------------------------------

let timer = 0;
let saving = false;
let stored = Promise.resolve();
let lost = null; // what was sent and got no answer: it may have arrived, so it is sent again as it was
let dirty = false;
let sent = false;
let ended = false;

async function store() {
  clearTimeout(timer);
  if (!dirty || saving || sent || ended) return;
  saving = true;
  dirty = lost !== null;
  const body = lost ?? new FormData(form);
  body.set("do", "draft");
  for (const name of [...body.keys()]) if (name.startsWith("f.")) body.delete(name);
  try {
    const reply = await post(body, { Accept: "application/json" });
    tellLine(true);
    if (!tellEnd(reply)) {
      if (!reply.headers.get("Content-Type")?.includes("json")) throw new Error("no answer of ours");
      const told = await reply.json();
      state.textContent = told.words;
      state.classList.toggle("error", !reply.ok);
      if (told.version) form.elements.draft_version.value = told.version;
    }
    lost = null;
  } catch {
    dirty = true;
    lost = body;
    state.textContent = state.dataset.lost;
    state.classList.add("error");
    tellLine(false);
    timer = setTimeout(save, AGAIN);
  }
  saving = false;
  if (dirty && !ended && state.dataset.lost !== state.textContent) timer = setTimeout(save, PAUSE);
}

// The session has ended, and the line is there. Where the server can carry what was typed past signing in, a button
// sends it; where somebody has signed out in another window, this page waits until they are in again.
function tellEnd(reply) {
  const away = new URL(reply.url).pathname === "/sign-in";
  ended = away || reply.status === 401;
  if (!ended) return false;
  dirty = true;
  state.textContent = away ? state.dataset.away : state.dataset.ended;
  state.classList.add("error");
  if (away) {
    const way = document.createElement("a");
    way.href = `/sign-in?next=${encodeURIComponent("/me")}`;
    way.target = "_blank";
    way.textContent = state.dataset.signIn;
    state.append(" ", way);
  } else form.querySelector("button[value=draft]")?.classList.remove("no-js");
  return true;
}

// Sends the form; where somebody has signed in again in another window meanwhile, with the new session's token.
async function post(body, headers) {
  const reply = await fetch(form.action, { method: "POST", body, headers });
  if (reply.status !== 403 || !(await renew())) return reply;
  body.set("token", form.elements.token.value);
  return fetch(form.action, { method: "POST", body, headers });
}

// The forms of this page get the token of the new session, when it is the same user's.
async function renew() {
  try {
    const reply = await fetch(location.pathname);
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const token = page.querySelector("#answers [name=token]")?.value;
    ended = !page.querySelector("form[action='/sign-out']");
    if (!token || token === form.elements.token.value || page.body.dataset.user !== document.body.dataset.user) return false;
    document.querySelectorAll("form [name=token]").forEach((input) => (input.value = token));
    return true;
  } catch {
    return false;
  }
}

function save() {
  if (!saving) stored = store();
}

function typed() {
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

// ---- sending -------------------------------------------------------------------------------------------------------

// Sent by hand, so that a lost line leaves the page and its answers where they are.
async function send(event) {
  const pressed = event.submitter;
  event.preventDefault();
  if (sent) return;
  sent = true;
  clearTimeout(timer);
  if (ended) await renew();
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  // A draft that is on its way gives the form its version; without it the server would take it for another window's.
  await stored;
  clearTimeout(timer);
  const body = new FormData(form);
  if (pressed?.name) body.append(pressed.name, pressed.value);
  state.classList.remove("error");
  state.textContent = state.dataset.sending;
  try {
    const reply = await post(body, {});
    tellLine(true);
    if (new URL(reply.url).pathname === "/sign-in" && tellEnd(reply)) {
      sent = false;
      buttons.forEach((button) => (button.disabled = false));
      return;
    }
    dirty = false;
    if (reply.redirected && reply.ok) {
      location.assign(reply.url);
      return;
    }
    const page = await reply.text();
    document.open();
    document.write(page);
    document.close();
  } catch {
    sent = false;
    dirty = true;
    buttons.forEach((button) => (button.disabled = false));
    state.textContent = state.dataset.lost;
    state.classList.add("error");
    tellLine(false);
    timer = setTimeout(save, AGAIN);
  }
}

if (form) {
  form.addEventListener("input", () => {
    refresh();
    typed();
  });
  form.addEventListener("change", refresh);
  form.addEventListener("submit", send);
  addEventListener("online", save);
  addEventListener("beforeunload", (event) => {
    if (dirty && !sent) event.preventDefault();
  });
  addEventListener("visibilitychange", async () => {
    if (document.visibilityState === "hidden" || (ended && (await renew()))) save();
  });
  refresh();
}
