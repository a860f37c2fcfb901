"""What no log may hold, found by machine in everything a run writes (tests/hearing.py listens)."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from adapters.telemetry.redaction import MASK, mask_text
from tests import canaries

_LOOKS = {
    "a token": re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.?"),
    # Masked ones have an asterisk before the @.
    "an e-mail address": re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE),
    "a telephone number": re.compile(r"(?<![\w+])\+\d{9,15}\b"),
    "a bearer": re.compile(r"bearer\s+(?!\*)\S{8,}", re.IGNORECASE),
    "a password of an address": re.compile(r"://[^\s/:@]+:(?!\*)[^\s/@]+@"),
    # As the sandbox makes them: 96 random bytes, and 160 random bits in base32.
    "a refresh token": re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{128}(?![\w-])"),
    "a TOTP secret": re.compile(r"\b(?=[A-Z]*[2-7])[A-Z2-7]{32}\b"),
}
# Google's own name for a certificate: an address by its looks, nobody's by its use.
_NOBODYS = ("securetoken@system.gserviceaccount.com",)
# Files of a data directory whose text is a secret.
_KEPT = ("secret.key", "vault.keys", "blind-index.key")
_TRACEBACK = "Traceback (most recent call last)"
# "logger":"x" of a JSON line, [x] at the end of a console's, `x:file.py:1` of pytest's.
_LOGGER = re.compile(r'"logger":\s?"([\w.]+)"|\[([\w.]+)\]\s*$|^[A-Z]+\s+([\w.]+):\S+\.py:\d+')
_SHOWN_MAX = 160


def leaks(data_dir: Path, *secrets: str, provoked: Collection[str] = ()) -> Iterator[str]:
    """One line per finding in the logs of a data directory; never the secret itself."""
    files = [data_dir / name for name in _KEPT]
    known = [*secrets, *(file.read_text("utf-8").strip() for file in files if file.exists())]
    logs = [*data_dir.glob("*.log"), *(data_dir / "logs").rglob("*")]
    for path in sorted(path for path in logs if path.is_file()):
        text = path.read_text("utf-8", "replace")
        yield from leaks_in(text, path.name, *known, provoked=provoked)


def leaks_in(text: str, where: str, *secrets: str, provoked: Collection[str] = ()) -> Iterator[str]:
    """The same in one text. ``provoked``: words of tracebacks that are there on purpose."""
    known = [secret for secret in (*canaries.ALL, *secrets) if secret]
    for number, line in enumerate(text.splitlines(), start=1):
        for what in _found_in(line, known):
            yield f"{where}:{number}: {what}{_logger_of(line)}: {_excerpt(line, known)}"
    for traceback in text.split(_TRACEBACK)[1:]:
        if not any(word in traceback for word in provoked):
            yield f"{where}: a traceback: {_excerpt(_last_words(traceback), known)}"


def _found_in(line: str, known: list[str]) -> Iterator[str]:
    for harmless in _NOBODYS:
        line = line.replace(harmless, "")
    yield from (what for what, looks in _LOOKS.items() if looks.search(line))
    if any(_says(line, secret) for secret in known):
        yield "a secret of this run"


def _says(line: str, secret: str) -> bool:
    """Also as JSON writes it; a number that only goes on like it is another."""
    written = {secret, json.dumps(secret)[1:-1]}
    return any(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", line) for text in written)


def _logger_of(line: str) -> str:
    found = _LOGGER.search(line)
    return "" if found is None else f" by {next(filter(None, found.groups()))}"


def _excerpt(line: str, known: list[str]) -> str:
    """What a person needs to find the place, without what was found."""
    shown = mask_text(line)
    for secret in known:
        shown = shown.replace(secret, MASK)
    for looks in _LOOKS.values():
        shown = looks.sub(MASK, shown)
    return shown.strip()[:_SHOWN_MAX]


def _last_words(traceback: str) -> str:
    """The line that names the exception: the first that belongs to no frame."""
    lines = traceback.replace("\\n", "\n").splitlines()[1:]
    return next((line for line in lines if line[:1].isalpha()), "of which no end was seen")
