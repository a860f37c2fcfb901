// The operation a link asks for: /graphiql?query=...&variables=..., as the documents write them.

export interface Asked {
  query: string;
  variables: string | null;
}

/** What the address asks for, once: from then on the page remembers what becomes of it. */
export function takeAsked(): Asked | undefined {
  const given = new URLSearchParams(location.search);
  const query = given.get("query");
  if (!query) return undefined;
  // Otherwise a reload would open it again, beside what was made of it.
  history.replaceState(null, "", location.pathname);
  return { query, variables: given.get("variables") };
}
