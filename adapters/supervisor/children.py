"""What a child is: plain values, no behaviour."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

LISTEN_VARIABLE = "OKD_LISTEN_FD"
OPERATIONS_VARIABLE = "OKD_OPERATIONS_FD"


@dataclass(frozen=True, slots=True)
class HttpReady:
    """Ready when a GET of `path` on the child's own listening socket answers 200."""

    listener: socket.socket
    path: str = "/readyz"


@dataclass(frozen=True, slots=True)
class LineReady:
    """Ready when the child calls `lifeline.announce_ready()`.

    For processes that share one socket, where an answer does not tell which of them gave it.
    """


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a restart: doubling, forgotten after a time of health."""

    seconds_min: float = 0.2
    seconds_max: float = 10.0
    healthy_seconds: float = 30.0

    def delay(self, failures: int) -> float:
        """Return the pause before the restart that follows `failures` (1 or more) failures."""
        return float(min(self.seconds_max, self.seconds_min * 2 ** min(failures - 1, 30)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process to keep.

    Args:
        environment: All of it; the supervisor adds only the numbers of inherited descriptors.
        sockets: Environment variable to the listening socket whose descriptor number it carries.
        after: Names of children that must be ready (or, run once, have succeeded) before this one.
        once: Run to completion instead of keeping it alive; anything but exit code 0 ends the run.
        required: A child not ready within `ready_seconds` ends the run; otherwise it is reported
            and left to go on trying. One that runs `once` and is not required runs beside: the
            world is ready without it, and its failure is one line.
        failures_max: A required child that ends this often before it was ever ready ends the run.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    sockets: Mapping[str, socket.socket] = field(default_factory=dict)
    ready: HttpReady | LineReady | None = None
    after: tuple[str, ...] = ()
    once: bool = False
    required: bool = True
    ready_seconds: float = 60.0
    failures_max: int = 3
    backoff: Backoff = field(default_factory=Backoff)


def waves(children: tuple[Child, ...]) -> list[list[str]]:
    """Group the names so that each group needs only earlier ones.

    Raises:
        ValueError: A child waits for one that does not exist, or in a circle.
    """
    waiting = {child.name: set(child.after) for child in children}
    if len(waiting) != len(children):
        raise ValueError("two children have one name")
    groups: list[list[str]] = []
    while waiting:
        group = [name for name, needs in waiting.items() if not needs & waiting.keys()]
        unknown = {need for child in children for need in child.after} - {c.name for c in children}
        if unknown or not group:
            raise ValueError(f"children wait in vain: {sorted(unknown or waiting)}")
        groups.append(group)
        waiting = {name: needs for name, needs in waiting.items() if name not in group}
    return groups
