"""What one connection may hold, as the settings say it, and the edge that enforces it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from adapters.gateway.server.connections import Connections
from adapters.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one connection; docs/settings.md explains each under the same name."""

    head_timeout_seconds: float
    body_timeout_seconds: float
    write_timeout_seconds: float
    keep_alive_seconds: int
    head_bytes_max: int
    url_bytes_max: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(**{name: getattr(settings, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Edge:
    """What all connections of one port share."""

    limits: Limits
    connections: Connections
    on_refused: Callable[[str], None]
    """Told why a connection or a request was refused: a word of a closed set."""
    on_cut: Callable[[str], None]
    """Told on which deadline a connection was cut: head, body or write."""


class EdgeConfig(uvicorn.Config):
    """uvicorn's configuration, which is all that a protocol class is given, with our edge in it."""

    def __init__(self, app: ASGIApp, *, edge: Edge, **settings: Any) -> None:  # noqa: ANN401  # uvicorn's own
        super().__init__(app, timeout_keep_alive=edge.limits.keep_alive_seconds, **settings)
        self.edge = edge


def edge_of(config: uvicorn.Config) -> Edge:
    """The edge a protocol was configured with."""
    if not isinstance(config, EdgeConfig):
        raise TypeError("this protocol needs an EdgeConfig")
    return config.edge
