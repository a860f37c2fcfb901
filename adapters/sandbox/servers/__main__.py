"""`python -m adapters.sandbox.servers keeper DATA_DIR`: the keeper, in the foreground.

`--report FD` is how `ensure` starts it: detached, answering once on that descriptor.
"""

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from adapters.sandbox.servers.client import GRACE_SECONDS
from adapters.sandbox.servers.errors import ServersError
from adapters.sandbox.servers.keeper import Keeper
from adapters.sandbox.servers.layout import no_room


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m adapters.sandbox.servers")
    parser.add_argument("command", choices=["keeper"])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--grace-seconds", type=float, default=GRACE_SECONDS)
    parser.add_argument("--report", type=int, metavar="FD")
    arguments = parser.parse_args()
    report: int | None = arguments.report
    if report is not None and os.fork() > 0:
        os._exit(0)  # Only the keeper itself flushes and cleans up.
    data = arguments.data_dir.absolute().resolve()
    try:
        Keeper(data, grace_seconds=arguments.grace_seconds).run(lambda: _say(report, ready="yes"))
    except (ServersError, OSError) as error:
        said = error if isinstance(error, ServersError) else no_room(error, data)
        sys.stderr.write(f"{said}\n")
        _say(report, error=str(said))
        return 1
    return 0


def _say(report: int | None, **words: str) -> None:
    if report is not None:
        with suppress(OSError):  # The one who asked may be gone.
            os.write(report, json.dumps(words).encode() + b"\n")
            os.close(report)


if __name__ == "__main__":
    sys.exit(main())
