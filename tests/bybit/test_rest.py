import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.bybit import BybitRest, NullFeedMetrics
from adapters.bybit.errors import TREATMENTS, Treatment, VenueRejected
from adapters.clock import SystemClock
from adapters.resilience import Breakers, BreakerState, CircuitBreaker
from domain.kernel.failures import Failure, Rejected, TimedOut, Unavailable
from domain.kernel.ids import Category, InstrumentId, Symbol
from tests.bybit.rest_venue import Reply, RestVenue, ok, refusal, rest_venue
from tests.bybit.venue import SNAPSHOT

TIMEOUT_SECONDS = 1.0
BTC = InstrumentId(Category.LINEAR, Symbol("BTCUSDT"))


def linear_row(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "baseCoin": symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "status": "Trading",
        "launchTime": "0",
        "fundingInterval": 480,
        "leverageFilter": {"maxLeverage": "10"},
        "priceFilter": {"tickSize": "0.1"},
        "lotSizeFilter": {"qtyStep": "1", "minOrderQty": "1", "maxOrderQty": "9"},
    }


class Outcomes(NullFeedMetrics):
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def rest_answered(self, endpoint: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.heard.append((endpoint, outcome))


@pytest.fixture
def venue() -> Iterator[RestVenue]:
    with rest_venue() as running:
        yield running


@pytest.fixture
def breaker() -> CircuitBreaker:
    return Breakers(SystemClock()).of("bybit-rest", what="exchange")


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
async def rest(
    venue: RestVenue, breaker: CircuitBreaker, outcomes: Outcomes
) -> AsyncIterator[BybitRest]:
    client = BybitRest(
        venue.addresses,
        clock=SystemClock(),
        breaker=breaker,
        timeout_seconds=TIMEOUT_SECONDS,
        metrics=outcomes,
    )
    yield client
    await client.close()


async def test_follows_cursors_through_every_page(rest: BybitRest, venue: RestVenue) -> None:
    def pages(_path: str, query: dict[str, str]) -> Reply:
        if "cursor" not in query:
            return ok({"list": [linear_row("BUSDT")], "nextPageCursor": "page%3A2%2C"})
        return ok({"list": [linear_row("AUSDT")], "nextPageCursor": ""})

    venue.script = pages
    found = await rest.instruments(Category.LINEAR)

    assert [instrument.symbol for instrument in found] == ["AUSDT", "BUSDT"]
    assert venue.asked[0] == (
        "/v5/market/instruments-info",
        {"category": "linear", "limit": "1000"},
    )
    assert venue.asked[1][1]["cursor"] == "page:2,"


async def test_skips_a_row_it_cannot_read(rest: BybitRest, venue: RestVenue) -> None:
    rows = [linear_row(f"S{i}USDT") for i in range(20)]
    venue.answers(ok({"list": [*rows, {"symbol": "ODD"}]}))

    assert len(await rest.instruments(Category.LINEAR)) == 20


@pytest.mark.parametrize("rows", [[], [{}, {}, linear_row("AUSDT")]])
async def test_never_believes_a_venue_that_lost_its_instruments(
    rest: BybitRest, venue: RestVenue, rows: list[object]
) -> None:
    venue.answers(ok({"list": rows}))

    with pytest.raises(Unavailable):
        await rest.instruments(Category.LINEAR)


async def test_one_ticker_asks_for_its_symbol(rest: BybitRest, venue: RestVenue) -> None:
    venue.answers(ok({"category": "linear", "list": [{**SNAPSHOT, "symbol": "BTCUSDT"}]}))
    found = await rest.tickers([BTC])

    assert list(found) == [BTC]
    assert found[BTC].last_price == Decimal("100.5")
    assert found[BTC].as_of.timestamp() == 1786310817.583
    assert venue.asked == [("/v5/market/tickers", {"category": "linear", "symbol": "BTCUSDT"})]


async def test_several_tickers_cost_one_call_per_category(
    rest: BybitRest, venue: RestVenue
) -> None:
    rows = [{**SNAPSHOT, "symbol": s} for s in ("BTCUSDT", "ETHUSDT", "SOLUSDT")]
    venue.answers(ok({"list": [*rows, {"symbol": 5}, None]}))
    ids = [
        InstrumentId(category, Symbol(symbol))
        for category in Category
        for symbol in ("BTCUSDT", "ETHUSDT", "NOPE")
    ]
    found = await rest.tickers(ids)

    assert set(found) == {i for i in ids if i.symbol != "NOPE"}
    assert sorted(query["category"] for _, query in venue.asked) == ["linear", "spot"]


async def test_no_ticker_asks_nothing(rest: BybitRest, venue: RestVenue) -> None:
    assert await rest.tickers([]) == {}
    assert venue.asked == []


async def test_tells_how_far_the_venues_clock_is_off(rest: BybitRest, venue: RestVenue) -> None:
    def clock(_path: str, _query: dict[str, str]) -> Reply:
        nanoseconds = int((SystemClock().now().timestamp() + 7) * 1e9)
        return ok({"timeSecond": "1", "timeNano": str(nanoseconds)})

    venue.script = clock

    assert await rest.clock_offset_seconds() == pytest.approx(7, abs=0.3)


# -- failures ----------------------------------------------------------------------------------


def expected_of(code: int) -> type[Failure]:
    match TREATMENTS[code]:
        case Treatment.SERVER_FAILED:
            return TimedOut
        case (
            Treatment.THROTTLED | Treatment.BANNED | Treatment.CLOCK_SKEWED | Treatment.IN_PROGRESS
        ):
            return Unavailable
        case _:
            return Rejected


@pytest.mark.parametrize("code", [10001, 10002, 10003, 10006, 10016, 10017, 110001, 170144, 987654])
async def test_return_codes_become_failures_over_the_wire(venue: RestVenue, code: int) -> None:
    venue.answers(refusal(code))
    client = BybitRest(
        venue.addresses,
        clock=SystemClock(),
        breaker=Breakers(SystemClock()).of("bybit-rest"),
        timeout_seconds=TIMEOUT_SECONDS,
        attempts=1,
    )
    try:
        with pytest.raises(Failure) as raised:
            await client.tickers([BTC])
    finally:
        await client.close()

    assert isinstance(raised.value, expected_of(code) if code in TREATMENTS else Rejected)
    assert raised.value.what == "exchange"
    if isinstance(raised.value, VenueRejected):
        assert raised.value.ret_code == code
    assert len(venue.asked) == 1


async def test_retries_a_read_that_failed_and_not_one_that_was_refused(
    rest: BybitRest, venue: RestVenue, outcomes: Outcomes
) -> None:
    venue.answers(
        Reply(status=502, raw=b"<html>"), ok({"list": [{**SNAPSHOT, "symbol": "BTCUSDT"}]})
    )
    assert list(await rest.tickers([BTC])) == [BTC]
    assert outcomes.heard == [("get_tickers", "UNAVAILABLE"), ("get_tickers", "OK")]

    venue.answers(refusal(10001))
    with pytest.raises(Rejected):
        await rest.tickers([BTC])
    assert len(venue.asked) == 3


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>", b"[]", b"3", b"null", b"{}", b'{"retCode": 1}', b'{"retCode":0,"result":[]}'],
)
async def test_an_answer_that_makes_no_sense_is_unavailable(
    rest: BybitRest, venue: RestVenue, raw: bytes
) -> None:
    venue.answers(Reply(raw=raw))

    with pytest.raises(Unavailable):
        await rest.tickers([BTC])


async def test_a_403_stops_everything_for_ten_minutes(
    rest: BybitRest, venue: RestVenue, breaker: CircuitBreaker
) -> None:
    venue.answers(Reply(status=403, raw=b"access too frequent"))
    for _ in range(3):
        with pytest.raises(Unavailable) as raised:
            await rest.tickers([BTC])
        assert raised.value.retry_after_seconds == pytest.approx(600, abs=5)

    assert len(venue.asked) == 1
    assert breaker.state is BreakerState.OPEN


async def test_a_venue_that_hangs_times_out_within_the_deadline_and_frees_the_loop(
    rest: BybitRest, venue: RestVenue
) -> None:
    venue.hang()
    loop = asyncio.get_running_loop()
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            gaps.append(loop.time() - before)

    began = loop.time()
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(tick())
        with pytest.raises(TimedOut):
            await rest.tickers([BTC])
        ticking.cancel()

    assert loop.time() - began < TIMEOUT_SECONDS + 0.3
    assert len(venue.asked) in {2, 3}  # a first try, and time for a second
    assert len(gaps) > 20
    assert sorted(gaps)[len(gaps) // 2] < 0.1


async def test_a_venue_that_is_gone_is_unavailable_and_opens_the_breaker(
    venue: RestVenue, breaker: CircuitBreaker
) -> None:
    with rest_venue() as gone:
        addresses = gone.addresses
    client = BybitRest(
        addresses, clock=SystemClock(), breaker=breaker, timeout_seconds=TIMEOUT_SECONDS
    )
    try:
        for _ in range(4):
            with pytest.raises(Unavailable):
                await client.tickers([BTC])
    finally:
        await client.close()

    assert breaker.state is BreakerState.OPEN
    assert venue.asked == []


async def test_waits_for_the_reset_when_the_limit_is_used_up(
    rest: BybitRest, venue: RestVenue
) -> None:
    answer = ok({"list": []})
    reset_ms = int((SystemClock().now().timestamp() + 0.3) * 1000)
    answer.headers = {
        "X-Bapi-Limit-Status": "0",
        "X-Bapi-Limit-Reset-Timestamp": str(reset_ms),
    }
    venue.answers(answer, ok({"list": []}))
    await rest.tickers([BTC])
    began = asyncio.get_running_loop().time()
    await rest.tickers([BTC])

    assert asyncio.get_running_loop().time() - began > 0.15
    assert SystemClock().now().timestamp() * 1000 >= reset_ms


async def test_refuses_at_once_when_the_reset_is_far_away(
    rest: BybitRest, venue: RestVenue, breaker: CircuitBreaker
) -> None:
    answer = ok({"list": []})
    answer.headers = {
        "X-Bapi-Limit-Status": "0",
        "X-Bapi-Limit-Reset-Timestamp": str(int((SystemClock().now().timestamp() + 30) * 1000)),
    }
    venue.answers(answer)
    await rest.tickers([BTC])
    with pytest.raises(Unavailable) as raised:
        await rest.tickers([BTC])

    assert raised.value.retry_after_seconds == pytest.approx(30, abs=2)
    assert len(venue.asked) == 1
    assert breaker.state is BreakerState.CLOSED


async def test_a_reset_in_the_past_crashes_nothing(rest: BybitRest, venue: RestVenue) -> None:
    # Stock pybit: ValueError, "sleep length must be non-negative".
    throttled = refusal(10006, X_Bapi_Limit_Status="0", X_Bapi_Limit_Reset_Timestamp="1")
    venue.answers(throttled, ok({"list": []}))

    assert await rest.tickers([BTC]) == {}


async def test_keeps_no_cookie_and_leaves_no_handler(rest: BybitRest, venue: RestVenue) -> None:
    venue.answers(ok({"list": []}))
    await rest.tickers([BTC])
    await rest.tickers([BTC])

    assert venue.cookies == [None, None]
    assert logging.getLogger("pybit._http_manager").handlers == []
    assert not logging.getLogger("pybit._http_manager").isEnabledFor(logging.DEBUG)


async def test_many_calls_share_the_threads_and_too_many_are_refused(
    rest: BybitRest, venue: RestVenue
) -> None:
    venue.hang()
    results = await asyncio.gather(
        *(rest.tickers([BTC]) for _ in range(90)), return_exceptions=True
    )

    assert all(isinstance(result, Unavailable | TimedOut) for result in results)
    assert len(venue.asked) <= 24  # eight at a time, for one deadline


async def test_an_answer_that_drips_is_told_to_the_breaker(
    venue: RestVenue, outcomes: Outcomes
) -> None:
    # Every byte comes within the socket's timeout, the answer never.
    venue.drip = True
    venue.answers(ok({"list": []}))
    client = BybitRest(
        venue.addresses,
        clock=SystemClock(),
        breaker=Breakers(SystemClock()).of("bybit-rest"),
        timeout_seconds=TIMEOUT_SECONDS,
        metrics=outcomes,
        attempts=1,
    )
    try:
        with pytest.raises(TimedOut):
            await client.tickers([BTC])
    finally:
        venue.released.set()
        await client.close()

    assert outcomes.heard == [("get_tickers", "TIMED_OUT")]
