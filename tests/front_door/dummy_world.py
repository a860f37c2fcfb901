"""`run` with dummy children: an exchange, a migration, web processes and a worker.

Manners of the children come as JSON in the MANNERS variable, by name; with some for it there is a
"page", too, built beside the rest.
"""

import json
import os
import sys
from pathlib import Path

from adapters.supervisor import Child, HttpReady, LineReady, Place, World, run_from_arguments

CHILD = str(Path(__file__).with_name("dummy_child.py"))
MANNERS: dict[str, list[str]] = json.loads(os.environ.get("MANNERS", "{}"))
READY_SECONDS = float(os.environ.get("READY_SECONDS", "20"))


def argv(name: str, *more: str) -> tuple[str, ...]:
    return (sys.executable, CHILD, name, *more, *MANNERS.get(name, []))


def plan(place: Place) -> World:
    exchange, worker = place.loopback(), place.loopback()
    environment = dict(os.environ)
    count = place.options.web_processes
    names = ["web"] if count == 1 else [f"web-{number + 1}" for number in range(count)]
    children = (
        Child(
            name="exchange",
            argv=argv("exchange"),
            environment=environment,
            sockets={"OKD_LISTEN_FD": exchange},
            ready=HttpReady(exchange, "/ready"),
            ready_seconds=READY_SECONDS,
        ),
        Child(name="migrate", argv=argv("migrate", "once"), environment=environment, once=True),
        *(
            Child(
                name=name,
                argv=argv(name),
                environment=environment,
                sockets={"OKD_LISTEN_FD": place.web},
                ready=LineReady(),
                after=("exchange", "migrate"),
                ready_seconds=READY_SECONDS,
            )
            for name in names
        ),
        Child(
            name="worker",
            argv=argv("worker"),
            environment=environment,
            sockets={"OKD_OPERATIONS_FD": worker},
            ready=HttpReady(worker),
            after=tuple(names),
            required=False,
            ready_seconds=READY_SECONDS,
        ),
        *(
            Child(
                name="page",
                argv=argv("page"),
                environment=environment,
                after=tuple(names),
                once=True,
                required=False,
            )
            for _ in [name for name in MANNERS if name == "page"]
        ),
    )
    host, port = place.web.getsockname()[:2]
    return World(children, {"graphql": f"http://{host}:{port}/graphql"})


if __name__ == "__main__":
    sys.exit(run_from_arguments(sys.argv[1:], plan=plan))
