"""As which operating system user the servers run.

PostgreSQL refuses to run as root, so root hands both servers to an ordinary account. Everybody else
runs them as themselves.
"""

import errno
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

from adapters.sandbox.servers.errors import ServersError

if sys.platform != "win32":
    import pwd

_DEMOTION_ACCOUNTS = ("postgres", "nobody", "daemon")
_TEST = 'test -r "$1" && test -x "$1"'


class Credentials(TypedDict, total=False):
    """The arguments of subprocess that change the user; empty when nothing changes."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    client_name: str
    """Who connects: the user of this process, which for root differs from the servers' user."""

    @property
    def demoted(self) -> bool:
        return self.uid != os.geteuid()

    def credentials(self) -> Credentials:
        if not self.demoted:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Tell whether the servers' user can read and enter the path, parents included."""
        try:
            done = subprocess.run(  # noqa: S603 - fixed program, the path is an argument
                ["/bin/sh", "-c", _TEST, "sh", str(path)],
                cwd="/",
                check=False,
                **self.credentials(),
            )
        except OSError as error:
            raise cannot_demote(self, error) from error
        return done.returncode == 0


def server_account(data: Path | None = None) -> Account:
    """Choose the servers' user: ourselves, or for root the owner of the data, or an account.

    Args:
        data: the data directory, when it may hold a database already. Its owner stays its owner,
            also when root comes later, or when an account that would be preferred appears.
    """
    if sys.platform == "win32":
        raise ServersError(
            "The embedded servers run on Linux and on a Mac: on Windows use WSL, or set"
            " DATABASE_URL and REDIS_URL to servers of your own."
        )
    uid = os.geteuid()
    try:
        me = pwd.getpwuid(uid)
    except KeyError as error:
        raise ServersError(
            f"User id {uid} has no entry in /etc/passwd, which PostgreSQL needs: add one, run as"
            " another user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from error
    if uid != 0:
        return Account(me.pw_name, me.pw_uid, me.pw_gid, client_name=me.pw_name)
    lookups = [partial(pwd.getpwuid, owner) for owner in _owners(data)]
    lookups += [partial(pwd.getpwnam, name) for name in _DEMOTION_ACCOUNTS]
    for lookup in lookups:
        try:
            entry = lookup()
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, client_name=me.pw_name)
    raise ServersError(
        "PostgreSQL refuses to run as root and none of the users postgres, nobody and daemon"
        " exists: create one, or run as an ordinary user."
    )


def _owners(data: Path | None) -> list[int]:
    clusters = data.glob("pg[0-9]*") if data is not None else ()
    return [uid for cluster in clusters if (uid := cluster.stat().st_uid) != 0]


def cannot_demote(account: Account, error: OSError) -> ServersError:
    if error.errno == errno.EPERM:
        return ServersError(
            f"root may not switch to the user {account.name} here (CAP_SETUID and CAP_SETGID are"
            " missing): run as an ordinary user, or allow the capabilities."
        )
    return ServersError(f"A program could not be started as {account.name}: {error}.")


def default_data_dir(clone: Path) -> Path:
    """Choose where the servers of a checkout live.

    `<clone>/.okd`, unless root starts them from a place the servers' user can not enter (a clone
    below /root): then a directory of its own below /var/lib/okd, named by the clone's path.
    """
    clone = clone.resolve()
    account = server_account()
    if not account.demoted or account.reaches(clone):
        return clone / ".okd"
    name = hashlib.sha256(os.fsencode(clone)).hexdigest()[:12]
    return Path("/var/lib/okd") / name
