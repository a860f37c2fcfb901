"""Trades in memory: each told once, and no gap in silence, whatever breaks."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from adapters.redis import NullHubMetrics
from adapters.redis.names import Names
from adapters.redis.tape_codec import encode_tape
from adapters.redis.watched import Watcher
from adapters.redis.watched_tape import IDS_MAX, TapeTopic
from domain.market import Trades
from tests.redis.samples import BTC_TRADES, soon, trades


def frame(seq: int, value: Trades, after: int | None = None) -> bytes:
    data = encode_tape(value, after=None if after is None else f"t{after}")
    return b'{"epoch":1,"seq":%d,"ts":0,"data":%b}' % (seq, data)


def topic() -> TapeTopic:
    subject = TapeTopic(BTC_TRADES, Names("test").followed(BTC_TRADES), NullHubMetrics())
    subject.overlay(live=True)
    return subject


async def taken(watcher: Watcher) -> Trades:
    value = await soon(watcher.updates())
    assert isinstance(value, Trades)
    return value


def numbers_of(value: Trades) -> list[int]:
    return [int(t.id[1:]) for t in value.trades]


async def test_what_was_announced_while_reading_comes_behind_it() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.subscribed()

    subject.hear(frame(3, trades(5, 6), after=4))
    subject.hear(frame(4, trades(7), after=6))
    assert not watcher._slot
    subject.read(frame(3, trades(3, 4, 5, 6)))

    assert await taken(watcher) == trades(3, 4, 5, 6, 7)


async def test_what_happened_while_deaf_is_told_when_it_is_known() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1, 2)))
    assert await taken(watcher) == trades(1, 2)

    subject.subscribed()
    subject.hear(frame(9, trades(6), after=5))
    subject.read(frame(9, trades(2, 3, 4, 5, 6)))

    assert await taken(watcher) == trades(3, 4, 5, 6)


async def test_a_gap_is_told_and_a_window_does_not_span_it() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1, 2)))
    await taken(watcher)

    subject.subscribed()
    subject.read(frame(9, trades(5, 6)))

    assert await taken(watcher) == trades(5, 6, dropped=1)
    assert await taken(subject.enter()) == trades(5, 6)


async def test_a_gap_behind_which_nothing_is_kept_is_told_with_the_next_trade() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1, 2)))
    await taken(watcher)

    subject.subscribed()
    subject.read(None)
    subject.hear(frame(9, trades(9), after=8))
    subject.hear(frame(10, trades(10), after=9))

    assert await taken(watcher) == trades(9, 10, dropped=1)


async def test_a_new_leader_that_knows_no_past_is_a_gap_unless_it_overlaps() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1, 2)))
    await taken(watcher)

    subject.hear(frame(2, trades(1, 2, 3)))
    assert await taken(watcher) == trades(3)

    subject.hear(frame(3, trades(4)))
    assert await taken(watcher) == trades(4, dropped=1)


async def test_what_the_feed_itself_dropped_is_told_as_it_says() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1, 2)))
    await taken(watcher)

    subject.hear(frame(2, trades(9, dropped=6), after=2))
    subject.hear(frame(3, trades(dropped=4), after=9))

    assert await taken(watcher) == trades(9, dropped=10)


async def test_the_state_of_the_feed_is_told_without_trades() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1, 2)))
    assert await taken(watcher) == trades(1, 2)

    subject.overlay(live=False)
    assert await taken(watcher) == trades(stale=True)
    assert await taken(subject.enter()) == trades(1, 2, stale=True)

    subject.overlay(live=True)
    assert await taken(watcher) == trades()


async def test_a_turn_and_back_is_nothing_new() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(1)))
    updates = watcher.updates()
    await soon(updates)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(soon(updates))

        subject.overlay(live=False)
        subject.overlay(live=True)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        subject.hear(frame(2, trades(2), after=1))

    assert waiting.result() == trades(2)


async def test_a_slow_watcher_is_told_how_much_it_missed() -> None:
    subject = topic()
    slow = subject.enter()
    subject.read(None)
    for n in range(1200):
        subject.hear(frame(n, trades(n), after=n - 1))

    value = await taken(slow)

    assert numbers_of(value) == list(range(200, 1200))
    assert value.dropped == 200
    assert len(subject._seen) == IDS_MAX
    assert len(subject._window) == 60


async def test_what_is_told_again_does_not_run_back() -> None:
    subject = topic()
    watcher = subject.enter()
    subject.read(frame(1, trades(8, 9)))
    assert await taken(watcher) == trades(8, 9)

    subject.hear(frame(2, trades(6, 7, 8, 9, 10)))

    assert await taken(watcher) == trades(10)


cuts = st.lists(st.sampled_from(["told", "again", "lost", "broken", "emptied"]), max_size=40)


@given(cuts, st.integers(1, 5))
async def test_no_trade_twice_and_none_lost_in_silence(events: Sequence[str], many: int) -> None:
    """A feed tells trades; now and then a connection breaks, a frame comes again, data is lost."""
    subject = topic()
    watcher = subject.enter()
    subject.read(None)
    said: list[Trades] = []
    last = 0
    window: list[int] = []
    deaf = False
    for seq, event in enumerate((*events, "told", "joined")):
        if event in ("lost", "broken"):
            deaf = True  # nothing is heard until the connection is there again
        elif event == "emptied":
            window.clear()
        if event == "joined" or (event == "again" and deaf):
            deaf = False
            subject.subscribed()
            kept = frame(seq, trades(*window)) if window else None
            if event == "again":
                # Announced between subscribing and reading.
                subject.hear(frame(seq, trades(last + 1), after=last or None))
                last += 1
                window.append(last)
                kept = frame(seq, trades(*window[-3:]))
            subject.read(kept)
        elif event == "again":
            # It failed, was told nevertheless, and is told again with something new.
            subject.hear(frame(seq, trades(*range(max(1, last - many), last + 2))))
            last += 1
            window = [*window, last][-3:]
        elif event == "told":
            new = range(last + 1, last + 1 + many)
            if not deaf:
                subject.hear(frame(seq, trades(*new), after=last or None))
            last += many
            window = [*window, *new][-3:]
        while watcher._slot:
            said.append(await taken(watcher))

    _check_story(said)


def _check_story(said: Sequence[Trades]) -> None:
    told: list[int] = []
    for value in said:
        numbers = numbers_of(value)
        if told and numbers and not value.dropped:
            assert numbers[0] == told[-1] + 1
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        told += numbers
    assert told == sorted(set(told))
