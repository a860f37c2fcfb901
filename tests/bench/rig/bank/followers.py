"""Subscribers of ``accountEvents`` that come back with the cursor of their last event."""

import asyncio
import contextlib
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from domain.kernel.events import event_cursor, stream_of_user
from tests.bench.rig.bank.people import Person
from tests.bench.rig.bank.tally import Tally
from tests.world import eventually

EVENTS = """subscription Follow($after: String) {
  accountEvents(after: $after) { type cursor }
}"""
_OPEN_SECONDS = 5.0
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Heard:
    """One event, as it came."""

    number: int
    type: str


@dataclass(slots=True)
class Follower:
    """One person's. What comes is taken as it comes: a gap or a double is seen at once."""

    url: str
    person: Person
    tally: Tally
    heard: list[Heard] = field(default_factory=list)
    resumed: int = -1
    """How often it came back."""
    _after: str = field(init=False)

    def __post_init__(self) -> None:
        self._after = event_cursor(stream_of_user(self.person.user_id), 0)

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            with contextlib.suppress(WebSocketException, OSError, TimeoutError):
                async with connect(
                    self.url,
                    subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]  # a NewType of str
                    open_timeout=_OPEN_SECONDS,
                    close_timeout=1.0,
                ) as socket:
                    await self._follow(socket)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def until(self, number: int, *, within_seconds: float) -> None:
        """Wait until it has heard so many. Raises TimeoutError."""
        await eventually(lambda: len(self.heard) >= number, within_seconds=within_seconds)

    def hear(self, event: dict[str, str]) -> None:
        number = number_of(event["cursor"])
        expected = len(self.heard) + 1
        if number != expected:
            self.tally.wrong(f"{self.person.user_id} heard event {number} instead of {expected}")
        self.heard.append(Heard(number, event["type"]))
        self._after = event["cursor"]

    async def _follow(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "connection_init", "payload": self.person.init}))
        async with asyncio.timeout(_OPEN_SECONDS):
            await socket.recv()
        payload = {"query": EVENTS, "variables": {"after": self._after}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        self.resumed += 1
        async for frame in socket:
            message: dict[str, Any] = json.loads(frame)
            if message["type"] == "ping":
                await socket.send('{"type":"pong"}')
            if message["type"] in {"complete", "error"}:
                return
            told = (message.get("payload") or {}).get("data")
            if message["type"] == "next" and told:
                self.hear(told["accountEvents"])


def number_of(cursor: str) -> int:
    return int(urlsafe_b64decode(cursor + "==").decode().rpartition(":")[2])
