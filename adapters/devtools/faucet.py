"""`./dev faucet`: play money for somebody of the running sandbox.

It is credited by the platform's own code, in the sandbox's own database, with the keys of its data.
"""

import os
import subprocess
from pathlib import Path

from adapters.devtools import environment
from adapters.devtools.data_dir import Arguments, meant
from adapters.devtools.place import Place
from adapters.supervisor import instance
from adapters.supervisor.terminal import StartError, say

# Each is a file of the data dir: made at the first start, and readable by its owner only.
_KEYS = {
    "OKD_SECRET_KEY": "secret.key",
    "OKD_VAULT_KEYS": "vault.keys",
    "OKD_BLIND_INDEX_KEY": "blind-index.key",
}
_SECONDS = 60


def faucet(place: Place, words: list[str]) -> int:
    """Credit and print what they have now.

    Raises:
        StartError: Nobody has that name, there is no such asset, or no sandbox runs there.
    """
    parser = Arguments(
        prog="./dev faucet",
        description="Give USER so much of ASSET, out of nothing, and print what they have now.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "user",
        metavar="USER",
        help="plain, verified, compliance, treasury, admin, or an e-mail address",
    )
    parser.add_argument("asset", metavar="ASSET", help="such as USDT")
    parser.add_argument("amount", metavar="AMOUNT", help="such as 250 or 0.015")
    parser.add_argument("--data-dir", type=Path, help="the sandbox's data (.okd in the clone)")
    known = parser.parse_args(words)
    told = sandbox_environment(meant(place, known.data_dir))
    python = environment.python_for("sandbox", place)
    ran = subprocess.run(  # noqa: S603 - our own program
        [python, str(place.app), "faucet", known.user, known.asset, known.amount],
        env=told,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if ran.returncode != 0:
        raise StartError(ran.stderr.strip())
    say(ran.stdout.strip())
    return 0


def sandbox_environment(data_dir: Path) -> dict[str, str]:
    """Ours, and where the running sandbox's databases and keys are."""
    if not instance.is_running(data_dir):
        raise StartError(
            f"No sandbox runs on {data_dir}. Start one with ./dev run, or name the data dir of"
            " the one you mean: --data-dir DIR"
        )
    addresses = instance.published(data_dir) or {}
    keys = {name: data_dir / file for name, file in _KEYS.items()}
    if "database" not in addresses or not all(file.exists() for file in keys.values()):
        raise StartError(f"The sandbox on {data_dir} is still starting: try again in a moment.")
    return {
        **os.environ,
        "OKD_ENVIRONMENT": "sandbox",
        "OKD_BYBIT_ENVIRONMENT": "testnet",  # Nothing is asked of a venue.
        "DATABASE_URL": str(addresses["database"]),
        "REDIS_URL": str(addresses["redis"]),
        **{name: file.read_text() for name, file in keys.items()},
    }
