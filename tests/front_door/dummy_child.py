"""A child for the supervisor's tests: says what it does in a journal, serves one word of HTTP.

Its name and its manners come as arguments: `silent` never becomes ready, `crash` ends at once,
`misled` says that it cannot do what it was told, `stubborn` ignores SIGTERM, `parent` has a process
of its own, `once` ends well, `chatty` warns.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from adapters.supervisor import lifeline


def journal(word: str) -> None:
    with Path(os.environ["JOURNAL"]).open("a", encoding="utf-8") as file:
        file.write(f"{sys.argv[1]} {word} {os.getpid()}\n")


def end(_number: int, _frame: FrameType | None) -> None:
    journal("ended")
    os._exit(0)


def serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            body = str(os.getpid())
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall((head + body).encode())


def main() -> None:
    manners = sys.argv[2:]
    lifeline.watch(grace_seconds=2.0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in manners else end)
    journal("started")
    if "crash" in manners:
        sys.exit("Traceback (most recent call last):\n  in a frame\nValueError: born to fail")
    if "misled" in manners:
        sys.stderr.write("OKD_RECORDING: born to fail\n")
        sys.exit(lifeline.UNUSABLE_EXIT_CODE)
    if "once" in manners:
        return
    if "parent" in manners:
        nap = [sys.executable, "-c", "import time; time.sleep(600)"]
        journal(f"parent-of-{subprocess.Popen(nap).pid}")  # noqa: S603 - our own interpreter
    if "chatty" in manners:
        sys.stdout.write('{"event": "price_moved", "level": "info"}\n')
        sys.stdout.write('{"event": "venue_slow", "level": "warning"}\n')
        sys.stdout.flush()
    for name in ("OKD_LISTEN_FD", "OKD_OPERATIONS_FD"):
        if name in os.environ and "silent" not in manners:
            listener = socket.socket(fileno=int(os.environ[name]))
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
    if "silent" not in manners:
        lifeline.announce_ready()
    threading.Event().wait()


if __name__ == "__main__":
    main()
