"""Sending money through the schema: once, to whom it was meant, and why not."""

import asyncio
from decimal import Decimal
from hashlib import sha256
from uuid import uuid4

import asyncpg
import pytest

from adapters.redis import RedisClient
from domain.kernel.ids import new_uuid7
from domain.wallets.limits import Allowance, EqualLimits
from domain.wallets.model import available
from schema._ids import encode_id
from tests.users.api import reason, refused, user_id
from tests.users.conftest import Book, book
from tests.users.people import NOW
from tests.wallets.api import WalletApi, owner
from tests.wallets.conftest import USDT, Bank
from tests.world import DatabaseUrls

__all__ = ["book"]

NOBODY = encode_id("User", new_uuid7())


@pytest.fixture
def api(book: Book, bank: Bank, redis_client: RedisClient) -> WalletApi:  # the fixtures
    return WalletApi(book, bank, redis_client)


async def test_money_goes_to_an_address_and_the_receipt_is_masked(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")

    sent = await api.send(ann, "Bob@Example.org", "2.5")

    assert sent == {
        "entryId": sent["entryId"], "asset": "USDT", "amount": "2.5", "fee": "0",
        "available": "7.5", "recipient": {"email": "b***@e***.org", "name": "B."},
        "wallet": {"available": "7.5"},
    }  # fmt: skip
    assert (await api.has(ann), await api.has(bob)) == ("7.5 + 0", "2.5 + 0")


async def test_money_goes_to_an_id(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")

    sent = await api.send(ann, {"userId": user_id(bob)}, "10")

    assert sent["available"] == "0"
    assert (await api.has(ann), await api.has(bob)) == ("0 + 0", "10 + 0")


async def test_amounts_are_told_without_zeros_at_the_end(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.person("bob")
    key = str(uuid4())

    preview = await api.preview(ann, "bob@example.org", "2.500000")
    sent = await api.send(ann, "bob@example.org", "2.500000", idempotencyKey=key)

    assert (preview["amount"], sent["amount"], sent["available"]) == ("2.5", "2.5", "7.5")
    assert await api.send(ann, "bob@example.org", "2.5", idempotencyKey=key) == sent


async def test_a_key_is_answered_as_it_was_first(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")
    key = str(uuid4())

    first = await api.send(ann, "bob@example.org", "4", idempotencyKey=key)
    await api.send(ann, "bob@example.org", "1")
    again = await api.send(ann, "BOB@example.org", "4.00", idempotencyKey=key)

    # What is now is now's; what was made is as it was made.
    assert again == {**first, "wallet": {"available": "5"}}
    assert (await api.has(ann), await api.has(bob)) == ("5 + 0", "5 + 0")


async def test_a_key_outlives_its_recipients_address(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")
    key = str(uuid4())
    first = await api.send(ann, "bob@example.org", "4", idempotencyKey=key)
    await api.person("bob", email="robert@example.org", signed_in_at=NOW, issued_at=NOW)

    again = await api.send(ann, "bob@example.org", "4", idempotencyKey=key)

    assert again["entryId"] == first["entryId"]
    assert await api.has(bob) == "4 + 0"
    assert reason(await api.send(ann, "bob@example.org", "4")) == refused(
        "UNKNOWN_RECIPIENT", "recipient"
    )


@pytest.mark.parametrize(
    "other", [{"amount": "5"}, {"asset": "BTC"}, {"recipient": {"email": "eve@example.org"}}]
)
async def test_a_key_used_for_something_else_is_refused(api: WalletApi, other: dict[str, object]):
    ann = await api.person("ann", "10")
    await api.person("bob")
    await api.person("eve")
    key = str(uuid4())
    await api.send(ann, "bob@example.org", "4", idempotencyKey=key)

    answer = await api.send(ann, "bob@example.org", "4", **{"idempotencyKey": key, **other})

    assert reason(answer) == refused("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    assert await api.has(ann) == "6 + 0"


async def test_twins_are_one_transfer(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")
    key = str(uuid4())

    answers = await asyncio.gather(
        *(api.send(ann, "bob@example.org", "1", idempotencyKey=key) for _ in range(16))
    )

    made = {each["entryId"] for each in answers if "entryId" in each}
    assert len(made) == 1
    assert {each["code"] for each in answers if "code" in each} <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert (await api.has(ann), await api.has(bob)) == ("9 + 0", "1 + 0")


async def test_a_refusal_is_answered_again_although_there_is_money_now(api: WalletApi):
    ann = await api.person("ann", "1")
    await api.person("bob")
    key = str(uuid4())

    first = await api.send(ann, "bob@example.org", "2", idempotencyKey=key)
    await api.bank.give(owner(ann), "5")
    again = await api.send(ann, "bob@example.org", "2", idempotencyKey=key)

    assert reason(first) == refused("INSUFFICIENT_FUNDS", "amount")
    assert again == first
    assert await api.has(ann) == "6 + 0"


async def test_more_than_there_is_is_told(api: WalletApi):
    ann = await api.person("ann", "1")
    await api.person("bob")

    answer = await api.change(
        ann, "transferFunds", "__typename } ... on InsufficientFunds { asset available",
        recipient={"email": "bob@example.org"}, asset="USDT", amount="1.000001",
        idempotencyKey=str(uuid4()),
    )  # fmt: skip

    assert (answer["asset"], answer["available"]) == ("USDT", "1")
    assert await api.has(ann) == "1 + 0"


@pytest.mark.parametrize(
    "recipient",
    [
        {"email": "nobody@example.org"}, {"email": "unproven@example.org"}, {"userId": NOBODY},
        {"email": ""}, {"email": "@"}, {"email": "not an address"}, {"email": "a@" + "b" * 300},
        {"email": "a\u0000@b"}, {"email": "\u202ea@b"},
        {"email": "\ud800@example.org"},
    ],
)  # fmt: skip
async def test_nobody_is_paid_by_mistake(api: WalletApi, recipient: dict[str, str]):
    ann = await api.person("ann", "10")
    await api.person("unproven", email_verified=False)

    answer = await api.send(ann, recipient, "1")

    assert reason(answer) == refused("UNKNOWN_RECIPIENT", "recipient")
    assert await api.has(ann) == "10 + 0"


async def test_nobody_pays_themselves(api: WalletApi):
    ann = await api.person("ann", "10")

    for recipient in ({"email": "ann@example.org"}, {"userId": user_id(ann)}):
        assert reason(await api.send(ann, recipient, "1")) == refused("OWN_WALLET", "recipient")
    assert await api.has(ann) == "10 + 0"


async def test_an_id_of_something_else_is_no_recipient(api: WalletApi):
    ann = await api.person("ann", "10")

    answer = await api.send(ann, {"userId": encode_id("Session", owner(ann))}, "1")

    assert reason(answer) == refused("BAD_INPUT", "recipient")


@pytest.mark.parametrize(
    "recipient", [{}, {"email": "bob@example.org", "userId": NOBODY}, {"email": None}]
)
async def test_a_recipient_is_named_in_one_way(api: WalletApi, recipient: dict[str, str]):
    ann = await api.person("ann", "10")
    query = """mutation ($input: TransferFundsInput!) {
        transferFunds(input: $input) { __typename } }"""
    given = {"recipient": recipient, "asset": "USDT", "amount": "1",
             "idempotencyKey": str(uuid4())}  # fmt: skip

    result = await api.schema.execute(query, variable_values={"input": given})

    assert result.data is None
    assert await api.has(ann) == "10 + 0"


@pytest.mark.parametrize("amount", ["0", "-1", "0.0000001", "-0", "0.000000000000000001"])
async def test_an_amount_is_above_zero_and_no_finer_than_its_asset(api: WalletApi, amount: str):
    ann = await api.person("ann", "10")
    await api.person("bob")

    answer = await api.send(ann, "bob@example.org", amount)

    assert reason(answer) == refused("BAD_AMOUNT", "amount")
    assert (await api.preview(ann, "bob@example.org", amount))["obstacles"] == ["BAD_AMOUNT"]
    assert await api.has(ann) == "10 + 0"


@pytest.mark.parametrize("asset", ["NOPE", "usdt", "", "U" * 300, "\u202eUSDT"])
async def test_an_asset_is_one_of_ours(api: WalletApi, asset: str):
    ann = await api.person("ann", "10")
    await api.person("bob")

    answer = await api.send(ann, "bob@example.org", "1", asset=asset)

    assert reason(answer) == refused("UNKNOWN_ASSET", "asset")
    assert len(answer["message"]) < 100
    assert (await api.preview(ann, "bob@example.org", "1", asset))["obstacles"] == ["UNKNOWN_ASSET"]


async def test_a_frozen_wallet_gives_nothing(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.person("bob")
    async with api.bank.works.begin() as work:
        await work.ledger.freeze(available(owner(ann), USDT), frozen=True)

    preview = await api.preview(ann, "bob@example.org", "1")
    answer = await api.send(ann, "bob@example.org", "1")

    assert preview["obstacles"] == ["WALLET_FROZEN"]
    assert answer["code"] == "WALLET_FROZEN"
    assert await api.has(ann) == "10 + 0"


async def test_a_preview_tells_whom_and_moves_nothing(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob", display_name="Bob Lee")

    by_address = await api.preview(ann, "bob@example.org", "2.5")
    by_id = await api.preview(ann, {"userId": user_id(bob)}, "2.5")

    assert by_address == by_id == {
        "allowed": True, "asset": "USDT", "amount": "2.5", "fee": "0", "availableAfter": "7.5",
        "recipient": {"email": "b***@e***.org", "name": "B. L."}, "obstacles": [],
    }  # fmt: skip
    assert (await api.has(ann), await api.has(bob)) == ("10 + 0", "0 + 0")
    told = {event.type for event in await api.bank.told(owner(bob))}
    assert told == {"user.created", "session.created"}


async def test_a_preview_tells_every_obstacle_the_transfers_first(
    book: Book, bank: Bank, redis_client: RedisClient
):
    limits = EqualLimits({USDT: Allowance(Decimal(5), Decimal(6), Decimal(7))})
    api = WalletApi(book, bank, redis_client, limits=limits)
    ann = await api.person("ann", "8")

    preview = await api.preview(ann, "nobody@example.org", "9")
    answer = await api.send(ann, "nobody@example.org", "9")

    assert preview["obstacles"] == [
        "UNKNOWN_RECIPIENT", "LIMIT_EXCEEDED", "INSUFFICIENT_FUNDS", "LIMIT_EXCEEDED",
    ]  # fmt: skip
    assert (preview["allowed"], preview["availableAfter"]) == (False, None)
    assert preview["recipient"] is None
    assert answer["code"] == preview["obstacles"][0]


async def test_addresses_are_not_tried_without_end(
    book: Book, bank: Bank, redis_client: RedisClient
):
    api = WalletApi(book, bank, redis_client, look_ups_per_day=3)
    ann, bob = await api.person("ann", "10"), await api.person("bob", "10")

    for name in ("bob", "BOB", "x1", "x2", "bob"):
        await api.preview(ann, f"{name}@example.org", "1")
    preview = await api.preview(ann, "x3@example.org", "1")
    answer = await api.send(ann, "eve@example.org", "1")

    assert preview["obstacles"] == ["TOO_MANY_RECIPIENTS"]
    assert reason(answer) == refused("TOO_MANY_RECIPIENTS", "recipient")
    # Who is known already, an id, and other people's day are not touched.
    assert "entryId" in await api.send(ann, "bob@example.org", "1")
    assert "entryId" in await api.send(ann, {"userId": user_id(bob)}, "1")
    assert (await api.preview(bob, "x3@example.org", "1"))["obstacles"] == ["UNKNOWN_RECIPIENT"]


async def test_what_was_too_much_to_ask_is_not_kept_under_its_key(
    book: Book, bank: Bank, redis_client: RedisClient
):
    few = WalletApi(book, bank, redis_client, look_ups_per_day=1)
    ann = await few.person("ann", "10")
    await few.person("bob")
    key = str(uuid4())
    await few.preview(ann, "x1@example.org", "1")

    refused_once = await few.send(ann, "bob@example.org", "1", idempotencyKey=key)
    many = WalletApi(book, bank, redis_client, look_ups_per_day=9)
    later = await many.send(ann, "bob@example.org", "1", idempotencyKey=key)

    assert refused_once["code"] == "TOO_MANY_RECIPIENTS"
    assert later["available"] == "9"


async def test_a_key_is_answered_as_before_when_nobody_may_be_looked_up(
    book: Book, bank: Bank, redis_client: RedisClient
):
    patient = WalletApi(book, bank, redis_client, look_ups_per_day=1)
    ann = await patient.person("ann", "10")
    await patient.person("bob")
    key = str(uuid4())
    paid = await patient.send(ann, "bob@example.org", "1", idempotencyKey=key)

    nobody_more = WalletApi(book, bank, redis_client, look_ups_per_day=0)
    again = await nobody_more.send(ann, "bob@example.org", "1", idempotencyKey=key)
    other = await nobody_more.send(ann, "carol@example.org", "1", idempotencyKey=str(uuid4()))
    dead = RedisClient("redis://127.0.0.1:1", prefix="dead", timeout_seconds=0.2)
    blind = WalletApi(book, bank, dead)
    unasked = await blind.send(ann, "bob@example.org", "1", idempotencyKey=key)
    await dead.aclose()

    assert "entryId" in paid
    assert again == unasked == paid
    assert other["code"] == "TOO_MANY_RECIPIENTS"
    assert paid["available"] == "9"


async def test_no_address_is_written_down(api: WalletApi, database_urls: DatabaseUrls):
    ann = await api.person("ann", "10")
    await api.person("bob")
    await api.send(ann, "bob@example.org", "1")
    await api.send(ann, "nobody@example.org", "1")
    await api.send(ann, "bob@example.org", "100")

    connection = await asyncpg.connect(database_urls.owner)
    try:
        kept = [
            str(row[0])
            for table in ("idempotency.command", "wallets.entry", "events.event")
            for row in await connection.fetch(f"SELECT t::text FROM {table} t")  # noqa: S608
        ]
    finally:
        await connection.close()

    assert len(kept) > 5
    plain_digest = sha256(b"bob@example.org").hexdigest()
    assert [line for line in kept if "example.org" in line or plain_digest in line] == []


async def test_nobody_sends_without_signing_in(api: WalletApi):
    query = """mutation ($input: TransferFundsInput!) { transferFunds(input: $input) {
        ... on UserError { code } } }"""
    given = {
        "recipient": {"email": "bob@example.org"}, "asset": "USDT", "amount": "1",
        "idempotencyKey": str(uuid4()),
    }  # fmt: skip

    data = await api.data(query, input=given)

    assert data == {"transferFunds": {"code": "UNAUTHENTICATED"}}


@pytest.mark.parametrize("key", ["", "1", "{019ab2c4-6f00-7c3a-9d5e-3a1f0c7be201}", None, 1])
async def test_a_key_is_a_uuid(api: WalletApi, key: object):
    ann = await api.person("ann", "10")
    query = """mutation ($input: TransferFundsInput!) {
        transferFunds(input: $input) { __typename } }"""
    given = {
        "recipient": {"email": "bob@example.org"}, "asset": "USDT", "amount": "1",
        "idempotencyKey": key,
    }  # fmt: skip

    result = await api.schema.execute(query, variable_values={"input": given})

    assert result.data is None
    assert await api.has(ann) == "10 + 0"
