// The doors of the service: JSON with the session's cookie.
import { page } from "./texts.js";

/** What a door answered instead of what was asked. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || String(status));
    this.status = status;
    this.problem = problem ?? {};
    this.code = this.problem.code ?? "";
  }
}

/** The line to the service is lost. */
export class LineLost extends Error {}

async function ask(method, address, body, headers = {}) {
  let answer;
  try {
    answer = await fetch("/api/v1" + address, {
      method,
      headers: {
        Accept: "application/json",
        "Accept-Language": page.language,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw new LineLost();
  }
  const text = await answer.text();
  let said = null;
  try {
    said = text ? JSON.parse(text) : null;
  } catch {
    said = null;
  }
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

const based = (version) => (version === undefined ? {} : { "If-Match": `"v${version}"` });
const once = () => ({ "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) });

/** Ask something that changes nothing. */
export const look = (address, body) => ask("POST", address, body);
export const get = (address) => ask("GET", address);
export const post = (address, body = {}, version) =>
  ask("POST", address, body, { ...once(), ...based(version) });
export const put = (address, body, version) => ask("PUT", address, body, based(version));
