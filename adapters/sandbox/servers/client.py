"""What the users of the servers call: bring them up, hold them, bring them back."""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from adapters.sandbox.servers import locks, logs, postgres_server, state, valkey_server
from adapters.sandbox.servers.accounts import server_account
from adapters.sandbox.servers.errors import ServersError
from adapters.sandbox.servers.layout import Layout, make_data_dir

GRACE_SECONDS = 2.5  # Longer than the restart of a web process, which must not bounce the servers.
_START_SECONDS = 100.0  # A little more than the keeper gives itself, so that its reason is heard.
_TURN_SECONDS = 200.0
_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Servers:
    """The running servers; they live at least until `release`.

    The addresses stay the same for the life of the data directory, whatever is restarted.
    """

    data_dir: Path
    database_url_owner: str
    database_url: str
    redis_url: str
    grace_seconds: float = field(repr=False)
    _users: locks.Lock = field(repr=False, compare=False)

    @property
    def keeper_pid(self) -> int | None:
        """The pid of today's keeper, to show to people; None while there is none."""
        told = self.status()
        return None if told is None else told.keeper_pid

    def status(self) -> state.State | None:
        """Read pids, restart counters and recent events; None while no keeper is ready."""
        return state.read(Layout(self.data_dir).state)

    def revive(self) -> bool:
        """Bring a killed keeper back, on the same addresses; cheap when it lives, so call it often.

        A dead *server* needs no help: its keeper restarts it. Blocks until the servers answer, so
        an event loop calls it in a thread.

        Returns:
            Whether a new keeper had to be started.

        Raises:
            ServersError: the servers can not be started, or this handle was released.
        """
        if self._users.fd < 0:
            raise ServersError(f"The servers of {self.data_dir} were released: call ensure again.")
        if not self._users.is_current():
            raise ServersError(
                f"{self.data_dir} was removed while it was in use: start again, with empty data."
            )
        place = Layout(self.data_dir)
        if locks.is_held(place.keeper_lock):
            return False
        told, started = _kept(place, self.grace_seconds)
        before = (self.database_url_owner, self.database_url, self.redis_url)
        if before != (told.database_url_owner, told.database_url, told.redis_url):
            raise ServersError(
                f"The socket directory of {self.data_dir} was taken by somebody else: start again"
                " to use the new addresses."
            )
        return started

    def release(self) -> None:
        """Stop using the servers; the last one to do so ends them, a grace period later."""
        self._users.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def ensure(data_dir: Path, *, grace_seconds: float = GRACE_SECONDS) -> Servers:
    """Have both servers answer, starting a detached keeper when none lives; blocks until then.

    Args:
        data_dir: made when missing; see `default_data_dir`.
        grace_seconds: how long the servers outlive their last user. The first user decides.

    Raises:
        ServersError: they can not run here; the message says what to do.
    """
    data_dir = data_dir.absolute().resolve()
    place = make_data_dir(data_dir, server_account(data_dir))
    users = locks.shared(
        place.users_lock,
        timeout_seconds=_TURN_SECONDS,
        meaning=f"The former servers of {place.data} do not stop: see {place.keeper_log}.",
    )
    try:
        told, _ = _kept(place, grace_seconds)
    except BaseException:
        users.close()
        raise
    return Servers(
        data_dir=place.data,
        database_url_owner=told.database_url_owner,
        database_url=told.database_url,
        redis_url=told.redis_url,
        grace_seconds=grace_seconds,
        _users=users,
    )


def stopped(data_dir: Path, timeout_seconds: float = 15.0) -> bool:
    """Wait until no keeper lives; tell whether that came true in time.

    A launcher that is PID 1 of a container calls this before it exits, or the kernel kills the
    keeper in the middle of its orderly stop.
    """
    place = Layout(data_dir.absolute().resolve())
    deadline = time.monotonic() + timeout_seconds
    while locks.is_held(place.keeper_lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(locks.POLL_SECONDS)
    return True


def _kept(place: Layout, grace_seconds: float) -> tuple[state.State, bool]:
    turn = locks.exclusively(
        place.start_lock,
        timeout_seconds=_TURN_SECONDS,
        meaning=f"Another process has been starting the servers of {place.data} for too long.",
    )
    with turn:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not locks.is_held(place.keeper_lock):
                return _start_keeper(place, grace_seconds), True
            told = state.read(place.state)
            if told is not None and _answer(Path(told.sockets)):
                return told, False
            time.sleep(locks.POLL_SECONDS)
    raise ServersError(
        f"The servers of {place.data} have not answered for {_START_SECONDS:.0f} s:"
        f" see {place.keeper_log}."
    )


def _answer(sockets: Path) -> bool:
    # The state file may be a moment older than the death of a server.
    return valkey_server.answers(sockets) and postgres_server.answers(sockets)


def _start_keeper(place: Layout, grace_seconds: float) -> state.State:
    place.state.unlink(missing_ok=True)
    reading, writing = os.pipe()
    try:
        _spawn_keeper(place, grace_seconds, report=writing)
        os.close(writing)
        writing = -1
        report = _first_line(reading, timeout_seconds=_START_SECONDS)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    told = state.read(place.state)
    if report.get("ready") and told is not None:
        return told
    raise ServersError(
        report.get("error") or f"The keeper ended without a word: see {place.keeper_log}."
    )


def _spawn_keeper(place: Layout, grace_seconds: float, *, report: int) -> None:
    import_path = [str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with logs.opened(place.keeper_log) as log:
        # It forks once more and this child ends at once: the keeper is nobody's child, so that its
        # end leaves no zombie in a user that lives on.
        subprocess.run(  # noqa: S603 - this package, by this interpreter
            [
                *(sys.executable, "-P", "-m", "adapters.sandbox.servers", "keeper", place.data),
                *("--grace-seconds", str(grace_seconds), "--report", str(report)),
            ],
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(report,),
            check=False,
        )


def _first_line(descriptor: int, *, timeout_seconds: float) -> dict[str, str]:
    deadline = time.monotonic() + timeout_seconds
    received = b""
    while not received.endswith(b"\n"):
        left = max(0.0, deadline - time.monotonic())
        if not select.select([descriptor], [], [], left)[0]:
            return {"error": f"The keeper has said nothing for {timeout_seconds:.0f} s."}
        part = os.read(descriptor, 65536)
        if not part:
            break
        received += part
    with suppress(ValueError):
        return dict(json.loads(received))
    return {}
