"""The options of `record`, from words to values; a wrong one is a sentence."""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from adapters.settings import BybitEnvironment

# What --recording replays; books of depth 1 and 50 are derived from the deep one.
KINDS = ("tickers", "orderbook.200", "publicTrade", "kline.1")
CATEGORIES = ("linear", "spot", "inverse")
ENVIRONMENTS = tuple(e.value for e in BybitEnvironment if e is not BybitEnvironment.RECORDING)
TOPIC_CHARACTERS_MAX = 21_000  # per connection (Bybit v5, "Connect", args length)
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9-]{1,39}")


class RecordingRefused(Exception):
    """The person can act on it: the text is a whole sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """What to record and where to keep it; no `seconds` means until stopped."""

    categories: tuple[str, ...]
    symbols: tuple[str, ...]
    out: Path
    seconds: float | None = None
    environment: BybitEnvironment = BybitEnvironment.SANDBOX
    data_dir: Path | None = None
    force: bool = False

    @property
    def topics(self) -> list[str]:
        return [f"{kind}.{symbol}" for symbol in self.symbols for kind in KINDS]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RecordingRefused(f"{message[:1].upper()}{message[1:]}. See ./dev record --help")


def parse(arguments: Sequence[str]) -> RecordOptions:
    """Read command-line words.

    Raises:
        RecordingRefused: A word is unknown, missing or impossible.
    """
    known = _parser().parse_args(arguments)
    options = RecordOptions(
        categories=_once(known.category),
        symbols=_once(known.symbols),
        out=known.out,
        seconds=known.seconds,
        environment=BybitEnvironment(known.environment),
        data_dir=known.data_dir,
        force=known.force,
    )
    if sum(map(len, options.topics)) > TOPIC_CHARACTERS_MAX:
        raise RecordingRefused(
            f"{len(options.symbols)} symbols are more than one connection of the venue takes:"
            " record them in two runs."
        )
    return options


def _parser() -> _Parser:
    parser = _Parser(
        prog="./dev record",
        description="Capture live public streams in the format that ./dev run --recording replays:"
        f" {', '.join(KINDS)}. No key is needed.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--category",
        type=_categories,
        action="extend",
        required=True,
        help="linear, spot or inverse; several with commas",
    )
    add(
        "--symbols",
        type=_symbols,
        action="extend",
        required=True,
        help="for example BTCUSDT,SOLUSDT; the same in each category",
    )
    add("--out", type=_path, required=True, help="the file to write, one JSON object a line")
    add("--seconds", type=_seconds, help="end after so long (at Ctrl-C)")
    add("--environment", choices=ENVIRONMENTS, default="sandbox", help="whose streams (sandbox)")
    add("--data-dir", type=_path, help="the running sandbox's data (.okd in the clone)")
    add("--force", action="store_true", help="overwrite the file if it is there")
    return parser


def _once(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _categories(text: str) -> list[str]:
    words = [word.strip().lower() for word in text.split(",")]
    for word in words:
        if word not in CATEGORIES:
            raise argparse.ArgumentTypeError(f"'{word}' is not one of {', '.join(CATEGORIES)}")
    return words


def _symbols(text: str) -> list[str]:
    words = [word.strip().upper() for word in text.split(",")]
    for word in words:
        if not _SYMBOL.fullmatch(word):
            raise argparse.ArgumentTypeError(f"'{word}' is not a symbol like BTCUSDT")
    return words


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()
