// Keys by their place on the keyboard, so that they are the same under an Arabic, Kurdish or Latin layout.
// They can be switched off (WCAG 2.1.4); the choice is no personal data and stays in the browser.

const OFF = "nrm-keys-off";
let at = -1;

function items() {
  return [...document.querySelectorAll("[data-item]")];
}

function move(step) {
  const all = items();
  if (!all.length) return;
  all[at]?.classList.remove("at");
  at = Math.min(Math.max(at + step, 0), all.length - 1);
  all[at].classList.add("at");
  (all[at].querySelector("[data-open]") ?? all[at]).focus();
}

const ACTIONS = {
  KeyJ: () => move(1),
  KeyK: () => move(-1),
  KeyO: () => items()[at]?.querySelector("[data-open]")?.click(),
  KeyC: () => (items()[at] ?? document).querySelector("[data-take]")?.click(),
  KeyN: () => document.querySelector("[data-key=n]")?.click(),
  KeyS: () => document.querySelector("[data-key=s]")?.click(),
};

function isOff() {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
}

function help() {
  document.getElementById("keys-help")?.showModal?.();
}

/**
 * Listen to keys.
 * @param {(row: Element, wide: boolean) => void} tick ticks a row of the list, or all between it and the last one.
 */
export function keys(tick) {
  const off = document.getElementById("keys-off");
  if (off) {
    off.checked = isOff();
    off.addEventListener("change", () => {
      if (off.checked) localStorage.setItem(OFF, "1");
      else localStorage.removeItem(OFF);
    });
  }
  const palette = document.getElementById("palette");
  palette?.querySelector("[data-close]").addEventListener("click", () => palette.close());
  addEventListener("keydown", (event) => {
    if (palette && event.ctrlKey && event.code === "KeyK" && !isOff()) {
      event.preventDefault();
      palette.showModal();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    if (event.key === "?" || event.key === "؟") {
      event.preventDefault();
      help();
      return;
    }
    if (isOff()) return;
    if (event.code === "KeyX" && items()[at]) {
      event.preventDefault();
      tick(items()[at], event.shiftKey);
      return;
    }
    if (event.shiftKey) return;
    if (event.code === "Slash") {
      const search = document.querySelector("input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
      return;
    }
    const action = ACTIONS[event.code];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}
