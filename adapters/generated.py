"""Generated documents: print them, write them, or tell which are out of date."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def settle(arguments: Sequence[str], wanted: Mapping[str, str], root: Path) -> int:
    """Print, --write or --check ``wanted``, texts by their path from ``root``."""
    if "--write" in arguments:
        for name, text in wanted.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        return 0
    if "--check" in arguments:
        stale = [name for name, text in wanted.items() if _read(root / name) != text]
        advice = f"Run python {' '.join(sys.argv).replace('--check', '--write')}"
        sys.stderr.writelines(f"{name} is out of date. {advice}\n" for name in stale)
        return 1 if stale else 0
    sys.stdout.write("\n".join(wanted.values()))
    return 0


def _read(file: Path) -> str | None:
    return file.read_text("utf-8") if file.exists() else None
