"""The control plane, /control: what a person or a test does to the exchange.

Never part of the venue's surface. Loopback only, and every request carries `x-okd-control` with the
token of this run: a page in a browser on the same machine can neither know the token nor send the
header without a CORS answer that is never given. Errors are {"error": {"code", "message"}} with one
of the codes of `ControlError`.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from enum import StrEnum

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox.exchange import control_bodies as given
from adapters.sandbox.exchange.control_bodies import Body, ControlError, Refused
from adapters.sandbox.exchange.faults import Faults, Forced, Tampering, Timed
from adapters.sandbox.exchange.hub import Hub
from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.venue import Market, NotPossible, Topic

HEADER = "x-okd-control"

_STATUS = {
    ControlError.NOT_LOOPBACK: 403,
    ControlError.WRONG_TOKEN: 401,
    ControlError.INVALID_BODY: 422,
    ControlError.UNKNOWN_TOPIC: 404,
    ControlError.UNKNOWN_INSTRUMENT: 404,
    ControlError.NOT_POSSIBLE: 409,
}
Action = Callable[[Body], Body]


class Ending(StrEnum):
    """How a socket is dropped: with a close frame, or with a TCP reset in the middle of it."""

    CLOSE = "close"
    ABORT = "abort"


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
            "mute-pings": self._mute_pings,
            "silence": self._silence,
            "tamper": self._tamper,
            "force": self._force,
            "latency": self._latency,
            "skew": self._skew,
            "outage": self._outage,
            "price-shock": self._price_shock,
            "reset": self._reset,
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
                result = action(await given.read_body(request))
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

    def _drop_sockets(self, body: Body) -> Body:
        ending = given.one_of(body, "mode", Ending, default=Ending.CLOSE)
        drop = self._hub.abort_all if ending == Ending.ABORT else self._hub.drop_all
        return {"dropped": drop()}

    def _refuse(self, body: Body) -> Body:
        self._faults.begin(Timed.REFUSE, given.seconds(body))
        return self._active()

    def _mute_pings(self, body: Body) -> Body:
        """Neither a PING frame nor `op: ping` is answered; everything else goes on."""
        self._faults.begin(Timed.PINGS, given.seconds(body))
        return self._active()

    def _outage(self, body: Body) -> Body:
        """The venue is gone: REST answers 503, no socket begins and those there are end."""
        self._faults.begin(Timed.OUTAGE, given.seconds(body))
        return {"dropped": self._hub.drop_all(), **self._active()}

    def _silence(self, body: Body) -> Body:
        seconds = given.seconds(body)
        for topic in self._topics(body):
            self._faults.silence(topic, seconds)
        return self._active()

    def _tamper(self, body: Body) -> Body:
        """Skip, duplicate or reorder the next deltas of a book."""
        how = Tampering(given.one_of(body, "fault", Tampering))
        count = given.whole(body, "count", 1, given.COUNT_MAX)
        topics = self._topics(body)
        if not all(topic.is_merged and topic.kind.startswith("orderbook") for topic in topics):
            raise given.invalid("topic must be an order book that has deltas: depth 50 or 200")
        for topic in topics:
            self._faults.tamper(topic, how, count)
        return self._active()

    def _force(self, body: Body) -> Body:
        """Answer a path with a retCode, or with an HTTP status and no body."""
        path, headers = given.api_path(body), given.headers(body)
        if ("retCode" in body) == ("status" in body):
            raise given.invalid("give either retCode or status")
        if ("seconds" in body) == ("requests" in body):
            raise given.invalid("give either seconds or requests")
        by_code = "retCode" in body
        until = requests = None
        if "seconds" in body:
            until = self._faults.clock.monotonic() + given.seconds(body)
        else:
            requests = given.whole(body, "requests", 1, given.COUNT_MAX)
        forced = Forced(
            status=200 if by_code else given.http_status(body),
            ret_code=given.whole(body, "retCode", 1, 10**9) if by_code else 0,
            ret_msg=given.text(body, "retMsg") if "retMsg" in body else "forced",
            headers=headers,
            until=until,
            requests=requests,
        )
        self._faults.force(path, forced)
        return self._active()

    def _latency(self, body: Body) -> Body:
        milliseconds = given.number(body, "milliseconds", 0, given.LATENCY_MAX_MS)
        self._faults.delay(milliseconds / 1000, given.seconds(body))
        return self._active()

    def _skew(self, body: Body) -> Body:
        """The venue's clock is wrong: time, ts and everything that carries an instant."""
        most = given.SKEW_MAX_MS
        milliseconds = given.number(body, "milliseconds", -most, most)
        self._faults.skew(milliseconds / 1000, given.seconds(body))
        return self._active()

    def _reset(self, _: Body) -> Body:
        self._faults.reset()
        return self._active()

    def _price_shock(self, body: Body) -> Body:
        instrument = self._instrument(given.category(body), given.text(body, "symbol"))
        percent = given.percent(body)
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
            **self._active(),
        }

    def _active(self) -> Body:
        return {"faults": self._faults.remaining()}

    def _topics(self, body: Body) -> list[Topic]:
        """The named topic in one category, or in all that offer it."""
        name = given.text(body, "topic")
        categories = [given.category(body)] if "category" in body else list(Category)
        topics = [Topic(category, name) for category in categories]
        topics = [topic for topic in topics if self._market.offers(topic)]
        if not topics:
            raise Refused(ControlError.UNKNOWN_TOPIC, f"no topic {name!r} is offered")
        return topics

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
