"""The mailbox: every mail and text message the sandbox would have sent, kept instead."""

from dataclasses import dataclass
from typing import Any

import orjson

from adapters.sandbox.identity.slips import Kind, Slips
from adapters.sandbox.identity.store import Store

_KEPT_MAX = 500
_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Message:
    at: float
    to: str
    subject: str
    text: str
    link: str | None = None
    code: str | None = None


class Mailbox:
    """Messages for people, and codes still unused for programs."""

    def __init__(self, store: Store, slips: Slips) -> None:
        self._execute = store.connection.execute
        self._slips = slips

    def put(self, message: Message) -> None:
        fields = {name: getattr(message, name) for name in Message.__slots__}
        self._execute(
            "INSERT INTO messages (document) VALUES (?)", (orjson.dumps(fields).decode(),)
        )
        self._execute(
            "DELETE FROM messages WHERE number <= (SELECT max(number) FROM messages) - ?",
            (_KEPT_MAX,),
        )

    def newest(self) -> list[Message]:
        rows = self._execute(
            "SELECT document FROM messages ORDER BY number DESC LIMIT ?", (_SHOWN_MAX,)
        )
        return [Message(**orjson.loads(document)) for (document,) in rows]

    def codes(self, *, now: float) -> list[dict[str, Any]]:
        """``verificationCodes`` as Google's emulator lists them."""
        return [
            {"phoneNumber": sent["phone"], "sessionInfo": slip, "code": sent["code"]}
            for slip, sent in self._slips.all(Kind.SMS, now=now)
        ]
