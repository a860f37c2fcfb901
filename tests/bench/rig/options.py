"""Words every bench understands."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.supervisor.terminal import StartError, complain


def plain(name: str, about: str) -> argparse.ArgumentParser:
    """Of what measures nothing."""
    made = argparse.ArgumentParser(
        prog=f"./dev bench {name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--write", action="store_true", help="put the result into docs/")
    return made


def parser(name: str, about: str) -> argparse.ArgumentParser:
    made = plain(name, about)
    made.add_argument("--quick", action="store_true", help="about a minute: does it work, roughly")
    made.add_argument("--rounds", type=int, help="interleaved rounds (3; quick: 1)")
    made.add_argument("--seconds", type=float, help="how long each run is measured")
    made.add_argument("--out", type=Path, help="put all numbers into this JSON file")
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of ours for this batch, such as OKD_LOG_LEVEL=info",
    )
    return made


def settings_of(words: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` each. Raises StartError."""
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise StartError(f"--set takes NAME=VALUE; '{wrong[0]}' has no '='.")
    return {name: value for name, _, value in pairs}


def numbers(text: str) -> list[int]:
    """``100,1000`` as numbers."""
    return [int(word) for word in text.split(",")]


def shares(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]


def finish(main: Callable[[], None]) -> int:
    """Run a bench; a refusal is a sentence."""
    try:
        main()
    except StartError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
