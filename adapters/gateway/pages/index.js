// The landing page's live part: what /readyz says, asked again while the page is looked at.

const EVERY_MS = 3000;
const WORDS = {
  UP: ["up", "Everything works"],
  DEGRADED: ["degraded", "Working, with limits"],
  DOWN: ["down", "Not ready"],
};

const summary = document.querySelector("#summary");
const list = document.querySelector("#components");

document.querySelector("#curl").textContent = [
  `curl ${location.origin}/graphql \\`,
  "  -H 'content-type: application/json' \\",
  `  -d '{"query": "{ tickers(instruments: [{category: LINEAR, symbol: \\"BTCUSDT\\"}]) { lastPrice asOf } }"}'`,
].join("\n");

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function show(className, text, components) {
  summary.replaceChildren(element("span", "", `dot ${className}`), document.createTextNode(text));
  list.replaceChildren(
    ...components.map(({ name, state, detail }) => {
      const item = element("li");
      const about = detail ?? state.toLowerCase();
      item.append(
        element("span", "", `dot ${state.toLowerCase()}`),
        element("span", name),
        element("small", about),
      );
      return item;
    }),
  );
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/readyz", { signal: AbortSignal.timeout(EVERY_MS) });
    const { state, draining, components } = await answer.json();
    const [className, text] = WORDS[state];
    if (draining) show("degraded", "This server is about to restart", components);
    else show(className, text, components);
  } catch {
    show("down", "The server does not answer. Trying again…", []);
  }
}

async function revealMetrics() {
  // Not served on a production server's public port.
  const answer = await fetch("/metrics", { method: "HEAD" });
  document.querySelector("#metrics").hidden = !answer.ok;
}

look();
setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
revealMetrics().catch(() => {});
