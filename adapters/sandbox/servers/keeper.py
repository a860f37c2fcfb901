"""The keeper: the one process that is the parent of both servers.

It lives from the first user to the last. A user is whoever holds `users.lock` shared; when the
keeper itself can take that lock for the length of the grace period, the last user is gone.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from adapters.sandbox.servers import (
    binaries,
    layout,
    locks,
    logs,
    postgres_server,
    state,
    valkey_server,
)
from adapters.sandbox.servers.accounts import Account, server_account
from adapters.sandbox.servers.errors import ServersError
from adapters.sandbox.servers.supervised import Supervised

START_SECONDS = 90.0
_TICK_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_LOOKERS_SECONDS = 1.0
_HOUSEKEEPING_SECONDS = 30.0


class Keeper:
    def __init__(self, data: Path, *, grace_seconds: float) -> None:
        self._stop_asked = False
        self._events: list[state.Event] = []
        self._grace_seconds = grace_seconds
        self._account: Account = server_account(data)
        self._layout = layout.make_data_dir(data, self._account)
        self._sockets = Path()
        self._versions: dict[str, str] = {}
        self._servers: list[Supervised] = []

    def run(self, ready: Callable[[], None]) -> None:
        """Keep the servers until their last user is gone or SIGTERM comes.

        Args:
            ready: called once, when both servers have answered and state.json tells of them.

        Raises:
            ServersError: another keeper lives, or the servers can not be started.
        """
        # Not at the first try: whoever looks whether a keeper lives holds the lock for a moment.
        mine = locks.exclusive(
            self._layout.keeper_lock,
            timeout_seconds=_LOOKERS_SECONDS,
            meaning=f"Another keeper already keeps the servers of {self._layout.data}.",
        )
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the users; we outlive them.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask_stop)
        self._layout.state.unlink(missing_ok=True)  # A killed keeper's.
        self._sockets = layout.socket_directory(self._layout, self._account)
        last: locks.Lock | None = None
        try:
            self._find_servers()
            self._start()
            ready()
            last = self._watch(mine)
        finally:
            self._stop()
            for lock in (last, mine):
                if lock is not None:
                    lock.close()

    def _find_servers(self) -> None:
        place, account, sockets = self._layout, self._account, self._sockets
        postgres = binaries.postgres_binary(place, account)
        valkey = binaries.valkey_binary(place, account)
        self._versions = {"postgres": postgres.version, "valkey": valkey.version}
        self._servers = [
            Supervised(program, place.data, self._tell)
            for program in (
                postgres_server.PostgresServer(place, account, postgres, sockets),
                valkey_server.ValkeyServer(place, account, valkey, sockets),
            )
        ]

    def _start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not all(server.ready for server in self._servers):
            for server in self._servers:
                server.tick()
                if server.restarts:
                    raise ServersError(
                        f"{server.program.name} did not start: it {server.last_exit}."
                        f" Its last words: {logs.last_words(server.log_file)}"
                    )
            if self._stop_asked or time.monotonic() > deadline:
                raise ServersError(
                    f"The servers of {self._layout.data} did not answer within"
                    f" {START_SECONDS:.0f} s: the logs there say why."
                )
            time.sleep(_TICK_SECONDS)
        self._write_state()

    def _watch(self, mine: locks.Lock) -> locks.Lock | None:
        unused_since: float | None = None
        housekeeping_at = time.monotonic()
        while not self._stop_asked:
            self._tick_all()
            now = time.monotonic()
            if not mine.is_current():
                self._tell("keeper", "lost its data directory")
                return None
            users = locks.try_exclusive(self._layout.users_lock)
            if users is None:
                unused_since = None
            else:
                unused_since = unused_since or now
                if now - unused_since >= self._grace_seconds:
                    return users  # Held until all is stopped: newcomers wait, then start anew.
                users.close()
            if now > housekeeping_at:
                housekeeping_at = now + _HOUSEKEEPING_SECONDS
                for server in self._servers:
                    logs.bound(server.log_file)
            settled = all(server.ready for server in self._servers)
            time.sleep(min(_WATCH_SECONDS, self._grace_seconds) if settled else _TICK_SECONDS)
        return None

    def _tick_all(self) -> None:
        for server in self._servers:
            before = (server.ready, server.restarts, server.last_exit)
            try:
                server.tick()
            except (ServersError, OSError) as error:
                # A full disk, for one, may have room again a moment later.
                server.postpone(str(error))
            if before != (server.ready, server.restarts, server.last_exit):
                # A disk too full for the state file is no reason to leave the servers alone.
                with suppress(OSError):
                    self._write_state()

    def _stop(self) -> None:
        self._layout.state.unlink(missing_ok=True)
        for server in self._servers:
            server.stop()
        layout.leave_socket_directory(self._layout, self._sockets)
        self._tell("keeper", "stopped")

    def _write_state(self) -> None:
        statuses = {
            server.program.name: state.ServerStatus(
                pid=server.pid,
                ready=server.ready,
                restarts=server.restarts,
                last_exit=server.last_exit,
                version=self._versions[server.program.name],
            )
            for server in self._servers
        }
        told = state.State(
            keeper_pid=os.getpid(),
            sockets=str(self._sockets),
            database_url_owner=postgres_server.address(self._sockets, postgres_server.OWNER),
            database_url=postgres_server.address(self._sockets, postgres_server.APP),
            redis_url=valkey_server.address(self._sockets),
            servers=statuses,
            events=self._events,
        )
        state.write(self._layout.state, told)

    def _tell(self, server: str, what: str) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with suppress(OSError):
            sys.stderr.write(f"{at} {server} {what}\n")
            sys.stderr.flush()
        self._events = [*self._events, state.Event(at, server, what)][-state.EVENTS_KEPT :]

    def _ask_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop_asked = True
