"""Where this clone is, and which files the front door works with."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """One clone of the repository; tests make their own."""

    clone: Path
    venv_name: str = ".venv"

    @property
    def venv(self) -> Path:
        return self.clone / self.venv_name

    @property
    def app(self) -> Path:
        return self.clone / "app.py"

    @property
    def web(self) -> Path:
        """The npm package of the front end."""
        return self.clone / "adapters" / "web"

    def lock_of(self, layer: str) -> Path:
        """Return the lock file of a layer: "production", "sandbox", "dev" or "web"."""
        return self.clone / LOCKS[layer]


# Each one holds everything of the one before it, in the same versions (`./dev check` looks); the
# last stands alone: Node.js as a wheel, for machines without it.
LOCKS = {
    "production": "requirements.txt",
    "sandbox": "requirements-sandbox.txt",
    "dev": "requirements-dev.txt",
    "web": "requirements-web.txt",
}


def here() -> Place:
    """Return the clone this file belongs to."""
    return Place(Path(__file__).resolve().parents[2])


def found_uv() -> str | None:
    """Return the path of uv, which installs ten times faster than pip, or None."""
    if os.environ.get("OKD_NO_UV"):
        return None
    return shutil.which("uv")
