"""`./dev reset`: forget the sandbox's data, after asking, never under a running instance."""

import shutil
import sys
from pathlib import Path

from adapters.devtools.data_dir import arguments, meant
from adapters.devtools.place import Place
from adapters.supervisor import instance
from adapters.supervisor.terminal import StartError, say

# Files that only our own programs leave in a data dir: anything else is not ours to delete.
_OURS = ("instance.lock", "keeper.lock", "start.lock", "users.lock")
_STOPPED_SECONDS = 15.0


def run(place: Place, words: list[str]) -> int:
    """Delete the data dir.

    Raises:
        StartError: Something still uses it, or the folder is not a data dir of ours.
    """
    parser = arguments("./dev reset", "Forget the sandbox: its databases, logs, everything.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    known = parser.parse_args(words)
    data_dir = meant(place, known.data_dir)
    if not data_dir.exists():
        say(f"There is nothing at {data_dir}.")
        return 0
    if not any((data_dir / name).exists() for name in _OURS):
        raise StartError(f"{data_dir} is not a data dir of ./dev run: nothing was deleted.")
    if not known.yes and not _agreed(data_dir):
        say("Nothing was deleted.")
        return 1
    _delete(data_dir)
    say(f"Forgotten. The next ./dev run starts a new world in {data_dir}.")
    return 0


def _delete(data_dir: Path) -> None:
    running = f"An instance runs on {data_dir}: stop it first (Ctrl-C where it runs)."
    if instance.is_running(data_dir) or not _servers_stopped(data_dir):
        raise StartError(running)
    # Held while deleting, so that nothing starts on a half of it.
    with instance.held(data_dir, running):
        for path in data_dir.iterdir():
            if path.name == instance.LOCK_NAME:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    shutil.rmtree(data_dir)


def _servers_stopped(data_dir: Path) -> bool:
    """Wait for the database servers, which end a few seconds after their last user."""
    from adapters.sandbox import servers  # noqa: PLC0415

    return servers.stopped(data_dir, _STOPPED_SECONDS)


def _agreed(data_dir: Path) -> bool:
    say(f"This deletes {data_dir}: every account, balance and order of the sandbox.")
    say("Type yes to go on:")
    return sys.stdin.readline().strip().lower() == "yes"
