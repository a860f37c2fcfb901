// Documents read well without this: it adds search, copy buttons, and the reader's own address.

const FOUND_MAX = 12;
const WRITTEN_ADDRESS = "127.0.0.1:8000";

const box = document.querySelector("#search");
const field = box.querySelector("input");
const found = document.querySelector("#found");
let rows = null;

/** Rows of [page, heading, address, words]; fetched once, when somebody begins to search. */
async function load() {
  rows ??= fetch("/docs/search.json").then((answer) => answer.json());
  return rows;
}

/** How well a row fits: all words have to be somewhere in it. Names count most. */
function score([page, heading, , words], wanted) {
  const name = (heading || page).toLowerCase();
  const all = `${page} ${heading} ${words}`.toLowerCase();
  if (!wanted.every((word) => all.includes(word))) return 0;
  const whole = wanted.join(" ");
  if (name === whole) return 5;
  if (name.startsWith(whole)) return 4;
  if (wanted.every((word) => name.includes(word))) return 3;
  return 1;
}

function entry([page, heading, address, words]) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = address;
  const about = document.createElement("small");
  about.textContent = [heading && page, words].filter(Boolean).join(" · ");
  link.append(heading || page, about);
  item.append(link);
  return item;
}

function nothing() {
  const item = document.createElement("li");
  const text = document.createElement("p");
  text.textContent = "Nothing found.";
  item.append(text);
  return item;
}

async function search() {
  const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = wanted.length ? await load() : [];
  const fitting = all
    .map((row) => ({ row, fits: score(row, wanted) }))
    .filter(({ fits }) => fits > 0)
    .sort((one, other) => other.fits - one.fits)
    .slice(0, FOUND_MAX);
  found.replaceChildren(...(fitting.length ? fitting.map(({ row }) => entry(row)) : [nothing()]));
  found.hidden = wanted.length === 0;
}

/** Arrow keys walk from the field through what was found. */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    found.hidden = true;
    field.focus();
  } else if (event.key === "Enter" && event.target === field) {
    found.querySelector("a")?.click();
  } else if (step && !found.hidden) {
    event.preventDefault();
    const stops = [field, ...found.querySelectorAll("a")];
    const next = stops.indexOf(document.activeElement) + step;
    stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
  }
}

function offerSearch() {
  box.hidden = false;
  field.addEventListener("input", search);
  field.addEventListener("focus", search);
  box.addEventListener("keydown", walk);
  document.addEventListener("click", ({ target }) => {
    if (!box.contains(target)) found.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.matches("input, textarea")) return;
    event.preventDefault();
    field.focus();
  });
  found.addEventListener("click", () => {
    found.hidden = true;
  });
}

/** Examples name the sandbox's usual address; here they name the one this page came from. */
function showOwnAddress() {
  for (const code of document.querySelectorAll("main code")) {
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (!text.data.includes(WRITTEN_ADDRESS)) continue;
      const secure = location.protocol === "https:" ? "s" : "";
      text.data = text.data
        .replaceAll(`http://${WRITTEN_ADDRESS}`, `http${secure}://${location.host}`)
        .replaceAll(`ws://${WRITTEN_ADDRESS}`, `ws${secure}://${location.host}`);
    }
  }
}

function offerCopies() {
  for (const caption of document.querySelectorAll(".code figcaption")) {
    const button = document.createElement("button");
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(caption.nextElementSibling.textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    caption.append(button);
  }
}

offerSearch();
showOwnAddress();
if (navigator.clipboard) offerCopies();
