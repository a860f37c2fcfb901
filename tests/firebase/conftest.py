"""The verifier over a certificate source of the test's own."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from adapters.firebase import Certificates, TokenVerifier
from domain.kernel.failures import Unavailable
from tests.firebase.source import HttpServer
from tests.firebase.tokens import PROJECT, published


@dataclass
class Time:
    """The wall clock, as far as the test has moved it."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    @property
    def whole(self) -> int:
        return int(self())


@dataclass
class Kept:
    """What all processes share."""

    text: bytes | None = None
    down: bool = False
    loads: int = 0
    saves: list[bytes] = field(default_factory=list)

    async def load(self) -> bytes | None:
        self.loads += 1
        if self.down:
            raise Unavailable("cache", retry_after_seconds=1.0)
        return self.text

    async def save(self, text: bytes) -> None:
        if self.down:
            raise Unavailable("cache", retry_after_seconds=1.0)
        self.saves.append(text)
        self.text = text


@pytest.fixture
async def source() -> AsyncIterator[HttpServer]:
    async with HttpServer().running() as server:
        server.publish(published("first"))
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def certificates(
    source: HttpServer, http: httpx.AsyncClient, kept: Kept, clock: Time
) -> Certificates:
    return Certificates(source.url, http=http, kept=kept, now=clock)


@pytest.fixture
def verifier(certificates: Certificates, clock: Time) -> TokenVerifier:
    return TokenVerifier(certificates, project=PROJECT, now=clock)
