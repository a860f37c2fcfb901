"""state.json: what the keeper tells everybody else. 0600, replaced atomically, gone at the end."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

EVENTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Event:
    at: str
    server: str
    what: str


@dataclass(frozen=True, slots=True)
class ServerStatus:
    pid: int | None
    ready: bool
    restarts: int
    last_exit: str | None
    version: str


@dataclass(frozen=True, slots=True)
class State:
    keeper_pid: int
    sockets: str
    database_url_owner: str
    database_url: str
    redis_url: str
    servers: dict[str, ServerStatus]
    events: list[Event] = field(default_factory=list)


def write(path: Path, state: State) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)  # Its mode would outlive the truncation.
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=2)
    unfinished.replace(path)


def read(path: Path) -> State | None:
    """Read what the keeper wrote last; None when it wrote nothing that this version understands."""
    try:
        told = json.loads(path.read_text("utf-8"))
        told["servers"] = {name: ServerStatus(**each) for name, each in told["servers"].items()}
        told["events"] = [Event(**each) for each in told["events"]]
        return State(**told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
