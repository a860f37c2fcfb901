"""What wallets can hold, and what an unverified person may send of it: the recorded market's coins.

A row is an asset's whole definition. Names and chains are as the venue calls them (Bybit v5
asset/coin/query-info: "chain", "chainType", "minAccuracy", "confirmation", "depositMin"); its
answer was recorded for one coin only, so digits, confirmations and least deposits are what is
usual on those chains, to be replaced by the venue's own once deposits ask for them. The scale of
our books is that of the finest chain and at least 8, as the venue's own books have; it is fixed for
ever when an asset is first added. Limits are about 5,000, 10,000 and 50,000 USDT's worth at the
recorded prices.
"""

from decimal import Decimal

from domain.kernel.ids import AssetCode
from domain.wallets.limits import Allowance
from domain.wallets.model import Asset, Network
from domain.wallets.ports import Assets

_SCALE_MIN = 8
_PER_DAY, _PER_MONTH = 2, 10

# Code, what may be sent with one transfer, name.
_ASSETS = """
AAVE 50     Aave
ADA  20000  Cardano
ALGO 50000  Algorand
APT  5000   Aptos
ATOM 2500   Cosmos
AVAX 500    Avalanche
BNB  8      BNB
BTC  0.1    Bitcoin
CRV  20000  Curve
DOGE 50000  Dogecoin
ENA  50000  Ethena
ETH  2.5    Ethereum
FIL  5000   Filecoin
HYPE 120    Hyperliquid
LINK 600    Chainlink
LTC  100    Litecoin
NEAR 2500   NEAR Protocol
ONDO 20000  Ondo
OP   40000  Optimism
SEI  80000  Sei
SOL  60     Solana
TRX  16000  TRON
UNI  1400   Uniswap
USDT 5000   Tether
WIF  25000  dogwifhat
XLM  30000  Stellar
XRP  3500   XRP
"""

# Asset, the chain's code, its digits, confirmations, least deposit, "memo" where it takes one,
# its name.
_NETWORKS = """
AAVE ETH    18 6   0.01   -    Ethereum
ADA  ADA    6  15  1      -    Cardano
ALGO ALGO   6  1   1      -    Algorand
APT  APT    8  1   0.1    -    Aptos
ATOM ATOM   6  1   0.1    memo Cosmos Hub
AVAX CAVAX  18 12  0.01   -    Avalanche C-Chain
BNB  BSC    18 15  0.001  -    BNB Smart Chain
BTC  BTC    8  2   0.0001 -    Bitcoin
CRV  ETH    18 6   1      -    Ethereum
DOGE DOGE   8  20  1      -    Dogecoin
ENA  ETH    18 6   1      -    Ethereum
ETH  ETH    18 6   0.001  -    Ethereum
ETH  ARBI   18 12  0.001  -    Arbitrum One
FIL  FIL    18 15  0.1    -    Filecoin
HYPE HYPE   8  1   0.01   -    Hyperliquid
LINK ETH    18 6   0.1    -    Ethereum
LTC  LTC    8  6   0.01   -    Litecoin
NEAR NEAR   18 5   0.1    -    NEAR Protocol
ONDO ETH    18 6   1      -    Ethereum
OP   OP     18 12  1      -    Optimism
SEI  SEI    6  1   1      -    Sei
SOL  SOL    9  1   0.01   -    Solana
TRX  TRX    6  20  1      -    TRON
UNI  ETH    18 6   0.1    -    Ethereum
USDT TRX    6  20  1      -    TRON
USDT ETH    6  6   1      -    Ethereum
USDT SOL    6  1   1      -    Solana
WIF  SOL    6  1   1      -    Solana
XLM  XLM    7  1   1      memo Stellar
XRP  XRP    6  1   1      memo XRP Ledger
"""


def _networks(code: str) -> tuple[Network, ...]:
    found = []
    for row in _NETWORKS.strip().splitlines():
        asset, chain, scale, confirmations, least, memo, name = row.split(maxsplit=6)
        if asset == code:
            network = Network(
                code=chain,
                name=name,
                scale=int(scale),
                confirmations=int(confirmations),
                min_deposit=Decimal(least),
                memo=memo == "memo",
            )
            found.append(network)
    return tuple(found)


def _asset(row: str) -> tuple[Asset, Allowance]:
    code, once, name = row.split(maxsplit=2)
    networks = _networks(code)
    scale = max(_SCALE_MIN, *(network.scale for network in networks))
    per_transfer = Decimal(once)
    allowance = Allowance(per_transfer, per_transfer * _PER_DAY, per_transfer * _PER_MONTH)
    return Asset(AssetCode(code), name, scale, networks), allowance


_LISTED = [_asset(row) for row in _ASSETS.strip().splitlines()]
LISTED_ASSETS = tuple(asset for asset, _ in _LISTED)
ALLOWANCES = {asset.code: allowance for asset, allowance in _LISTED}


async def list_assets(assets: Assets) -> None:
    """Add what is missing, rename what is called otherwise; whatever is right is left alone.

    Any number of processes may. Raises Unavailable, TimedOut, Conflict.
    """
    known = {asset.code: asset for asset in await assets.all()}
    for asset in LISTED_ASSETS:
        there = known.get(asset.code)
        if there is None or (there.name, there.networks) != (asset.name, asset.networks):
            await assets.add(asset)
