"""Files behind signed links: no token is asked for, the link is the proof.

Nothing of a link is logged, kept by a cache or told to the next page; a file is sent as it is,
and saved, never shown: a browser runs nothing of it.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.gateway.answers import error_answer
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.flood import FloodGuard
from domain.kernel.failures import Failure, TimedOut
from domain.wallets.papers import Download, Downloads, LinkRefusal, StatementFormat
from domain.wallets.papers.csv_paper import CONTENT_TYPE as CSV_TYPE
from domain.wallets.papers.links import PATH

_TYPES = {StatementFormat.CSV: CSV_TYPE, StatementFormat.PDF: "application/pdf"}
_REFUSALS = {
    LinkRefusal.FORGED: (
        HTTPStatus.FORBIDDEN,
        GatewayErrorCode.LINK_FORBIDDEN,
        "This is not a link of ours, or it was changed. Ask for the statement's download again.",
    ),
    LinkRefusal.EXPIRED: (
        HTTPStatus.FORBIDDEN,
        GatewayErrorCode.LINK_EXPIRED,
        "This link's quarter of an hour is over. Ask for the statement's download again.",
    ),
    LinkRefusal.GONE: (
        HTTPStatus.GONE,
        GatewayErrorCode.FILE_GONE,
        "The file was deleted. Request the statement again.",
    ),
    LinkRefusal.DAMAGED: (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        GatewayErrorCode.FILE_DAMAGED,
        "The file was damaged, and a wrong one is not given. Request the statement again.",
    ),
}


def file_routes(downloads: Downloads | None, flood: FloodGuard) -> list[Route]:
    """The route of statements' files; none where files are not kept."""
    if downloads is None:
        return []

    async def statement_file(request: Request) -> Response:
        query = request.query_params
        try:
            opened = await downloads.open(
                request.path_params["id"],
                expires=query.get("expires", ""),
                signature=query.get("signature", ""),
            )
        except Failure as failure:
            return _failed(failure)
        if isinstance(opened, LinkRefusal):
            status, code, message = _REFUSALS[opened]
            return error_answer(status, code, message)
        return FileAnswer(opened)

    # A plain function, decorated: the only kind of route slowapi limits (see flood.py).
    limited = flood.slowapi.limit(str(flood.limit))(statement_file)
    return [Route(f"{PATH}/{{id}}", limited, methods=["GET"])]


class FileAnswer(Response):
    """One file, frame by frame; a HEAD gets all but the bytes."""

    def __init__(self, download: Download) -> None:
        super().__init__(
            headers={
                "content-type": _TYPES[download.format],
                "content-length": str(download.size),
                "content-disposition": f'attachment; filename="{download.name}"',
                # Not compressed either: what is saved has the digest that was told.
                "cache-control": "no-store, no-transform",
            }
        )
        self._chunks = download.chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                async for chunk in self._chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await self._chunks.aclose()


def _failed(failure: Failure) -> Response:
    late = isinstance(failure, TimedOut)
    return error_answer(
        HTTPStatus.GATEWAY_TIMEOUT if late else HTTPStatus.SERVICE_UNAVAILABLE,
        failure.code,
        failure.message,
        retry_after_seconds=failure.retry_after_seconds or 1.0,
    )
