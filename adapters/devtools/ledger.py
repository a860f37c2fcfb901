"""`./dev verify-ledger`: what an operator's command says of the running sandbox's books."""

import os
import subprocess
import sys
from pathlib import Path

from adapters.devtools import environment
from adapters.devtools.data_dir import Arguments, meant
from adapters.devtools.faucet import sandbox_environment
from adapters.devtools.place import Place
from adapters.supervisor.terminal import StartError, complain

_COULD_NOT_LOOK = 2


def verify(place: Place, words: list[str]) -> int:
    """Print the verdict; 0 sound, 1 findings, 2 could not look, as `app.py verify-ledger`."""
    parser = Arguments(
        prog="./dev verify-ledger",
        description="Prove the running sandbox's books from their journal alone.",
        allow_abbrev=False,
    )
    parser.add_argument("--data-dir", type=Path, help="the sandbox's data (.okd in the clone)")
    known = parser.parse_args(words)
    try:
        told = sandbox_environment(meant(place, known.data_dir))
    except StartError as error:
        complain(str(error))
        return _COULD_NOT_LOOK
    python = environment.python_for("sandbox", place)
    sys.stdout.flush()
    os.chdir(place.clone)
    ran = subprocess.run([python, str(place.app), "verify-ledger"], env=told, check=False)  # noqa: S603 - our own program
    return ran.returncode
