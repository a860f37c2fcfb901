"""compose.yaml as Docker Compose reads it, on the points that ours uses."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
REFERENCE = re.compile(r"\$(?:\$|\{(\w+)(?:(:[-?])([^}]*))?\})")
# Its fields, and no key.
SERVICE_ACCOUNT = json.dumps(
    {
        "type": "service_account",
        "project_id": "okd-production",
        "client_email": "okd@okd-production.iam.gserviceaccount.com",
        "private_key": "-",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
)
# What a person puts into .env; the test's own values.
SECRETS = {
    "POSTGRES_PASSWORD": "a" * 48,
    "POSTGRES_OWNER_PASSWORD": "b" * 48,
    "POSTGRES_APP_PASSWORD": "c" * 48,
    "VALKEY_PASSWORD": "d" * 48,
    "OKD_SECRET_KEY": "e" * 64,
    "OKD_FIREBASE_PROJECT": "okd-production",
    "OKD_FIREBASE_SERVICE_ACCOUNT": SERVICE_ACCOUNT,
    "OKD_VAULT_KEYS": f"k1:{b64encode(b'v' * 32).decode()}",
    "OKD_BLIND_INDEX_KEY": "f" * 64,
}


class MissingVariableError(Exception):
    """Compose would stop here, with this message."""


def text() -> str:
    return (ROOT / "compose.yaml").read_text()


def raw() -> dict[str, Any]:
    """As written, anchors and merges resolved, variables not."""
    loaded = yaml.safe_load(text())
    assert isinstance(loaded, dict)
    return loaded


def composition(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """With variables of ``environment`` filled in. Raises MissingVariableError."""
    filled = _filled(raw(), SECRETS if environment is None else environment)
    assert isinstance(filled, dict)
    return filled


def references() -> dict[str, list[tuple[str, str]]]:
    """Every variable asked for: its operators and the words behind them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for match in REFERENCE.finditer(_without_comments(text())):
        if match.group(1):
            found.setdefault(match.group(1), []).append(
                (match.group(2) or "", match.group(3) or "")
            )
    return found


def services() -> dict[str, dict[str, Any]]:
    found = composition()["services"]
    assert isinstance(found, dict)
    return found


def environment_of(service: str) -> dict[str, str]:
    return {name: str(value) for name, value in services()[service]["environment"].items()}


def seconds(duration: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    return float(duration[:-1]) * units[duration[-1]]


def _without_comments(yaml_text: str) -> str:
    return "\n".join(line for line in yaml_text.splitlines() if not line.lstrip().startswith("#"))


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, environment) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, environment) for inner in value]
    return _filled_text(value, environment) if isinstance(value, str) else value


def _filled_text(value: str, environment: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        if name is None:
            return "$"
        if given := environment.get(name):
            return given
        if operator == ":?":
            raise MissingVariableError(f"{name}: {word}")
        return word or ""

    return REFERENCE.sub(one, value)
