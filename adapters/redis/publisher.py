"""Where a leading feed puts what it hears: one script per batch stores, counts and announces."""

from collections.abc import Collection, Sequence

import structlog

from adapters.redis.chains import Chains
from adapters.redis.client import RedisClient
from adapters.redis.codecs import encode_update
from adapters.redis.frames import encode_report
from adapters.redis.scripts import FORGET, PUBLISH, UNMARK, WANTED
from adapters.redis.tape_codec import encode_head, encode_joint, encode_tape, encode_trades
from domain.kernel.ids import Category
from domain.market.conflation import Publication
from domain.market.model import FeedReport
from domain.market.ports import LeaseLost
from domain.market.tape import Trades
from domain.market.topics import RATES, Follow
from domain.market.updates import Update

log = structlog.get_logger()

# Readers call a feed dead after two seconds of silence; its last word does not outlive that.
REPORT_TTL_SECONDS = 2.0
# A feed that is down for a day still leaves the last prices (shown stale); what nobody follows any
# more is removed by `wanted`.
LATEST_TTL_SECONDS = 86_400
WANTED_MAX = 1000
TAPE_TRADES_MAX = 60
"""How many of the last trades a new watcher is shown."""


class RedisFeedPublisher:
    """Implements domain.market.ports.FeedPublisher."""

    def __init__(
        self,
        client: RedisClient,
        *,
        always_on: Collection[Follow],
        wanted_max: int = WANTED_MAX,
    ) -> None:
        """``always_on``: what the feeds follow even when nobody watches; kept for ever.

        ``wanted_max``: how many follows of a category are heeded; the last ones seen win.
        """
        self._names = client.names
        self._always_on = frozenset(always_on)
        self._wanted_max = wanted_max
        self._chains = Chains()
        self._publish = client.script(PUBLISH)
        self._wanted = client.script(WANTED)
        self._unmark = client.script(UNMARK)
        self._forget = client.script(FORGET)
        self.names_refused = 0
        """How many marks were no name of a follow."""

    async def publish(self, report: FeedReport, publications: Sequence[Publication]) -> None:
        """As the port says. After TimedOut it may have happened: published again, it is newer."""
        category, own = report.category, self._names.report(report.category)
        keys = [self._names.fence(category), self._names.wanted(category), own.key, own.channel]
        args: list[str | bytes | int] = [
            report.epoch,
            int(REPORT_TTL_SECONDS * 1000),
            LATEST_TTL_SECONDS,
            TAPE_TRADES_MAX,
            encode_report(report),
        ]
        last = self._chains.of(category, report.epoch)
        encoded: dict[int, bytes] = {}
        for publication in publications:
            follow, update = publication.follow, publication.update
            place = self._names.followed(follow)
            keys += (place.key, place.channel, self._names.tape(follow.topic))
            args += (follow.name, "1" if follow in self._always_on else "0")
            if isinstance(update, Trades):
                args += _tape_args(update, after=last.get(follow))
                Chains.extend(last, follow, update)
            else:
                args += (_encoded_once(update, encoded), -1)
        if not await self._publish(keys=keys, args=args):
            log.warning("publish_fenced", category=category, epoch=report.epoch)
            raise LeaseLost(f"feed.{category}")
        self._chains.keep(category, report.epoch, last)

    async def wanted(self, category: Category) -> frozenset[Follow]:
        """What watchers anywhere want to see followed. Raises Unavailable, TimedOut."""
        key = self._names.wanted(category)
        marked, gone = await self._wanted(keys=[key], args=[self._wanted_max])
        follows = {name: _follow_named(category, name) for name in (*marked, *gone)}
        if refused := [name for name in marked if follows[name] is None]:
            self.names_refused += len(refused)
            log.warning("wanted_names_refused", category=category, count=len(refused))
            await self._unmark(keys=[key], args=refused)
        await self._forget_all(category, [f for name in gone if (f := follows[name])])
        wanted = frozenset(f for name in marked if (f := follows[name]))
        # What is not followed for a while has a gap when it is followed again.
        self._chains.prune(category, wanted | self._always_on)
        return wanted

    async def _forget_all(self, category: Category, gone: Collection[Follow]) -> None:
        always_on = {follow.topic for follow in self._always_on}
        if not (topics := {follow.topic for follow in gone} - always_on):
            return
        keys = [self._names.wanted(category)]
        args: list[str | bytes | int] = [len(RATES)]
        for topic in topics:
            keys += (self._names.latest(topic), self._names.tape(topic))
            args += (Follow(topic, rate).name for rate in RATES)
        await self._forget(keys=keys, args=args)


def _tape_args(trades: Trades, *, after: str | None) -> list[str | bytes | int]:
    """The frame to announce, and what the window of the last trades is made of."""
    some = encode_trades(trades.trades[-TAPE_TRADES_MAX:])
    # A window has no gap inside: it begins anew behind one.
    continued = "" if not trades.trades and not trades.dropped else _joint(trades, after)
    head = encode_head(trades, after=None, dropped=0)
    return [encode_tape(trades, after=after), len(some), continued, head, *some]


def _joint(trades: Trades, after: str | None) -> bytes:
    """How the text of the trade begins that these follow on; what none begins with if unknown."""
    if trades.dropped or after is None:
        return b"null"
    return encode_joint(after)


def _encoded_once(update: Update, encoded: dict[int, bytes]) -> bytes:
    # The same book goes to several rates at once, and 200 levels are worth remembering.
    key = id(update)
    if key not in encoded:
        encoded[key] = encode_update(update)
    return encoded[key]


def _follow_named(category: Category, name: bytes) -> Follow | None:
    """None for what is no name, or not as we write it: its channel would be another one."""
    try:
        text = name.decode()
        follow = Follow.named(category, text)
    except ValueError:
        return None
    return follow if follow.name == text else None
