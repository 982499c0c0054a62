// Says in words whether the line is there. What was typed stays on the page and, on a task, on the server.

/** Show the state of the line, and ask again now and then while it is gone. */
export function line() {
  const shown = document.getElementById("line");
  if (!shown) return;
  let gone = false;
  let hide = 0;

  const say = (there) => {
    clearTimeout(hide);
    if (there && !gone) return;
    gone = !there;
    shown.textContent = there ? shown.dataset.back : shown.dataset.lost;
    shown.hidden = false;
    if (there) hide = setTimeout(() => (shown.hidden = true), 5000);
  };
  addEventListener("offline", () => say(false));
  addEventListener("online", () => say(true));
  document.addEventListener("nrm:line", (event) => say(event.detail));
  if (!navigator.onLine) say(false);
}

/** Tell the page whether the last request came through. */
export function tellLine(there) {
  document.dispatchEvent(new CustomEvent("nrm:line", { detail: there }));
}
