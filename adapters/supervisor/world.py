"""The world of `run`: which processes there are, in which order, and who is told what."""

import os
import secrets
import socket
import sys
from base64 import b64encode
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
_CERTIFICATES_PATH = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
_DEMO_PROJECT = "demo-okd"
_MIGRATION_SECONDS = 600.0
# What one role is told and no other may read, and descriptors that are another supervisor's.
_NOT_PASSED_ON = {
    "DATABASE_OWNER_URL",
    "OKD_CONTROL_TOKEN",
    "OKD_VAULT_KEYS",
    "OKD_BLIND_INDEX_KEY",
    "OKD_FIREBASE_SERVICE_ACCOUNT",
    # firebase-admin believes unsigned tokens wherever it is set: ours to say, in two roles only.
    "FIREBASE_AUTH_EMULATOR_HOST",
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
    """Plan exchange, identity and migrate side by side, then web x N, feed and worker."""
    exchange, identity = place.loopback(), place.loopback()
    feed, worker = place.loopback(), place.loopback()
    # Each web process has an operations port of its own: the shared one reaches any of them.
    webs = {name: place.loopback() for name in _web_names(place.options.web_processes)}
    token = secrets.token_urlsafe(24)
    shared = _shared_environment(place, exchange)
    people = shared | _people_environment(place, identity)
    needs = ("exchange", "identity", "migrate")
    children = [
        Child(
            name="exchange",
            argv=_role("exchange"),
            environment={**shared, "OKD_CONTROL_TOKEN": token},
            sockets={LISTEN_VARIABLE: exchange},
            ready=HttpReady(exchange, _EXCHANGE_READY_PATH),
        ),
        Child(
            name="identity",
            argv=_role("identity"),
            environment={
                **shared,
                "OKD_CONTROL_TOKEN": token,
                "OKD_FIREBASE_PROJECT": _DEMO_PROJECT,
                "OKD_IDENTITY_FILE": str(place.data_dir / "identity.sqlite3"),
            },
            sockets={LISTEN_VARIABLE: identity},
            ready=HttpReady(identity, _CERTIFICATES_PATH),
        ),
        Child(
            name="migrate",
            argv=_role("migrate"),
            environment={**shared, "DATABASE_OWNER_URL": place.databases.owner_url},
            once=True,
            ready_seconds=_MIGRATION_SECONDS,
        ),
        *(_web(name, place, people, needs, own) for name, own in webs.items()),
        *(
            Child(
                name=role,
                argv=_role(role),
                environment=people if role == "worker" else shared,
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
    return World(tuple(children), _addresses(place, exchange, identity, operations, token))


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
        "OKD_SECRET_KEY": _kept(place.data_dir, "secret.key", lambda: secrets.token_hex(32)),
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


def _people_environment(place: Place, identity: socket.socket) -> dict[str, str]:
    """Who signs in and whose data it is: for the roles that have to do with people.

    With a Firebase project of the person's own in the environment it is that one.
    """
    own = {
        "OKD_FILES_DIR": os.environ.get("OKD_FILES_DIR", str(place.data_dir / "files")),
        "OKD_VAULT_KEYS": _kept(place.data_dir, "vault.keys", _vault_key),
        "OKD_BLIND_INDEX_KEY": _kept(
            place.data_dir, "blind-index.key", lambda: secrets.token_hex(32)
        ),
    }
    if not os.environ.get("OKD_FIREBASE_PROJECT", _DEMO_PROJECT).startswith("demo-"):
        account = os.environ.get("OKD_FIREBASE_SERVICE_ACCOUNT")
        return own | ({"OKD_FIREBASE_SERVICE_ACCOUNT": account} if account else {})
    return own | {
        "OKD_FIREBASE_PROJECT": _DEMO_PROJECT,
        "OKD_FIREBASE_CERTIFICATES_URL": f"http://{url_host(identity)}{_CERTIFICATES_PATH}",
        "FIREBASE_AUTH_EMULATOR_HOST": url_host(identity),
    }


def _vault_key() -> str:
    return f"sandbox:{b64encode(secrets.token_bytes(32)).decode()}"


def _kept(data_dir: Path, name: str, make: Callable[[], str]) -> str:
    """Return this sandbox's own key: made once, so that what it made outlives a restart."""
    kept = data_dir / name
    if not kept.exists():
        fresh = kept.with_name(f"{name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        fresh.rename(kept)
    return kept.read_text()


def _addresses(
    place: Place,
    exchange: socket.socket,
    identity: socket.socket,
    operations: Mapping[str, str],
    token: str,
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
        "identity": f"http://{url_host(identity)}",
        "identity_control": f"http://{url_host(identity)}/control",
        "mailbox": f"http://{url_host(identity)}/mailbox",
        "database": place.databases.url,
        "redis": place.databases.redis_url,
    }
