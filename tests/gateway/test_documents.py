"""The documents in a browser: all there, all links inside, nothing foreign, nothing executable."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import orjson

from adapters.gateway.document_code import coloured
from adapters.gateway.documents import pages_of
from tests.gateway.conftest import World

DOCS = Path(__file__).parents[2] / "docs"
HREF = re.compile(r'href="([^"#]+)')


async def test_every_page_is_served_and_every_link_inside_leads_somewhere(shared: World):
    seen: set[str] = set()
    waiting = ["/", "/docs"]
    async with httpx.AsyncClient(base_url=shared.url) as client:
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            answer = await client.get(path)
            assert answer.status_code == 200, path
            if answer.headers["content-type"].startswith("text/html"):
                assert "script-src 'self'" in answer.headers["content-security-policy"]
                found = [urljoin(path, link) for link in HREF.findall(answer.text)]
                waiting += [link for link in found if link.startswith("/")]

    markdown = {f"/docs/{f.relative_to(DOCS).as_posix()}" for f in DOCS.rglob("*.md")}
    assert markdown <= seen
    assert {"/graphiql", "/docs", "/schema.graphql", "/readyz"} <= seen


def test_a_document_cannot_bring_its_own_markup(tmp_path: Path):
    (tmp_path / "evil.md").write_text(
        "# <b>T</b>\n\n<script>alert(1)</script> [x](javascript:alert(1))"
    )

    page = {p.path: p.body.decode() for p in pages_of(tmp_path)}["/docs/evil.md"]

    assert "<script>" not in page
    assert 'href="javascript' not in page
    assert "<title>&lt;b&gt;T&lt;/b&gt;" in page


def test_links_that_leave_the_documents_lead_to_their_index(tmp_path: Path):
    (tmp_path / "a.md").write_text(
        "# A\n\n[up](../README.md) [on](b.md#x) [out](https://example.com)"
    )

    page = {p.path: p.body.decode() for p in pages_of(tmp_path)}["/docs/a.md"]
    text = page.partition('<main id="text">')[2].partition("<footer>")[0]

    assert HREF.findall(text) == ["/docs", "/docs/b.md", "https://example.com"]


PAGES = {page.path: page for page in pages_of(DOCS)}
SHOWN = {
    path: p.body.decode() for path, p in PAGES.items() if p.content_type.startswith("text/html")
}


def test_every_link_to_a_section_finds_it():
    anchors = {path: set(re.findall(r' id="([^"]+)"', text)) for path, text in SHOWN.items()}
    links = [
        (path, *urljoin(path, link).partition("#")[::2])
        for path, text in SHOWN.items()
        for link in re.findall(r'href="([^"]*#[^"]+)"', text)
        if "://" not in link
    ]

    assert len(links) > 500
    assert [link for link in links if link[2] not in anchors[link[1]]] == []


def test_no_page_brings_a_script_or_style_of_its_own():
    for path, text in SHOWN.items():
        assert re.findall(r"<script[^>]*>", text) == [
            '<script type="module" src="/pages/documents.js">'
        ], path
        assert not re.search(r"<style| style=| on[a-z]+=\"", text), path


def test_every_document_is_found_from_every_page_without_a_script():
    names = {path for path in SHOWN if path != "/docs"}

    for path, text in SHOWN.items():
        side = text.partition('<nav class="side"')[2].partition("</nav>")[0]
        assert set(HREF.findall(side)) == {*names, "/docs/schema.graphql"}, path
        assert side.count('aria-current="page"') == (path in names)


def test_an_operation_opens_in_the_explorer_with_its_variables(tmp_path: Path):
    (tmp_path / "a.md").write_text(
        "# A\n\n```graphql\nquery($x: Int) { a(x: $x) }\n```\n\n"
        '```json variables\n{"x": 1}\n```\n\n```graphql\ntype A { b: Int }\n```\n'
    )

    page = {p.path: p.body.decode() for p in pages_of(tmp_path)}["/docs/a.md"]

    links = [unescape(link) for link in re.findall(r'href="(/graphiql\?[^"]+)"', page)]
    assert [parse_qs(urlsplit(link).query) for link in links] == [
        {"query": ["query($x: Int) { a(x: $x) }"], "variables": ['{"x": 1}']}
    ]


def test_a_document_is_there_as_it_was_written():
    for file in DOCS.rglob("*.md"):
        if "node_modules" not in file.parts:
            page = PAGES[f"/docs/raw/{file.relative_to(DOCS).as_posix()}"]
            assert page.body == file.read_bytes()
            assert page.content_type == "text/markdown; charset=utf-8"


def test_programs_find_every_document():
    listed = PAGES["/llms.txt"].body.decode()
    rows = orjson.loads(PAGES["/docs/search.json"].body)

    markdown = {path for path in PAGES if path.startswith("/docs/raw/") and path.endswith(".md")}
    assert set(re.findall(r"\]\((/docs/raw/[^)]+)", listed)) == markdown
    assert {row[2].partition("#")[0] for row in rows} == {path for path in SHOWN if path != "/docs"}
    assert ["Queries", "orderBook", "/docs/reference/queries.md#orderbook"] in [r[:3] for r in rows]


def test_headings_get_the_names_that_github_gives(tmp_path: Path):
    (tmp_path / "a.md").write_text(
        "# A\n\n## Who `may` do it?\n\n## Same\n\n## Same\n\n### A_B: c\n"
    )

    page = {p.path: p.body.decode() for p in pages_of(tmp_path)}["/docs/a.md"]

    assert re.findall(r'<h[23] id="([^"]+)"', page) == ["who-may-do-it", "same", "same-1", "a_b-c"]


def test_code_is_coloured_and_stays_what_it_was():
    text = 'query A($b: Int) { c(d: "<x>", e: $b, f: 1) } # g'

    html = coloured(text, "graphql")

    assert unescape(re.sub(r"</?span[^>]*>", "", html)) == text
    assert '<span class="word">query</span>' in html
    assert '<span class="text">&quot;&lt;x&gt;&quot;</span>' in html
    assert coloured("<a>", "unheard-of") == "&lt;a&gt;"


async def test_what_is_no_document_is_not_found(shared: World):
    async with httpx.AsyncClient(base_url=shared.url) as client:
        for path in ("/docs/none.md", "/docs/../app.py", "/docs/%2e%2e/app.py", "/docs/"):
            answer = await client.get(path)
            assert answer.status_code == 404, path
            assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_without_a_folder_there_are_no_documents(tmp_path: Path):
    assert pages_of(tmp_path / "none") == []
