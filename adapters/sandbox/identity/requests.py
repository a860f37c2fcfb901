"""What a request may be: from this machine, small, and JSON with values of the right kind."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from starlette.requests import ClientDisconnect, Request

from adapters.sandbox.identity.answers import Refused, malformed

_BODY_BYTES_MAX = 64 * 1024
_TEXT_LENGTH_MAX = 16 * 1024
_LIST_LENGTH_MAX = 1000
_DIGITS_MAX = 15
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


class Body:
    """The values of a request, each asked for with its type. All raise Refused."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > _TEXT_LENGTH_MAX or not _storable(value):
            raise malformed(f"/{name} must be string")
        return value

    def needed(self, name: str, refusal: str) -> str:
        """A text that is there and not empty, or the error named."""
        value = self.text(name)
        if not value:
            raise Refused(refusal)
        return value

    def flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise malformed(f"/{name} must be boolean")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number; Google's JSON writes 64 bits as text."""
        value = self._values.get(name)
        if (
            isinstance(value, str)
            and value.isascii()
            and value.isdigit()
            and len(value) <= _DIGITS_MAX
        ):
            value = int(value)
        if value is None or (type(value) is int and 0 <= value < 1 << 53):
            return value
        raise malformed(f"/{name} must be integer")

    def texts(self, name: str) -> list[str]:
        value = self._values.get(name)
        if value is None:
            return []
        listed = value if isinstance(value, list) else [value]
        if len(listed) > _LIST_LENGTH_MAX or not all(
            isinstance(text, str) and _storable(text) for text in listed
        ):
            raise malformed(f"/{name} must be array of strings")
        return listed

    def part(self, name: str) -> "Body | None":
        """An object inside."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise malformed(f"/{name} must be object")
        return None if value is None else Body(value)

    def parts(self, name: str) -> "list[Body]":
        value = self._values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            raise malformed(f"/{name} must be array of objects")
        return [Body(part) for part in value[:_LIST_LENGTH_MAX]]

    def email(self, name: str = "email") -> str | None:
        value = self.text(name)
        if not value:
            return None
        if not _EMAIL.fullmatch(value):
            raise Refused("INVALID_EMAIL")
        return value.lower()

    def phone(self, name: str = "phoneNumber") -> str | None:
        value = self.text(name)
        if not value:
            return None
        if not _PHONE.fullmatch(value):
            raise Refused("INVALID_PHONE_NUMBER", "Invalid format.")
        return value


async def body_of(request: Request) -> Body:
    """JSON, or a form where a form was sent. Raises Refused."""
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > _BODY_BYTES_MAX:
                raise Refused("Request payload is too large.", status=413)
    except ClientDisconnect:
        raise malformed("The body ended early") from None
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and not raw.startswith(b"{"):  # curl says form of whatever it posts
        return Body(form_of(bytes(raw).decode(errors="replace")))
    try:
        values = orjson.loads(bytes(raw)) if raw else {}
    except orjson.JSONDecodeError:
        raise malformed("Unexpected token.") from None
    if not isinstance(values, dict):
        raise malformed("The body must be an object")
    return Body(values)


def form_of(text: str) -> dict[str, str]:
    """The first value of each field. Raises Refused."""
    try:
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise malformed("Too many fields") from None
    return {name: values[0] for name, values in fields.items()}


def is_local(request: Request) -> bool:
    """Whether the caller, the name it called us by, and the page it is on are of this machine.

    A name of somebody else's that was made to lead here (DNS rebinding) is not ours, and a page
    from elsewhere has no business with the mailbox.
    """
    client = request.client.host if request.client else ""
    origin = request.headers.get("origin")
    named = is_loopback(_host_of(f"//{request.headers.get('host', '')}"))
    return is_loopback(client) and named and (origin is None or is_loopback(_host_of(origin)))


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _storable(text: str) -> bool:
    """Without a lone surrogate, which no file takes, and no NUL."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
