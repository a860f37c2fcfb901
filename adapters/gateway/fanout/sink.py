"""What a group gives to its members, and what it asks of them."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import orjson
from graphql import GraphQLFormattedError

FormattedErrors: TypeAlias = Sequence[GraphQLFormattedError]
Payload: TypeAlias = Mapping[str, Any]
"""A result of GraphQL: ``data``, and ``errors`` when there are any."""


class Encoded:
    """One value of a group, encoded once for all who get it. Never changed once it is made."""

    __slots__ = (
        "_add_dropped",
        "_content",
        "carries",
        "final",
        "key",
        "payload",
        "size",
        "starts",
        "tail",
    )

    def __init__(
        self,
        content: Payload,
        *,
        key: Hashable = None,
        final: bool = False,
        carries: int = 0,
        add_dropped: Callable[[Payload, int], Payload] | None = None,
    ) -> None:
        self.key = key
        """Values of one key take each other's place."""
        self.final = final
        """No newer value may take its place."""
        self.carries = carries
        """How many things are missed with it."""
        self.payload = orjson.dumps(content)
        self.tail = self.payload + b"}"
        """The payload and the end of the message around it, so that a frame is two pieces."""
        self.size = len(self.tail)
        self.starts: dict[int, bytes] = {}
        """What frames of this value begin with, by the length of what a reader's begins with."""
        self._content = content
        self._add_dropped = add_dropped

    def after_losing(self, count: int) -> "Encoded":
        """The same value, telling its reader that ``count`` things are missing before it.

        The value itself when its client did not ask for that field. Encodes again: the price of
        a slow reader, paid for that reader alone.
        """
        if count == 0 or self._add_dropped is None:
            return self
        return Encoded(
            self._add_dropped(self._content, count),
            key=self.key,
            carries=self.carries + count,
            add_dropped=self._add_dropped,
        )


class Sink(Protocol):
    """A member of groups: one operation of one client. A socket's today, SSE's, others' later.

    Called from inside of the loop that serves everybody: it never waits and never raises.
    """

    def offer(self, value: Encoded) -> None:
        """Take a value, or do with it what the field's delivery says."""
        ...

    def end(self, errors: FormattedErrors | None) -> None:
        """Nothing follows: the streams ended, or the errors say why they could not go on."""
        ...
