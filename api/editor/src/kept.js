// What could not be saved is kept in this window (its session storage), so that signing in again loses nothing.
import { page } from "./texts.js";

const NAME = `nrm-unsaved-${page.draft}`;

/** Keep a drawing and the version that it was made from; says whether there was room for it. */
export function keep(version, diagram) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ version, diagram }));
    return true;
  } catch {
    return false;
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

/** Give what was kept: {version, diagram}, or null. */
export function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(NAME));
    return found && typeof found.diagram === "string" ? found : null;
  } catch {
    return null;
  }
}
