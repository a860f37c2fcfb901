"""`./dev record`, inside the environment: from words and addresses to a file of frames."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from adapters.bybit.config import public_ws_url
from adapters.bybit.record import record
from adapters.bybit.record_options import RecordingRefused, parse
from adapters.clock import SystemClock
from adapters.devtools.place import here
from adapters.sandbox import servers
from adapters.supervisor import instance
from adapters.supervisor.terminal import complain, say


def record_streams(arguments: Sequence[str]) -> int:
    """`./dev record`: returns the exit code; every problem is a sentence."""

    async def recorded() -> int:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        say(f"Recording {ws_url} into {options.out}. Ctrl-C ends it.")
        return await record(options, ws_url=ws_url, clock=SystemClock(), tell=say, stop=stop)

    try:
        options = parse(arguments)
        ws_url = public_ws_url(options.environment) or _sandbox_stream(options.data_dir)
        if "inverse" in options.categories:
            say(
                "Inverse is recorded, but the sandbox does not replay it: such a file is for study."
            )
        return 0 if asyncio.run(recorded()) else _complain("Nothing was received.")
    except RecordingRefused as error:
        return _complain(str(error))


def _sandbox_stream(data_dir: Path | None) -> str:
    """Where the running sandbox's streams are."""
    if data_dir is None:
        data_dir = Path(servers.default_data_dir(here().clone))
    address = (instance.published(data_dir) or {}).get("exchange_ws")
    if not isinstance(address, str) or not instance.is_running(data_dir):
        raise RecordingRefused(
            f"No sandbox runs on {data_dir}. Start one with ./dev run, or name another venue:"
            " --environment mainnet"
        )
    return address


def _complain(sentence: str) -> int:
    complain(sentence)
    return 1
