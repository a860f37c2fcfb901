"""What wallets can hold, for whoever asks."""

from collections.abc import Sequence

from domain.wallets.errors import UnknownAsset
from domain.wallets.model import Asset
from domain.wallets.ports import Assets


class AssetCatalogue:
    """Reads assets."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    async def all(self) -> Sequence[Asset]:
        """In the order of codes. Raises Unavailable, TimedOut."""
        return await self._assets.all()

    async def one(self, code: str) -> Asset | UnknownAsset:
        """Raises Unavailable, TimedOut."""
        found = await self._assets.asset(code)
        return UnknownAsset(code) if found is None else found
