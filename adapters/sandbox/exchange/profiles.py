"""How each coin behaves: level, volatility, basis, volume, open interest, size at the touch.

BTC and SOL are read off the real recording of 2026-08-09 (Bybit v5 public tickers): index price, 24
h range divided by 1.6 (the expected range of a Brownian path in its own standard deviation),
volume24h, openInterest, fundingRate, bid1Size; the linear price stood 360 ppm below its index, spot
42 ppm above; the spread was one tick throughout. All else is invented, to be plausible beside
those: the recording holds no tickers of the other coins and no spot SOL.
"""

from dataclasses import dataclass
from decimal import Decimal

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


# All invented: base, price, daily volatility in ppm, coins a day and coins at the touch (linear),
# funding rate in units of 10^-8.
_INVENTED = """
AAVE 92.41   14000 450000    180    5600
ADA  0.2513  14000 180000000 90000  5200
ALGO 0.10432 15000 150000000 75000  3400
APT  0.9217  17000 22000000  9000   -900
ATOM 1.8734  13500 9000000   3600   4700
AVAX 9.412   15000 6400000   2500   4100
BNB  598.3   8000  200000    45     3000
CRV  0.2186  18000 70000000  32000  6100
ENA  0.09873 22000 320000000 140000 -2600
FIL  0.8936  16000 18000000  7500   1900
HYPE 38.417  17500 9500000   2200   9400
LINK 8.437   14500 7000000   2800   6800
LTC  53.21   11000 750000    300    8800
NEAR 1.8342  17000 25000000  9000   -1500
ONDO 0.2643  17000 70000000  30000  2200
OP   0.12438 18500 110000000 50000  -1700
SEI  0.06172 19000 160000000 80000  1200
TRX  0.31245 6000  110000000 70000  10000
UNI  3.471   16500 5800000   4000   2500
WIF  0.18423 26000 80000000  60000  -4200
XLM  0.16872 13500 120000000 90000  7700
"""
# Spot's share beside linear, as recorded for BTC.
_SPOT_SHARE = 6


def _invented(row: str) -> tuple[str, Profile]:
    base, price, volatility, volume, touch, funding = row.split()
    spot_touch = str(max(1, int(touch) // _SPOT_SHARE))
    return base, Profile(
        price_nano=int(Decimal(price) * NANO),
        daily_volatility_ppm=int(volatility),
        open_interest=int(volume) * 4 // 5,
        funding_rate_e8=int(funding),
        linear=MarketProfile(-370, int(volume), touch, 0.05, touch, DENSE),
        spot=MarketProfile(42, int(volume) // _SPOT_SHARE, spot_touch, 0.02, spot_touch, DENSE),
    )


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
    **dict(_invented(row) for row in _INVENTED.strip().splitlines()),
}
