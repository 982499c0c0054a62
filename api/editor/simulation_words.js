// The token simulation has its words in the code. Each becomes a look-up, like all other words of the editor.
export const WORDS = [
  "Toggle Simulation Log", "Reset Simulation", "Play/Pause Simulation", "Pause Simulation", "Play Simulation",
  "Found unsupported elements", "Not supported", "Set Sequence Flow", "Trigger Event", "Finished", "Service Task",
  "User Task", "Call Activity", "Script Task", "Business Rule Task", "Manual Task", "Receive Task", "Send Task", "Task",
  "Exclusive Gateway", "Parallel Gateway", "Inclusive Gateway", "Start Event", "Intermediate Event",
  "Boundary Event", "End Event", "SubProcess", "Process",
];

const look = (word) => '${ nrmSay("' + word + '") }';

const PLACES = [
  [/title="Set animation speed = \$\{ label \}"/g, `title="${look("Animation speed")}: \${ nrmSay(label) }"`],
  [/title="Focus process instance \$\{scope\.id\}"/g, `title="${look("Show this run")}"`],
  [/\$\{ wait \? 'Remove' : 'Add' \} pause point/g, '${ nrmSay(wait ? "Remove pause point" : "Add pause point") }'],
  [/domify\('<p class="bts-entry placeholder">No Entries<\/p>'\)/g, 'domify(`<p class="bts-entry placeholder">${ nrmSay("No Entries") }</p>`)'],
  [/>No Entries</g, `>${look("No Entries")}<`],
  [/aria-label="Close"/g, `aria-label="${look("Close")}"`],
  [/(\n\s*)Simulation Log(?=\s*\n)/g, `$1${look("Simulation Log")}`],
  [/\$\{\s*completed \? 'finished' : 'canceled'\s*\}/g, '${ nrmSay(completed ? "finished" : "canceled") }'],
  [/Token Simulation <span/g, `${look("Token Simulation")} <span`],
];

/** Give a file of the token simulation with its words looked up. */
export function simulationWords(code) {
  let said = code;
  for (const [found, instead] of PLACES) said = said.replace(found, () => instead.replace("$1", "\n        "));
  for (const word of WORDS) {
    said = said
      .replaceAll(`title="${word}"`, `title="${look(word)}"`)
      .replaceAll(`text: '${word}'`, `text: nrmSay("${word}")`)
      .replaceAll(`|| '${word}'`, `|| nrmSay("${word}")`)
      .replaceAll(`: '${word}'`, `: nrmSay("${word}")`);
  }
  return said;
}
