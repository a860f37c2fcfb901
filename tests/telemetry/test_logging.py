"""One pipeline for every logger, one line per event, and no secret in any of them."""

import asyncio
import logging
import sys
import threading
from io import StringIO
from typing import Any

import pytest
import structlog

from adapters.settings import LogFormat
from adapters.telemetry import configure_logging, correlation, log_loop_exception
from adapters.telemetry.redaction import mask_text
from tests.telemetry.conftest import Events

SECRET = "hunter2-Zx9"  # the thing that must not be seen
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "key",
    [
        "token", "id_token", "Authorization", "password", "db_password", "secret", "api_secret",
        "client-secret", "cookie", "Set-Cookie", "api_key", "X-BAPI-API-KEY", "apiKey", "email",
        "private_key", "credentials",
    ],
)  # fmt: skip
def test_values_of_secret_keys_are_masked_at_any_depth(stream: StringIO, key: str) -> None:
    structlog.get_logger().info(
        "thing_happened", **{key: SECRET}, deep={"a": [{key: SECRET}]}, plain="kept"
    )

    assert SECRET not in stream.getvalue()
    assert stream.getvalue().count('"***"') == 2
    assert '"plain":"kept"' in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgresql://okd:{SECRET}@db/okd", "postgresql://okd:***@db/okd"),
        (f"rediss://:{SECRET}@cache:6379/0 is away", "rediss://:***@cache:6379/0 is away"),
        (f"postgresql://okd:p@{SECRET}@db/okd", "postgresql://okd:***@db/okd"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer ***"),
        (f"GET /x?api_key={SECRET}&b=1", "GET /x?api_key=***&b=1"),
        (f"{{'api_secret': '{SECRET}', 'b': 1}}", "{'api_secret': '***', 'b': 1}"),
        (f'{{"password":"{SECRET}"}}', '{"password":"***"}'),
        (f"signed {JWT}.", "signed ***."),
        ("from ada.lovelace@example.org today", "from a***@example.org today"),
        ("http://127.0.0.1:8000/graphql", "http://127.0.0.1:8000/graphql"),
        ("12 tokens left", "12 tokens left"),
    ],
)
def test_secrets_inside_sentences_are_masked(text: str, shown: str) -> None:
    assert mask_text(text) == shown


@pytest.mark.provokes("ConnectionError: postgresql://okd:***@db")
def test_secrets_in_tracebacks_are_masked(stream: StringIO, events: Events) -> None:
    try:
        raise ConnectionError(f"postgresql://okd:{SECRET}@db/okd refused")  # noqa: TRY301
    except ConnectionError:
        structlog.get_logger().exception("database_lost")

    [event] = events()
    assert "postgresql://okd:***@db/okd refused" in event["exception"]
    assert SECRET not in stream.getvalue()


def test_counts_and_flags_named_like_secrets_stay(events: Events) -> None:
    structlog.get_logger().info("bucket_filled", token_count=3, password_changed=True)

    assert (events()[0]["token_count"], events()[0]["password_changed"]) == (3, True)


@pytest.mark.parametrize("name", ["uvicorn.error", "pybit.unified", "websocket", "sqlalchemy"])
def test_the_standard_librarys_loggers_take_the_same_way(name: str, events: Events) -> None:
    logging.getLogger(name).warning("lost %s", f"redis://:{SECRET}@cache", extra={"attempt": 2})

    [event] = events()
    assert event["event"] == "lost redis://:***@cache"
    assert (event["logger"], event["level"], event["role"]) == (name, "warning", "feed")
    assert event["attempt"] == 2


def test_strawberrys_own_error_log_is_silent(stream: StringIO) -> None:
    logging.getLogger("strawberry.execution").error("a client's mistake, with a traceback")

    assert stream.getvalue() == ""


def test_an_event_carries_the_requests_context(events: Events) -> None:
    started = correlation.begin("caller-0001")
    correlation.bind_operation("Prices")
    structlog.get_logger("some.module").info("thing_happened")

    [event] = events()
    assert event["correlation_id"] == "caller-0001"
    assert event["trace_id"] == started.trace_id
    assert event["operation"] == "Prices"
    assert event["logger"] == "some.module"


def test_less_severe_events_than_the_level_are_not_written(stream: StringIO) -> None:
    structlog.get_logger().debug("chatter")

    assert stream.getvalue() == ""


def test_the_console_shows_plain_lines() -> None:
    out = StringIO()
    root = logging.getLogger()
    before = (root.handlers, root.level, sys.excepthook, threading.excepthook)
    try:
        configure_logging(role="web", log_format=LogFormat.CONSOLE, level="info", stream=out)
        structlog.get_logger().warning("thing_happened", password=SECRET)
    finally:
        root.handlers, _, sys.excepthook, threading.excepthook = before
        root.setLevel(before[1])
        logging.captureWarnings(capture=False)

    assert "[warning  ] thing_happened" in out.getvalue()
    assert SECRET not in out.getvalue()


@pytest.mark.provokes("RuntimeError: unseen")
@pytest.mark.usefixtures("stream")
def test_what_nobody_caught_is_logged_once_with_its_traceback(events: Events) -> None:
    def crash() -> None:
        raise RuntimeError("unseen")

    thread = threading.Thread(target=crash)
    thread.start()
    thread.join()
    try:
        crash()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    crashed = events()
    assert [e["event"] for e in crashed] == ["thread_crashed", "process_crashed"]
    assert all(e["exception"].count("RuntimeError: unseen") == 1 for e in crashed)


@pytest.mark.provokes("RuntimeError: unseen")
async def test_a_broken_callback_of_the_loop_is_logged(events: Events) -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    done = asyncio.Event()

    def crash() -> Any:
        done.set()
        raise RuntimeError("unseen")

    loop.set_exception_handler(log_loop_exception)
    try:
        loop.call_soon(crash)
        await done.wait()
    finally:
        loop.set_exception_handler(before)

    [event] = events()
    assert event["event"] == "loop_exception"
    assert "RuntimeError: unseen" in event["exception"]
