"""A PostgreSQL made as the image of compose.yaml makes it, from the embedded programs."""

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.servers.accounts import server_account
from adapters.sandbox.servers.binaries import postgres_binary
from adapters.sandbox.servers.layout import Layout
from adapters.sandbox.servers.processes import clean_environment
from tests.deployment import composition

POSTGRES = composition.services()["postgres"]
SQL = composition.composition()["configs"]["roles"]["content"]
SUPERUSER_PASSWORD = composition.SECRETS["POSTGRES_PASSWORD"]
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Cluster:
    bin: Path
    port: int

    def address(self, role: str) -> str:
        variable = {"okd_owner": "POSTGRES_OWNER_PASSWORD", "okd_app": "POSTGRES_APP_PASSWORD"}
        password = composition.SECRETS[variable[role]]
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/okd"

    def psql(self, sql: str, *, database: str) -> None:
        # The options of the image's entrypoint, but for the address.
        environment = {
            **{name: str(value) for name, value in POSTGRES["environment"].items()},
            "PGPASSWORD": SUPERUSER_PASSWORD,
            "PATH": os.environ["PATH"],
        }
        words = ["-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--host=127.0.0.1"]
        words += [f"--port={self.port}", "--username=postgres", f"--dbname={database}"]
        done = subprocess.run(  # noqa: S603
            [self.bin / "psql", *words],
            env=environment,
            input=sql,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def started(parent: Path) -> Iterator[Cluster]:
    account = server_account()
    binaries = postgres_binary(Layout(parent), account).path.parent
    data = parent / "cluster"
    password_file = parent / "password"
    password_file.write_text(SUPERUSER_PASSWORD)
    data.mkdir(mode=0o700)
    for path in (data, password_file):
        shutil.chown(path, account.uid, account.gid)
    arguments = shlex.split(POSTGRES["environment"]["POSTGRES_INITDB_ARGS"])
    subprocess.run(  # noqa: S603
        [
            binaries / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256",
            f"--pwfile={password_file}", *arguments,
        ],
        cwd="/",
        env=clean_environment(data),
        capture_output=True,
        check=True,
        **account.credentials(),
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = [f"--port={port}", "--unix_socket_directories=", "--listen_addresses=127.0.0.1"]
    with (
        subprocess.Popen(  # noqa: S603
            [binaries / "postgres", "-D", data, *flags, *POSTGRES["command"][1:]],
            cwd="/",
            env=clean_environment(data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **account.credentials(),
        ) as process
    ):
        try:
            _wait_for(binaries, port)
            yield Cluster(binaries, port)
        finally:
            process.send_signal(2)  # the image's STOPSIGNAL, SIGINT: a fast shutdown
            process.wait(timeout=PATIENCE_SECONDS)


def _wait_for(binaries: Path, port: int) -> None:
    # The health check of compose.yaml, on a port of our own.
    words = POSTGRES["healthcheck"]["test"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        asked = subprocess.run(  # noqa: S603
            [binaries / words[1], *words[2:], f"--port={port}"], capture_output=True, check=False
        )
        if asked.returncode == 0:
            return
        assert time.monotonic() < deadline, asked.stdout
        time.sleep(0.05)
