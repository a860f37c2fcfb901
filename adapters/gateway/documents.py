"""The documents of docs/, readable in a browser at /docs without anybody else's server.

Markdown stays the source and reads well on its own; here it gets a page around it. What a page
links to is served, too: the schema as text, the example clients as they are. Every Markdown file is
at /docs/raw as it is written, and /llms.txt lists them for programs that read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from adapters.gateway.document_body import SHOWN, Body, body_of
from adapters.gateway.document_contents import Section, sections_of
from adapters.gateway.document_frame import framed, index

_JSON = "application/json"
_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".json": _JSON}
_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_MARKDOWN = "text/markdown; charset=utf-8"
_SKIPPED = {"node_modules"}


@dataclass(frozen=True, slots=True)
class Page:
    """Something to serve under ``path``."""

    path: str
    body: bytes
    content_type: str


def pages_of(docs: Path) -> list[Page]:
    """Every document of the folder as a page; none when the folder is not there."""
    files = {
        file.relative_to(docs).as_posix(): file.read_bytes()
        for file in sorted(docs.rglob("*"))
        if file.suffix in SHOWN and _SKIPPED.isdisjoint(file.relative_to(docs).parts)
    }
    if not files:
        return []
    texts = {name: body for name, body in files.items() if name.endswith(".md")}
    bodies = {n: body_of(text.decode(), path=f"/docs/{n}") for n, text in texts.items()}
    sections = sections_of(bodies)
    titles = {name: body.title for name, body in bodies.items()}
    leads = {name: body.lead for name, body in bodies.items()}
    return [
        Page("/docs", index(sections, titles, leads), _HTML),
        Page("/docs/search.json", _search_index(sections, bodies), _JSON),
        Page("/llms.txt", _list_for_programs(sections, bodies), _TEXT),
        *(
            Page(f"/docs/{name}", framed(name, body, sections=sections, titles=titles), _HTML)
            for name, body in bodies.items()
        ),
        *(Page(f"/docs/raw/{name}", text, _MARKDOWN) for name, text in texts.items()),
        *(
            Page(f"/docs/{under}{name}", body, _TYPES.get(Path(name).suffix, _TEXT))
            for name, body in files.items()
            if name not in texts
            for under in ("", "raw/")  # links of a raw page are relative, too
        ),
    ]


def _search_index(sections: Sequence[Section], bodies: Mapping[str, Body]) -> bytes:
    """Rows of [page, heading, address, words], in the order of the sections."""
    rows = []
    for section in sections:
        for name in section.names:
            body = bodies[name]
            if (
                section.title == "Decisions"
            ):  # all have the same headings: found by their first text
                words = body.headings[0].text if body.headings else body.lead
                rows.append([body.title, "", f"/docs/{name}", words])
                continue
            rows.append([body.title, "", f"/docs/{name}", body.lead])
            rows += [
                [body.title, h.title, f"/docs/{name}#{h.anchor}", h.text] for h in body.headings
            ]
    return orjson.dumps(rows)


def _list_for_programs(sections: Sequence[Section], bodies: Mapping[str, Body]) -> bytes:
    lines = [
        "# OKD Finance GraphQL API",
        "",
        "> One GraphQL endpoint, /graphql: market data now; live prices over subscriptions.",
        "",
        "- [Schema (SDL)](/schema.graphql)",
    ]
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        lines += [
            f"- [{bodies[name].title}](/docs/raw/{name}): {bodies[name].lead}"
            for name in section.names
        ]
    return ("\n".join(lines) + "\n").encode()
