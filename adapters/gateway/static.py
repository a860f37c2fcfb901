"""The gateway's own pages: a landing page and a small explorer, hand-written, no third party.

Read once, served from memory with an ETag. Scripts and styles are files, so that the policy can
forbid everything inline; a browser may talk to nobody but us, and in the sandbox to its identity
service (sign_in.py). Where GraphiQL is built, it takes the small explorer's address (graphiql.py).
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.gateway.documents import pages_of
from adapters.gateway.graphiql import GRAPHIQL_POLICY, graphiql_routes
from adapters.gateway.sign_in import DemoSignIn, policy_with, sign_in_route

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOLDER = Path(__file__).with_name("pages")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class _Document:
    body: bytes
    content_type: str
    policy: str = PAGE_POLICY

    def answer(self, request: Request) -> Response:
        etag = f'"{sha256(self.body).hexdigest()[:32]}"'
        headers = {
            "etag": etag,
            # Asked again each time: a new release shows at once, an unchanged page costs a 304.
            "cache-control": "no-cache",
            "content-security-policy": self.policy,
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        headers["content-type"] = self.content_type
        return Response(self.body, headers=headers)


def page_routes(
    *, sdl: str, docs: Path, graphiql: Path, sign_in: DemoSignIn | None = None
) -> list[Route]:
    """``/``, ``/graphiql``, their files, the schema's text, and the documents of ``docs``.

    ``graphiql`` is the folder of the built GraphiQL; it may come, and go, at any time. With
    ``sign_in`` both explorers offer to sign in as its demo users.
    """
    files = {
        file.name: _Document(file.read_bytes(), _TYPES[file.suffix])
        for file in sorted(_FOLDER.iterdir())
    }
    explorer = replace(files["explorer.html"], policy=policy_with(PAGE_POLICY, sign_in))
    schema = _Document(sdl.encode(), "text/plain; charset=utf-8")
    routes = [
        _route("/", files["index.html"]),
        *graphiql_routes(
            graphiql, meanwhile=explorer.answer, policy=policy_with(GRAPHIQL_POLICY, sign_in)
        ),
        sign_in_route(sign_in),
        _route("/favicon.ico", files["mark.svg"]),
        _route("/schema.graphql", schema),
    ]
    assets = [name for name in files if not name.endswith(".html")]
    routes += [_route(f"/pages/{name}", files[name]) for name in assets]
    return routes + _document_routes(docs)


def _document_routes(docs: Path) -> list[Route]:
    """One route for all below /docs: a route each would be tried one after the other."""
    documents = {p.path: _Document(p.body, p.content_type) for p in pages_of(docs)}

    async def show(request: Request) -> Response:
        document = documents.get(request.url.path)
        if document is None:
            raise HTTPException(404)
        return document.answer(request)

    return [Route(path, show) for path in ("/docs", "/docs/{name:path}", "/llms.txt")]


def _route(path: str, document: _Document) -> Route:
    async def show(request: Request) -> Response:
        return document.answer(request)

    return Route(path, show)
