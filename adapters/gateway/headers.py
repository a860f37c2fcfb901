"""What every answer tells browsers and caches to do with it: as little as possible.

A page sets its own ``content-security-policy`` and ``cache-control``; everything else gets the
strictest. The handshake of a WebSocket gets none of it, for no browser would act on it.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.gateway.drain import Drain

# Everything a page could ask the browser's owner for, denied: all that Chromium knows today. It
# complains on the console about names it does not know, so there are no others.
_POWERS = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
FIXED_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": ", ".join(f"{power}=()" for power in _POWERS),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
PLAIN_POLICY = "default-src 'none'; frame-ancestors 'none'"
# For this name alone: what else its owner serves beside it is not ours to say.
STRICT_TRANSPORT = "max-age=31536000"

ANSWER_HEADERS = [
    (name.encode(), value.encode())
    for name, value in {**FIXED_HEADERS, "content-security-policy": PLAIN_POLICY}.items()
]
"""In ASGI's form, for answers given before there is an application."""

_DEFAULTS = [*ANSWER_HEADERS, (b"cache-control", b"no-store")]
_ENCRYPTED_DEFAULTS = [*_DEFAULTS, (b"strict-transport-security", STRICT_TRANSPORT.encode())]
_ANSWERS = ("http.response.start", "websocket.http.response.start")


class SecurityHeadersMiddleware:
    """Headers every answer has, unless the page set its own."""

    def __init__(self, app: ASGIApp, *, drain: Drain) -> None:
        self.app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # As the client sees it: a trusted proxy's X-Forwarded-Proto has been heard by now.
        encrypted = scope.get("scheme") in ("https", "wss")
        defaults = _ENCRYPTED_DEFAULTS if encrypted else _DEFAULTS

        async def sending(message: Message) -> None:
            if message["type"] in _ANSWERS:
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                given += [header for header in defaults if header[0] not in names]
                message["headers"] = given
                if self._drain.draining and scope["type"] == "http":
                    # Keep-alive clients move to another process before this one closes on them.
                    MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self.app(scope, receive, sending)
