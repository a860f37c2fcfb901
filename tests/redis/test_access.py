"""Whose access ended is heard at once, a lost line is said to be one, a step-up is spent once."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from adapters.redis import NullHubMetrics, RedisClient
from adapters.redis.access import (
    RedisAccessEnds,
    RedisAccessSignals,
    RedisKeptText,
    RedisStepUpGrants,
)
from adapters.sandbox.servers import Servers
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId, new_uuid7
from domain.users.model import SessionId
from tests.world import eventually

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ANN = UserId(new_uuid7())
SECRET = b"s" * 32


@dataclass
class Sockets:
    """A process that holds sockets open, with a connection to Redis of its own."""

    client: RedisClient
    ended: list[tuple[UserId, frozenset[SessionId] | None]] = field(default_factory=list)
    changed: list[UserId] = field(default_factory=list)
    uncertain: int = 0

    async def run(self) -> None:
        await RedisAccessEnds(
            self.client,
            on_ended=lambda user, sessions: self.ended.append((user, sessions)),
            on_changed=self.changed.append,
            on_uncertain=self._doubt,
            metrics=NullHubMetrics(),
        ).run()

    def _doubt(self) -> None:
        self.uncertain += 1


@pytest.fixture
async def breakable(breakable_servers: Servers, redis_prefix: str) -> AsyncIterator[RedisClient]:
    client = RedisClient(breakable_servers.redis_url, prefix=redis_prefix)
    yield client
    await client.aclose()


async def test_other_processes_hear_within_a_second(
    servers: Servers, redis_client: RedisClient, redis_prefix: str
) -> None:
    others = [RedisClient(servers.redis_url, prefix=redis_prefix) for _ in range(2)]
    processes = [Sockets(client) for client in others]
    signals = RedisAccessSignals(redis_client)
    first, second = SessionId(new_uuid7()), SessionId(new_uuid7())
    async with asyncio.TaskGroup() as tasks:
        duties = [tasks.create_task(process.run()) for process in processes]
        await eventually(lambda: all(process.uncertain for process in processes))

        await signals.ended(ANN, [first, second])
        await signals.ended(ANN, [])  # nobody's: not worth a word
        await signals.ended(ANN, None)
        await signals.changed(ANN)
        wanted = [(ANN, frozenset({first, second})), (ANN, None)]
        await eventually(lambda: all(p.changed == [ANN] for p in processes), within_seconds=1)
        assert all(process.ended == wanted for process in processes)
        for duty in duties:
            duty.cancel()
    for client in others:
        await client.aclose()


async def test_another_deployment_and_nonsense_are_not_heard(
    servers: Servers, redis_client: RedisClient
) -> None:
    here = Sockets(redis_client)
    stranger = RedisClient(servers.redis_url, prefix="stranger")
    async with asyncio.TaskGroup() as tasks, Redis.from_url(servers.redis_url) as raw:
        duty = tasks.create_task(here.run())
        await eventually(lambda: here.uncertain == 1)
        await RedisAccessSignals(stranger).ended(ANN, None)
        with capture_logs() as logs:
            for text in ("x", "{}", "[]", "null", '{"user": 1, "sessions": null}'):
                await raw.publish(redis_client.names.access().channel, text)
            await RedisAccessSignals(redis_client).ended(ANN, None)
            await eventually(lambda: here.ended == [(ANN, None)])
        assert [line["event"] for line in logs] == ["access_signal_unreadable"] * 5
        duty.cancel()
    await stranger.aclose()


async def test_a_line_that_was_lost_is_said_to_be(
    breakable_servers: Servers, breakable: RedisClient
) -> None:
    process = Sockets(breakable)
    status = breakable_servers.status()
    assert status is not None
    pid = status.servers["valkey"].pid
    assert pid is not None
    async with asyncio.TaskGroup() as tasks:
        duty = tasks.create_task(process.run())
        await eventually(lambda: process.uncertain == 1)
        os.kill(pid, signal.SIGSTOP)  # killed only afterwards: it must be away for a while
        with capture_logs() as logs:
            await RedisAccessSignals(breakable).ended(ANN, None)  # the database knows: no failure
        # On a busy machine its own line may have been found dead by then.
        told = [line["event"] for line in logs if line["event"] != "listener_disconnected"]
        assert told == ["access_signal_lost"]
        os.kill(pid, signal.SIGKILL)

        await eventually(lambda: process.uncertain == 2)
        await RedisAccessSignals(breakable).ended(ANN, None)
        await eventually(lambda: (ANN, None) in process.ended, within_seconds=2)
        duty.cancel()


async def test_of_many_at_once_one_spends_a_step_up(
    servers: Servers, redis_client: RedisClient, redis_prefix: str
) -> None:
    other = RedisClient(servers.redis_url, prefix=redis_prefix)
    grants = [RedisStepUpGrants(client) for client in (redis_client, other)]

    spent = await asyncio.gather(*(grant.spend(ANN, NOW, "withdraw:1") for grant in grants * 20))

    assert sum(spent) == 1
    assert await grants[0].spend(ANN, NOW, "withdraw:2")
    assert await grants[0].spend(ANN, NOW + timedelta(seconds=1), "withdraw:1")
    assert await grants[0].spend(UserId(new_uuid7()), NOW, "withdraw:1")
    assert not await grants[1].spend(ANN, NOW, "withdraw:2")
    async with Redis.from_url(servers.redis_url) as raw:
        keys = [key async for key in raw.scan_iter(f"{redis_prefix}*")]
        lives = [await raw.ttl(key) for key in keys]
    assert len(keys) == 4
    assert all(3500 < life <= 3600 for life in lives)
    assert not any(str(ANN).encode() in key for key in keys)
    await other.aclose()


async def test_without_redis_nothing_is_granted_and_nothing_kept(
    breakable_servers: Servers, breakable: RedisClient
) -> None:
    status = breakable_servers.status()
    assert status is not None
    pid = status.servers["valkey"].pid
    assert pid is not None
    grants = RedisStepUpGrants(breakable)
    kept = RedisKeptText(breakable, "certificates", secret=SECRET)
    await kept.save(b"text")
    assert await kept.load() == b"text"
    os.kill(pid, signal.SIGSTOP)
    try:
        for call in (
            lambda: grants.spend(UserId(new_uuid7()), NOW, "withdraw:1"),
            kept.load,
            lambda: kept.save(b"x"),
        ):
            with pytest.raises(Failure):
                await call()
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_kept_text_is_believed_only_when_it_is_ours(
    servers: Servers, redis_client: RedisClient, redis_prefix: str
) -> None:
    other = RedisClient(servers.redis_url, prefix=redis_prefix)
    ours = RedisKeptText(redis_client, "certificates", secret=SECRET)
    key = redis_client.names.kept("certificates")
    assert await ours.load() is None
    await RedisKeptText(other, "certificates", secret=SECRET).save(b"theirs and ours")
    assert await ours.load() == b"theirs and ours"

    async with Redis.from_url(servers.redis_url) as raw:
        signed = await raw.get(key)
        assert isinstance(signed, bytes)
        planted = {
            "another secret's": (RedisKeptText(other, "certificates", secret=b"x" * 32), b"evil"),
            "another text's": (RedisKeptText(other, "else", secret=SECRET), b"evil"),
        }
        forged = [b"", b"evil", signed[:32], signed[:-1] + b"?", b"\0" * 32 + signed[32:]]
        for kept, words in planted.values():
            await kept.save(words)
        for name in ("else", "certificates"):
            text = await raw.get(redis_client.names.kept(name))
            assert isinstance(text, bytes)
            forged.append(text)
        with capture_logs() as logs:
            for found in forged:
                await raw.set(key, found)
                assert await ours.load() is None
        assert [line["event"] for line in logs] == ["kept_text_not_ours"] * len(forged)
        assert "evil" not in str(logs)
    await other.aclose()
