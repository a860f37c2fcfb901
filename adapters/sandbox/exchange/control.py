"""The control plane, /control: what a person or a test does to the exchange.

Never part of the venue's surface. Loopback only, and every request carries `x-okd-control` with the
token of this run: a page in a browser on the same machine can neither know the token nor send the
header without a CORS answer that is never given. Errors are {"error": {"code", "message"}} with one
of the codes of `ControlError`.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.exchange.faults import Faults
from adapters.sandbox.exchange.hub import Hub
from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.venue import Market, NotPossible, Topic

HEADER = "x-okd-control"
BODY_MAX_BYTES = 4_096
SECONDS_MAX = 3_600
PERCENT_MIN, PERCENT_MAX = Decimal(-90), Decimal(900)


class ControlError(StrEnum):
    NOT_LOOPBACK = "NOT_LOOPBACK"
    WRONG_TOKEN = "WRONG_TOKEN"  # noqa: S105  # the name of an error
    INVALID_BODY = "INVALID_BODY"
    UNKNOWN_TOPIC = "UNKNOWN_TOPIC"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    NOT_POSSIBLE = "NOT_POSSIBLE"


_STATUS = {
    ControlError.NOT_LOOPBACK: 403,
    ControlError.WRONG_TOKEN: 401,
    ControlError.INVALID_BODY: 422,
    ControlError.UNKNOWN_TOPIC: 404,
    ControlError.UNKNOWN_INSTRUMENT: 404,
    ControlError.NOT_POSSIBLE: 409,
}


class Refused(Exception):
    def __init__(self, code: ControlError, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


Body = dict[str, Any]
Action = Callable[[Body], Body]


class Control:
    """Each action takes the decoded body and returns what it did."""

    def __init__(self, market: Market, hub: Hub, faults: Faults, *, token: str) -> None:
        if not token:
            raise ValueError("the control plane needs a token that is not empty")
        self._market = market
        self._hub = hub
        self._faults = faults
        self._token = token.encode()

    def routes(self) -> list[Route]:
        actions: dict[str, Action] = {
            "drop-sockets": self._drop_sockets,
            "refuse": self._refuse,
            "silence": self._silence,
            "outage": self._outage,
            "price-shock": self._price_shock,
        }
        posts = [
            Route(f"/control/{name}", self._guarded(action), methods=["POST"])
            for name, action in actions.items()
        ]
        return [*posts, Route("/control/state", self._guarded(self._state), methods=["GET"])]

    def _guarded(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._authorise(request)
                result = action(await _body(request))
            except Refused as refused:
                error = {"code": refused.code, "message": refused.message}
                return _json({"error": error}, _STATUS[refused.code])
            return _json(result, 200)

        return answer

    def _authorise(self, request: Request) -> None:
        host = request.client.host if request.client else ""
        if not _is_loopback(host):
            raise Refused(ControlError.NOT_LOOPBACK, "the control plane answers loopback only")
        given = request.headers.get(HEADER, "").encode()
        if not hmac.compare_digest(given, self._token):
            raise Refused(ControlError.WRONG_TOKEN, f"send this run's token in {HEADER}")

    def _drop_sockets(self, _: Body) -> Body:
        return {"dropped": self._hub.drop_all()}

    def _refuse(self, body: Body) -> Body:
        self._faults.refuse(_seconds(body))
        return {"faults": self._faults.remaining()}

    def _outage(self, body: Body) -> Body:
        """The venue is gone: REST answers 503, no socket begins and those there are end."""
        self._faults.outage(_seconds(body))
        return {"dropped": self._hub.drop_all(), "faults": self._faults.remaining()}

    def _silence(self, body: Body) -> Body:
        name, seconds = _text(body, "topic"), _seconds(body)
        categories = [_category(body)] if "category" in body else list(Category)
        topics = [Topic(category, name) for category in categories]
        topics = [topic for topic in topics if self._market.offers(topic)]
        if not topics:
            raise Refused(ControlError.UNKNOWN_TOPIC, f"no topic {name!r} is offered")
        for topic in topics:
            self._faults.silence(topic, seconds)
        return {"faults": self._faults.remaining()}

    def _price_shock(self, body: Body) -> Body:
        instrument = self._instrument(_category(body), _text(body, "symbol"))
        percent = _percent(body)
        try:
            self._market.shock(instrument, percent, self._hub)
        except NotPossible as why:
            raise Refused(ControlError.NOT_POSSIBLE, str(why)) from why
        return {"ticker": self._market.ticker_row(instrument)}

    def _state(self, _: Body) -> Body:
        return {
            "mode": self._market.mode,
            "instruments": {
                category.value: [row.symbol for row in self._market.instruments(category)]
                for category in Category
            },
            **self._hub.counts(),
            "faults": self._faults.remaining(),
        }

    def _instrument(self, category: Category, symbol: str) -> Instrument:
        for instrument in self._market.instruments(category):
            if instrument.symbol == symbol:
                return instrument
        raise Refused(ControlError.UNKNOWN_INSTRUMENT, f"{category} has no {symbol!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _json(content: Body, status: int) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")


async def _body(request: Request) -> Body:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_MAX_BYTES:
            raise Refused(ControlError.INVALID_BODY, f"the body exceeds {BODY_MAX_BYTES} bytes")
    if not raw:
        return {}
    try:
        body = orjson.loads(bytes(raw))
    except orjson.JSONDecodeError as error:
        raise Refused(ControlError.INVALID_BODY, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused(ControlError.INVALID_BODY, "the body must be a JSON object")
    return body


def _text(body: Body, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise Refused(ControlError.INVALID_BODY, f"{key} must be a string that is not empty")
    return value


def _seconds(body: Body) -> float:
    value = body.get("seconds")
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= SECONDS_MAX
    ):
        message = f"seconds must be a number from 0 to {SECONDS_MAX}"
        raise Refused(ControlError.INVALID_BODY, message)
    return value


def _category(body: Body) -> Category:
    value = body.get("category")
    if value not in set(Category):
        raise Refused(ControlError.INVALID_BODY, "category must be linear or spot")
    return Category(value)


def _percent(body: Body) -> Decimal:
    value = body.get("percent")
    if isinstance(value, int | float) and not isinstance(value, bool):
        percent = Decimal(str(value))
        if percent and PERCENT_MIN <= percent <= PERCENT_MAX:
            return percent
    message = f"percent must be a number from {PERCENT_MIN} to {PERCENT_MAX}, not 0"
    raise Refused(ControlError.INVALID_BODY, message)
