"""The orders of the sandbox exchange's control plane, as words of a command line.

The plane itself is adapters/sandbox/exchange/control.py, which cannot be imported here: `./dev` has
the standard library only. tests/front_door/test_sandbox_orders.py holds the two together.
"""

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.devtools.data_dir import Arguments


@dataclass(frozen=True, slots=True)
class Word:
    """One argument; its name is the key of the body it fills."""

    key: str
    kind: str  # "text", "number", "whole" or "category"
    flag: str = ""
    help: str = ""
    default: object = None


@dataclass(frozen=True, slots=True)
class Order:
    """One word after `./dev sandbox`; `path` is where the plane takes it."""

    name: str
    path: str
    summary: str
    words: tuple[Word, ...] = ()
    fixed: Mapping[str, object] = field(default_factory=dict)

    @property
    def usage(self) -> str:
        shown = [word.key.upper() for word in self.words if not word.flag]
        return " ".join([self.name, *shown])


_SECONDS = Word("seconds", "number", help="how long, from now")
_MILLISECONDS = Word("milliseconds", "number", help="by how much")
_TOPIC = Word("topic", "text", help="for example tickers.BTCUSDT or orderbook.50.BTCUSDT")
_IN = Word("category", "category", "--category", "linear or spot (both)")
_COUNT = Word("count", "whole", "--count", "how many deltas (1)", default=1)
_PATH = Word("path", "text", help="for example /v5/market/kline")
_FORCED = (
    Word("seconds", "number", "--seconds", "for so long"),
    Word("requests", "whole", "--requests", "for so many requests (1)"),
    Word("headers", "headers", "--header", "NAME=VALUE of the answer; may be repeated"),
)

ORDERS = {
    order.name: order
    for order in (
        Order("state", "state", "tell the mode, who listens to what and what is broken"),
        Order(
            "drop-sockets",
            "drop-sockets",
            "end every socket; --mode abort resets them without a goodbye",
            (Word("mode", "text", "--mode", "close or abort (close)"),),
        ),
        Order("refuse", "refuse", "let no socket begin", (_SECONDS,)),
        Order("pongs", "mute-pings", "answer no ping", (_SECONDS,)),
        Order("silence", "silence", "send nothing of one topic", (_TOPIC, _SECONDS, _IN)),
        *(
            Order(how, "tamper", told, (_TOPIC, _COUNT, _IN), {"fault": how})
            for how, told in (
                ("skip", "lose the next delta of a book"),
                ("duplicate", "send the next delta of a book twice"),
                ("reorder", "send the next two deltas of a book in the wrong order"),
            )
        ),
        Order("outage", "outage", "be gone: REST answers 503, sockets end", (_SECONDS,)),
        Order(
            "price-shock",
            "price-shock",
            "move a price at once, by -90 to 900 percent",
            (Word("category", "category"), Word("symbol", "text"), Word("percent", "number")),
        ),
        Order("latency", "latency", "answer REST late", (_MILLISECONDS, _SECONDS)),
        Order("clock", "skew", "set the venue's clock wrong", (_MILLISECONDS, _SECONDS)),
        Order(
            "status",
            "force",
            "answer a path with an HTTP status and no body",
            (_PATH, Word("status", "whole"), *_FORCED),
        ),
        Order(
            "retcode",
            "force",
            "answer a path with a retCode",
            (_PATH, Word("retCode", "whole"), Word("retMsg", "text", "--message"), *_FORCED),
        ),
        Order("reset", "reset", "mend everything that was broken on purpose"),
    )
}


def body_of(order: Order, words: list[str]) -> dict[str, Any]:
    """Read an order's words into the body that the plane takes.

    Raises:
        StartError: A word is missing, unknown or no number where one belongs.
    """
    parser = Arguments(
        prog=f"./dev sandbox {order.name}", description=f"{order.summary}.", allow_abbrev=False
    )
    for word in order.words:
        _add(parser, word)
    given = vars(parser.parse_args(words))
    told = {key: value for key, value in given.items() if value is not None}
    if "headers" in told:
        told["headers"] = dict(told["headers"])
    if order.path == "force" and not told.keys() & {"seconds", "requests"}:
        told["requests"] = 1
    return {**told, **order.fixed}


def _add(parser: Arguments, word: Word) -> None:
    more: dict[str, Any] = {"type": _KINDS[word.kind], "help": word.help}
    if word.kind == "headers":
        more["action"] = "append"
    if word.flag:
        name = word.flag.removeprefix("--").upper()
        parser.add_argument(word.flag, dest=word.key, default=word.default, metavar=name, **more)
    else:
        parser.add_argument(word.key, metavar=word.key.upper(), **more)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):  # JSON has no word for the others
        raise argparse.ArgumentTypeError(f"'{text}' is not a number")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number") from None


def _header(text: str) -> tuple[str, str]:
    name, parted, value = text.partition("=")
    if not (name and parted):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return name, value


_KINDS = {
    "text": str,
    "number": _number,
    "whole": _whole,
    "category": str.lower,  # GraphQL writes LINEAR, Bybit linear
    "headers": _header,
}
