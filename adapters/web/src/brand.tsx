/** Where GraphiQL shows its own name: ours, and the ways out of the page. */
export function Brand() {
  return (
    <nav className="brand" aria-label="OKD Finance">
      <a href="/docs" target="_blank" rel="noopener">
        Docs
      </a>
      <a className="home" href="/">
        <img src="/pages/mark.svg" alt="" width="20" height="20" />
        OKD Finance
      </a>
    </nav>
  );
}
