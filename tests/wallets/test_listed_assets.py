"""What wallets can hold: every coin that trades, added once, never counted otherwise."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from adapters.listed_assets import ALLOWANCES, LISTED_ASSETS, list_assets
from adapters.money import limits_of
from adapters.postgres import Database
from adapters.postgres.wallets import PostgresAssets
from adapters.sandbox.exchange.instruments import INSTRUMENTS
from adapters.settings_checks import transfer_limits
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.money import scale_of
from domain.wallets.limits import Allowance
from tests.users.doubles import SetClock
from tests.wallets.api import counted

ANYBODY = UserId(new_uuid7())


@dataclass
class Told:
    """Settings."""

    transfer_limits: str


def test_every_coin_that_trades_is_listed():
    coins = {instrument.base for instrument in INSTRUMENTS} | {"USDT"}

    assert {asset.code for asset in LISTED_ASSETS} == coins


def test_books_are_as_fine_as_the_finest_chain():
    for asset in LISTED_ASSETS:
        assert asset.networks
        assert 8 <= asset.scale <= 18
        assert all(network.scale <= asset.scale for network in asset.networks)
        assert all(scale_of(each.min_deposit) <= each.scale for each in asset.networks)
        codes = [network.code for network in asset.networks]
        assert len(codes) == len(set(codes))


def test_every_asset_has_limits_that_grow():
    assert ALLOWANCES.keys() == {asset.code for asset in LISTED_ASSETS}
    for allowed in ALLOWANCES.values():
        once, day, month = allowed.per_transfer, allowed.per_day, allowed.per_month
        assert once is not None
        assert day is not None
        assert month is not None
        assert 0 < once <= day <= month


async def test_listing_again_changes_nothing_and_a_scale_stays(database: Database):
    clock = SetClock()
    assets = PostgresAssets(database, clock=clock)
    old = replace(LISTED_ASSETS[0], scale=3, name="Old")
    await assets.add(old)

    await list_assets(assets)
    once = await assets.all()
    await list_assets(PostgresAssets(database, clock=clock))

    assert await PostgresAssets(database, clock=clock).all() == once
    assert [asset.code for asset in once] == sorted(asset.code for asset in LISTED_ASSETS)
    assert once[0] == replace(LISTED_ASSETS[0], scale=3)
    assert once[1:] == list(LISTED_ASSETS[1:])


async def test_many_who_ask_at_once_are_one_look(database: Database):
    assets = PostgresAssets(database, clock=SetClock())
    await list_assets(assets)

    with counted(database) as statements:
        found = await asyncio.gather(*(assets.asset("USDT") for _ in range(50)))

    assert {asset.code for asset in found if asset} == {"USDT"}
    assert len([each for each in statements if "asset" in each]) == 1


async def test_made_up_codes_are_a_look_a_second(database: Database):
    clock = SetClock()
    assets = PostgresAssets(database, clock=clock)
    assert await assets.asset("NOPE") is None

    with counted(database) as statements:
        assert [await assets.asset(f"NOPE{n}") for n in range(9)] == [None] * 9
        assert [each for each in statements if "asset" in each] == []
        await list_assets(PostgresAssets(database, clock=clock))
        clock.move(seconds=1.5)
        assert await assets.asset("USDT") is not None


def test_an_operator_sets_limits():
    found = transfer_limits("USDT=1/2.5/3 BTC=0.1/0.1/0.1")

    assert found == {
        "USDT": (Decimal(1), Decimal("2.5"), Decimal(3)),
        "BTC": (Decimal("0.1"), Decimal("0.1"), Decimal("0.1")),
    }
    assert transfer_limits("") == {}


@pytest.mark.parametrize(
    "text", ["USDT", "USDT=1", "USDT=1/2", "usdt=1/2/3", "USDT=3/2/1", "USDT=1/2/x", "USDT=-1/2/3",
             "USDT=1/2/3,BTC=1/2/3", "USDT=1e3/1e4/1e5", "USDT=./././"],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(text: str):
    with pytest.raises(ValueError, match=r"is not a list such as|has no lower limit"):
        transfer_limits(text)


async def test_what_is_not_set_keeps_its_limits():
    limits = limits_of(Told("USDT=1/2/3"))  # type: ignore[arg-type]  # all that is read

    chosen = await limits.allowance(ANYBODY, LISTED_ASSETS[0].code)
    assert chosen == ALLOWANCES[LISTED_ASSETS[0].code]
    usdt = next(asset.code for asset in LISTED_ASSETS if asset.code == "USDT")
    assert await limits.allowance(ANYBODY, usdt) == Allowance(Decimal(1), Decimal(2), Decimal(3))
