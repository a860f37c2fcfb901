"""Certificates through outages, rotations and cold starts: an outage is nobody's sign-out."""

import asyncio
import socket
from contextlib import suppress

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.firebase import Certificates, TokenVerifier
from adapters.firebase import certificates as module
from adapters.redis import RedisClient
from adapters.redis.access import RedisKeptText
from domain.kernel.failures import Unavailable
from domain.users.errors import TokenInvalid
from domain.users.model import SignIn
from tests.firebase.conftest import Kept, Time
from tests.firebase.source import Answer, HttpServer
from tests.firebase.tokens import PROJECT, ec_certificate, published, token
from tests.world import eventually

FAULTS = {
    "503": Answer(503, b"{}"),
    "404": Answer(404, b"{}"),
    "redirect": Answer(302, b"", {"location": "/elsewhere"}),
    "html": Answer(200, b"<html>Sign in to the network</html>"),
    "empty": Answer(200, b""),
    "no keys": Answer(200, b"{}"),
    "a list": Answer(200, b"[]"),
    "not a certificate": Answer(200, b'{"first": "-----BEGIN CERTIFICATE-----"}'),
    "huge": Answer(200, b'{"first": "' + b"x" * 200_000 + b'"}'),
    "cut off": Answer(200, b"{", {"content-length": "100"}),
}


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/certificates"


async def test_a_hundred_at_a_cold_start_fetch_once(
    source: HttpServer, kept: Kept, verifier: TokenVerifier, clock: Time
) -> None:
    tokens = [token(clock.whole, sub=f"uid-{n}") for n in range(100)]

    found = await asyncio.gather(*(verifier.verify(one) for one in tokens))

    assert all(isinstance(one, SignIn) for one in found)
    assert len(source.asked) == 1
    assert kept.loads == 1
    assert len(kept.saves) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_cold_start_in_an_outage_is_unavailable_never_signed_out(
    source: HttpServer, verifier: TokenVerifier, clock: Time, fault: str
) -> None:
    source.answer = FAULTS[fault]

    with pytest.raises(Unavailable) as raised:
        await verifier.verify(token(clock.whole))
    assert raised.value.what == "identity service"
    asked = len(source.asked)
    for _ in range(20):
        with pytest.raises(Unavailable):
            await verifier.verify(token(clock.whole))
    assert len(source.asked) == asked  # it failed a moment ago: not asked by every request

    source.publish(published("first"))
    clock.ahead += 1.1
    assert isinstance(await verifier.verify(token(clock.whole)), SignIn)


@pytest.mark.parametrize("fault", [*FAULTS, "hang"])
async def test_keys_that_were_good_stay_good_for_a_day(
    source: HttpServer,
    certificates: Certificates,
    verifier: TokenVerifier,
    clock: Time,
    fault: str,
) -> None:
    assert isinstance(await verifier.verify(token(clock.whole)), SignIn)
    source.answer = FAULTS.get(fault, Answer(hang=True))

    clock.ahead += 86_000
    assert isinstance(await verifier.verify(token(clock.whole)), SignIn)
    assert certificates.age_seconds is not None
    assert certificates.age_seconds >= 86_000
    assert len(source.asked) == 1  # nobody waited for a fetch

    if fault != "hang":
        clock.ahead += 500
        with pytest.raises(Unavailable):
            await verifier.verify(token(clock.whole, sub="uid-other"))


async def test_a_source_that_hangs_costs_its_deadline_once(
    source: HttpServer, verifier: TokenVerifier, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FETCH_SECONDS_MAX", 0.2)
    source.answer = Answer(hang=True)

    async with asyncio.timeout(5):
        found = await asyncio.gather(
            *(verifier.verify(token(clock.whole)) for _ in range(30)), return_exceptions=True
        )

    assert {type(one) for one in found} == {Unavailable}
    assert len(source.asked) == 1


async def test_nobody_there_is_unavailable(http: httpx.AsyncClient, clock: Time) -> None:
    certificates = Certificates(free_address(), http=http, kept=Kept(), now=clock)

    with capture_logs() as logs, pytest.raises(Unavailable):
        await certificates.key("first")

    assert [(line["event"], line["reason"]) for line in logs] == [
        ("certificates_unavailable", "ConnectError")
    ]


async def test_a_rotated_key_is_fetched_at_first_sight(
    source: HttpServer, verifier: TokenVerifier, clock: Time
) -> None:
    assert isinstance(await verifier.verify(token(clock.whole)), SignIn)
    source.publish(published("second"))
    clock.ahead += 31

    assert isinstance(await verifier.verify(token(clock.whole, key="second")), SignIn)
    assert await verifier.verify(token(clock.whole, sub="uid-bob")) == TokenInvalid()
    assert len(source.asked) == 2


async def test_unknown_keys_do_not_make_us_ask_again_and_again(
    source: HttpServer, certificates: Certificates, clock: Time
) -> None:
    assert await certificates.key("first") is not None

    assert [await certificates.key(f"forged-{n}") for n in range(50)] == [None] * 50
    assert len(source.asked) == 1
    clock.ahead += 31
    assert [await certificates.key(f"forged-{n}") for n in range(50)] == [None] * 50
    assert len(source.asked) == 2
    clock.ahead -= 10_000  # a clock that is set back holds nothing up
    assert await certificates.key("first") is not None


async def test_an_unknown_key_in_an_outage_is_unavailable(
    source: HttpServer, certificates: Certificates, clock: Time
) -> None:
    assert await certificates.key("first") is not None
    source.answer = FAULTS["503"]
    clock.ahead += 31

    for _ in range(5):
        with pytest.raises(Unavailable):
            await certificates.key("maybe-the-newest")
    assert await certificates.key("first") is not None
    assert len(source.asked) == 2


async def test_one_certificate_of_another_kind_is_left_out(
    source: HttpServer, certificates: Certificates
) -> None:
    source.publish(published("first") | {"curve": ec_certificate(), "broken": "-----BEGIN"})

    assert await certificates.key("first") is not None
    assert await certificates.key("curve") is None
    assert await certificates.key("broken") is None


async def test_a_caller_who_leaves_takes_nothing_from_the_others(
    source: HttpServer, certificates: Certificates
) -> None:
    source.answer, good = Answer(hang=True), source.answer
    leaver, stayer = (asyncio.ensure_future(certificates.key("first")) for _ in range(2))
    await eventually(lambda: len(source.asked) == 1)
    leaver.cancel()
    with suppress(asyncio.CancelledError):
        await leaver
    source.answer.hang, source.answer.body = False, good.body
    source.released.set()

    assert await stayer is not None
    assert len(source.asked) == 1


async def test_the_duty_renews_ahead_of_time_and_survives_an_outage(
    source: HttpServer, certificates: Certificates, clock: Time
) -> None:
    source.answer = FAULTS["html"]
    duty = asyncio.ensure_future(certificates.run())
    await eventually(lambda: len(source.asked) >= 2)
    source.publish(published("first"), max_age=100)
    await eventually(lambda: certificates.age_seconds is not None)
    asked = len(source.asked)
    duty.cancel()
    clock.ahead += 81  # 80 % of its life
    again = asyncio.ensure_future(certificates.run())
    await eventually(lambda: len(source.asked) > asked)
    again.cancel()

    assert len(source.asked) == asked + 1
    await asyncio.gather(duty, again, return_exceptions=True)


async def test_a_process_that_starts_in_an_outage_takes_the_last_good_ones(
    source: HttpServer, http: httpx.AsyncClient, redis_client: RedisClient, clock: Time
) -> None:
    kept = RedisKeptText(redis_client, "certificates", secret=b"s" * 32)
    before = Certificates(source.url, http=http, kept=kept, now=clock)
    assert await before.key("first") is not None
    clock.ahead += 3600

    after = Certificates(free_address(), http=http, kept=kept, now=clock)
    verifier = TokenVerifier(after, project=PROJECT, now=clock)

    assert isinstance(await verifier.verify(token(clock.whole)), SignIn)
    assert after.age_seconds is not None
    assert after.age_seconds >= 3600
    clock.ahead += 86_400
    too_late = Certificates(free_address(), http=http, kept=kept, now=clock)
    with pytest.raises(Unavailable):
        await too_late.key("first")


@pytest.mark.parametrize("fault", [Answer(hang=True), Answer(503)], ids=["silent", "broken"])
async def test_whoever_comes_first_in_an_outage_does_not_wait_for_the_source(
    source: HttpServer, certificates: Certificates, kept: Kept, clock: Time, fault: Answer
) -> None:
    kept.text = f"{clock()}\n".encode() + source.answer.body
    source.answer = fault

    duty = asyncio.ensure_future(certificates.run())
    await asyncio.sleep(0)  # the duty is ahead of everybody
    async with asyncio.timeout(1):
        assert await certificates.key("first") is not None
        await eventually(lambda: len(source.asked) == 1)
        assert await certificates.key("first") is not None

    duty.cancel()
    await asyncio.gather(duty, return_exceptions=True)


@pytest.mark.parametrize("text", [b"", b"x\n{}", b"nan\n%s", b"inf\n%s", b"-inf\n%s", b"9e999\n%s"])
async def test_what_was_kept_and_is_nothing_is_not_believed(
    source: HttpServer, certificates: Certificates, kept: Kept, text: bytes
) -> None:
    kept.text = text.replace(b"%s", source.answer.body)

    assert await certificates.key("first") is not None
    age = certificates.age_seconds
    assert age is not None
    assert 0 <= age < 60


async def test_without_the_shared_store_the_source_is_enough(
    source: HttpServer, certificates: Certificates, kept: Kept
) -> None:
    kept.down = True

    assert await certificates.key("first") is not None
    assert len(source.asked) == 1
