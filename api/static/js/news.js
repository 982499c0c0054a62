// Asks once a minute, while somebody looks, whether tasks came; says so in a line and moves nothing on the page.
const EVERY = 60_000;
const line = document.getElementById("news");
let tag = "";

async function ask() {
  if (document.hidden || !navigator.onLine) return;
  try {
    const address = "/work-news?since=" + encodeURIComponent(line.dataset.since);
    const answer = await fetch(address, { headers: tag ? { "If-None-Match": tag } : {}, redirect: "error" });
    if (answer.status !== 200) return;
    tag = answer.headers.get("ETag") ?? "";
    const told = await answer.json();
    line.querySelector("a").textContent = told.words;
    line.hidden = !told.number;
  } catch {
    // The line is gone, or the session has ended: the next thing that is asked by hand says so.
  }
}

if (line) {
  setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);
}
