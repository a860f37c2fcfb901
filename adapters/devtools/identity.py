"""`./dev token` and `./dev totp`: be somebody in the running sandbox, in a script too.

What is asked for is all that is printed, so that `$(./dev token plain)` is a token.
"""

import argparse
from pathlib import Path

from adapters.devtools.control_plane import ask, found
from adapters.devtools.data_dir import Arguments, meant
from adapters.devtools.place import Place
from adapters.supervisor.terminal import say


def token(place: Place, words: list[str]) -> int:
    """Print a fresh ID token.

    Raises:
        StartError: Nobody has that name, or no sandbox runs there.
    """
    parser = _parser("./dev token", "Print a fresh ID token of USER and nothing else.")
    parser.add_argument(
        "--second-factor", action="store_true", help="as if the TOTP code had been given, too"
    )
    known = parser.parse_args(words)
    body = {"user": known.user, "secondFactor": known.second_factor}
    say(str(_asked(place, known, "token", body)["idToken"]))
    return 0


def totp(place: Place, words: list[str]) -> int:
    """Print the TOTP code that would be taken now. Raises as above."""
    known = _parser("./dev totp", "Print USER's current TOTP code and nothing else.").parse_args(
        words
    )
    say(str(_asked(place, known, "totp", {"user": known.user})["code"]))
    return 0


def _parser(prog: str, description: str) -> Arguments:
    parser = Arguments(prog=prog, description=description, allow_abbrev=False)
    parser.add_argument(
        "user",
        metavar="USER",
        help="plain, verified, compliance, treasury, admin, or an e-mail address",
    )
    parser.add_argument("--data-dir", type=Path, help="the sandbox's data (.okd in the clone)")
    return parser


def _asked(
    place: Place, known: argparse.Namespace, path: str, body: dict[str, object]
) -> dict[str, object]:
    return ask(found(meant(place, known.data_dir), "identity_control"), path, body)
