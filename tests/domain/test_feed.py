"""The feed of one category: leading, publishing, stepping down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category, UserId
from domain.market import CategoryFeed, FeedBatch, FeedState, Follow, LeaseLost, ticker_topic
from domain.market import feed as feed_module
from domain.market.alerts import AlertEngine, AlertFired, Condition, PriceAlert
from tests.domain.doubles import (
    LIVE,
    LeaseOffice,
    ManualClock,
    Published,
    ScriptedStreams,
    linear,
    repriced,
    ticker,
)

BTC_FOLLOW = Follow(ticker_topic(linear("BTCUSDT")))
ETH_FOLLOW = Follow(ticker_topic(linear("ETHUSDT")))
BTC = ticker("BTCUSDT", "1")
ETH = ticker("ETHUSDT", "1")


class Stage:
    def __init__(
        self,
        alerts: Sequence[PriceAlert] = (),
        on_fired: Callable[[AlertFired], None] | None = None,
    ) -> None:
        engine = AlertEngine()
        engine.hold(alerts)
        self.leases = LeaseOffice()
        self.streams = ScriptedStreams()
        self.published = Published()
        self.feed = CategoryFeed(
            Category.LINEAR,
            leases=self.leases,
            streams=self.streams,
            publisher=self.published,
            clock=ManualClock(),
            always_on=[BTC_FOLLOW],
            alerts=engine,
            on_fired=on_fired,
        )

    async def send(self, *tickers, state: FeedState = LIVE) -> None:
        await self.streams.stream.sent.put(FeedBatch(state, tickers))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACQUIRE_EVERY_SECONDS", "RENEW_EVERY_SECONDS", "WANTED_EVERY_SECONDS"):
        monkeypatch.setattr(feed_module, name, 0.001)


@asynccontextmanager
async def running(**parts: Any) -> AsyncIterator[Stage]:
    stage = Stage(**parts)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(stage.feed.run())
        yield stage
        task.cancel()


async def test_a_leader_publishes_what_it_hears():
    async with running() as stage:
        await stage.send(BTC, ETH)
        report, publications = await stage.published.batches.get()

        assert (report.category, report.state, report.epoch) == (Category.LINEAR, LIVE, 1)
        # ETH has no follower: what nobody wants is not published.
        assert [p.update for p in publications] == [BTC]
        assert stage.feed.report == report


async def test_what_watchers_want_is_followed_beside_what_is_always_on():
    async with running() as stage:
        stage.published.wants = frozenset({ETH_FOLLOW})
        await stage.send(BTC)
        await stage.published.batches.get()
        while await stage.streams.stream.wanted.get() != {BTC_FOLLOW.topic, ETH_FOLLOW.topic}:
            pass  # what was wanted before; the time limit of the stage ends the wait


async def test_what_could_not_be_published_goes_out_later_the_newest_only():
    async with running() as stage:
        stage.published.wants = frozenset({ETH_FOLLOW})
        while await stage.streams.stream.wanted.get() != {BTC_FOLLOW.topic, ETH_FOLLOW.topic}:
            pass
        stage.published.away = Unavailable("cache")
        await stage.send(BTC, ETH)
        await stage.published.refused.wait()
        stage.published.away = None

        await stage.send(repriced(BTC, "2"))
        _, publications = await stage.published.batches.get()

        assert {p.update for p in publications} == {repriced(BTC, "2"), ETH}


async def test_a_deposed_leader_closes_its_stream_and_waits_for_a_larger_epoch():
    async with running() as stage:
        await stage.send(BTC)
        await stage.published.batches.get()
        stage.leases.free = False
        stage.leases.given[0].lost = True
        await stage.leases.given[0].released.wait()
        assert not stage.streams.stream.open
        assert stage.feed.report is None

        stage.leases.free = True
        await stage.send(BTC)
        report, _ = await stage.published.batches.get()
        assert report.epoch == 2


async def test_a_fenced_publish_deposes():
    async with running() as stage:
        stage.published.away = LeaseLost()
        await stage.send(BTC)
        await stage.published.refused.wait()
        await stage.leases.given[0].released.wait()

        assert stage.published.batches.empty()


async def test_the_report_keeps_since_when_a_state_lasts():
    async with running() as stage:
        for state in (LIVE, LIVE, FeedState.SILENT):
            await stage.send(state=state)
        reports = [(await stage.published.batches.get())[0] for _ in range(3)]

        assert reports[0] is reports[1]
        assert [r.state for r in reports] == [LIVE, LIVE, FeedState.SILENT]


async def test_a_stopped_leader_lets_go():
    async with running() as stage:
        await stage.send(BTC)
        await stage.published.batches.get()

    assert stage.leases.given[0].released.is_set()
    assert not stage.streams.stream.open


async def test_a_stop_is_not_forgotten_while_being_deposed():
    async with running() as stage:
        await stage.send(BTC)
        await stage.published.batches.get()
        # Both at once: the group of duties ends by itself and is cancelled from outside.
        stage.leases.given[0].lost = True

    assert stage.leases.given[0].released.is_set()


async def test_an_alert_is_followed_and_judged_though_nobody_watches():
    fired: list[AlertFired] = []
    alert = PriceAlert(
        id=UUID(int=1),
        owner=UserId(UUID(int=2)),
        instrument=linear("ETHUSDT"),
        condition=Condition.RISES_TO,
        threshold=Decimal(2),
        recurring=False,
    )
    async with running(alerts=[alert], on_fired=fired.append) as stage:
        assert await stage.streams.stream.wanted.get() == {BTC_FOLLOW.topic, ETH_FOLLOW.topic}
        await stage.send(ETH)
        await stage.send(repriced(ETH, "2"))
        for _ in range(2):
            _, publications = await stage.published.batches.get()
            assert publications == []

    assert [(f.alert, f.price) for f in fired] == [(alert, Decimal(2))]
