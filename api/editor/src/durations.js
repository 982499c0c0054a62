// Lengths of time as the diagrams write them (ISO 8601): the common ones are a number and a unit.
export const UNITS = [
  ["minutes", "PT", "M"],
  ["hours", "PT", "H"],
  ["days", "P", "D"],
  ["weeks", "P", "W"],
  ["months", "P", "M"],
  ["years", "P", "Y"],
];

/** Give {amount, unit} of a duration with one part; null for any other text. */
export function readDuration(text) {
  for (const [unit, before, letter] of UNITS) {
    const found = new RegExp(`^${before}(\\d{1,5})${letter}$`).exec((text ?? "").trim());
    if (found) return { amount: Number(found[1]), unit };
  }
  return null;
}

/** Write a duration. */
export function writeDuration(amount, unit) {
  const [, before, letter] = UNITS.find(([name]) => name === unit);
  return `${before}${amount}${letter}`;
}
