"""Logs as an operator's collector reads them; the process's own logging is put back after."""

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import orjson
import pytest

from adapters.settings import LogFormat
from adapters.telemetry import configure_logging

Events = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[StringIO]:
    root = logging.getLogger()
    before = (root.handlers, root.level, sys.excepthook, threading.excepthook)
    out = StringIO()
    configure_logging(role="feed", log_format=LogFormat.JSON, level="info", stream=out)
    yield out
    root.handlers, _, sys.excepthook, threading.excepthook = before
    root.setLevel(before[1])
    logging.captureWarnings(capture=False)
    warnings.resetwarnings()
    warnings.simplefilter("error")


@pytest.fixture
def events(stream: StringIO) -> Events:
    return lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]
