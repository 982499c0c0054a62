// What a page can do better with a script. Every page works without: links, forms and buttons are plain HTML.
import { keys } from "./keys.js";
import { line, tellLine } from "./line.js";
import { ticks } from "./ticks.js";

// A second click must not send a second time; coming back to the page gives the button back.
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "get") return;
  if (!navigator.onLine) {
    // What was typed stays where it is; the line's state is said, and the button works again once it is back.
    event.preventDefault();
    tellLine(false);
    const said = document.getElementById("line");
    if (said) said.textContent = said.dataset.again;
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  // Later than the browser collects what it sends, or the pressed button's own value would be left out.
  setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
});
addEventListener("pageshow", () => {
  for (const form of document.forms) {
    if (form.dataset.sent) {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => (button.disabled = false));
    }
  }
});

// Only one menu is open, and Escape closes it.
const menus = document.querySelectorAll("details.drop");
menus.forEach((menu) =>
  menu.addEventListener("toggle", () => menu.open && menus.forEach((other) => other !== menu && (other.open = false))),
);
addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("details.drop[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// A drawing opens where the case stands, not at its beginning.
const drawing = document.querySelector(".drawing");
const here = drawing?.querySelector("#here");
const centre = () => {
  const [frame, step] = [drawing.getBoundingClientRect(), here.getBoundingClientRect()];
  drawing.scrollBy(
    step.left + step.width / 2 - frame.left - frame.width / 2,
    step.top + step.height / 2 - frame.top - frame.height / 2,
  );
};
if (here) {
  centre();
  addEventListener("resize", centre);
  document.querySelector(".zoom")?.addEventListener("change", centre);
}

// Errors are the first thing that is read.
const wrong = document.querySelector(".wrong[role=alert]");
if (wrong) {
  wrong.tabIndex = -1;
  wrong.focus();
}

line();
keys(ticks());
