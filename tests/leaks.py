"""What no log may hold, found by machine in everything the processes of a test wrote."""

import re
from collections.abc import Iterator
from pathlib import Path

_LOOKS = {
    "a token": re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.?"),
    # Masked ones have an asterisk before the @.
    "an e-mail address": re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE),
    "a bearer": re.compile(r"bearer\s+(?!\*)\S{8,}", re.IGNORECASE),
    "a password of an address": re.compile(r"://[^\s/:@]+:(?!\*)[^\s/@]+@"),
}
# Google's own name for a certificate: an address by its looks, nobody's by its use.
_NOBODYS = ("securetoken@system.gserviceaccount.com",)
# Files of a data directory whose text is a secret.
_KEPT = ("secret.key", "vault.keys", "blind-index.key")


def leaks(data_dir: Path, *canaries: str) -> Iterator[str]:
    """One line per finding: the file, what it looks like, and never the secret itself."""
    files = [data_dir / name for name in _KEPT]
    known = [*canaries, *(file.read_text("utf-8").strip() for file in files if file.exists())]
    logs = sorted(path for path in (data_dir / "logs").rglob("*") if path.is_file())
    for path in logs:
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            for what in _found_in(line, known):
                yield f"{path.name}:{number}: {what}"


def _found_in(line: str, known: list[str]) -> Iterator[str]:
    for harmless in _NOBODYS:
        line = line.replace(harmless, "")
    yield from (what for what, looks in _LOOKS.items() if looks.search(line))
    if any(secret in line for secret in known if secret):
        yield "a secret of this run"
