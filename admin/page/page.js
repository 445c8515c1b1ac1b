// Makes the page live. The server renders everything; this fetches the page again when something happened and takes over
// what changed, element by element, so that focus, selection, scrolling and opened details stay. Nothing from outside is
// ever turned into markup here.
"use strict";

const soonest = 1000; // between two refreshes
const latest = Number(document.body.dataset.latest) || 10000; // counters change without an event too
let timer = 0, last = 0, busy = false, again = false;

function enhance(root) {
  for (const b of root.querySelectorAll("button.copy")) b.hidden = !navigator.clipboard;
  for (const t of root.querySelectorAll("time")) {
    const when = new Date(t.dateTime);
    const today = when.toDateString() === new Date().toDateString();
    t.textContent = today ? when.toLocaleTimeString() : when.toLocaleString();
  }
}

function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}

function live(text) {
  const el = document.getElementById("live");
  if (el) el.textContent = text;
}

// morph makes old look like fresh. Children with an id are matched by it, the others by position.
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute("data-keep") || old.nodeName === "INPUT" || old.nodeName === "SCRIPT") return;
  const own = a => a === "open" || a === "disabled";
  for (const a of [...old.attributes]) if (!fresh.hasAttribute(a.name) && !own(a.name)) old.removeAttribute(a.name);
  for (const a of [...fresh.attributes]) if (old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
  children(old, fresh);
}

function children(old, fresh) {
  const byId = new Map();
  for (const c of old.children) if (c.id) byId.set(c.id, c);
  const wanted = new Set([...fresh.children].map(c => c.id).filter(Boolean));
  let at = old.firstChild;
  for (const f of [...fresh.childNodes]) {
    while (at && at.id && !wanted.has(at.id)) at = drop(at);
    const known = f.id && byId.get(f.id);
    if (known) {
      if (known === at) at = at.nextSibling;
      else old.insertBefore(known, at);
      morph(known, f);
    } else if (at && !at.id && !f.id) {
      const here = at;
      at = at.nextSibling;
      morph(here, f);
    } else {
      if (f.nodeName === "LI") f.classList.add("new");
      old.insertBefore(f, at);
    }
  }
  while (at) at = drop(at);
}

// drop leaves an alert of ours where it is until it was read.
function drop(node) {
  const next = node.nextSibling;
  if (!(node.dataset?.until > Date.now())) node.remove();
  return next;
}

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  last = Date.now();
  try {
    const got = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(8000) });
    if (got.redirected) { location.reload(); return; }
    if (!got.ok) throw new Error(got.statusText);
    const fresh = new DOMParser().parseFromString(await got.text(), "text/html");
    const before = new Set([...document.querySelectorAll("#imports li")].map(li => li.id));
    enhance(fresh);
    morph(document.querySelector("header"), fresh.querySelector("header"));
    morph(document.querySelector("main"), fresh.querySelector("main"));
    morph(document.querySelector("footer"), fresh.querySelector("footer"));
    announce(before);
  } catch {
    live("The node does not answer; trying again");
  } finally {
    busy = false;
    if (again) { again = false; soon(); }
  }
}

let announced = 0;
function announce(before) {
  const items = [...document.querySelectorAll("#imports li")];
  const fresh = items.filter(li => !before.has(li.id));
  if (!fresh.length || Date.now() - announced < 5000) return;
  announced = Date.now();
  const name = fresh[0].querySelector(".name").textContent;
  say(fresh.length === 1 ? `Imported ${name}` : `${fresh.length} new imports, the newest is ${name}`);
}

function soon() {
  if (timer) return;
  timer = setTimeout(() => { timer = 0; refresh(); }, Math.max(50, soonest - (Date.now() - last)));
}

function follow() {
  let events = null;
  const open = () => {
    events = new EventSource("/v1/events");
    events.onopen = () => { live("Live"); soon(); };
    events.onmessage = soon;
    events.onerror = () => {
      live("Connection lost; trying again");
      if (events.readyState === EventSource.CLOSED) { events = null; setTimeout(() => events || document.hidden || open(), 5000); }
    };
  };
  open();
  // A hidden page lets go of the stream; the server has a place for so many only.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { events?.close(); events = null; } else if (!events) { open(); }
  });
}

document.addEventListener("click", e => {
  const b = e.target.closest("button.copy");
  if (!b) return;
  navigator.clipboard.writeText(b.dataset.copy).then(() => {
    b.textContent = "Copied";
    say("Path copied");
    setTimeout(() => { b.textContent = "Copy"; }, 1500);
  }, () => say("The browser did not allow copying; select the path instead"));
});

// Buttons act without leaving the page. Without this script they are plain forms.
document.addEventListener("submit", async e => {
  const form = e.target;
  if (form.method !== "post" || !document.body.hasAttribute("data-live") || form.classList.contains("leave")) return;
  e.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const got = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
    if (got.ok) say(button.textContent + ": done");
    else alertIn(form, (await got.json()).detail || got.statusText);
  } catch {
    alertIn(form, "The node does not answer.");
  } finally {
    button.disabled = false;
    refresh();
  }
});

function alertIn(form, text) {
  const p = document.createElement("p");
  document.getElementById("alert")?.remove();
  p.id = "alert";
  p.dataset.until = Date.now() + 15000;
  p.className = "banner bad";
  p.setAttribute("role", "alert");
  p.textContent = text;
  document.querySelector("main .title").after(p);
}

enhance(document);
if (document.body.hasAttribute("data-live")) {
  follow();
  setInterval(() => { if (!document.hidden && Date.now() - last > latest) refresh(); }, latest / 2);
}
