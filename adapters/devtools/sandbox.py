"""`./dev sandbox`: drive the control plane of the running sandbox's exchange.

Standard library only: it has to answer while everything else is broken on purpose.
"""

import difflib
from pathlib import Path
from typing import Any

from adapters.devtools.control_plane import OTHER_VERSION, ask, found
from adapters.devtools.data_dir import Arguments, meant
from adapters.devtools.place import Place
from adapters.devtools.sandbox_orders import ORDERS, body_of
from adapters.supervisor.terminal import StartError, say


def run(place: Place, words: list[str]) -> int:
    """Give one order and tell what it did.

    Raises:
        StartError: The order is unknown or refused, or no sandbox runs there.
    """
    parser = Arguments(prog="./dev sandbox", add_help=False, allow_abbrev=False)
    parser.add_argument("--data-dir", type=Path)
    known, rest = parser.parse_known_args(words)
    if not rest or rest[0] in {"help", "-h", "--help"}:
        return _help()
    order = ORDERS.get(rest[0])
    if order is None:
        raise StartError(_unknown(rest[0]))
    body = body_of(order, rest[1:])  # A wrong word is told whether or not a sandbox runs.
    plane = found(meant(place, known.data_dir), "control")
    # The exchange's own answer to an unknown route is HTTP 200 and a retCode.
    answer = ask(plane, order.path, None if order.path == "state" else body)
    if "retCode" in answer:
        raise StartError(OTHER_VERSION.format(whose=plane.whose, status=200))
    for line in _told(answer):
        say(line)
    return 0


def _help() -> int:
    say("Break the running sandbox's exchange on purpose, and mend it.\n")
    for order in ORDERS.values():
        say(f"  ./dev sandbox {order.usage:<36} {order.summary}")
    say("\nEverything ends by itself. --data-dir DIR means another sandbox than the clone's .okd.")
    say("./dev sandbox ORDER --help has the options of one. docs/sandbox.md tells more.")
    return 0


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, ORDERS, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no order '{word}'.{hint} ./dev sandbox help lists them all."


def _told(answer: dict[str, Any]) -> list[str]:
    lines = []
    if "mode" in answer:
        lines += _state_lines(answer)
    if "dropped" in answer:
        lines.append(f"{answer['dropped']} sockets were dropped.")
    if "ticker" in answer:
        ticker = answer["ticker"]
        lines.append(f"{ticker['symbol']} is at {ticker['lastPrice']} now.")
    if "faults" in answer:
        lines += _fault_lines(answer["faults"]) or ["Nothing is broken."]
    return lines


def _state_lines(state: dict[str, Any]) -> list[str]:
    listed = ", ".join(f"{len(rows)} {name}" for name, rows in state["instruments"].items())
    lines = [f"Mode {state['mode']}; instruments: {listed}; sockets: {state['sockets']}"]
    return lines + [f"  {topic:<36} {count} listening" for topic, count in state["topics"].items()]


def _fault_lines(faults: dict[str, Any]) -> list[str]:
    """One line for each fault that is on; a kind this file does not know is shown as it is."""
    lines = []
    for name, left in faults.items():
        if isinstance(left, dict):
            lines += [f"  {name} {what}: {_left(more)}" for what, more in left.items()]
        elif left:
            lines.append(f"  {name}: {_left(left)}" if name in _TIMED else f"  {name}: {left}")
    return ["Broken on purpose:", *lines] if lines else []


_TIMED = {"outage", "refuse", "mutePings"}


def _left(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return f"{value} s left"
