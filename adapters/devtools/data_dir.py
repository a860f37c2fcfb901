"""Which data dir a command means."""

import argparse
from pathlib import Path
from typing import NoReturn

from adapters.devtools.place import Place
from adapters.supervisor.terminal import StartError


class Arguments(argparse.ArgumentParser):
    """A parser whose errors are sentences."""

    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help")


def arguments(prog: str, description: str) -> Arguments:
    parser = Arguments(prog=prog, description=description, allow_abbrev=False)
    parser.add_argument("--data-dir", type=Path, help="the sandbox's data (.okd in the clone)")
    return parser


def meant(place: Place, given: Path | None) -> Path:
    """Return the data dir the person named, or the one that `./dev run` uses by itself."""
    if given is not None:
        return given.expanduser().absolute()
    from adapters.sandbox import servers  # noqa: PLC0415 - only when it has to choose

    return Path(servers.default_data_dir(place.clone))
