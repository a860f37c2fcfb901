"""What settings are held against, one question a function; a ValueError says what is wrong."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

GOOGLE_CERTIFICATES = (
    "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
)
_TRANSFER_LIMITS = re.compile(r"([A-Z0-9]{1,20})=([0-9.]+)/([0-9.]+)/([0-9.]+)", re.ASCII)
_AMOUNT = re.compile(r"\d{1,20}(\.\d{1,18})?", re.ASCII)
_ACCOUNT_FIELDS = ("project_id", "client_email", "private_key", "token_uri")


def emulators(environment: Mapping[str, str]) -> str:
    """The variables that would make Google's libraries believe an emulator.

    Wherever one is set, firebase-admin takes tokens that nobody signed.
    """
    return ", ".join(sorted(name for name in environment if name.endswith("_EMULATOR_HOST")))


def project(name: str) -> str:
    """A Firebase project of somebody's own."""
    if name.startswith("demo-"):
        raise ValueError("production needs a Firebase project; a demo one has no users")
    return name


def certificates_url(url: str) -> str:
    """An address of Google's, over TLS."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    of_google = (parts.hostname or "").endswith(".googleapis.com")
    if parts.scheme != "https" or not of_google or port not in (None, 443) or parts.username:
        raise ValueError("production takes certificates from https://*.googleapis.com only")
    return url


def service_account(given: str) -> str:
    """The JSON of a service account, read from its file when a path was given."""
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = Path(given).read_text("utf-8")
        except (OSError, ValueError):
            raise ValueError("is neither JSON nor a file that can be read") from None
    try:
        account = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    complete = isinstance(account, dict) and account.get("type") == "service_account"
    if not complete or not all(isinstance(account.get(name), str) for name in _ACCOUNT_FIELDS):
        raise ValueError("is not the key of a service account")
    return text


def transfer_limits(text: str) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """By asset: what may be sent with one transfer, in 24 hours, in 30 days."""
    found = {}
    for word in text.split():
        parts = _TRANSFER_LIMITS.fullmatch(word)
        amounts = parts.groups()[1:] if parts else ()
        if parts is None or not all(_AMOUNT.fullmatch(amount) for amount in amounts):
            raise ValueError("is not a list such as USDT=5000/10000/50000 BTC=0.1/0.2/1")
        once, day, month = (Decimal(amount) for amount in amounts)
        if not once <= day <= month:
            raise ValueError(f"{parts[1]}: a longer period has no lower limit")
        found[parts[1]] = (once, day, month)
    return found


def protected(url: str) -> bool:
    """Whether nobody on a network between can read what goes to ``url``."""
    parts = urlsplit(url)
    if parts.scheme in ("rediss", "unix"):
        return True
    query = parse_qs(parts.query)
    host = parts.hostname or query.get("host", [""])[0]
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        if ip_address(host).is_loopback:
            return True
    except ValueError:  # a name, not a number
        pass
    return query.get("sslmode", [""])[0] in ("require", "verify-ca", "verify-full")
