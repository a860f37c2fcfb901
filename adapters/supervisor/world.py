"""The world of `run`: which processes there are, in which order, and who is told what."""

import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.supervisor.children import (
    LISTEN_VARIABLE,
    OPERATIONS_VARIABLE,
    Child,
    HttpReady,
    LineReady,
)
from adapters.supervisor.databases import Databases
from adapters.supervisor.lifeline import LIFELINE_VARIABLE, READY_VARIABLE
from adapters.supervisor.listening import listen, url_host
from adapters.supervisor.options import RunOptions

CLONE = Path(__file__).resolve().parents[2]
_DEV = CLONE / "dev"  # Not in an image, where GraphiQL is built already.
# The public clock of Bybit V5: whatever speaks the protocol answers it.
_EXCHANGE_READY_PATH = "/v5/market/time"
_MIGRATION_SECONDS = 600.0
# What one role is told and no other may read, and descriptors that are another supervisor's.
_NOT_PASSED_ON = {
    "DATABASE_OWNER_URL",
    "OKD_CONTROL_TOKEN",
    LISTEN_VARIABLE,
    OPERATIONS_VARIABLE,
    LIFELINE_VARIABLE,
    READY_VARIABLE,
}
# A person waits at the terminal: no load balancer has to notice, and warnings are for reading.
_COMFORT = {"OKD_DRAIN_SECONDS": "0", "OKD_LOG_FORMAT": "console"}


@dataclass(slots=True)
class Place:
    """What a plan builds on."""

    options: RunOptions
    data_dir: Path
    web: socket.socket
    databases: Databases
    sockets: list[socket.socket] = field(default_factory=list)

    def loopback(self) -> socket.socket:
        """Bind a loopback socket of the supervisor's own on any free port."""
        bound = listen("127.0.0.1", 0)
        self.sockets.append(bound)
        return bound


@dataclass(frozen=True, slots=True)
class World:
    """The children, and what addresses.json tells of them."""

    children: tuple[Child, ...]
    addresses: Mapping[str, object]


Plan = Callable[[Place], World]


def sandbox_world(place: Place) -> World:
    """Plan exchange and migrate side by side, then web x N, feed and worker."""
    exchange, feed, worker = place.loopback(), place.loopback(), place.loopback()
    # Each web process has an operations port of its own: the shared one reaches any of them.
    webs = {name: place.loopback() for name in _web_names(place.options.web_processes)}
    token = secrets.token_urlsafe(24)
    shared = _shared_environment(place, exchange)
    needs = ("exchange", "migrate")
    children = [
        Child(
            name="exchange",
            argv=_role("exchange"),
            environment={**shared, "OKD_CONTROL_TOKEN": token},
            sockets={LISTEN_VARIABLE: exchange},
            ready=HttpReady(exchange, _EXCHANGE_READY_PATH),
        ),
        Child(
            name="migrate",
            argv=_role("migrate"),
            environment={**shared, "DATABASE_OWNER_URL": place.databases.owner_url},
            once=True,
            ready_seconds=_MIGRATION_SECONDS,
        ),
        *(_web(name, place, shared, needs, own) for name, own in webs.items()),
        *(
            Child(
                name=role,
                argv=_role(role),
                environment=shared,
                sockets={OPERATIONS_VARIABLE: listener},
                ready=HttpReady(listener),
                after=needs,
                # A feed whose venue is down is not ready; the API serves what it has meanwhile.
                required=False,
                ready_seconds=20.0,
            )
            for role, listener in (("feed", feed), ("worker", worker))
        ),
    ]
    if place.options.build_web and _DEV.exists():
        children.append(_front_end(tuple(webs)))
    bound = {**webs, "feed": feed, "worker": worker}
    operations = {name: f"http://{url_host(listener)}" for name, listener in bound.items()}
    return World(tuple(children), _addresses(place, exchange, operations, token))


def _role(role: str) -> tuple[str, ...]:
    return (sys.executable, str(CLONE / "app.py"), role)


def _web_names(count: int) -> list[str]:
    return ["web"] if count == 1 else [f"web-{number}" for number in range(1, count + 1)]


def _web(
    name: str,
    place: Place,
    shared: Mapping[str, str],
    needs: tuple[str, ...],
    operations: socket.socket,
) -> Child:
    return Child(
        name=name,
        argv=_role("web"),
        environment=shared,
        sockets={LISTEN_VARIABLE: place.web, OPERATIONS_VARIABLE: operations},
        ready=LineReady(),
        after=needs,
    )


def _front_end(needs: tuple[str, ...]) -> Child:
    """Build GraphiQL once everything serves; npm and its packages are told no secret of ours."""
    return Child(
        name="graphiql",
        argv=(sys.executable, str(_DEV), "web", "--beside"),
        environment={n: value for n, value in os.environ.items() if n not in _NOT_PASSED_ON},
        after=needs,
        once=True,
        required=False,
    )


def _shared_environment(place: Place, exchange: socket.socket) -> dict[str, str]:
    passed_on = {n: value for n, value in os.environ.items() if n not in _NOT_PASSED_ON}
    own = {**_COMFORT, **passed_on}
    recording = place.options.recording
    own |= {
        "OKD_ENVIRONMENT": "sandbox",
        "OKD_SECRET_KEY": _secret_key(place.data_dir),
        "DATABASE_URL": place.databases.url,
        "REDIS_URL": place.databases.redis_url,
        "OKD_BYBIT_ENVIRONMENT": "recording" if recording else "sandbox",
        "OKD_BYBIT_REST_URL": f"http://{url_host(exchange)}",
        "OKD_BYBIT_WS_URL": f"ws://{url_host(exchange)}",
        "OKD_SEED": str(place.options.seed),
    }
    if recording:
        own["OKD_RECORDING"] = str(recording)
    return own


def _secret_key(data_dir: Path) -> str:
    """Return this sandbox's own key: made once, so that cursors outlive a restart."""
    kept = data_dir / "secret.key"
    if not kept.exists():
        fresh = kept.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        fresh.rename(kept)
    return kept.read_text()


def _addresses(
    place: Place, exchange: socket.socket, operations: Mapping[str, str], token: str
) -> dict[str, object]:
    web = url_host(place.web)
    return {
        "graphql": f"http://{web}/graphql",
        "graphql_ws": f"ws://{web}/graphql",
        "graphiql": f"http://{web}/graphiql",
        "health": f"http://{web}/readyz",
        "metrics": f"http://{web}/metrics",
        "operations": dict(operations),
        "exchange_rest": f"http://{url_host(exchange)}",
        "exchange_ws": f"ws://{url_host(exchange)}",
        "control": f"http://{url_host(exchange)}/control",
        "control_token": token,
        "database": place.databases.url,
        "redis": place.databases.redis_url,
    }
