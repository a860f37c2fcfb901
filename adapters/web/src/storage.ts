// What GraphiQL may keep in the browser. shouldPersistHeaders={false} is not enough: the history
// writes down the headers of every operation it remembers, somebody's token among them.

import type { Storage as KeptStorage } from "@graphiql/toolkit";

const HOLDING_HEADERS = /:(queries|favorites|tabState)$/;

/** The storage, except that no header ever gets into it. */
export function withoutHeaders(kept: Storage): KeptStorage {
  return {
    get length() {
      return kept.length;
    },
    getItem: (key) => kept.getItem(key),
    setItem(key, value) {
      if (key.endsWith(":headers")) return;
      kept.setItem(key, HOLDING_HEADERS.test(key) ? stripped(value) : value);
    },
    removeItem: (key) => kept.removeItem(key),
    clear() {
      // Only what is GraphiQL's: other pages of this origin may keep something, too.
      for (const key of Object.keys(kept)) if (key.startsWith("graphiql:")) kept.removeItem(key);
    },
  };
}

function stripped(json: string): string {
  return JSON.stringify(JSON.parse(json), (key, value) => (key === "headers" ? null : value));
}
