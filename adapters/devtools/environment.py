"""The virtual environment: made, filled from a hash-pinned lock, kept up to date.

One `.venv` in layers and not one per purpose: `run` installs the lean sandbox lock, `test` adds the
tools on top, so neither downloads the other's packages twice and editors find what they expect.
A stamp says what is inside; it is taken away before an install and written after it, so that an
interrupted one is seen and repaired from scratch.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from adapters.devtools import packages
from adapters.devtools.place import Place, found_uv
from adapters.devtools.turns import alone
from adapters.supervisor.terminal import StartError, say

_STAMP = "okd-stamp.json"
_NEEDED = (3, 11)
# A fuller layer contains the leaner one; Node.js, for the front end, has an environment of its own.
_LAYERS_ABOVE = {"sandbox": ("dev",), "dev": (), "web": ()}


def python_for(layer: str, place: Place) -> str:
    """Return a Python that has everything in the layer's lock, installing what is missing.

    Raises:
        StartError: The environment can not be made; the sentence says what to do.
    """
    chosen = os.environ.get("OKD_PYTHON")
    # Somebody else keeps the environment then: an image, a package manager.
    return chosen or brought_up(layer, place)


def brought_up(layer: str, place: Place) -> str:
    """Return the Python of the place's own environment, which then has everything of the lock.

    Raises:
        StartError: As above.
    """
    python = str(place.venv / "bin" / "python")
    if _is_current(layer, place):
        return python
    with alone(place.clone, while_waiting="Another ./dev is installing: waiting for it ..."):
        if not _is_current(layer, place):  # Another ./dev may have done it meanwhile.
            _bring_up(layer, place)
    return python


def version_of(python: Path) -> str | None:
    """Return "3.11.7" as the interpreter itself says it, or None when it does not start."""
    probe = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    try:
        answer = subprocess.run(  # noqa: S603 - the venv's own interpreter
            [python, "-I", "-S", "-c", probe],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def stamp_of(place: Place) -> dict[str, object]:
    """Return what is installed: {"python": version, layer: sha256 of its lock}; {} when unknown."""
    try:
        content = json.loads((place.venv / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def digest_of(lock: Path) -> str:
    try:
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    except OSError as error:
        raise StartError(f"{lock.name} is missing: restore it with git checkout.") from error


def _is_current(layer: str, place: Place) -> bool:
    stamp = stamp_of(place)
    covers = (layer, *_LAYERS_ABOVE[layer])
    if not any(stamp.get(name) == digest_of(place.lock_of(name)) for name in covers):
        return False
    # A system upgrade may have put another Python behind the link, without our packages.
    return stamp.get("python") == version_of(place.venv / "bin" / "python")


def _bring_up(layer: str, place: Place) -> None:
    stamp = stamp_of(place)
    version = version_of(place.venv / "bin" / "python")
    if not _is_sound(place, stamp, version):
        _make(place)
        stamp, version = {}, version_of(place.venv / "bin" / "python")
    _write_stamp(place, {"installing": layer})
    try:
        packages.install(place.lock_of(layer), place.venv, found_uv())
    except StartError:
        # Refused in good order (no network, a wrong hash): what is there is whole, if not complete.
        _write_stamp(place, {"python": version})
        raise
    kept = {name: stamp[name] for name in _LAYERS_ABOVE if name in stamp}
    above = {name: kept[name] for name in kept if kept[name] == digest_of(place.lock_of(name))}
    _write_stamp(place, {**above, "python": version, layer: digest_of(place.lock_of(layer))})


def _is_sound(place: Place, stamp: dict[str, object], version: str | None) -> bool:
    if not place.venv.exists():
        return False
    if version is None or _numbers(version) < _NEEDED:
        say(f"The environment in {place.venv.name} has no working Python: making it anew.")
        return False
    if "installing" in stamp:
        say("An earlier install was interrupted: making the environment anew.")
        return False
    if stamp and stamp.get("python") != version:
        say(f"Python is {version} now and was {stamp.get('python')}: making the environment anew.")
        return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _make(place: Place) -> None:
    if place.venv.is_symlink():
        place.venv.unlink()
    elif place.venv.exists():
        shutil.rmtree(place.venv)
    place.venv.mkdir()
    _write_stamp(place, {"installing": "venv"})
    uses_uv = found_uv() is not None
    if importlib.util.find_spec("venv") is None or not (uses_uv or packages.has_ensurepip()):
        shutil.rmtree(place.venv)
        raise StartError(
            "This Python can not make a virtual environment: its venv module is a package of its "
            f"own here. Install it (Debian and Ubuntu: apt install python3.{sys.version_info[1]}-"
            "venv), or install uv, and run ./dev again."
        )
    command = [sys.executable, "-I", "-m", "venv", *(["--without-pip"] if uses_uv else [])]
    made = subprocess.run(  # noqa: S603 - our own interpreter
        [*command, str(place.venv)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        said = (made.stderr or made.stdout).strip()
        raise StartError(f"Making the virtual environment failed:\n{said}")


def _write_stamp(place: Place, content: dict[str, object]) -> None:
    temporary = place.venv / f"{_STAMP}.new"
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(place.venv / _STAMP)
