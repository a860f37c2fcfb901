"""Where the databases are: given by the environment, or the sandbox's own servers."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapters.supervisor.terminal import StartError, say

_REVIVE_SECONDS = 0.5
_STOPPED_SECONDS = 15.0
_GRACE_SECONDS = 0.5  # The supervisor holds them for as long as it lives; Ctrl-C waits for this.


class Servers(Protocol):
    """What the sandbox's embedded servers give (adapters/sandbox/servers)."""

    @property
    def database_url_owner(self) -> str: ...
    @property
    def database_url(self) -> str: ...
    @property
    def redis_url(self) -> str: ...
    def release(self) -> None: ...
    def revive(self) -> bool: ...


@dataclass(slots=True)
class Databases:
    """The three addresses, and the servers behind them when they are ours."""

    owner_url: str
    url: str
    redis_url: str
    data_dir: Path
    servers: Servers | None = None
    _closing: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Bring our servers back in place whenever they die."""
        if self.servers is not None:
            threading.Thread(target=self._revive, name="revive", daemon=True).start()

    def close(self) -> None:
        """Let go of our servers and wait until they have stopped.

        In a container the end of the first process ends all others: it must be the last to leave.
        """
        self._closing.set()
        if self.servers is None:
            return
        from adapters.sandbox import servers  # noqa: PLC0415 - see opened()

        self.servers.release()
        if not servers.stopped(self.data_dir, _STOPPED_SECONDS):
            say(f"  databases  still stopping after {_STOPPED_SECONDS:.0f} s; they will end alone")

    def _revive(self) -> None:
        said = ""
        while not self._closing.wait(_REVIVE_SECONDS):
            try:
                if self.servers is not None:
                    self.servers.revive()
                said = ""
            except Exception as error:  # noqa: BLE001 - outermost place of a background task
                if str(error) != said:
                    said = str(error)
                    say(f"  databases  {said}; trying again")


def opened(data_dir: Path, environment: Mapping[str, str]) -> Databases:
    """Use what the environment names, start what it does not.

    Raises:
        StartError: The environment names half of what is needed, or our servers can not run here.
    """
    url, owner_url = environment.get("DATABASE_URL"), environment.get("DATABASE_OWNER_URL")
    redis_url = environment.get("REDIS_URL")
    if bool(url) != bool(owner_url):
        given, missing = ("DATABASE_URL", "DATABASE_OWNER_URL")[:: 1 if url else -1]
        raise StartError(
            f"{given} is set but {missing} is not. Set both (the owner runs migrations, the other "
            "role serves requests), or neither to use the sandbox's own PostgreSQL."
        )
    if url and owner_url and redis_url:
        return Databases(owner_url, url, redis_url, data_dir)
    # Imported late: an installation with databases of its own has no need of the embedded ones.
    from adapters.sandbox import servers  # noqa: PLC0415
    from adapters.sandbox.servers.errors import ServersError  # noqa: PLC0415

    try:
        own: Servers = servers.ensure(data_dir, grace_seconds=_GRACE_SECONDS)
    except ServersError as error:
        raise StartError(str(error)) from error
    return Databases(
        owner_url or own.database_url_owner,
        url or own.database_url,
        redis_url or own.redis_url,
        data_dir,
        own,
    )
