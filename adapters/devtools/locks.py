"""The four locks: made by `./dev lock`, checked without a network by `./dev check`."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from adapters.devtools.place import LOCKS, Place, found_uv
from adapters.supervisor.terminal import StartError, say

_STAMP = "# pyproject-sha256: "
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;[^\\]*)?")
_SOURCES = {
    "production": ("pyproject.toml",),
    "sandbox": ("pyproject.toml", "--group", "sandbox"),
    "dev": ("pyproject.toml", "--group", "dev"),
    "web": ("--group", "web"),
}
_FOUNDATION = {"sandbox": "production", "dev": "sandbox"}


def digest_of_requirements(pyproject: Path) -> str:
    """Hash what the locks are made from, so that comments and tool settings do not age them."""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project = content.get("project", {})
    wanted = [
        project.get("requires-python"),
        project.get("dependencies"),
        project.get("optional-dependencies"),
        content.get("dependency-groups"),
    ]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def problems(place: Place) -> list[str]:
    """Return a sentence for everything that is wrong with the locks."""
    digest = digest_of_requirements(place.clone / "pyproject.toml")
    found = []
    pins: dict[str, set[tuple[str, str, str]]] = {}
    for layer, name in LOCKS.items():
        path = place.lock_of(layer)
        if not path.exists():
            found.append(f"{name} is missing: run ./dev lock")
            continue
        text = path.read_text(encoding="utf-8")
        pins[layer] = pins_of(text)
        if not text.startswith(f"{_STAMP}{digest}\n"):
            found.append(f"{name} was not made from this pyproject.toml: run ./dev lock")
        if "://" in text or re.search(r"^--", text, re.MULTILINE):
            found.append(f"{name} names an address or an index; a lock holds names and hashes only")
    for layer, foundation in _FOUNDATION.items():
        # Not their markers: what only some Pythons need of one layer, another may always need.
        missing = {pin[:2] for pin in pins.get(foundation, set())} - {
            pin[:2] for pin in pins.get(layer, set())
        }
        if layer in pins and missing:
            names = ", ".join(sorted(f"{name} {version}" for name, version in missing))
            found.append(f"{LOCKS[layer]} lacks what {LOCKS[foundation]} has: {names}")
    return found


def pins_of(text: str) -> set[tuple[str, str, str]]:
    """Return (name, version, marker) of every pin in a lock."""
    matches = (_PIN.match(line) for line in text.splitlines())
    return {(m[1].lower(), m[2], (m[3] or "").strip("; ")) for m in matches if m}


def make(place: Place, *, upgrade: bool) -> None:
    """Write the locks, each on the foundation of the leaner one.

    Raises:
        StartError: uv is not to be had, or finds no solution.
    """
    uv = found_uv() or _uv_of_our_own(place)
    digest = digest_of_requirements(place.clone / "pyproject.toml")
    for layer, name in LOCKS.items():
        path = place.lock_of(layer)
        before = pins_of(path.read_text(encoding="utf-8")) if path.exists() else set()
        foundation = _FOUNDATION.get(layer)
        constraint = ["-c", LOCKS[foundation]] if foundation else []
        flags = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate"]
        flags += ["--no-header", "--quiet", *(["--upgrade"] if upgrade else [])]
        command = [uv, "pip", "compile", *flags, *_SOURCES[layer], *constraint]
        done = subprocess.run(  # noqa: S603 - uv with flags of ours
            [*command, "-o", name], cwd=place.clone, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise StartError(f"uv could not make {name}:\n{done.stderr.strip()}")
        body = [line for line in path.read_text().splitlines(keepends=True) if line[:1] != "#"]
        path.write_text(f"{_STAMP}{digest}\n{''.join(body)}", encoding="utf-8")
        after = pins_of(path.read_text(encoding="utf-8"))
        say(f"  {name:<26} {len(after)} packages, {len(after - before)} changed")


def _uv_of_our_own(place: Place) -> str:
    """Install uv beside the environment, for a machine that has none."""
    tools = place.clone / ".venv-tools"
    uv = tools / "bin" / "uv"
    if not uv.exists():
        say("uv is not installed: fetching it once into .venv-tools ...")
        for command in (
            [sys.executable, "-m", "venv", str(tools)],
            [str(tools / "bin" / "python"), "-m", "pip", "install", "-q", "uv>=0.13,<1"],
        ):
            done = subprocess.run(  # noqa: S603 - our own interpreter and pip
                command,
                env={**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise StartError(
                    "Making locks needs uv, and it could not be installed "
                    f"(no network, perhaps):\n{done.stderr.strip()[-800:]}"
                )
    return str(uv)
