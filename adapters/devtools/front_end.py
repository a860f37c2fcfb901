"""Building the npm package in adapters/web, when there is one."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from adapters.devtools.place import Place
from adapters.supervisor.terminal import StartError, say

_STAMP = ".okd-stamp"


def build(place: Place) -> int:
    """Build it now.

    Raises:
        StartError: Node.js is missing or the build fails.
    """
    folder = _folder(place)
    if not (folder / "package.json").exists():
        say("There is no front end in this clone yet (adapters/web), so nothing was built.")
        return 0
    if shutil.which("npm") is None:
        raise StartError(
            "Building the front end needs Node.js 20 or newer with npm (Debian and Ubuntu: "
            "apt install nodejs npm). ./dev run --no-web starts without it."
        )
    for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        say(f"npm {' '.join(words)} ...")
        done = subprocess.run(  # noqa: S603 - npm with words of ours
            ["npm", *words],  # noqa: S607 - the person's own npm
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
            raise StartError(f"npm {words[0]} failed:\n{tail}")
    (folder / "dist").mkdir(exist_ok=True)
    (folder / "dist" / _STAMP).write_text(_digest(folder), encoding="utf-8")
    return 0


def build_if_needed(place: Place) -> None:
    """Build unless what was built is of these very sources; without npm say so and go on."""
    folder = _folder(place)
    if not (folder / "package.json").exists():
        return
    try:
        if (folder / "dist" / _STAMP).read_text(encoding="utf-8") == _digest(folder):
            return
    except OSError:
        pass  # Never built.
    try:
        build(place)
    except StartError as error:
        say(f"The front end was not built, the API works without it. {error}")


def _folder(place: Place) -> Path:
    return place.clone / "adapters" / "web"


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] not in {"node_modules", "dist"}:
            digest.update("/".join(parts).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
