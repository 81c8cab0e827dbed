// The dashboard: every two seconds what has changed since the last time, and nothing else.
const EVERY = 2000; // milliseconds
const PATIENCE = 15000;
const said = document.getElementById("said");
const studies = document.getElementById("studies");
let since = "";
const RANKS = { running: 0, planned: 2 }; // all others are in between
const rank = (body) => RANKS[body.dataset.state] ?? 1;
usual = (a, b) => rank(a) - rank(b) || b.dataset.id - a.dataset.id; // the newest first

async function get(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function bodyOf(html) {
  const holder = document.createElement("table");
  holder.innerHTML = html; // made and escaped by the server
  return holder.tBodies[0];
}

function put(html) {
  const fresh = bodyOf(html);
  const old = document.getElementById(fresh.id);
  if (!old) return table.append(fresh);
  for (const name of ["state", "variation", "study"]) old.dataset[name] = fresh.dataset[name];
  if ("warned" in fresh.dataset) old.dataset.warned = "";
  const focused = old.rows[0].contains(document.activeElement);
  const opened = old.classList.contains("open");
  old.rows[0].replaceWith(fresh.rows[0]);
  const link = old.querySelector("a[aria-expanded]");
  link.setAttribute("aria-expanded", String(opened));
  if (focused) link.focus({ preventScroll: true });
  if (opened) fill(old);
}

async function fill(body) {
  const cell = body.rows[1].cells[0];
  try {
    cell.innerHTML = (await get(`run/${body.dataset.id}`)).html;
  } catch (error) {
    if (!cell.firstChild) cell.textContent = reason(error);
  }
}

function reason(error) {
  if (error.name === "TimeoutError") return "The store is busy; trying again.";
  if (error instanceof TypeError) return "The dashboard does not answer; trying again.";
  return `${error.message}; trying again.`;
}

function say(text, trouble) {
  if (said.textContent !== text) said.textContent = text;
  said.classList.toggle("trouble", trouble);
}

async function update() {
  try {
    const news = await get(`state?since=${encodeURIComponent(since)}`);
    if (news.all) for (const body of [...table.tBodies]) body.remove(); // another dashboard's
    for (const id of news.gone) document.getElementById(`run-${id}`)?.remove();
    news.rows.forEach(put);
    if (news.rows.length || news.gone.length || news.all) arrange();
    if (news.studies !== null) studies.innerHTML = news.studies;
    since = news.since;
    say(news.said, false);
  } catch (error) {
    say(reason(error), true);
  }
  setTimeout(update, EVERY);
}

table.addEventListener("opened", (event) => fill(event.target));
update();
