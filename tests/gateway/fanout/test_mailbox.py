"""Values that are fetched instead of sent: the same rules."""

import orjson
import pytest

from adapters.gateway.fanout.lanes import LOSSLESS_MAX
from adapters.gateway.fanout.mailbox import Mailbox, Overflown
from domain.kernel.policy import Delivery
from tests.domain.doubles import repriced
from tests.gateway.fanout.stage import running
from tests.gateway.fanout.test_groups import BTC, TICKER
from tests.gateway.fanout.test_outbox import value


async def taken(mailbox: Mailbox) -> list[int]:
    return [orjson.loads(v.payload)["data"] async for v in mailbox.values()]


async def test_a_busy_reader_gets_the_newest_then_the_end():
    surpassed: list[int] = []
    mailbox = Mailbox(Delivery.LATEST, surpassed.append)
    for number in range(5):
        mailbox.offer(value(number, final=number == 1))
    mailbox.end(None)
    mailbox.offer(value(9))

    assert await taken(mailbox) == [1, 4]
    assert (mailbox.errors, surpassed) == (None, [3])


async def test_what_came_before_an_error_is_read_before_it():
    mailbox = Mailbox(Delivery.LOSSLESS)
    mailbox.offer(value(1))
    mailbox.end([{"message": "gone"}])

    assert await taken(mailbox) == [1]
    assert mailbox.errors == [{"message": "gone"}]


async def test_what_must_not_be_lost_is_not_lost_in_silence():
    mailbox = Mailbox(Delivery.LOSSLESS)
    for number in range(LOSSLESS_MAX + 1):
        mailbox.offer(value(number))

    with pytest.raises(Overflown):
        await taken(mailbox)


async def test_it_is_a_member_like_any_other():
    async with running(BTC) as stage:
        plan = await stage.plan(TICKER, s="BTCUSDT")
        mailbox = Mailbox(plan.policy.delivery)
        await stage.try_join(mailbox, TICKER, s="BTCUSDT")  # type: ignore[arg-type]  # any sink
        values = mailbox.values()
        first = await anext(values)
        stage.live.push(repriced(BTC, "2"))
        stage.live.push(repriced(BTC, "3"))
        second = await anext(values)
        await values.aclose()

        assert b'"1"' in first.payload
        assert b'"2"' in second.payload or b'"3"' in second.payload
