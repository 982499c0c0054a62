// The panes beside the drawing: one is shown. Arrow keys go along, as in all lists of tabs.
export function showTabs() {
  const tabs = [...document.querySelectorAll("#side [role=tab]")];
  const show = (name, focus = false) => {
    for (const tab of tabs) {
      const chosen = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
      if (chosen && focus) tab.focus();
    }
  };
  const name = (tab) => tab.id.replace("tab-", "");
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  for (const [at, tab] of tabs.entries()) {
    tab.addEventListener("click", () => show(name(tab)));
    tab.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      show(name(tabs[(at + (key === forward ? 1 : tabs.length - 1)) % tabs.length]), true);
    });
  }
  show("panel");
  return { show };
}
