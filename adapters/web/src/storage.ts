// What GraphiQL keeps in the browser, mended in two places.
//
// Headers: shouldPersistHeaders={false} is not enough. The history writes down the headers of every
// operation it remembers, somebody's token among them.
// Tabs: the open tab's text is kept twice, each copy a moment late. A page that is loaded again
// between the two would open the tab a second time; so the tab's own copy is the one that is read.

import type { Storage as KeptStorage } from "@graphiql/toolkit";

const HOLDING_HEADERS = /:(queries|favorites|tabState)$/;

/** The storage as GraphiQL is to see it: no header ever gets into it. */
export function withoutHeaders(
  kept: Storage,
  tabsKept: (tabState: string) => void = () => {},
): KeptStorage {
  return {
    get length() {
      return kept.length;
    },
    getItem(key) {
      const tab = openTab(kept);
      if (tab && key.endsWith(":query")) return tab.query ?? null;
      if (tab && key.endsWith(":variables")) return tab.variables ?? null;
      return kept.getItem(key);
    },
    setItem(key, value) {
      if (key.endsWith(":headers")) return;
      kept.setItem(key, HOLDING_HEADERS.test(key) ? stripped(value) : value);
      if (key.endsWith(":tabState")) tabsKept(value);
    },
    removeItem: (key) => kept.removeItem(key),
    clear() {
      // Only what is GraphiQL's: other pages of this origin may keep something, too.
      for (const key of Object.keys(kept)) if (key.startsWith("graphiql:")) kept.removeItem(key);
    },
  };
}

interface Tabs {
  activeTabIndex?: number;
  tabs?: Array<{ query?: string | null; variables?: string | null }>;
}

function openTab(kept: Storage) {
  try {
    const { tabs, activeTabIndex } = JSON.parse(kept.getItem("graphiql:tabState") ?? "{}") as Tabs;
    return tabs?.[activeTabIndex ?? 0];
  } catch {
    return undefined; // Not what GraphiQL writes: it starts anew by itself.
  }
}

function stripped(json: string): string {
  return JSON.stringify(JSON.parse(json), (key, value) => (key === "headers" ? null : value));
}
