"""PostgreSQL and Valkey for one machine: no container, no configuration, no root needed.

The first process that calls `ensure` starts a detached *keeper*, the parent of both servers. Every
user holds a shared kernel lock for its life; the keeper stops the servers when the last one is
gone, however it died. Truth lies in kernel locks alone, never in pids:

    start.lock      who starts a keeper now       keeper.lock    a keeper lives
    users.lock      somebody uses the servers     postgres.lock, valkey.lock   the server itself,
                                                  or a child of it, may still write its data

Whatever is killed comes back on the same addresses: the keeper restarts a dead server, and
`Servers.revive` (called by the supervisor now and then) a dead keeper.

For development, tests and a single host. In production the two addresses come from the environment
and this package is not even imported. Standard library only: it runs before anything is installed
that could be imported, and a command-line tool must not wait for imports.
"""

from adapters.sandbox.servers.accounts import default_data_dir
from adapters.sandbox.servers.client import GRACE_SECONDS, Servers, ensure, stopped
from adapters.sandbox.servers.errors import ServersError
from adapters.sandbox.servers.state import Event, ServerStatus, State

__all__ = [
    "GRACE_SECONDS",
    "Event",
    "ServerStatus",
    "Servers",
    "ServersError",
    "State",
    "default_data_dir",
    "ensure",
    "stopped",
]
