"""Fields about the platform itself."""

from collections.abc import AsyncGenerator

from domain.status import SystemStatus
from resolvers.context import Info


async def system_status(info: Info) -> SystemStatus:
    return info.context.services.status.status()


async def system_status_changes(info: Info) -> AsyncGenerator[SystemStatus, None]:
    return info.context.services.status.watch()
