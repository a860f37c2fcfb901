"""Never accepts what firebase-admin rejects, bounds what it remembers, tells nobody a token."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import firebase_admin
import pytest
from firebase_admin import _token_gen, auth
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.firebase import Certificates, TokenVerifier
from adapters.firebase import verifier as module
from adapters.firebase.sdk import _Keyless
from domain.kernel.failures import Failure
from domain.users.errors import TokenExpired, TokenInvalid
from domain.users.model import Identity, SignIn
from tests.firebase.conftest import Kept, Time
from tests.firebase.corpus import HEADER, corpus
from tests.firebase.source import HttpServer
from tests.firebase.tokens import CANARY, PROJECT, claims, published, signed, token, written

Judge = Callable[[str], bool]


@asynccontextmanager
async def sdk(source: HttpServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Judge]:
    """Whether the real firebase-admin accepts a token, with our clock skew and certificates."""
    monkeypatch.setattr(_token_gen, "ID_TOKEN_CERT_URI", source.url)
    app = firebase_admin.initialize_app(_Keyless(), {"projectId": PROJECT}, name="differential")
    client = auth.Client(app)

    def accepts(text: str) -> bool:
        try:
            client.verify_id_token(text, clock_skew_seconds=module.CLOCK_SKEW_SECONDS)
        except Exception:  # noqa: BLE001  # of some it dies, which is no yes either
            return False
        return True

    try:
        yield accepts
    finally:
        client._token_verifier.request.session.close()
        firebase_admin.delete_app(app)


async def accepted(verifier: TokenVerifier, text: str) -> bool:
    found = await verifier.verify(text)
    assert isinstance(found, SignIn | TokenExpired | TokenInvalid)
    return isinstance(found, SignIn)


async def test_accepts_nothing_that_firebase_admin_rejects(
    source: HttpServer, verifier: TokenVerifier, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.publish(published("first", "second"))
    tokens = corpus(clock.whole)
    assert len(tokens) >= 90

    async with sdk(source, monkeypatch) as accepts:
        ours = {name for name, text in tokens.items() if await accepted(verifier, text)}
        theirs = {name for name, text in tokens.items() if await asyncio.to_thread(accepts, text)}

    assert ours - theirs == set()
    assert ours == {name for name in tokens if name.startswith("good")}
    # Where they are laxer, on purpose or not: what we refuse beyond them is known by name.
    assert len(theirs - ours) >= 5


async def test_mutations_of_good_tokens_are_judged_alike(
    source: HttpServer, verifier: TokenVerifier, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.whole
    base = token(now)
    assert await accepted(verifier, base)
    loop = asyncio.get_running_loop()
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=2),
        max_leaves=3,
    )
    names = st.sampled_from(["exp", "iat", "aud", "iss", "sub", "auth_time", "nbf", "alg", "kid"])
    cuts = st.tuples(
        st.integers(0, len(base)), st.integers(0, 3), st.text("AZaz09-_.=!\n ", max_size=3)
    )

    async with sdk(source, monkeypatch) as accepts:

        def judge(text: str) -> None:
            ours = asyncio.run_coroutine_threadsafe(accepted(verifier, text), loop).result(10)
            assert not ours or accepts(text), text

        @settings(max_examples=150, database=None)
        @given(cut=cuts)
        def cut_and_glued(cut: tuple[int, int, str]) -> None:
            place, length, glue = cut
            judge(base[:place] + glue + base[place + length :])

        @settings(max_examples=150, database=None)
        @given(name=names, value=values)
        def other_claims(name: str, value: object) -> None:
            header, payload = dict(HEADER), claims(now)
            (header if name in ("alg", "kid") else payload)[name] = value  # type: ignore[assignment]
            judge(signed(json.dumps(header).encode(), json.dumps(payload).encode()))

        def both() -> None:
            cut_and_glued()
            other_claims()

        await asyncio.to_thread(both)


async def test_tells_who_signed_in(verifier: TokenVerifier, clock: Time) -> None:
    now = clock.whole
    firebase = {"sign_in_provider": "google.com", "sign_in_second_factor": "totp"}

    found = await verifier.verify(token(now, firebase=firebase, name="Ann"))

    assert isinstance(found, SignIn)
    assert found.identity == Identity(PROJECT, "", "uid-ann")
    assert (found.provider, found.second_factor) == ("google.com", "totp")
    assert (found.email, found.email_verified, found.display_name) == (CANARY, True, "Ann")
    assert int(found.signed_in_at.timestamp()) == now - 60
    assert int(found.expires_at.timestamp()) == now + 3540


async def test_a_tenant_takes_its_own_tokens_only(certificates: Certificates, clock: Time) -> None:
    ours = TokenVerifier(certificates, project=PROJECT, tenant="bank", now=clock)
    firebase = {"sign_in_provider": "password"}

    assert await accepted(ours, token(clock.whole, firebase=firebase | {"tenant": "bank"}))
    assert not await accepted(ours, token(clock.whole, firebase=firebase | {"tenant": "shop"}))
    assert not await accepted(ours, token(clock.whole, firebase=firebase))


async def test_an_emulator_in_the_environment_changes_nothing(
    verifier: TokenVerifier, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")

    unsigned = written({"alg": "none", "kid": "first"}, claims(clock.whole), key=None)
    assert await verifier.verify(unsigned) == TokenInvalid()


async def test_what_was_verified_is_remembered_until_it_expires(
    source: HttpServer, verifier: TokenVerifier, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = verifier._decode

    def counted(text: str) -> Awaitable[SignIn | TokenExpired | TokenInvalid]:
        decoded.append(text)
        return decode(text)

    monkeypatch.setattr(verifier, "_decode", counted)
    text = token(clock.whole)

    assert await verifier.verify(text) is await verifier.verify(text)
    clock.ahead += 3541
    assert [await verifier.verify(text) for _ in range(2)] == [TokenExpired(), TokenExpired()]

    assert len(decoded) == 2  # the first time, and once more after it was forgotten
    assert verifier._verified == {}


async def test_what_is_remembered_is_bounded_and_holds_no_token(
    verifier: TokenVerifier, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CACHE_MAX", 3)
    tokens = [token(clock.whole, sub=f"uid-{n}") for n in range(5)]
    for text in [*tokens[:3], tokens[0], *tokens[3:]]:
        assert await accepted(verifier, text)
    for _ in range(5):
        assert not await accepted(verifier, "no.good.token")

    assert len(verifier._verified) == 3
    kept = {found.identity.uid for found in verifier._verified.values()}
    assert kept == {"uid-0", "uid-3", "uid-4"}  # used again: not the oldest any more
    assert not any(text in repr(verifier._verified) for text in tokens)
    assert CANARY not in repr(verifier._verified)


async def test_no_token_in_any_line_or_exception(
    source: HttpServer,
    http: Any,
    clock: Time,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    texts = list(corpus(clock.whole).values())
    said: list[str] = []
    with capture_logs() as logs:
        for broken in (False, True):
            source.answer.status = 503 if broken else 200
            verifier = TokenVerifier(
                Certificates(source.url, http=http, kept=Kept(), now=clock),
                project=PROJECT,
                now=clock,
            )
            for text in texts:
                try:
                    said.append(repr(await verifier.verify(text)))
                except Failure as failure:
                    said += [repr(failure), str(failure), repr(failure.__cause__)]

    everything = "\n".join([*said, *map(repr, logs), caplog.text])
    assert CANARY not in everything
    for text in texts:
        for part in text.split("."):
            assert len(part) < 20 or part not in everything
