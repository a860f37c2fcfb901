"""Assets: few, read by every command, and their scales never change, so they are remembered."""

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

    async def asset(self, code: str) -> Asset | None:
        if self._older_than(_UNKNOWN_SECONDS if code not in self._known else _REMEMBERED_SECONDS):
            await self._look()
        return self._known.get(code)

    async def all(self) -> Sequence[Asset]:
        if self._older_than(_REMEMBERED_SECONDS):
            await self._look()
        return list(self._known.values())

    def _older_than(self, seconds: float) -> bool:
        return self._clock.monotonic() - self._looked_at > seconds

    async def _look(self) -> None:
        async with self._database.read() as session:
            rows = (await session.exec(select(AssetRow).order_by(col(AssetRow.code)))).all()
        assets = [asset_of(row) for row in rows]
        self._known = {asset.code: asset for asset in assets}
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
