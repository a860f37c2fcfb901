"""Assets: few, read by every command, and their scales never change, so they are remembered."""

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from adapters.postgres.engine import Database
from adapters.postgres.tables.wallets import AssetRow
from adapters.postgres.wallets.rows import asset_of, network_columns
from domain.kernel.clock import Clock
from domain.wallets.model import Asset

_REMEMBERED_SECONDS = 60.0
# What is asked for and unknown may have been added since; whoever makes codes up costs one look.
_UNKNOWN_SECONDS = 1.0


class PostgresAssets:
    """Implements domain.wallets.ports.Assets."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: Mapping[str, Asset] = {}
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def asset(self, code: str) -> Asset | None:
        await self._look(_UNKNOWN_SECONDS if code not in self._known else _REMEMBERED_SECONDS)
        return self._known.get(code)

    async def all(self) -> Sequence[Asset]:
        await self._look(_REMEMBERED_SECONDS)
        return list(self._known.values())

    def _older_than(self, seconds: float) -> bool:
        return self._clock.monotonic() - self._looked_at > seconds

    async def _look(self, seconds: float) -> None:
        """Read all of them, unless that was done less than ``seconds`` ago."""
        if not self._older_than(seconds):
            return
        # One look for everybody who comes meanwhile, not one each.
        async with self._looking:
            if not self._older_than(seconds):
                return
            async with self._database.read() as session:
                rows = (await session.exec(select(AssetRow).order_by(col(AssetRow.code)))).all()
            self._known = {row.code: asset_of(row) for row in rows}
            self._looked_at = self._clock.monotonic()

    async def add(self, asset: Asset) -> None:
        networks = [network_columns(network) for network in asset.networks]
        added = insert(AssetRow).values(
            code=asset.code, name=asset.name, scale=asset.scale, networks=networks
        )
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            await connection.execute(
                added.on_conflict_do_update(
                    index_elements=["code"], set_={"name": asset.name, "networks": networks}
                )
            )
        self._looked_at = float("-inf")
