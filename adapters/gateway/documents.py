"""The documents of docs/, readable in a browser at /docs without anybody else's server.

Markdown stays the source and reads well on its own; here it only gets a page around it. What a
page links to is served, too: the schema as text, the example clients as they are.
"""

import posixpath
from dataclasses import dataclass
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SHOWN = {".md", ".graphql", ".py", ".mjs", ".png", ".svg", ".json"}
_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".json": "application/json"}
_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_SKIPPED = {"node_modules"}


@dataclass(frozen=True, slots=True)
class Page:
    """Something to serve under ``path``."""

    path: str
    body: bytes
    content_type: str


def pages_of(docs: Path) -> list[Page]:
    """Every document of the folder as a page; none when the folder is not there."""
    files = sorted(
        file
        for file in docs.rglob("*")
        if file.suffix in _SHOWN and _SKIPPED.isdisjoint(file.relative_to(docs).parts)
    )
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    pages = [_page(file, docs, markdown) for file in files]
    index = _index([file for file in files if file.suffix == ".md"], docs)
    return [Page("/docs", index, _HTML), *pages] if pages else []


def _page(file: Path, docs: Path, markdown: MarkdownIt) -> Page:
    name = file.relative_to(docs).as_posix()
    if file.suffix != ".md":
        return Page(f"/docs/{name}", file.read_bytes(), _TYPES.get(file.suffix, _TEXT))
    tokens = markdown.parse(file.read_text("utf-8"))
    _point_inside(tokens, posixpath.dirname(f"/docs/{name}"))
    body = markdown.renderer.render(tokens, markdown.options, {})
    return Page(f"/docs/{name}", _framed(_title(file), body), _HTML)


def _point_inside(tokens: list[Token], folder: str) -> None:
    """Links to what is not served (the README, a folder) lead to the index instead of nowhere."""
    for token in tokens:
        _point_inside(token.children or [], folder)
        target = token.attrs.get("href")
        if not isinstance(target, str) or "://" in target or target.startswith("#"):
            continue
        path, _, anchor = target.partition("#")
        resolved = posixpath.normpath(posixpath.join(folder, path))
        inside = resolved.startswith("/docs/") and posixpath.splitext(resolved)[1] in _SHOWN
        token.attrs["href"] = (resolved if inside else "/docs") + (f"#{anchor}" if anchor else "")


def _title(file: Path) -> str:
    first = file.read_text("utf-8").lstrip().split("\n", 1)[0]
    return first.removeprefix("# ").strip() if first.startswith("# ") else file.stem


def _index(files: list[Path], docs: Path) -> bytes:
    def listed(folder: Path) -> str:
        rows = [file for file in files if file.parent == folder]
        links = [(file.relative_to(docs).as_posix(), escape(_title(file))) for file in rows]
        return "".join(f'<li><a href="/docs/{path}">{title}</a></li>' for path, title in links)

    decisions = listed(docs / "decisions")
    body = (
        f"<h1>Documentation</h1><ul>{listed(docs)}"
        '<li><a href="/docs/schema.graphql">The schema (SDL)</a></li></ul>'
        f"<h2>Decisions</h2><ol>{decisions}</ol>"
    )
    return _framed("Documentation", body)


def _framed(title: str, body: str) -> bytes:
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(title)} · OKD Finance</title>
  <link rel="icon" href="/pages/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/pages/base.css">
  <link rel="stylesheet" href="/pages/documents.css">
</head>
<body>
  <header>
    <a class="brand" href="/"><img src="/pages/mark.svg" alt="">OKD Finance</a>
    <nav aria-label="Reference">
      <a href="/docs">Docs</a> <a href="/graphiql">Explorer</a>
    </nav>
  </header>
  <main>
{body}
  </main>
</body>
</html>
""".encode()
