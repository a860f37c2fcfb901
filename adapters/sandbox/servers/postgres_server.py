"""The PostgreSQL server: its directory, its flags, who may enter.

Entry is by `peer`: the kernel names the user at the other end of the socket, and only the user who
started the sandbox may become `okd_owner` or `okd_app`. Better than `trust`, which would let every
process of `nobody` in (root's servers run as such an account), and than a password, which would be
one more secret in every log that prints an address, and guards nothing from a user who owns the
files anyway.

The rights of `okd_app` on tables are the migrations' business (ALTER DEFAULT PRIVILEGES).
"""

import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from adapters.sandbox.servers.accounts import Account
from adapters.sandbox.servers.binaries import CHOICE_VARIABLE, Binary
from adapters.sandbox.servers.errors import ServersError
from adapters.sandbox.servers.layout import POSTGRES_PORT, Layout, make_private, no_room
from adapters.sandbox.servers.processes import clean_environment
from adapters.sandbox.servers.wire import PostgresRefusedError, postgres_answers, run_statements

DATABASE = "okd"
OWNER = "okd_owner"
APP = "okd_app"
_SUPERUSER = "postgres"
_FRESH_CLUSTER_BYTES = 150 * 2**20
_BUILTIN_LOCALES_SINCE = 17
_ALREADY_THERE = ("42710", "42P04")  # duplicate_object, duplicate_database

# Sized for a laptop: several web processes and test workers, little memory. fsync stays on.
_SETTINGS = {
    "listen_addresses": "",
    "port": str(POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "jit": "off",  # Not every build has it, and it slows short queries down.
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "cluster_name": "okd",
}


def address(sockets: Path, role: str) -> str:
    return f"postgresql://{role}@/{DATABASE}?host={quote(str(sockets))}&port={POSTGRES_PORT}"


def answers(sockets: Path) -> bool:
    return postgres_answers(_socket(sockets), user=APP, database=DATABASE)


def _socket(sockets: Path) -> Path:
    return sockets / f".s.PGSQL.{POSTGRES_PORT}"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A `Program` for the keeper."""

    layout: Layout
    account: Account
    binary: Binary
    sockets: Path

    name: ClassVar[str] = "postgres"
    process_name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "Fast": sessions end, data is flushed.

    @property
    def directory(self) -> Path:
        # The major version in the name: another major can not even read the files.
        return self.layout.data / f"pg{self.binary.major}"

    @property
    def pid_file(self) -> Path:
        return self.directory / "postmaster.pid"

    @property
    def socket(self) -> Path:
        return _socket(self.sockets)

    def prepare(self) -> None:
        """Make the cluster where it is missing and clear what a killed server left behind."""
        if not (self.directory / "PG_VERSION").exists():
            self._refuse_other_majors()
            self._make_cluster()
        # Nobody works in the directory (the caller has looked), yet the recorded pid may belong to
        # a zombie or a stranger by now, and PostgreSQL would refuse to start because of it.
        self.pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        self.socket.with_name(self.socket.name + ".lock").unlink(missing_ok=True)
        self._write_entry_rules()

    def command(self) -> list[str]:
        settings = {**_SETTINGS, "unix_socket_directories": str(self.sockets)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binary.path), "-D", str(self.directory), *flags]

    def answers(self) -> bool:
        """Tell whether the application can connect; its roles and database are made on the way."""
        if postgres_answers(self.socket, user=APP, database=DATABASE):
            return True
        try:
            self._make_roles_and_database()
        except (OSError, PostgresRefusedError):
            return False
        return postgres_answers(self.socket, user=APP, database=DATABASE)

    def _refuse_other_majors(self) -> None:
        for other in self.layout.data.glob("pg*/PG_VERSION"):
            found = other.read_text("utf-8").strip()
            raise ServersError(
                f"{other.parent} holds the data of PostgreSQL {found}, and the programs found are"
                f" {self.binary.version}: set {CHOICE_VARIABLE} to wheel or system to get"
                f" {found} back, or move the folder away to start with an empty database."
            )

    def _make_cluster(self) -> None:
        data = self.layout.data
        free = shutil.disk_usage(data).free
        if free < _FRESH_CLUSTER_BYTES:
            raise ServersError(
                f"The disk of {data} has {free // 2**20} MB left and a new database needs"
                f" {_FRESH_CLUSTER_BYTES // 2**20}: free some space, then try again."
            )
        unfinished = data / "initdb.tmp"
        try:
            if unfinished.exists():
                shutil.rmtree(unfinished)
            make_private(unfinished, self.account)
            self._initdb(unfinished)
            if self.directory.exists():
                self.directory.rmdir()  # Empty, or the rename is refused: nothing is overwritten.
            unfinished.rename(self.directory)  # A half initdb is never taken for a cluster.
        except OSError as error:
            raise no_room(error, data) from error

    def _initdb(self, directory: Path) -> None:
        # Without these flags the order of strings depends on the caller's LANG.
        locale = ["--locale=C.UTF-8"]
        if self.binary.major >= _BUILTIN_LOCALES_SINCE:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["-U", _SUPERUSER, "-A", "peer", "-E", "UTF8", "-k", "--no-instructions"]
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program with fixed arguments
            [self.binary.path.with_name("initdb"), "-D", directory, *options, *locale],
            cwd="/",
            env=clean_environment(directory),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self.account.credentials(),
        )
        if done.returncode != 0:
            said = " ".join(done.stderr.split()) or f"status {done.returncode}"
            raise ServersError(f"PostgreSQL could not create its files in {directory}: {said}")

    def _write_entry_rules(self) -> None:
        rules = f"local all all peer map={DATABASE}\n"
        names = "".join(
            f'{DATABASE} "{self.account.client_name}" {role}\n' for role in (_SUPERUSER, OWNER, APP)
        )
        for file, text in (("pg_hba.conf", rules), ("pg_ident.conf", names)):
            (self.directory / file).write_text(text, "utf-8")

    def _make_roles_and_database(self) -> None:
        # CREATEDB lets test workers clone a migrated database.
        self._create(f"CREATE ROLE {OWNER} LOGIN CREATEDB")
        self._create(f"CREATE ROLE {APP} LOGIN")
        self._create(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        # Connecting is the last right given: a server that lets the application in is complete.
        for statement in (
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}",
        ):
            self._run(statement, database=DATABASE)

    def _create(self, statement: str) -> None:
        try:
            self._run(statement, database="postgres")
        except PostgresRefusedError as refusal:
            if refusal.code not in _ALREADY_THERE:
                raise

    def _run(self, statement: str, *, database: str) -> None:
        run_statements(
            self.socket, [statement], user=_SUPERUSER, database=database, timeout_seconds=60
        )
