// What a page of the console does beyond its HTML: fragments that the server renders are swapped in as they come,
// times are written in the reader's zone, and keys lead around. Every page works without it.
"use strict";

const body = document.body;
const home = body.dataset.console;
const away = document.getElementById("away");

function tell(words) {
  if (!away) return;
  away.textContent = words;
  away.hidden = !words;
}

// Times

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function localize(root) {
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const shown = at.toDateString() === today ? clock.format(at) : full.format(at);
    if (time.textContent !== shown) time.textContent = shown;
  }
}

// Fragments

let chosen = null;

// Who types, or has a list open, is not disturbed: the fragment waits until that is over.
function isBusy(element) {
  const active = document.activeElement;
  return element.contains(active) && active.matches("input, select, textarea");
}

function swap(element, html) {
  if (isBusy(element)) {
    element.addEventListener("focusout", () => setTimeout(swap, 0, element, html), { once: true });
    return;
  }
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const mark = active && (active.getAttribute("formaction") || active.getAttribute("href"));
  const playing = [...element.querySelectorAll("video, audio")].filter((media) => !media.paused || media.currentTime > 0);
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  localize(fresh.content);
  for (const media of playing) {
    const same = [...fresh.content.querySelectorAll(media.localName)].find((one) => one.getAttribute("src") === media.getAttribute("src"));
    if (same) same.replaceWith(media);
  }
  element.replaceChildren(fresh.content);
  if (mark) {
    const again = [...element.querySelectorAll("a, button")].find((one) => mark === (one.getAttribute("formaction") || one.getAttribute("href")));
    if (again) again.focus({ preventScroll: true });
  }
  choose(chosen, false);
}

let source = null;

function listen() {
  source = new EventSource(body.dataset.live);
  source.addEventListener("fragment", (event) => {
    const { id, html } = JSON.parse(event.data);
    const element = document.getElementById(id);
    if (element) swap(element, html);
  });
  source.addEventListener("away", (event) => {
    tell(JSON.parse(event.data) ? "The database is away. What you see is from before; this page goes on by itself." : "");
  });
  source.addEventListener("leave", () => location.reload());
  source.addEventListener("open", () => tell(""));
  source.addEventListener("error", () => {
    tell("The connection is lost. What you see is from before; this page goes on by itself.");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

// A page that nobody sees asks for nothing.
function follow() {
  if (!body.dataset.live) return;
  if (document.hidden && source) {
    source.close();
    source = null;
  } else if (!document.hidden && !source) {
    listen();
  }
}

// Keys

const rows = () => [...document.querySelectorAll("tr[data-row]")];

function choose(id, scrolls = true) {
  chosen = id;
  for (const row of rows()) {
    const is = row.dataset.row === id;
    row.classList.toggle("chosen", is);
    if (is && scrolls) row.scrollIntoView({ block: "nearest" });
  }
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.dataset.row === chosen);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  choose(all[next].dataset.row);
}

function open() {
  const row = rows().find((one) => one.dataset.row === chosen);
  const link = row && row.querySelector("a[href]");
  if (link) link.click();
}

let goesSince = -Infinity;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.timeStamp - goesSince < 1500) {
    goesSince = -Infinity;
    const link = document.querySelector(`nav a[data-letter="${CSS.escape(event.key)}"]`);
    if (link) link.click();
    return;
  }
  const search = document.querySelector("[data-search]");
  const does = {
    g: () => { goesSince = event.timeStamp; },
    j: () => step(1),
    k: () => step(-1),
    "?": () => document.getElementById("keys").showModal(),
    "/": () => (search ? search.focus() : location.assign(`${home}/tasks`)),
  }[event.key];
  if (does) {
    event.preventDefault();
    does();
  } else if (event.key === "Enter" && chosen && !event.target.matches("a, button, summary")) {
    open();
  }
});

// Copying

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

localize(document);
document.addEventListener("visibilitychange", follow);
follow();
