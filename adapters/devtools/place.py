"""Where this clone is, and which files the front door works with."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """One clone of the repository; tests make their own."""

    clone: Path

    @property
    def venv(self) -> Path:
        return self.clone / ".venv"

    @property
    def app(self) -> Path:
        return self.clone / "app.py"

    def lock_of(self, layer: str) -> Path:
        """Return the lock file of a layer: "production", "sandbox" or "dev"."""
        return self.clone / LOCKS[layer]


# Each one holds everything of the one before it, in the same versions (`./dev check` looks).
LOCKS = {
    "production": "requirements.txt",
    "sandbox": "requirements-sandbox.txt",
    "dev": "requirements-dev.txt",
}


def here() -> Place:
    """Return the clone this file belongs to."""
    return Place(Path(__file__).resolve().parents[2])


def found_uv() -> str | None:
    """Return the path of uv, which installs ten times faster than pip, or None."""
    if os.environ.get("OKD_NO_UV"):
        return None
    return shutil.which("uv")
