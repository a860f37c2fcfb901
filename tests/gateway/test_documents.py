"""The documents in a browser: all there, all links inside, nothing foreign, nothing executable."""

import re
from pathlib import Path
from urllib.parse import urljoin

import httpx

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

    assert HREF.findall(page)[-3:] == ["/docs", "/docs/b.md", "https://example.com"]


def test_without_a_folder_there_are_no_documents(tmp_path: Path):
    assert pages_of(tmp_path / "none") == []
