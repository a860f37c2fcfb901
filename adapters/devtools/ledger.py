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
    parser.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="DAY:ROOT",
        help="a root that was kept elsewhere, to compare; any number of times",
    )
    known = parser.parse_args(words)
    try:
        told = sandbox_environment(meant(place, known.data_dir))
    except StartError as error:
        complain(str(error))
        return _COULD_NOT_LOOK
    python = environment.python_for("sandbox", place)
    sys.stdout.flush()
    os.chdir(place.clone)
    kept = [word for root in known.root for word in ("--root", root)]
    command = [python, str(place.app), "verify-ledger", *kept]
    ran = subprocess.run(command, env=told, check=False)  # noqa: S603 - our own program
    return ran.returncode
