"""What is listed: 26 coins against USDT, linear and spot, with Bybit's own tick and lot sizes.

Facts read off the recorded answers of Bybit v5 market/instruments-info of 2026-08-09 (both
categories). A row here is the whole definition of an instrument; adding one is adding a line to
each table and a profile in `profiles.py`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Category(StrEnum):
    LINEAR = "linear"
    SPOT = "spot"


@dataclass(frozen=True, slots=True)
class Instrument:
    """The common part: how prices and sizes are counted and written."""

    category: Category
    symbol_id: int
    symbol: str
    base: str
    tick: Decimal
    lot: Decimal
    price_decimals: int
    info: dict[str, Any]  # the row of instruments-info, in the recorded order of keys

    @property
    def lot_decimals(self) -> int:
        return _decimals(self.lot)

    @property
    def tick_units(self) -> int:
        """One tick in units of 10^-price_decimals."""
        return int(self.tick.scaleb(self.price_decimals))

    @property
    def lot_units(self) -> int:
        """One lot in units of 10^-lot_decimals."""
        return int(self.lot.scaleb(self.lot_decimals))

    @property
    def funding_interval_hours(self) -> int:
        """Hours between fundings; 8 for spot too, where nobody asks."""
        return int(self.info.get("fundingInterval", 480)) // 60

    @property
    def funding_cap(self) -> str:
        return str(self.info.get("upperFundingRate", "0"))


def _decimals(step: Decimal) -> int:
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


# symbolId, base, launchTime, priceScale, maxLeverage, minPrice, maxPrice, tickSize, maxOrderQty,
# qtyStep (also the minimum), maxMktOrderQty, upperFundingRate, fundingInterval in hours,
# priceLimitRatioX, priceLimitRatioY
_LINEAR = """
32  AAVE 1620897660000 2 75  0.01    199999.98  0.01    1200.00   0.01  460.00    0.0058 8 0.05 0.1
27  ADA  1610668800000 4 75  0.0001  1999.9998  0.0001  1500000   1     590000    0.0058 8 0.05 0.1
66  ALGO 1632355200000 5 50  0.00001 199.99998  0.00001 800000.0  0.1   160000.0  0.01   8 0.05 0.1
252 APT  1666107272000 4 50  0.0001  1999.9998  0.0001  800000.00 0.01  160000.00 0.01   8 0.05 0.1
51  ATOM 1633910400000 4 75  0.0001  1999.9998  0.0001  139180.0  0.1   22100.0   0.0063 8 0.05 0.1
52  AVAX 1631664000000 3 50  0.001   19999.998  0.001   110000.0  0.1   22000.0   0.01   8 0.02 0.1
36  BNB  1624951080000 2 50  0.10    1999999.80 0.10    940.00    0.01  370.00    0.01   8 0.05 0.1
5   BTC  1584230400000 2 100 0.10    1999999.80 0.10    1500.000  0.001 150.000   0.005  8 0.01 0.02
54  CRV  1635120000000 4 75  0.0001  1999.9998  0.0001  1198590.0 0.1   196620.0  0.0063 8 0.05 0.1
33  DOGE 1622630640000 5 75  0.00001 199.99998  0.00001 43678900  1     5991100   0.0058 8 0.05 0.1
466 ENA  1712050966000 5 50  0.00001 199.99998  0.00001 3500000   1     700000    0.01   4 0.1  0.2
6   ETH  1615766400000 2 100 0.01    199999.98  0.01    10000.00  0.01  2000.00   0.005  8 0.02 0.04
37  FIL  1624950900000 4 25  0.0001  1999.9998  0.0001  295750.0  0.1   60730.0   0.02   8 0.05 0.1
654 HYPE 1733316740000 3 75  0.001   19999.998  0.001   73500.00  0.01  14700.00  0.0063 8 0.05 0.1
26  LINK 1514764800000 3 50  0.001   19999.998  0.001   41000.0   0.1   15000.0   0.01   8 0.05 0.1
24  LTC  1514764800000 2 50  0.01    199999.98  0.01    8800.0    0.1   3000.0    0.01   8 0.05 0.1
68  NEAR 1633910400000 4 50  0.0001  1999.9998  0.0001  469060.0  0.1   66470.0   0.01   8 0.05 0.1
424 ONDO 1705919392000 4 50  0.0001  1999.9998  0.0001  4500000   1     900000    0.008  4 0.05 0.1
212 OP   1654059063000 5 50  0.00001 199.99998  0.00001 1080000.0 0.1   540000.0  0.01   8 0.05 0.1
349 SEI  1692156527000 5 50  0.00001 199.99998  0.00001 5000000   1     1000000   0.01   8 0.1  0.2
38  SOL  1634256000000 3 100 0.010   199999.980 0.010   96000.0   0.1   12000.0   0.005  8 0.05 0.1
40  TRX  1628726400000 5 75  0.00001 199.99998  0.00001 1500000   1     460000    0.0058 8 0.05 0.1
29  UNI  1638230400000 3 50  0.001   19999.998  0.001   32000.0   0.1   11000.0   0.01   8 0.05 0.1
418 WIF  1704965504000 5 50  0.00001 199.99998  0.00001 1500000   1     300000    0.01   4 0.05 0.1
39  XLM  1628726400000 5 50  0.00001 199.99998  0.00001 730000    1     260000    0.01   8 0.05 0.1
8   XRP  1620898440000 4 100 0.0001  1999.9998  0.0001  7500000.0 0.1   1500000.0 0.005  8 0.05 0.1
"""

# symbolId, base, basePrecision (also the minimum), quotePrecision, maxOrderQty, maxOrderAmt,
# maxMarketOrderQty, postOnlyMaxLimitOrderSize, tickSize, priceLimitRatioX, priceLimitRatioY
_SPOT = """
9    BTC  0.000001 0.0000001 230      8000000 120     1150     0.1     0.005 0.01
10   ETH  0.00001  0.0000001 8118     7000000 2706    40590    0.01    0.005 0.01
11   XRP  0.01     0.000001  1200000  4000000 620000  6000000  0.0001  0.005 0.01
16   XLM  0.1      0.00001   1546200  2000000 773100  7731000  0.0001  0.015 0.03
17   LTC  0.00001  0.0000001 10000    600000  5200    50000    0.01    0.015 0.03
18   DOGE 0.1      0.000001  14000000 4000000 6800000 70000000 0.00001 0.005 0.01
26   AAVE 0.0001   0.000001  3700     600000  1800    18500    0.01    0.015 0.03
28   LINK 0.001    0.000001  240000   2500000 48000   1200000  0.001   0.015 0.03
30   UNI  0.01     0.00001   220000   1500000 45000   1100000  0.001   0.015 0.03
33   ADA  0.01     0.000001  7600000  4000000 1500000 38000000 0.0001  0.015 0.03
42   SOL  0.0001   0.000001  26000    5000000 13000   130000   0.01    0.005 0.01
43   FIL  0.01     0.000001  470000   1000000 93000   2350000  0.0001  0.015 0.03
48   CRV  0.1      0.00001   1500000  600000  290000  7500000  0.0001  0.015 0.03
60   ATOM 0.01     0.00001   120000   600000  25000   600000   0.001   0.015 0.03
61   ALGO 0.1      0.000001  2391900  1000000 797300  11959500 0.00001 0.015 0.03
65   AVAX 0.001    0.000001  140000   3000000 27000   700000   0.001   0.015 0.03
189  TRX  0.01     0.000001  1625000  3000000 812500  8125000  0.0001  0.015 0.03
200  BNB  0.0001   0.00001   2200     4000000 1100    11000    0.1     0.005 0.01
201  NEAR 0.01     0.00001   670000   600000  130000  3350000  0.001   0.015 0.03
251  OP   0.01     0.000001  3800000  600000  750000  19000000 0.0001  0.015 0.03
378  APT  0.01     0.000001  173600   600000  86800   868000   0.0001  0.015 0.03
476  SEI  0.01     0.0000001 3100000  600000  620000  15500000 0.00001 0.015 0.03
548  ONDO 0.01     0.000001  2200000  200000  440000  11000000 0.0001  0.015 0.03
610  ENA  0.1      0.000001  5376000  600000  2688000 26880000 0.00001 0.015 0.03
634  WIF  0.01     0.000001  625200   200000  208400  3126000  0.0001  0.015 0.03
1026 HYPE 0.001    0.00001   22143    200000  7381    110715   0.01    0.015 0.03
"""


def _linear(row: str) -> Instrument:
    identity, base, launch, scale, leverage, low, high, tick, most, step, market, *rest = (
        row.split()
    )
    cap, funding_hours, x, y = rest
    return Instrument(
        category=Category.LINEAR,
        symbol_id=int(identity),
        symbol=f"{base}USDT",
        base=base,
        tick=Decimal(tick),
        lot=Decimal(step),
        price_decimals=int(scale),
        info={
            "symbol": f"{base}USDT",
            "contractType": "LinearPerpetual",
            "status": "Trading",
            "baseCoin": base,
            "quoteCoin": "USDT",
            "launchTime": launch,
            "deliveryTime": "0",
            "deliveryFeeRate": "",
            "priceScale": scale,
            "leverageFilter": {
                "minLeverage": "1",
                "maxLeverage": f"{leverage}.00",
                "leverageStep": "0.01",
            },
            "priceFilter": {"minPrice": low, "maxPrice": high, "tickSize": tick},
            "lotSizeFilter": {
                "maxOrderQty": most,
                "minOrderQty": step,
                "qtyStep": step,
                "postOnlyMaxOrderQty": most,
                "maxMktOrderQty": market,
                "minNotionalValue": "5",
            },
            "unifiedMarginTrade": True,
            "fundingInterval": int(funding_hours) * 60,
            "settleCoin": "USDT",
            "copyTrading": "both",
            "upperFundingRate": cap,
            "lowerFundingRate": f"-{cap}",
            "isPreListing": False,
            "preListingInfo": None,
            "riskParameters": {"priceLimitRatioX": x, "priceLimitRatioY": y},
            "displayName": "",
            "symbolType": "",
            "forbidUplWithdrawal": False,
            "symbolId": int(identity),
        },
    )


def _spot(row: str) -> Instrument:
    identity, base, precision, quote_precision, most, amount, market, post_only, tick, x, y = (
        row.split()
    )
    return Instrument(
        category=Category.SPOT,
        symbol_id=int(identity),
        symbol=f"{base}USDT",
        base=base,
        tick=Decimal(tick),
        lot=Decimal(precision),
        price_decimals=_decimals(Decimal(tick)),
        info={
            "symbolId": int(identity),
            "symbol": f"{base}USDT",
            "baseCoin": base,
            "quoteCoin": "USDT",
            "innovation": "0",
            "status": "Trading",
            "marginTrading": "utaOnly",
            "stTag": "0",
            "lotSizeFilter": {
                "basePrecision": precision,
                "quotePrecision": quote_precision,
                "minOrderQty": precision,
                "maxOrderQty": most,
                "minOrderAmt": "5",
                "maxOrderAmt": amount,
                "maxLimitOrderQty": most,
                "maxMarketOrderQty": market,
                "postOnlyMaxLimitOrderSize": post_only,
            },
            "priceFilter": {"tickSize": tick},
            "riskParameters": {"priceLimitRatioX": x, "priceLimitRatioY": y},
            "symbolType": "",
            "xstockMultiplier": "1",
        },
    )


INSTRUMENTS: tuple[Instrument, ...] = (
    # Linear is answered by name, spot by symbolId, as recorded.
    *(_linear(row) for row in _LINEAR.strip().splitlines()),
    *(_spot(row) for row in _SPOT.strip().splitlines()),
)
