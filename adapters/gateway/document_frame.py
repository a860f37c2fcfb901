"""The page around a document: header, search, sections at the side, contents of the page."""

from collections.abc import Mapping, Sequence
from html import escape

from adapters.gateway.document_body import Body, Heading
from adapters.gateway.document_contents import Section

# More would be longer than what it shows the way to.
_CONTENTS_MAX = 40
_SHORT = 130


def framed(
    name: str, body: Body, *, sections: Sequence[Section], titles: Mapping[str, str]
) -> bytes:
    """The document ``name`` as a whole page."""
    raw = f"/docs/raw/{escape(name)}"
    extra = f'<link rel="alternate" type="text/markdown" href="{raw}">'
    footer = f'<footer><a href="{raw}">This page as Markdown</a></footer>'
    inside = f"""<main id="text">
{body.html}{footer}
</main>
{_contents(body.headings)}"""
    return _page(body.title, inside, _side(name, sections, titles), extra=extra)


def index(
    sections: Sequence[Section], titles: Mapping[str, str], leads: Mapping[str, str]
) -> bytes:
    """The first page: every document with its first words."""
    parts = []
    for section in sections:
        rows = "".join(
            f'<li><a href="/docs/{escape(name)}"><b>{escape(titles[name])}</b>'
            f"<span>{escape(_short(leads[name]))}</span></a></li>"
            for name in section.names
        )
        kind = "plain" if section.title == "Decisions" else "cards"
        parts.append(
            f'<h2 id="{section.title.lower()}">{section.title}</h2><ul class="{kind}">{rows}</ul>'
        )
    inside = f"""<main id="text" class="index">
<h1>Documentation</h1>
<p class="quiet">One GraphQL endpoint for queries, mutations and live data. The examples are run
by our tests. Each page is Markdown, too (<a href="/llms.txt">llms.txt</a> lists them), and the
schema is <a href="/docs/schema.graphql">one SDL file</a>.</p>
{"".join(parts)}
</main>"""
    return _page("Documentation", inside, _side("", sections, titles))


def _short(lead: str) -> str:
    first = lead.split(". ", 1)[0].split(": ", 1)[0].rstrip(".:")
    return first if len(first) < _SHORT else f"{first[:_SHORT].rsplit(' ', 1)[0]} …"


def _side(current: str, sections: Sequence[Section], titles: Mapping[str, str]) -> str:
    def link(name: str) -> str:
        here = ' aria-current="page"' if name == current else ""
        return f'<li><a href="/docs/{escape(name)}"{here}>{escape(titles[name])}</a></li>'

    parts = []
    for section in sections:
        links = "".join(link(name) for name in section.names)
        if section.title == "Reference":
            links += '<li><a href="/docs/schema.graphql">Schema (SDL)</a></li>'
        if section.title == "Decisions":
            opened = " open" if current in section.names else ""
            parts.append(
                f"<details{opened}><summary>{section.title}</summary><ul>{links}</ul></details>"
            )
        else:
            parts.append(f"<p>{section.title}</p><ul>{links}</ul>")
    return "".join(parts)


def _contents(headings: Sequence[Heading]) -> str:
    shown = headings if len(headings) <= _CONTENTS_MAX else _outer(headings)
    if len(shown) <= 1:
        return ""
    rows = "".join(
        f'<li class="level{h.level}"><a href="#{escape(h.anchor)}">{_breakable(h.title)}</a></li>'
        for h in shown
    )
    title = "On this page"
    return f'<nav class="contents" aria-label="{title}"><h2>{title}</h2><ul>{rows}</ul></nav>'


def _breakable(title: str) -> str:
    return escape(title).replace("_", "_<wbr>")


def _outer(headings: Sequence[Heading]) -> list[Heading]:
    level = min(h.level for h in headings)
    return [h for h in headings if h.level == level]


def _page(title: str, inside: str, side: str, *, extra: str = "") -> bytes:
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(title)} · OKD Finance</title>
  <link rel="icon" href="/pages/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/pages/base.css">
  <link rel="stylesheet" href="/pages/documents.css">
  <script type="module" src="/pages/documents.js"></script>
  {extra}
</head>
<body>
  <a class="skip" href="#text">Skip to the text</a>
  <header>
    <a class="brand" href="/"><img src="/pages/mark.svg" alt="">OKD Finance</a>
    <search id="search" hidden>
      <input type="search" placeholder="Search   /" aria-label="Search the documentation"
        aria-controls="found" autocomplete="off" spellcheck="false">
      <ul id="found" hidden></ul>
    </search>
    <nav aria-label="Pages">
      <a href="/docs">Docs</a> <a href="/graphiql">GraphiQL</a>
    </nav>
  </header>
  <input type="checkbox" id="menu" class="unseen" aria-label="Show the list of documents">
  <label for="menu">All documents</label>
  <div class="columns">
    <nav class="side" aria-label="Documents">{side}</nav>
    {inside}
  </div>
</body>
</html>
""".encode()
