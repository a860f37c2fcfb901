"""GraphiQL as `./dev web` built it (adapters/web), or the hand-written explorer in its place.

One address for both: what is there is looked at with each request, so a build that ends while the
server runs shows at the next load. Assets carry a hash in their names and are kept by browsers for
good; the page that names them is asked for again each time. Compressed siblings were written by the
build, and are chosen here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# Monaco, the editor, writes styles of its own into the page and draws small images from data
# addresses: allowed here and on no other page. Everything else is ours alone, as everywhere.
GRAPHIQL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # The best first.
_NEVER = re.compile(r"q\s*=\s*0(\.0*)?")
_KEPT_FOR_GOOD = "public, max-age=31536000, immutable"

Meanwhile = Callable[[Request], Response]


def graphiql_routes(
    built: Path, *, meanwhile: Meanwhile, policy: str = GRAPHIQL_POLICY
) -> list[Route]:
    """``/graphiql`` and its assets out of the folder ``built``; without it, ``meanwhile``.

    ``policy`` is the page's; its workers have no business beyond ``GRAPHIQL_POLICY``.
    """
    build = _Build(built)

    async def page(request: Request) -> Response:
        body = await to_thread.run_sync(build.page)
        if body is None:
            return meanwhile(request)
        etag = f'"{sha256(body).hexdigest()[:32]}"'
        headers = {
            "etag": etag,
            "cache-control": "no-cache",
            "content-security-policy": policy,
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        headers["content-type"] = "text/html; charset=utf-8"
        return Response(body, headers=headers)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        accepted = request.headers.get("accept-encoding", "")
        found = await to_thread.run_sync(build.asset, name, accepted)
        if found is None:
            raise HTTPException(404)
        headers = {
            "cache-control": _KEPT_FOR_GOOD,
            # Workers live by the policy of their own script.
            "content-security-policy": GRAPHIQL_POLICY,
            "content-type": _TYPES[Path(name).suffix],
            "vary": "accept-encoding",
        }
        if found.encoding:
            headers["content-encoding"] = found.encoding
        return Response(found.body, headers=headers)

    return [Route("/graphiql", page), Route("/graphiql/assets/{name}", asset)]


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    encoding: str
    """The content encoding; empty for none."""


@dataclass(slots=True)
class _Build:
    """The folder as it is now; its files are listed anew after each build."""

    folder: Path
    _listed: tuple[int, int] | None = None
    _names: frozenset[str] = frozenset()

    def page(self) -> bytes | None:
        try:
            return (self.folder / "index.html").read_bytes()
        except OSError:
            return None

    def asset(self, name: str, accepted: str) -> _Asset | None:
        """Only what was listed is ever opened, whatever a request calls it."""
        try:
            names = self._list()
            if name not in names or Path(name).suffix not in _TYPES:
                return None
            encoding, suffix = _chosen(names, name, accepted)
            return _Asset((self.folder / "assets" / (name + suffix)).read_bytes(), encoding)
        except OSError:  # Never built, or another build takes its place right now.
            return None

    def _list(self) -> frozenset[str]:
        folder = self.folder / "assets"
        status = folder.stat()
        seen = (status.st_ino, status.st_mtime_ns)
        if self._listed != seen:
            self._names = frozenset(path.name for path in folder.iterdir())
            self._listed = seen
        return self._names


def _chosen(names: frozenset[str], name: str, accepted: str) -> tuple[str, str]:
    """The content encoding to answer with and the suffix of its file; twice "" for neither."""
    welcome = {}
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        welcome[coding.strip()] = not _NEVER.fullmatch(weight.strip())
    for encoding, suffix in _ENCODINGS:
        if welcome.get(encoding, welcome.get("*", False)) and name + suffix in names:
            return encoding, suffix
    return "", ""
