"""The options of `run`, from words to values; a wrong one is a sentence."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from adapters.supervisor.terminal import StartError

_PORT_MAX = 65_535
_WEB_PROCESSES_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a person may choose; None means the default of the place."""

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path | None = None
    seed: int = 1
    recording: Path | None = None
    web_processes: int = 1
    build_web: bool = True
    verbose: bool = False
    grace_seconds: float = 10.0

    def as_arguments(self) -> list[str]:
        """Return the words that `parse` turns into these options, paths made absolute."""
        words = [f"--host={self.host}", f"--port={self.port}", f"--seed={self.seed}"]
        words += [f"--web-processes={self.web_processes}", f"--grace={self.grace_seconds}"]
        if self.data_dir is not None:
            words.append(f"--data-dir={self.data_dir}")
        if self.recording is not None:
            words.append(f"--recording={self.recording}")
        if not self.build_web:
            words.append("--no-web")
        if self.verbose:
            words.append("--verbose")
        return words


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message[:1].upper()}{message[1:]}. See ./dev run --help")


def parse(arguments: Sequence[str]) -> RunOptions:
    """Read command-line words.

    Raises:
        StartError: A word is unknown or a value impossible.
    """
    known = _parser().parse_args(arguments)
    return RunOptions(
        host=known.host,
        port=known.port,
        data_dir=known.data_dir,
        seed=known.seed,
        recording=known.recording,
        web_processes=known.web_processes,
        build_web=known.build_web,
        verbose=known.verbose,
        grace_seconds=known.grace,
    )


def _parser() -> _Parser:
    parser = _Parser(
        prog="./dev run",
        description="Start everything: databases, exchange, identity, web, feed and worker.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=_port, default=8000, help="port to listen on (8000); 0 takes a free one")
    add("--data-dir", type=_path, help="where everything is kept (.okd in the clone)")
    add(
        "--seed", type=_seed, default=1, help="the sandbox world's seed (1): same seed, same prices"
    )
    add("--recording", type=_recording, help="replay this recording of real prices instead")
    add("--web-processes", type=_processes, default=1, help="web processes on one socket (1)")
    add("--no-web", dest="build_web", action="store_false", help="do not build the front end")
    add("--verbose", action="store_true", help="show every log line, not only warnings and errors")
    add("--grace", type=_seconds, default=10.0, help="seconds a process has to finish (10)")
    return parser


def _number(text: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most}")
    return value


def _port(text: str) -> int:
    return _number(text, 0, _PORT_MAX)


def _seed(text: str) -> int:
    return _number(text, 0, 2**32 - 1)


def _processes(text: str) -> int:
    return _number(text, 1, _WEB_PROCESSES_MAX)


def _seconds(text: str) -> float:
    return float(_number(text.removesuffix(".0"), 0, 3600))


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _recording(text: str) -> Path:
    path = _path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"there is no recording at {path}")
    return path
