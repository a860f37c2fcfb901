"""`app.py run`: one command, the whole world, one exit code."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.supervisor import databases
from adapters.supervisor.listening import listen
from adapters.supervisor.options import RunOptions, parse
from adapters.supervisor.supervise import Supervisor
from adapters.supervisor.terminal import StartError, complain, say, sentence_for
from adapters.supervisor.world import CLONE, Place, Plan, World, sandbox_world

_LEFT_OVER_SECONDS = 12.0  # What children of a crashed supervisor may take to end.
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SHOWN = {
    "graphiql": "GraphiQL",
    "graphql": "GraphQL",
    "graphql_ws": "live",
    "health": "health",
    "exchange_rest": "exchange",
    "identity": "identity",
    "mailbox": "mailbox",
}


def run_from_arguments(arguments: Sequence[str], *, plan: Plan = sandbox_world) -> int:
    """Run with the words of a command line."""
    try:
        options = parse(arguments)
    except StartError as error:
        complain(str(error))
        return 2
    return run(options, plan)


def run(options: RunOptions, plan: Plan = sandbox_world) -> int:
    """Keep the world until it is asked to stop.

    Returns 0 after a requested stop and 1, with a sentence for the person, when it could not run.
    """
    if os.name != "posix":
        complain("This system is not supported: use Linux or macOS (on Windows: WSL or Docker).")
        return 1
    # Until the supervisor handles signals itself, a request to stop is an interrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options, plan)
    except StartError as error:
        complain(str(error))
    except OSError as error:
        sentence = sentence_for(error)
        if sentence is None:
            raise
        complain(sentence)
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0
    return 1


def _run(options: RunOptions, plan: Plan) -> int:
    # fcntl is missing on Windows, which the sentence above must reach.
    from adapters.supervisor import instance  # noqa: PLC0415

    data_dir = options.data_dir or default_data_dir()
    with instance.claimed(data_dir) as left_over:
        patience = _LEFT_OVER_SECONDS if left_over else 0.0
        with listen(options.host, options.port, patience_seconds=patience) as web:
            say(f"OKD Finance, sandbox in {data_dir}")
            born = time.monotonic()
            opened = databases.opened(data_dir, os.environ)
            try:
                say(f"  {'databases':<10} ready in {time.monotonic() - born:.1f} s")
                opened.watch()
                place = Place(options, data_dir, web, opened)
                return _supervise(place, plan(place))
            finally:
                opened.close()
                instance.withdraw(data_dir)


def _supervise(place: Place, world: World) -> int:
    from adapters.supervisor import instance  # noqa: PLC0415 - as above

    is_complete = False
    pids: dict[str, int] = {}

    def publish() -> None:
        everyone = {"supervisor": os.getpid(), **pids}
        instance.publish(place.data_dir, {**world.addresses, "pids": everyone})

    def on_change(current: Mapping[str, int]) -> None:
        pids.clear()
        pids.update(current)
        if is_complete:
            publish()

    def on_ready() -> None:
        nonlocal is_complete
        is_complete = True
        publish()
        _tell(place, world)

    def on_stopping() -> None:
        instance.withdraw(place.data_dir)
        for bound in (place.web, *place.sockets):
            bound.close()  # From here on clients are refused instead of kept waiting.

    code = Supervisor(
        children=world.children,
        log_dir=place.data_dir / "logs",
        verbose=place.options.verbose,
        grace_seconds=place.options.grace_seconds,
        on_change=on_change,
        on_ready=on_ready,
        on_stopping=on_stopping,
    ).run()
    say("Stopped." if code == 0 else "Stopped after a failure.")
    return code


def _tell(place: Place, world: World) -> None:
    say()
    for key, word in _SHOWN.items():
        if key in world.addresses:
            say(f"  {word:<10} {world.addresses[key]}")
    say(f"  {'logs':<10} {place.data_dir / 'logs'}")
    if place.options.host not in _LOOPBACK:
        say("\n  Careful: the sandbox is open to whoever reaches this address.")
    say("\nCtrl-C stops everything.")


def default_data_dir() -> Path:
    """Return the sandbox's place for this clone."""
    from adapters.sandbox import servers  # noqa: PLC0415 - only where it is asked for

    return Path(servers.default_data_dir(CLONE))


if __name__ == "__main__":
    sys.exit(run_from_arguments(sys.argv[1:]))
