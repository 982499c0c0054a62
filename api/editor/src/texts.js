// The words of the editor: the page brings them in the reader's language, code → text.
import { BPMN_WORDS } from "./bpmn_words.js";

const block = typeof document === "undefined" ? null : document.getElementById("editor");

/** What the page tells: draft, language, direction, digits, texts, addresses. */
export const page = block ? JSON.parse(block.dataset.told) : { language: "en", direction: "ltr", digits: "latin", texts: {} };

const missing = new Set();
if (typeof window !== "undefined") window.editorMissing = missing;

const plural = new Intl.PluralRules(page.language === "ckb" ? "ku" : page.language);

/** Write a number in the country's digits. */
export function number(value) {
  const text = String(value);
  return page.digits === "arab" ? text.replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit))) : text;
}

/** Give a text of the editor; places in braces are filled in. A number `n` chooses the plural form. */
export function t(code, params = {}) {
  const text = page.texts[code] ?? page.texts[`${code}.${plural.select(params.n ?? 0)}`] ?? page.texts[`${code}.other`];
  if (text === undefined) {
    missing.add(code);
    return code;
  }
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = params[name];
    return value === undefined ? place : typeof value === "number" ? number(value) : value;
  });
}

/** Give the reader's word for a text that a library has in English; what has none is remembered as missing. */
export function say(english, params = {}) {
  const code = BPMN_WORDS[english];
  if (code === undefined) {
    missing.add(english);
    return english.replace(/\{(\w+)\}/g, (place, name) => params[name] ?? place);
  }
  return t(code, params);
}

/** Give a thing's name in the reader's language: names as the service sends them, text or language → text. */
export function named(thing) {
  const names = thing?.name ?? thing?.names ?? thing?.title ?? thing?.label ?? "";
  if (typeof names === "string") return names;
  return names[page.language] || names.en || Object.values(names)[0] || "";
}
