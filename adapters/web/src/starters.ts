// The starter operations, one source for this page and the hand-written one.

import { STARTERS } from "../../gateway/pages/starters.js";

export const TABS = STARTERS.map(({ query, variables }) => ({
  query,
  variables: variables === undefined ? null : JSON.stringify(variables, null, 2),
}));
