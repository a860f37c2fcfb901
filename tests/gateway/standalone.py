"""A process of its own, for tests of signals: ``python -m tests.gateway.standalone <web fd>``."""

import asyncio
import sys
from pathlib import Path
from typing import cast

from adapters.gateway import Drain, build_app, operation_extensions, run, serve
from adapters.settings import LogFormat
from adapters.telemetry import Metrics, configure_logging
from domain.status import Component, ComponentState, StatusBoard, SystemStatus
from tests.gateway.conftest import SINCE, settings
from tests.gateway.product import Board, Stage, product_schema


async def main() -> None:
    configure_logging(role="web", log_format=LogFormat.JSON, level="info")
    chosen = settings(listen_fd=int(sys.argv[1]), drain_seconds=float(sys.argv[2]))
    schema = product_schema(operation_extensions(chosen))
    board = Board(SystemStatus((Component("x", ComponentState.UP, SINCE),), SINCE))
    drain = Drain()
    app = build_app(
        graphql_schema=schema,
        context=Stage().context,
        board=cast("StatusBoard", board),
        settings=chosen,
        metrics=Metrics(role="web"),
        drain=drain,
        sdl=schema.as_str(),
        docs=Path(__file__).parents[2] / "docs",
        graphiql=Path("/nowhere"),
    )
    await serve(settings=chosen, drain=drain, web=app, on_ready=_ready, grace_seconds=30)
    await asyncio.sleep(0)


def _ready() -> None:
    sys.stdout.write('{"event": "ready"}\n')
    sys.stdout.flush()


if __name__ == "__main__":
    run(main())
