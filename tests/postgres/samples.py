"""Instruments valid by default."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol
from domain.market import Instrument, InstrumentStatus


def instrument(
    symbol: str = "BTCUSDT",
    category: Category = Category.LINEAR,
    **changes: Any,  # any field of Instrument
) -> Instrument:
    usual = Instrument(
        id=InstrumentId(category, Symbol(symbol)),
        base_asset=AssetCode("BTC"),
        quote_asset=AssetCode("USDT"),
        settle_asset=AssetCode("USDT"),
        status=InstrumentStatus.TRADING,
        tick_size=Decimal("0.10"),
        quantity_step=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal("1190.000"),
        min_notional=Decimal(5),
        max_leverage=Decimal("100.00"),
        funding_interval_minutes=480,
        launched_at=datetime(2020, 3, 15, tzinfo=UTC),
    )
    return replace(usual, **changes)
