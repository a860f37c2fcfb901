"""The built GraphiQL behind its address: there when it is built, gone when it is not."""

import gzip
from pathlib import Path

import httpx
import pytest

from adapters.gateway.graphiql import GRAPHIQL_POLICY
from adapters.gateway.static import PAGE_POLICY
from tests.gateway.conftest import World, serving

SCRIPT = b"console.log('whole');" * 100
SMALL = "This is the small explorer."


def build(folder: Path, page: str = "<!doctype html><title>Built</title>") -> None:
    """What ./dev web leaves, in small."""
    assets = folder / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "index-Ab12.js").write_bytes(SCRIPT)
    (assets / "index-Ab12.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "index-Ab12.js.br").write_bytes(b"pretend brotli")
    (assets / "plain-Cd34.js").write_bytes(b"plain")
    (assets / "notes.txt").write_bytes(b"not ours to serve")
    (folder / "index.html").write_text(page)


async def raw(world: World, name: str, accepted: str) -> httpx.Response:
    """The answer with its body as it came: httpx would unpack it."""
    headers = {"accept-encoding": accepted}
    async with world.client.stream("GET", f"/graphiql/assets/{name}", headers=headers) as answer:
        answer._content = b"".join([part async for part in answer.aiter_raw()])
    return answer


async def test_a_build_shows_at_the_next_load_and_so_does_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    async with serving(graphiql=folder) as world:
        before = await world.client.get("/graphiql")
        build(folder)
        built = await world.client.get("/graphiql")
        script = await world.client.get("/graphiql/assets/plain-Cd34.js")
        build(folder, "<!doctype html><title>Built again</title>")
        (folder / "assets" / "late-Ef56.js").write_bytes(b"late")
        again = await world.client.get("/graphiql")
        late = await world.client.get("/graphiql/assets/late-Ef56.js")
        (folder / "index.html").unlink()
        after = await world.client.get("/graphiql")

    assert SMALL in before.text
    assert before.headers["content-security-policy"] == PAGE_POLICY
    assert "<title>Built</title>" in built.text
    assert built.headers["content-security-policy"] == GRAPHIQL_POLICY
    assert built.headers["cache-control"] == "no-cache"
    assert script.text == "plain"
    assert "Built again" in again.text
    assert late.text == "late"
    assert SMALL in after.text


async def test_the_page_is_asked_for_again_and_its_assets_never(tmp_path: Path) -> None:
    build(tmp_path)
    async with serving(graphiql=tmp_path) as world:
        page = await world.client.get("/graphiql")
        known = await world.client.get("/graphiql", headers={"if-none-match": page.headers["etag"]})
        script = await world.client.get("/graphiql/assets/plain-Cd34.js")

    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["cache-control"] == "no-cache"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    # A worker lives by the policy of its own script.
    assert script.headers["content-security-policy"] == GRAPHIQL_POLICY
    assert script.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br;q = 0.0, gzip;q=0", None),
        ("*", "br"),
        ("identity", None),
        ("", None),
    ],
)
async def test_a_compressed_sibling_is_chosen(
    tmp_path: Path, accepted: str, encoding: str | None
) -> None:
    build(tmp_path)
    bodies = {"br": b"pretend brotli", "gzip": (tmp_path / "assets/index-Ab12.js.gz").read_bytes()}
    async with serving(graphiql=tmp_path) as world:
        script = await raw(world, "index-Ab12.js", accepted)
        without_one = await raw(world, "plain-Cd34.js", accepted)

    assert script.headers.get("content-encoding") == encoding
    assert script.headers["vary"] == "accept-encoding"
    assert script.content == (bodies[encoding] if encoding else SCRIPT)
    assert script.headers["content-length"] == str(len(script.content))
    assert "content-encoding" not in without_one.headers
    assert without_one.content == b"plain"


@pytest.mark.parametrize(
    "path",
    [
        "nothing-Zz99.js",
        "notes.txt",
        "index-Ab12.js.br",
        "..%2Findex.html",
        "%2E%2E/index.html",
        "..%2F..%2Fsecret.js",
        "%2Fetc%2Fpasswd",
        "plain-Cd34.js%00",
        "",
    ],
)
async def test_nothing_but_assets_is_served(tmp_path: Path, path: str) -> None:
    build(tmp_path / "dist")
    (tmp_path / "secret.js").write_text("canary")
    async with serving(graphiql=tmp_path / "dist") as world:
        answer = await world.client.get(f"/graphiql/assets/{path}")

    assert answer.status_code == 404
    assert "canary" not in answer.text


async def test_without_a_build_no_asset_is_there(shared: World) -> None:
    answer = await shared.client.get("/graphiql/assets/index-Ab12.js")

    assert answer.status_code == 404
