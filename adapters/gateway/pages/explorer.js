// The explorer: write an operation, run it, watch what comes. Nothing is stored, nothing leaves
// for another host but, in the sandbox, its identity service; headers live in their text field and in
// the request, a token in sign-in.js and there.

import { editor, highlight } from "/pages/highlight.js";
import { signInMenu } from "/pages/sign-in-menu.js";
import { STARTERS } from "/pages/starters.js";
import { subscribe } from "/pages/subscription.js";

const SHOWN_MAX = 100;
const HISTORY_MAX = 20;
const RATE_OVER_MS = 5000;

const $ = (selector) => document.querySelector(selector);
const query = editor($("#query-editor"), "graphql");
const variables = editor($("#variables-panel"), "json");
const headers = editor($("#headers-panel"), "json");
const results = $("#results");

const drafts = STARTERS.map((starter) => ({
  ...starter,
  variables: starter.variables ? JSON.stringify(starter.variables, null, 2) : "",
}));
const history = [];
let draft = drafts[0];
let running = null; // { stop() } while something runs
let signIn = null; // until the menu is there, and where there is none

// A link from the documents brings its operation along; running it is left to the reader.
const asked = new URLSearchParams(location.search);
if (asked.has("query")) {
  drafts.unshift({
    name: "From the docs",
    query: asked.get("query"),
    variables: asked.get("variables") ?? "",
  });
  draft = drafts[0];
}

// --- showing -----------------------------------------------------------------------------------

function showState(className, text) {
  $("#state").className = className;
  $("#state").lastElementChild.textContent = text;
}

function showProblem(text) {
  $("#problem").hidden = !text;
  $("#problem").textContent = text ?? "";
}

function showErrors(errors) {
  const lines = errors.map((error) => {
    const { code, correlationId } = error.extensions ?? {};
    const where = error.locations?.map(({ line, column }) => `line ${line}:${column}`)[0];
    const about = [code, where, correlationId && `correlation ${correlationId}`].filter(Boolean);
    return about.length ? `${error.message}\n${about.join(" · ")}` : error.message;
  });
  showProblem(lines.join("\n\n"));
}

function entry(value) {
  const pre = document.createElement("pre");
  highlight(pre, JSON.stringify(value, null, 2), "json");
  return pre;
}

/** One line for a result of the past: what every one of them has in common is left out. */
function line(result) {
  const roots = result.errors ? [] : Object.values(result.data ?? {});
  const inner = roots.length === 1 && roots[0] !== null ? roots[0] : result;
  const text = JSON.stringify(inner).replace(/^\{(.*)\}$/, "$1");
  const pre = document.createElement("pre");
  highlight(pre, text.replaceAll('":', '": ').replaceAll(',"', ', "'), "json");
  return pre;
}

/** A list that takes any number of values a second and paints once per frame, newest on top. */
function liveList() {
  const arrived = [];
  const pending = [];
  const began = performance.now();
  let count = 0;
  let newest = null;
  let due = false;
  results.replaceChildren();
  $("#counter").hidden = false;

  function paint() {
    due = false;
    for (const { at, value } of pending.splice(0)) {
      if (newest) newest.article.lastChild.replaceWith(line(newest.value));
      const article = document.createElement("article");
      const time = document.createElement("time");
      time.textContent = at.toISOString().slice(11, 23);
      article.append(time, entry(value));
      results.prepend(article);
      newest = { article, value };
    }
    while (results.childElementCount > SHOWN_MAX) results.lastElementChild.remove();
    showCount();
  }

  function showCount() {
    const now = performance.now();
    while (arrived.length && now - arrived[0] > RATE_OVER_MS) arrived.shift();
    $("#counter b").textContent = count.toLocaleString("en");
    const seconds = Math.min(RATE_OVER_MS, Math.max(1000, now - began)) / 1000;
    $("#rate").textContent = `${(arrived.length / seconds).toFixed(1)}/s`;
  }

  const beat = setInterval(showCount, 1000);
  showCount();
  return {
    add(value) {
      count += 1;
      arrived.push(performance.now());
      pending.push({ at: new Date(), value });
      if (pending.length > SHOWN_MAX) pending.shift();
      if (!due) requestAnimationFrame(paint);
      due = true;
    },
    close: () => clearInterval(beat),
  };
}

// --- running -----------------------------------------------------------------------------------

function object(text, what) {
  if (!text.trim()) return {};
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${what}: this is not JSON. ${error.message}`);
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new Error(`${what}: write a JSON object, { "name": value }.`);
  }
  return parsed;
}

/** The operation to run: with several in the document, the one the cursor is in. */
function chosen(document_, cursor) {
  const found = [...document_.matchAll(/^\s*(query|mutation|subscription)\b[ \t]*(\w*)/gm)];
  const one = found.filter(({ index }) => index <= cursor).at(-1) ?? found[0];
  return { kind: one?.[1] ?? "query", name: found.length > 1 ? one[2] : undefined };
}

function signed(sent) {
  return signIn ? signIn.onTopOf(sent) : sent;
}

/** A newer token is told to the socket; another person, or another sign-in, gets another socket. */
async function offerSignIn() {
  signIn = await signInMenu($("#sign-in"));
  let before = null;
  signIn?.subscribe(() => {
    const { person } = signIn.state();
    if (person === before) return;
    if (person?.signedInAt === before?.signedInAt) running?.renew?.();
    else running?.reconnect?.();
    before = person;
  });
}

function finish() {
  running = null;
  $("#run").disabled = false;
  $("#stop").disabled = true;
}

async function fetchOnce(operation, sent) {
  const abort = new AbortController();
  running = { stop: () => abort.abort() };
  $("#counter").hidden = true;
  showState("waiting", "Running");
  const began = performance.now();
  try {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { ...signed(sent), "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(operation),
      signal: abort.signal,
    });
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    const id = answer.headers.get("x-correlation-id");
    $("#facts").textContent = `HTTP ${answer.status} · ${took} ms · ${text.length} bytes · ${id}`;
    $("#facts").title = $("#facts").textContent;
    const result = JSON.parse(text);
    results.replaceChildren(entry(result));
    if (result.errors) showErrors(result.errors);
    showState(result.errors ? "failed" : "done", result.errors ? "Answered with errors" : "Done");
  } catch (error) {
    if (abort.signal.aborted) {
      showState("", "Stopped");
    } else {
      showState("failed", "No answer");
      showProblem(`The server could not be reached or did not answer in JSON. ${error.message}`);
    }
  } finally {
    finish();
  }
}

function watch(operation, sent) {
  const list = liveList();
  const words = { connecting: "Connecting", live: "Live" };
  running = subscribe(operation, () => signed(sent), {
    value(result) {
      list.add(result);
      if (result.errors) showErrors(result.errors);
    },
    errors: showErrors,
    state(word, detail) {
      showState(word === "connecting" ? "waiting" : word, words[word] ?? detail);
      if (word === "done" || word === "failed") {
        list.close();
        finish();
      }
    },
  });
}

function run() {
  if (running) running.stop();
  showProblem(null);
  $("#facts").textContent = "";
  const { kind, name } = chosen(query.value, query.field.selectionStart);
  let operation;
  let sent;
  try {
    sent = object(headers.value, "Headers");
    operation = {
      query: query.value,
      variables: object(variables.value, "Variables"),
      operationName: name,
    };
  } catch (error) {
    showState("failed", "Not sent");
    showProblem(error.message);
    return;
  }
  remember();
  $("#stop").disabled = false;
  if (kind === "subscription") {
    watch(operation, sent);
  } else {
    $("#run").disabled = true;
    fetchOnce(operation, sent);
  }
}

// --- drafts and history (memory only) ----------------------------------------------------------

function remember() {
  const text = query.value;
  const known = history.findIndex((past) => past.query === text);
  if (known >= 0) history.splice(known, 1);
  history.unshift({ query: text, variables: variables.value });
  history.length = Math.min(history.length, HISTORY_MAX);
  const options = history.map((past, index) => {
    const title = past.query.replace(/\s+/g, " ").trim().slice(0, 60);
    return new Option(title, index);
  });
  $("#history").replaceChildren(new Option("History", ""), ...options);
  $("#history").disabled = false;
}

function open(next) {
  draft.query = query.value;
  draft.variables = variables.value;
  draft = next;
  query.value = draft.query;
  variables.value = draft.variables;
  for (const [index, tab] of [...$("#starters").children].entries()) {
    const selected = drafts[index] === draft;
    tab.setAttribute("aria-selected", selected);
    tab.tabIndex = selected ? 0 : -1;
  }
}

/** Arrow keys move between tabs, as readers of screens expect. */
function arrows(list, choose) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...list.children];
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
  list.addEventListener("click", ({ target }) => target.matches("[role=tab]") && choose(target));
}

function showExtra(tab) {
  for (const other of $("#variables-tab").parentElement.children) {
    const selected = other === tab;
    other.setAttribute("aria-selected", selected);
    other.tabIndex = selected ? 0 : -1;
    $(`#${other.getAttribute("aria-controls")}`).hidden = !selected;
  }
}

function start() {
  for (const each of drafts) {
    const tab = document.createElement("button");
    tab.setAttribute("role", "tab");
    tab.textContent = each.name;
    $("#starters").append(tab);
  }
  [query.value, variables.value] = [draft.query, draft.variables];
  open(draft);
  arrows($("#starters"), (tab) => open(drafts[[...$("#starters").children].indexOf(tab)]));
  arrows($("#variables-tab").parentElement, showExtra);
  $("#run").addEventListener("click", run);
  $("#stop").addEventListener("click", () => running?.stop());
  $("#history").addEventListener("change", ({ target }) => {
    const past = history[target.value];
    target.value = "";
    if (past) [query.value, variables.value] = [past.query, past.variables];
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  query.field.setSelectionRange(0, 0);
  // On a phone the focus would bring up the keyboard over everything.
  if (matchMedia("(min-width: 801px)").matches) query.field.focus();
}

start();
await offerSignIn();
