"""Which pages may call: a browser tells the page's origin, and only a browser cannot lie.

Sockets and event streams know no preflight: without this check any page could open one.
"""

from collections.abc import Collection

from starlette.requests import HTTPConnection
from strawberry.http.websocket_origin import is_same_origin, normalize_origin


def origin_allowed(connection: HTTPConnection, allowed: Collection[str]) -> bool:
    """Whether the page behind ``connection`` may call; no origin means no browser's page."""
    origin = connection.headers.get("origin")
    if origin is None or connection.headers.get("sec-fetch-site") == "same-origin":
        return True
    if "*" in allowed or is_same_origin(origin, connection.headers.get("host")):
        return True
    return normalize_origin(origin) in allowed


def sent_by_foreign_page(connection: HTTPConnection) -> bool:
    """Whether another site's page sent a request that carries no origin (``mode: no-cors``)."""
    site = connection.headers.get("sec-fetch-site", "none")
    return "origin" not in connection.headers and site not in ("same-origin", "none")
