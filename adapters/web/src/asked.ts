// The operation a link asks for: /graphiql?query=...&variables=..., as the documents write them.

export interface Asked {
  query: string;
  variables: string | null;
}

/** What the address asks for. It stays there until `forgetOnceKept` has seen it remembered. */
export function takeAsked(): Asked | undefined {
  const given = new URLSearchParams(location.search);
  const query = given.get("query");
  return query ? { query, variables: given.get("variables") } : undefined;
}

/**
 * Take the operation out of the address as soon as the page itself remembers it.
 *
 * Not earlier: GraphiQL writes its tabs half a second late, and a page that is loaded again before
 * would have lost what the link asked for. Not later: the next reload would open it again, beside
 * what was made of it.
 */
export function forgetOnceKept(asked: Asked, tabState: string): void {
  if (!location.search) return;
  const { tabs } = JSON.parse(tabState) as { tabs?: Array<{ query?: string | null }> };
  if (tabs?.some((tab) => tab.query === asked.query)) {
    history.replaceState(null, "", location.pathname);
  }
}
