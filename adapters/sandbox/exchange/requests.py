"""What a client says on a public socket, and how Bybit answers, per category.

Acknowledgements are as recorded: linear always carries req_id ("" when none was sent), spot only
when one was sent, and spot names the operation in ret_msg. Refusals have the wording of the live
venue: a request with one bad topic is refused whole, linear says "error:handler not
found,topic:...", spot "Invalid symbol :[...]" and "args size >10".
"""

from dataclasses import dataclass
from typing import Any

import orjson

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.wire import encoded

SPOT_ARGS_MAX = 10
MISSING = object()


@dataclass(frozen=True, slots=True)
class Request:
    op: str
    args: tuple[str, ...]
    req_id: object = MISSING


@dataclass(frozen=True, slots=True)
class Unreadable:
    reason: str


def parse(text: str | bytes) -> Request | Unreadable:
    """Read a frame; binary frames are read like text, as servers of this kind do."""
    try:
        message: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Unreadable(str(error))
    if not isinstance(message, dict):
        return Unreadable("expect { at the start")
    op, args = message.get("op", ""), message.get("args", [])
    if not isinstance(op, str):
        return Unreadable("expect a string in op")
    if not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        # A ping may carry anything in args; only topics have to be strings.
        if op != "ping":
            return Unreadable("expect a list of strings in args")
        args = []
    return Request(op, tuple(args), message.get("req_id", MISSING))


class Replies:
    """The replies of one socket."""

    def __init__(self, category: Category, conn_id: str) -> None:
        self._category = category
        self._conn_id = conn_id

    def acknowledge(self, request: Request) -> str:
        message = "" if self._category is Category.LINEAR else request.op
        return self._reply(request, message, success=True)

    def pong(self, request: Request) -> str:
        return self._reply(request, "pong", success=True)

    def unknown_topic(self, request: Request, topic: str) -> str:
        linear = self._category is Category.LINEAR
        message = (
            f"error:handler not found,topic:{topic}" if linear else f"Invalid symbol :[{topic}]"
        )
        return self._reply(request, message, success=False)

    def already_subscribed(self, request: Request, topic: str) -> str:
        return self._reply(request, f"error:already subscribed,topic:{topic}", success=False)

    def too_many_args(self, request: Request) -> str:
        return self._reply(request, f"args size >{SPOT_ARGS_MAX}", success=False)

    def unknown_op(self, request: Request) -> str:
        return self._reply(request, "error:invalid op", success=False)

    def unreadable(self, why: Unreadable) -> str:
        return self._reply(
            Request("", ()), f"Failed to decode incoming data:{why.reason}", success=False
        )

    def _reply(self, request: Request, message: str, *, success: bool) -> str:
        reply = {"success": success, "ret_msg": message, "conn_id": self._conn_id}
        if request.req_id is not MISSING:
            reply["req_id"] = request.req_id
        elif self._category is Category.LINEAR:
            reply["req_id"] = ""
        return encoded(reply | {"op": request.op})
