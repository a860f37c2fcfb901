"""Installing a lock: with uv where it is found, else with pip; hashes always checked."""

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from adapters.supervisor.terminal import StartError, say

_TAIL_LINES = 12
_SAY_EVERY_SECONDS = 10.0
_NO_NETWORK = re.compile(
    r"name resolution|NewConnectionError|Network is unreachable|Could not fetch URL|ConnectTimeout"
    r"|dns error|error sending request|Connection refused|ProxyError|Name or service not known"
    r"|nodename nor servname|Failed to fetch",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\b[a-z]+://\S+")


def has_ensurepip() -> bool:
    """Tell whether this Python can put pip into a new environment (Debian splits it off)."""
    return importlib.util.find_spec("ensurepip") is not None


def count(lock: Path) -> int:
    """Return how many packages a lock names, those of other systems included."""
    return sum("==" in line and not line.startswith((" ", "#")) for line in _lines(lock))


def install(lock: Path, venv: Path, uv: str | None) -> None:
    """Install a lock into an environment and tell the person how it goes.

    Raises:
        StartError: It failed; the sentence says why as far as it can be told.
    """
    python = str(venv / "bin" / "python")
    number, born = count(lock), time.monotonic()
    if uv is not None:
        say(f"Installing the {number} packages of {lock.name} with uv ...")
        failure = _run(_uv_command(uv, python, lock), number)
        if failure is None:
            say(f"Installed in {time.monotonic() - born:.0f} s.")
            return
        if not has_ensurepip():
            raise StartError(_sentence(failure, lock))
        # uv does not read pip's configuration, where an office's mirror may be named.
        say("uv could not install them: trying pip.")
    if not any(venv.glob("lib/python*/site-packages/pip")):
        _ensure_pip(python)
    say(f"Installing the {number} packages of {lock.name} with pip, about a minute ...")
    failure = _run(_pip_command(python, lock), number)
    if failure is not None:
        raise StartError(_sentence(failure, lock))
    say(f"Installed in {time.monotonic() - born:.0f} s.")


def _uv_command(uv: str, python: str, lock: Path) -> list[str]:
    flags = ["--require-hashes", "--only-binary", ":all:", "--no-config", "--no-progress"]
    return [uv, "pip", "install", "--python", python, *flags, "-r", str(lock)]


def _pip_command(python: str, lock: Path) -> list[str]:
    # A lock is complete: resolving it again (--no-deps spares that) takes twice the time. Bytecode
    # is made when a module is first imported, for the tenth of the files that ever are.
    flags = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-compile"]
    quiet = ["--progress-bar", "off", "--retries", "2", "--no-input", "--disable-pip-version-check"]
    return [python, "-I", "-m", "pip", "install", *flags, *quiet, "-r", str(lock)]


def _run(command: list[str], number: int) -> list[str] | None:
    """Run an installer, counting what it fetches; its last lines when it failed."""
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    fetched, last_said = 0, time.monotonic()
    with subprocess.Popen(  # noqa: S603 - uv or pip with flags of ours
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            tail.append(line.rstrip())
            fetched += line.startswith("Collecting ")
            if line.startswith("Installing collected"):
                say("  all fetched and checked, unpacking ...")
            elif time.monotonic() - last_said > _SAY_EVERY_SECONDS and fetched:
                last_said = time.monotonic()
                say(f"  fetched {fetched} of at most {number} ...")
    return list(tail) if process.returncode else None


def _ensure_pip(python: str) -> None:
    asked = [python, "-I", "-m", "ensurepip", "--upgrade", "--default-pip"]
    made = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode != 0:
        raise StartError(f"pip could not be made in the environment:\n{made.stderr.strip()}")


def _sentence(tail: list[str], lock: Path) -> str:
    said = _ADDRESS.sub("<address>", "\n".join(f"    {line}" for line in tail if line))
    if "do not match the hashes" in said.lower() or "hash mismatch" in said.lower():
        why = (
            f"A package is not the one that {lock.name} names (its hash differs), and was "
            "not installed. If your lock is the newest, tell the maintainers: one was changed."
        )
    elif _NO_NETWORK.search(said):
        why = (
            "The packages could not be fetched: there is no network, or no package index is "
            "reachable. Check the connection and pip's configuration, and run ./dev again; "
            "what was fetched is kept."
        )
    elif re.search(r"no matching distribution|no wheels? with a matching", said, re.IGNORECASE):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        why = (
            f"A package has no wheel for this system and Python {version} "
            "(Alpine is not supported; glibc Linux and macOS are)."
        )
    else:
        why = "The packages could not be installed."
    return f"{why}\n  The installer's last lines:\n{said}"


def _lines(lock: Path) -> list[str]:
    return lock.read_text(encoding="utf-8").splitlines()
