// The table of runs: one <tbody> per run, so that what is behind a row moves with it.
const table = document.getElementById("runs");
const heads = [...table.tHead.rows[0].cells];
const control = Object.fromEntries(
  ["words", "study", "variation", "state", "shown"].map((id) => [id, document.getElementById(id)]));
const words = new Intl.Collator("en", { numeric: true });
let order = null; // { column, sign }, once somebody has clicked
let usual = () => 0; // and how two bodies stand before that

function valueOf(body, column) {
  const cell = body.rows[0].cells[column];
  if (heads[column].dataset.kind !== "number") return cell.textContent.trim();
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function sort() {
  const bodies = [...table.tBodies];
  const sorted = order ? sortedBy(order, bodies) : bodies.toSorted(usual);
  if (sorted.every((body, i) => body === bodies[i])) return;
  const focused = document.activeElement;
  table.append(...sorted);
  focused.focus({ preventScroll: true }); // what is moved has lost it
}

function sortedBy({ column, sign }, bodies) {
  const none = (x) => x === null || x === "";
  return bodies.map((body) => [valueOf(body, column), body]).sort(([a], [b]) => {
    if (none(a) || none(b)) return none(a) - none(b); // what is not known comes last
    return sign * (typeof a === "number" ? a - b : words.compare(a, b));
  }).map(([, body]) => body);
}

function sortBy(column) {
  const again = order && order.column === column;
  order = { column, sign: again ? -order.sign : 1 };
  heads.forEach((head, i) => {
    if (i === column) head.setAttribute("aria-sort", order.sign > 0 ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  });
  sort();
}

function filter() {
  const asked = control.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const { study, variation, state } = control;
  let n = 0;
  for (const body of table.tBodies) {
    const text = body.rows[0].textContent.toLowerCase();
    const fits = asked.every((word) => text.includes(word))
      && (!study.value || body.dataset.study === study.value)
      && (!variation.value || body.dataset.variation === variation.value)
      && (!state.value || body.dataset.state === state.value
        || (state.value === "with warnings" && "warned" in body.dataset));
    body.hidden = !fits;
    n += fits;
  }
  const all = table.tBodies.length;
  const runs = `${all.toLocaleString("en")} ${all === 1 ? "run" : "runs"}`;
  control.shown.value = n === all ? runs : `${n.toLocaleString("en")} of ${runs}`;
}

function choices(name) {
  const select = control[name];
  const known = new Set([...select.options].map((option) => option.value));
  for (const body of table.tBodies) {
    const value = body.dataset[name];
    if (!known.has(value)) select.add(new Option(value, value));
    known.add(value);
  }
  document.getElementById(`${name}-label`).hidden = select.options.length < 3;
}

function arrange() {
  choices("study");
  choices("variation");
  sort();
  filter();
}

function open(body, yes = !body.classList.contains("open")) {
  body.classList.toggle("open", yes);
  body.querySelector("a[aria-expanded]").setAttribute("aria-expanded", String(yes));
  if (yes) body.dispatchEvent(new Event("opened", { bubbles: true }));
}

function openNamed() {
  const body = location.hash.startsWith("#run-") && document.getElementById(location.hash.slice(1));
  if (!body) return;
  open(body, true);
  body.hidden = false;
  body.scrollIntoView({ block: "start" });
}

heads.forEach((head, i) => head.firstElementChild.addEventListener("click", () => sortBy(i)));
table.addEventListener("click", (event) => {
  const row = event.target.closest("tr.run");
  if (!row || String(getSelection())) return;
  event.preventDefault();
  open(row.parentElement);
});
control.words.addEventListener("input", filter);
for (const name of ["study", "variation", "state"]) control[name].addEventListener("change", filter);
control.words.form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = getComputedStyle(root).getPropertyValue("color-scheme").trim() === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("cem-theme", root.dataset.theme); } catch { /* for this page only */ }
});
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const details of closed) details.open = true;
});
addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
addEventListener("hashchange", openNamed);
arrange();
openNamed();
