// The page on which a call to the API can be tried. The key stays in the input field: it is stored nowhere.

const form = document.getElementById("try");
const field = (id) => document.getElementById(id);
const shown = ["content-type", "etag", "x-request-id", "ratelimit", "retry-after", "idempotent-replayed", "link"];

/** Fill the form with the example of the chosen call. */
function choose() {
  const call = field("call").selectedOptions[0].dataset;
  field("path").value = call.path;
  field("body").value = call.body;
  field("body-field").hidden = call.method === "GET";
}

/** Give the request that the form describes, or say in words why there is none. */
function request() {
  const call = field("call").selectedOptions[0].dataset;
  const key = field("key").value.trim();
  if (key && !key.startsWith("nrm_test_")) return form.dataset.onlyTest;
  const fhir = field("path").value.startsWith("/fhir/");
  const headers = { Accept: fhir ? "application/fhir+json" : "application/json, application/problem+json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  const options = { method: call.method, headers, credentials: "omit", redirect: "error", cache: "no-store" };
  if (call.method !== "GET" && field("body").value.trim()) {
    try {
      options.body = JSON.stringify(JSON.parse(field("body").value));
    } catch (mistake) {
      return form.dataset.notJson.replace("{cause}", mistake.message);
    }
    headers["Content-Type"] = "application/json";
  }
  return options;
}

/** Show a line, and what came with it. */
function say(line, headers = "", content = "") {
  field("answer").hidden = false;
  field("status").textContent = line;
  field("headers").textContent = headers;
  field("headers").hidden = !headers;
  field("content").textContent = content;
  field("content").hidden = !content;
}

/** Give the text of an answer, set in lines where it is JSON. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const options = request();
  if (typeof options === "string") return say(options);
  const address = new URL(field("path").value, location.origin);
  if (address.origin !== location.origin) return say(form.dataset.failed.replace("{cause}", address.origin));
  say(form.dataset.waiting);
  try {
    const answer = await fetch(address, options);
    const lines = shown.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
    say(`${answer.status} ${answer.statusText}`, lines.join("\n"), readable(await answer.text()));
  } catch (mistake) {
    say(form.dataset.failed.replace("{cause}", mistake.message));
  }
});
field("call").addEventListener("change", choose);
form.hidden = false;
choose();
