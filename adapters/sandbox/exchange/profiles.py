"""How each coin behaves: level, volatility, basis, volume, open interest, size at the touch.

BTC and SOL are read off the real recording of 2026-08-09 (Bybit v5 public tickers): index price, 24
h range divided by 1.6 (the expected range of a Brownian path in its own standard deviation),
volume24h, openInterest, fundingRate, bid1Size; the linear price stood 360 ppm below its index, spot
42 ppm above; the spread was one tick throughout. The recording holds no tickers of ETH, XRP and
DOGE and no spot SOL: their figures are chosen to be plausible beside those.
"""

from dataclasses import dataclass

from adapters.sandbox.exchange.instruments import Category

NANO = 10**9


@dataclass(frozen=True, slots=True)
class BookShape:
    """How a book lies behind its touch and how it moves; `depth.py` says where it was read off."""

    spacing: float  # mean distance of two levels in ticks
    changes_per_step: float  # chance of a change in 100 ms
    levels_per_change: float
    near: float  # 1: changes are spread over all ranks, 3: they are near the touch


SPARSE = BookShape(spacing=1.5, changes_per_step=0.93, levels_per_change=16, near=1)
DENSE = BookShape(spacing=1, changes_per_step=0.9, levels_per_change=7, near=3)
THIN = BookShape(spacing=5, changes_per_step=0.62, levels_per_change=4, near=3)


@dataclass(frozen=True, slots=True)
class MarketProfile:
    """One category's side of a coin; quantities in whole coins."""

    basis_ppm: int
    volume_per_day: int
    size_at_touch: str
    trades_per_step: float
    mean_size: str  # of a level behind the touch
    shape: BookShape


@dataclass(frozen=True, slots=True)
class Profile:
    price_nano: int
    daily_volatility_ppm: int
    open_interest: int
    funding_rate_e8: int
    linear: MarketProfile
    spot: MarketProfile

    def market(self, category: Category) -> MarketProfile:
        return self.linear if category is Category.LINEAR else self.spot


PROFILES: dict[str, Profile] = {
    "BTC": Profile(
        price_nano=65_137_760_000_000,
        daily_volatility_ppm=5_700,
        open_interest=59_891,
        funding_rate_e8=10_000,
        linear=MarketProfile(-360, 17_573, "6", 0.035, "0.55", SPARSE),
        spot=MarketProfile(42, 2_953, "0.9", 0.022, "0.23", THIN),
    ),
    "ETH": Profile(
        price_nano=1_920_400_000_000,
        daily_volatility_ppm=9_000,
        open_interest=1_150_000,
        funding_rate_e8=7_300,
        linear=MarketProfile(-360, 390_000, "120", 0.05, "40", SPARSE),
        spot=MarketProfile(42, 65_000, "18", 0.02, "9", THIN),
    ),
    "SOL": Profile(
        price_nano=77_339_000_000,
        daily_volatility_ppm=15_000,
        open_interest=6_738_053,
        funding_rate_e8=876,
        linear=MarketProfile(-375, 3_615_929, "1350", 0.12, "2000", DENSE),
        spot=MarketProfile(42, 600_000, "220", 0.03, "150", DENSE),
    ),
    "XRP": Profile(
        price_nano=1_352_000_000,
        daily_volatility_ppm=13_000,
        open_interest=182_000_000,
        funding_rate_e8=5_100,
        linear=MarketProfile(-370, 88_000_000, "30000", 0.05, "40000", DENSE),
        spot=MarketProfile(42, 15_000_000, "5000", 0.03, "6000", DENSE),
    ),
    "DOGE": Profile(
        price_nano=95_200_000,
        daily_volatility_ppm=16_000,
        open_interest=1_600_000_000,
        funding_rate_e8=6_400,
        linear=MarketProfile(-370, 900_000_000, "250000", 0.05, "400000", DENSE),
        spot=MarketProfile(42, 150_000_000, "40000", 0.03, "60000", DENSE),
    ),
}
