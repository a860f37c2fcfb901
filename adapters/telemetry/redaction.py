"""Keeps secrets out of the log, whatever somebody logs.

The last processor before rendering, so that tracebacks are seen too. It is a net, not a licence:
code that logs a secret on purpose is still wrong.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "***"
_DEPTH_MAX = 6
_SECRET_WORDS = (
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "email",
    "password",
    "passwd",
    "private_key",
    "secret",
    "token",
)
_IN_STRINGS = (
    # The password of an address: scheme://name:password@host. Greedy up to the last @ of the
    # authority, because a password may hold one.
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE), None),
    (re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), None),
    # key=value and "key": "value" inside a sentence, a query string or a vendor's exception.
    (
        re.compile(
            r"(?P<keep>\b\w*(?:api_?key|password|passwd|secret|token)\w*[\"']?\s*[=:]\s*[\"']?)"
            r"[^\s\"'&,;)}\]]+",
            re.IGNORECASE,
        ),
        None,
    ),
    # A JSON Web Token by its looks, wherever it is.
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),
    (
        re.compile(r"\b(?P<first>[\w.+-])[\w.+-]*(?P<host>@[\w-]+(?:\.[\w-]+)+)"),
        r"\g<first>***\g<host>",
    ),
)


def mask_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Structlog processor: replace secret values by ``***``, by key and by shape."""
    for key, value in event.items():
        event[key] = MASK if _is_secret(key, value) else masked(value)
    return event


def masked(value: object, depth: int = 0) -> object:
    """``value`` without secrets; what is no string or container is returned as it is."""
    if isinstance(value, str):
        return mask_text(value)
    if depth >= _DEPTH_MAX:
        return value if isinstance(value, int | float | None) else MASK
    if isinstance(value, Mapping):
        return {
            k: MASK if _is_secret(str(k), v) else masked(v, depth + 1) for k, v in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(v, depth + 1) for v in value]
    return value


def mask_text(text: str) -> str:
    """``text`` with passwords of addresses, tokens and e-mail addresses made unreadable."""
    for pattern, replacement in _IN_STRINGS:
        text = pattern.sub(replacement or rf"\g<keep>{MASK}", text)
    return text


def _is_secret(key: str, value: object) -> bool:
    # Numbers and flags are not secrets: token_count, password_changed.
    if value is None or isinstance(value, bool | int | float):
        return False
    plain = key.lower().replace("-", "_")
    return any(word in plain for word in _SECRET_WORDS)
