"""structlog for everything, the standard library's loggers included: one line, one event.

Readable in a terminal, JSON otherwise. Context (correlation id, trace id, operation) is bound by
adapters.telemetry.correlation and arrives on every line of the task that bound it.
"""

import logging
import sys
import threading
from asyncio import AbstractEventLoop
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from adapters.settings import LogFormat
from adapters.telemetry.redaction import mask_secrets

# Chatty below these levels: their ordinary events are told by ours.
_QUIET = {
    "uvicorn.error": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "websockets": logging.WARNING,
    "websocket": logging.WARNING,
    "pybit": logging.WARNING,
    "alembic": logging.INFO,
    "asyncio": logging.WARNING,
    "httpx": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "slowapi": logging.CRITICAL,  # a refusal is counted; a line per refused request is a flood
    # Strawberry logs every error of every client with a traceback; the gateway logs what matters.
    "strawberry.execution": logging.CRITICAL + 1,
}


def configure_logging(
    *, role: str, log_format: LogFormat, level: str, stream: TextIO | None = None
) -> None:
    """Route all logging of this process through one pipeline. Call once, first of all."""
    out = stream or sys.stdout
    shared = _shared_processors()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _adds_role(role),
                structlog.processors.format_exc_info,
                mask_secrets,
                _renderer(log_format, out),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, quiet_level in _QUIET.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(quiet_level, root.level))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def log_loop_exception(_loop: AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """For ``loop.set_exception_handler``: what no task's owner caught, once, with traceback."""
    error = context.get("exception")
    subject = context.get("task") or context.get("future") or context.get("handle")
    structlog.get_logger("asyncio").error(
        "loop_exception",
        reason=context.get("message"),
        subject=repr(subject) if subject is not None else None,
        exc_info=error if isinstance(error, BaseException) else None,
    )


def _adds_role(role: str) -> Processor:
    def add_role(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("role", role)
        return event

    return add_role


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_colour,
    ]


def _drop_colour(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Uvicorn says everything twice, the second time in colour."""
    event.pop("color_message", None)
    return event


def _renderer(log_format: LogFormat, out: TextIO) -> Processor:
    console = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and out.isatty())
    if console:
        return structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("process").critical("process_crashed", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None:
        return
    structlog.get_logger("thread").error(
        "thread_crashed",
        thread=args.thread.name if args.thread else None,
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )
