"""One timer for all who wait equally long."""

import asyncio
from functools import partial

from adapters.gateway.sockets.rounds import Rounds


async def test_all_are_called_once_in_the_order_they_came() -> None:
    rounds = Rounds(0.01)
    called: list[int] = []
    last = asyncio.Event()
    for number in range(5):
        rounds.enter(number, partial(called.append, number))
    rounds.enter("last", last.set)
    await last.wait()

    assert called == [0, 1, 2, 3, 4]
    assert len(rounds) == 0


async def test_who_leaves_is_not_called_and_who_enters_again_waits_anew() -> None:
    rounds = Rounds(0.02)
    called: list[str] = []
    done = asyncio.Event()
    rounds.enter("leaves", lambda: called.append("leaves"))
    rounds.enter("again", lambda: called.append("too soon"))
    rounds.enter("stays", lambda: called.append("stays"))
    rounds.leave("leaves")
    rounds.leave("never came")
    rounds.enter("again", lambda: called.append("again"))
    rounds.enter("last", done.set)
    await done.wait()

    assert called == ["stays", "again"]


async def test_an_empty_round_holds_no_timer() -> None:
    rounds = Rounds(60)
    rounds.enter("one", lambda: None)
    rounds.leave("one")

    assert rounds._timer is None
