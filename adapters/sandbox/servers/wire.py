"""Just enough of both wire protocols to ask "are you ready?" and to run a few statements.

A process that lives is not a server that answers, so readiness is always a real answer. Spoken by
hand because this package starts before any client library may be imported.
PostgreSQL: "Frontend/Backend Protocol", version 3.0. Valkey: inline commands of RESP.
"""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

_PROTOCOL_3_0 = 196608
_TIMEOUT_SECONDS = 5.0


class PostgresRefusedError(Exception):
    """The server answered with an error; `code` is its SQLSTATE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


def valkey_answers(path: Path) -> bool:
    try:
        with _connected(path) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def postgres_answers(path: Path, *, user: str, database: str) -> bool:
    """Tell whether a session can be opened; a server that is full or recovering is told apart."""
    try:
        run_statements(path, [], user=user, database=database)
    except PostgresRefusedError as refusal:
        return refusal.code == "53300"  # too_many_connections: alive, and busy with our own.
    except OSError:
        return False
    return True


def run_statements(
    path: Path, statements: list[str], *, user: str, database: str, timeout_seconds: float = 5.0
) -> list[bool]:
    """Run statements in one session, each on its own; tell of each whether it returned a row.

    Raises:
        PostgresRefusedError: the server refused the session or a statement.
        OSError: there is no server, or it went away.
    """
    with _connected(path) as connection:
        connection.settimeout(timeout_seconds)
        words = {"user": user, "database": database, "application_name": "okd_keeper"}
        body = b"".join(f"{key}\0{value}\0".encode() for key, value in words.items()) + b"\0"
        connection.sendall(struct.pack("!II", len(body) + 8, _PROTOCOL_3_0) + body)
        _until_ready(connection)
        answers = []
        for statement in statements:
            text = statement.encode() + b"\0"
            connection.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
            answers.append(_until_ready(connection))
        connection.sendall(b"X" + struct.pack("!I", 4))
        return answers


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_TIMEOUT_SECONDS)
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def _until_ready(connection: socket.socket) -> bool:
    found_row = False
    for kind, body in _messages(connection):
        if kind == b"E":
            fields = {
                field[:1]: field[1:].decode("utf-8", "replace") for field in body.split(b"\0")
            }
            raise PostgresRefusedError(fields.get(b"C", ""), fields.get(b"M", ""))
        if kind == b"D":
            found_row = True
        if kind == b"Z":
            return found_row
    return found_row


def _messages(connection: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    while True:
        kind, length = struct.unpack("!cI", _exactly(connection, 5))
        yield kind, _exactly(connection, length - 4)


def _exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise ConnectionResetError("the server went away in the middle of an answer")
        received += part
    return received
