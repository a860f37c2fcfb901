"""A process as Bybit v5 tickers: the stream's data, the REST row, and what changed.

Keys, their order and the number of decimals of each are those of the recorded public stream
(linear: fixed to the price scale, spot: no trailing zeros) and of the vendor's example of
market/tickers.
"""

from adapters.sandbox.exchange.instruments import Instrument
from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.wire import fixed, plain, ratio, rescaled

HOUR_MS = 3_600_000
NANO_DECIMALS = 9
# USDT stood 711 ppm below the dollar in the recording: usdIndexPrice against the USDT index.
DOLLAR_PPM = 999_289

# What travels together: one changed member brings its partners (recorded: never a price without its
# size).
_PAIRS = {
    "bid1Price": "bid1Size",
    "ask1Price": "ask1Size",
    "turnover24h": "volume24h",
    "openInterestValue": "singleOpenInterestValue",
    "openInterest": "singleOpenInterest",
    "lastPrice": "price24hPcnt",
}
_PARTNERS = _PAIRS | {second: first for first, second in _PAIRS.items()}

# The order of keys in a delta differs from the snapshot's: single open interest comes last.
_DELTA_LAST = ("singleOpenInterest", "singleOpenInterestValue")

_LINEAR_ROW = (
    "symbol",
    "lastPrice",
    "indexPrice",
    "markPrice",
    "prevPrice24h",
    "price24hPcnt",
    "highPrice24h",
    "lowPrice24h",
    "prevPrice1h",
    "openInterest",
    "openInterestValue",
    "turnover24h",
    "volume24h",
    "fundingRate",
    "nextFundingTime",
    "predictedDeliveryPrice",
    "basisRate",
    "deliveryFeeRate",
    "deliveryTime",
    "ask1Size",
    "bid1Price",
    "ask1Price",
    "bid1Size",
    "basis",
    "preOpenPrice",
    "preQty",
    "curPreListingPhase",
    "fundingIntervalHour",
    "basisRateYear",
    "fundingCap",
)
_SPOT_ROW = (
    "symbol",
    "bid1Price",
    "bid1Size",
    "ask1Price",
    "ask1Size",
    "lastPrice",
    "prevPrice24h",
    "price24hPcnt",
    "highPrice24h",
    "lowPrice24h",
    "turnover24h",
    "volume24h",
    "usdIndexPrice",
)


def next_funding_ms(now_ms: int, interval_hours: int) -> int:
    """The next funding is at a multiple of the interval since the epoch (00, 08, 16 h UTC)."""
    interval = interval_hours * HOUR_MS
    return (now_ms // interval + 1) * interval


def linear_data(process: InstrumentProcess, now_ms: int) -> dict[str, str]:
    instrument, day = process.instrument, process.day
    scale, lot_decimals = instrument.price_decimals, instrument.lot_decimals

    def price(ticks: int) -> str:
        return fixed(ticks * instrument.tick_units, scale)

    def size(lots: int) -> str:
        return fixed(lots * instrument.lot_units, lot_decimals)

    open_interest = process.open_interest_lots
    single = (open_interest + 1) // 2
    mark = rescaled(process.mark_nano, NANO_DECIMALS, scale)
    index = rescaled(process.index_nano, NANO_DECIMALS, scale)
    return {
        "symbol": instrument.symbol,
        "tickDirection": process.tick_direction,
        "price24hPcnt": _percent(process, 6),
        "lastPrice": price(process.last),
        "prevPrice24h": price(day.price_day_ago),
        "highPrice24h": price(day.high),
        "lowPrice24h": price(day.low),
        "prevPrice1h": price(day.price_hour_ago),
        "markPrice": fixed(mark, scale),
        "indexPrice": fixed(index, scale),
        "openInterest": plain(open_interest * instrument.lot_units, lot_decimals),
        "openInterestValue": _value(instrument, open_interest, mark),
        "turnover24h": fixed(rescaled(_turnover(process), scale + lot_decimals, 4), 4),
        "volume24h": fixed(rescaled(day.lots * instrument.lot_units, lot_decimals, 4), 4),
        "fundingIntervalHour": str(instrument.funding_interval_hours),
        "fundingCap": instrument.funding_cap,
        "singleOpenInterest": plain(single * instrument.lot_units, lot_decimals),
        "singleOpenInterestValue": _value(instrument, single, mark),
        "nextFundingTime": str(next_funding_ms(now_ms, instrument.funding_interval_hours)),
        "fundingRate": plain(process.funding_rate_e8, 8),
        "bid1Price": price(process.bid),
        "bid1Size": size(process.bid_lots),
        "ask1Price": price(process.ask),
        "ask1Size": size(process.ask_lots),
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def spot_data(process: InstrumentProcess) -> dict[str, str]:
    instrument, day = process.instrument, process.day
    scale, lot_decimals = instrument.price_decimals, instrument.lot_decimals

    def price(ticks: int) -> str:
        return plain(ticks * instrument.tick_units, scale)

    dollars = process.index_nano * DOLLAR_PPM // 1_000_000
    return {
        "symbol": instrument.symbol,
        "lastPrice": price(process.last),
        "highPrice24h": price(day.high),
        "lowPrice24h": price(day.low),
        "prevPrice24h": price(day.price_day_ago),
        "volume24h": plain(day.lots * instrument.lot_units, lot_decimals),
        "turnover24h": plain(_turnover(process), scale + lot_decimals),
        "price24hPcnt": _percent(process, 4),
        "usdIndexPrice": plain(rescaled(dollars, NANO_DECIMALS, 6), 6),
    }


def touch(process: InstrumentProcess) -> tuple[tuple[str, str], tuple[str, str]]:
    """Best bid and best ask as (price, size), written as the category writes them."""
    instrument = process.instrument
    write = fixed if instrument.category == "linear" else plain
    scale, lot_decimals = instrument.price_decimals, instrument.lot_decimals
    bid, ask = (
        (
            write(ticks * instrument.tick_units, scale),
            write(lots * instrument.lot_units, lot_decimals),
        )
        for ticks, lots in ((process.bid, process.bid_lots), (process.ask, process.ask_lots))
    )
    return bid, ask


def delta(before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    """What a linear delta carries: the symbol (alone when nothing changed) and the changed keys."""
    changed = {key for key, value in after.items() if before.get(key) != value}
    changed |= {_PARTNERS[key] for key in changed & _PARTNERS.keys()}
    ordered = [key for key in after if key in changed and key not in _DELTA_LAST]
    ordered += [key for key in _DELTA_LAST if key in changed]
    return {"symbol": after["symbol"]} | {key: after[key] for key in ordered}


def linear_row(data: dict[str, str]) -> dict[str, str]:
    """The REST row: the same values in the other order, with the keys only dated contracts fill."""
    return {key: "0" if key == "deliveryTime" else data.get(key, "") for key in _LINEAR_ROW}


def spot_row(data: dict[str, str], bid: tuple[str, str], ask: tuple[str, str]) -> dict[str, str]:
    quotes = {"bid1Price": bid[0], "bid1Size": bid[1], "ask1Price": ask[0], "ask1Size": ask[1]}
    return {key: quotes.get(key) or data.get(key, "") for key in _SPOT_ROW}


def _percent(process: InstrumentProcess, decimals: int) -> str:
    day_ago = process.day.price_day_ago
    return plain(ratio(process.last - day_ago, day_ago, decimals), decimals)


def _turnover(process: InstrumentProcess) -> int:
    instrument = process.instrument
    return process.day.tick_lots * instrument.tick_units * instrument.lot_units


def _value(instrument: Instrument, lots: int, mark: int) -> str:
    decimals = instrument.price_decimals + instrument.lot_decimals
    return fixed(rescaled(lots * instrument.lot_units * mark, decimals, 2), 2)
