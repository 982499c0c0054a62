// Our content policy refuses style="…" in markup. The build writes data-style instead; here it is applied by script,
// which the policy allows.
function apply(element) {
  for (const part of element.getAttribute("data-style").split(";")) {
    const [name, value] = [part.slice(0, part.indexOf(":")).trim(), part.slice(part.indexOf(":") + 1).trim()];
    if (name && value) element.style.setProperty(name, value);
  }
  element.removeAttribute("data-style");
}

/** Apply the styles of all markup that is there or will come. */
export function applyStylesInMarkup() {
  const look = (root) => {
    if (root.nodeType !== 1) return;
    if (root.hasAttribute("data-style")) apply(root);
    root.querySelectorAll("[data-style]").forEach(apply);
  };
  look(document.body);
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(look))).observe(document.body, {
    childList: true,
    subtree: true,
  });
}
