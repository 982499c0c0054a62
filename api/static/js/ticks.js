// Ticks in a list: how many there are, all of them, and a stretch of them with shift. Without a script they are plain.

/** Watch the ticks of a list; gives the function that ticks a row. */
export function ticks() {
  const form = document.getElementById("many");
  const all = [...document.querySelectorAll("[data-tick]")];
  if (!form || !all.length) return () => {};
  const told = form.querySelector("[data-ticked]");
  let last = -1;

  const count = () => {
    const number = all.filter((tick) => tick.checked).length;
    form.classList.toggle("has-ticks", number > 0);
    told.textContent = number ? told.dataset.words.replace("#", String(number)) : "";
  };
  const stretch = (place, checked, wide) => {
    const [from, to] = wide && last >= 0 ? [Math.min(last, place), Math.max(last, place)] : [place, place];
    for (let at = from; at <= to; at += 1) all[at].checked = checked;
    last = place;
    count();
  };
  all.forEach((tick, place) => tick.addEventListener("click", (event) => stretch(place, tick.checked, event.shiftKey)));
  form.querySelector("[data-tick-all]")?.addEventListener("click", () => {
    const some = all.some((tick) => !tick.checked);
    all.forEach((tick) => (tick.checked = some));
    count();
  });
  count();
  return (row, wide) => {
    const place = all.findIndex((tick) => row.contains(tick));
    if (place >= 0) stretch(place, wide || !all[place].checked, wide);
  };
}
