"""What happens to wallets, through the schema: typed events, wallets followed, the inbox."""

import asyncio
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest

from adapters.redis import RedisClient
from domain.kernel.events import NewEvent, event_cursor, stream_of_user
from domain.kernel.viewer import ANONYMOUS, Viewer
from domain.users.changes import ChannelChoice, SettingsChange
from domain.users.model import Channel, Locale, Topic
from domain.wallets import ledger
from domain.wallets.model import Hold, JournalEntry, Posted, available
from domain.wallets.recording import record
from schema._ids import encode_id
from tests.users.api import take
from tests.users.conftest import Book, book
from tests.users.people import NOW
from tests.wallets.api import WalletApi, owner
from tests.wallets.conftest import USDT, Bank

__all__ = ["book"]

EVENTS = """subscription ($after: String) { accountEvents(after: $after) {
    __typename type
    ... on WalletEvent { asset availableChange heldChange available held entryId }
    ... on WalletHoldPlacedEvent { holdId } ... on WalletHoldPostedEvent { holdId }
    ... on WalletHoldVoidedEvent { holdId } ... on WalletHoldExpiredEvent { holdId } } }"""
FOLLOWED = """subscription ($asset: String) { balanceUpdated(asset: $asset) {
    id asset available held total frozen stale } }"""


@pytest.fixture
def api(book: Book, bank: Bank, redis_client: RedisClient) -> WalletApi:  # the fixtures
    return WalletApi(book, bank, redis_client)


async def money_of(api: WalletApi, viewer: Viewer) -> list[Any]:
    """All that ``accountEvents`` tells of wallets, from the beginning."""
    stream = stream_of_user(owner(viewer))
    count = (await api.bank.log.bounds(stream))[1]
    source = await api.follow(EVENTS, viewer, after=event_cursor(stream, 0))
    async with aclosing(source):
        told = await take(source, count)
    return [event for event in told if event["type"].startswith("wallet.")]


async def post(bank: Bank, entry: JournalEntry) -> JournalEntry:
    async with bank.works.begin() as work:
        assert isinstance(await record(work, entry), Posted)
    return entry


def amounts(event: Any) -> str:
    """``-3 +3 -> 7 3``: what changed of both sides, and what was left; ``.`` for nothing told."""
    sides = event["availableChange"], event["heldChange"]
    left = event["available"] or ".", event["held"] or "."
    return f"{event['asset']} {' '.join(sides)} -> {' '.join(left)}"


async def test_every_kind_of_event_has_its_type(api: WalletApi):
    bank, ann, bob = api.bank, await api.person("ann", "10"), await api.person("bob", "5")
    sent = await bank.transfers.transfer(bank.wish(owner(ann), owner(bob), "1"))
    await bank.transfers.transfer(bank.wish(owner(bob), owner(ann), "2"))
    fee = await post(bank, ledger.fee(owner(ann), USDT, Decimal("0.5"), at=NOW))
    await post(
        bank,
        ledger.adjustment(
            owner(ann), USDT, Decimal("-0.25"), by=owner(bob), source="proposal:1", at=NOW
        ),
    )
    await post(bank, ledger.reversal(fee, at=NOW))
    holds = [
        await bank.holds.reserve(owner(ann), USDT, Decimal(3), reason="order") for _ in range(2)
    ]
    due = await bank.holds.reserve(owner(ann), USDT, Decimal(1), reason="order", expires_at=NOW)
    assert isinstance(due, Hold)
    ids = [each.id for each in holds if isinstance(each, Hold)]
    await bank.holds.post(ids[0], to=available(owner(bob), USDT), amount=Decimal(2))
    await bank.holds.void(ids[1])
    assert await bank.holds.expire_due() == 1
    async with bank.works.begin() as work:
        for kind in ("wallet.frozen", "wallet.unfrozen", "wallet.melted"):
            work.events.append(NewEvent(stream_of_user(owner(ann)), kind, {"asset": "USDT"}))

    told = await money_of(api, ann)

    assert [(event["__typename"], amounts(event)) for event in told[:-1]] == [
        ("WalletDepositedEvent", "USDT 10 0 -> 10 ."),
        ("WalletTransferSentEvent", "USDT -1 0 -> 9 ."),
        ("WalletTransferReceivedEvent", "USDT 2 0 -> 11 ."),
        ("WalletFeeChargedEvent", "USDT -0.5 0 -> 10.5 ."),
        ("WalletAdjustedEvent", "USDT -0.25 0 -> 10.25 ."),
        ("WalletReversedEvent", "USDT 0.5 0 -> 10.75 ."),
        ("WalletHoldPlacedEvent", "USDT -3 3 -> 7.75 3"),
        ("WalletHoldPlacedEvent", "USDT -3 3 -> 4.75 6"),
        ("WalletHoldPlacedEvent", "USDT -1 1 -> 3.75 7"),
        ("WalletHoldPostedEvent", "USDT 1 -3 -> 4.75 4"),
        ("WalletHoldVoidedEvent", "USDT 3 -3 -> 7.75 1"),
        ("WalletHoldExpiredEvent", "USDT 1 -1 -> 8.75 0"),
        ("WalletFrozenEvent", "USDT 0 0 -> . ."),
        ("WalletUnfrozenEvent", "USDT 0 0 -> . ."),
    ]
    assert told[-1] == {"__typename": "OtherEvent", "type": "wallet.melted"}
    assert told[1]["entryId"] == encode_id("Entry", sent.entry_id)  # type: ignore[union-attr]
    assert [event["entryId"] for event in told[-3:-1]] == [None, None]
    assert [event["holdId"] for event in told if "holdId" in event] == [
        encode_id("Hold", each) for each in (*ids, due.id, *ids, due.id)
    ]


async def test_the_other_side_is_told_its_own_half(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")
    await api.bank.transfers.transfer(api.bank.wish(owner(ann), owner(bob), "4"))

    (received,) = await money_of(api, bob)

    assert (received["__typename"], amounts(received)) == (
        "WalletTransferReceivedEvent", "USDT 4 0 -> 4 .",
    )  # fmt: skip


async def test_a_wallet_is_followed_from_what_it_is_now(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")
    source = await api.follow(FOLLOWED, ann)
    async with aclosing(source), asyncio.TaskGroup() as tasks:
        told = tasks.create_task(take(source, 3))
        await api.bell.followed.wait()
        await api.bank.transfers.transfer(api.bank.wish(owner(ann), owner(bob), "4"))
        await api.bank.holds.reserve(owner(ann), USDT, Decimal(1), reason="order")
        api.bell.ring()

    shown = told.result()
    assert [(each["available"], each["held"], each["total"]) for each in shown] == [
        ("10", "0", "10"), ("6", "0", "6"), ("5", "1", "6"),
    ]  # fmt: skip
    listed = (await api.data("{ viewer { wallets { id } } }", ann))["viewer"]["wallets"]
    assert [{"id": each["id"]} for each in shown] == listed * 3
    assert {(each["frozen"], each["stale"]) for each in shown} == {(False, False)}


async def test_a_followed_wallet_can_be_valued(api: WalletApi):
    ann = await api.person("ann", "10")
    query = "subscription { balanceUpdated { asset value { amount currency } } }"

    source = await api.follow(query, ann)
    async with aclosing(source):
        (shown,) = await take(source, 1)

    assert shown["value"] == {"amount": "10.000000", "currency": "USDT"}


async def first_error(api: WalletApi, viewer: Viewer, **given: Any) -> Any:
    source = await api.follow(FOLLOWED, viewer, **given)
    async with aclosing(source):
        (result,) = [result async for result in source]
    (error,) = result.errors
    return error.extensions["code"], error.extensions.get("argument")


async def test_who_may_follow_and_what(api: WalletApi):
    ann = await api.person("ann", "10")

    assert await first_error(api, ANONYMOUS) == ("UNAUTHENTICATED", None)
    assert await first_error(api, ann, asset="NOPE") == ("UNKNOWN_ASSET", "asset")


async def inbox(api: WalletApi, viewer: Viewer) -> list[tuple[str, str, str]]:
    await api.book.inbox_consumer.consume(await api.book.told(viewer.user_id))
    query = "{ viewer { notifications { edges { node { topic title body } } } } }"
    edges = (await api.data(query, viewer))["viewer"]["notifications"]["edges"]
    return sorted(tuple(edge["node"].values()) for edge in edges)


async def test_money_that_comes_is_news_and_money_that_goes_is_not(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob")
    await api.bank.transfers.transfer(api.bank.wish(owner(ann), owner(bob), "4.25"))

    assert await inbox(api, ann) == [("WALLET", "Money arrived", "10 USDT came to your wallet.")]
    assert await inbox(api, bob) == [
        ("WALLET", "Money received", "Somebody sent you 4.25 USDT. It is in your wallet.")
    ]
    await api.book.account.update_settings(bob, SettingsChange(locale=Locale.RU))
    assert await inbox(api, bob) == [
        ("WALLET", "Вам перевели деньги", "Вам перевели 4.25 USDT. Они уже на кошельке.")
    ]


async def test_who_does_not_want_to_hear_of_money_hears_of_a_frozen_wallet_all_the_same(
    api: WalletApi,
):
    ann = await api.person("ann")
    off = ChannelChoice(Topic.WALLET, Channel.INBOX, on=False)
    await api.book.account.update_settings(ann, SettingsChange(notifications=(off,)))
    await api.bank.give(owner(ann), "10")
    async with api.bank.works.begin() as work:
        work.events.append(NewEvent(stream_of_user(owner(ann)), "wallet.frozen", {"asset": "USDT"}))

    ((topic, title, body),) = await inbox(api, ann)

    assert (topic, title) == ("SECURITY", "Wallet frozen")
    assert body.startswith("Nothing can leave your USDT wallet until")
