"""What every role of `app.py` calls first: end when the supervisor ends, tell it when ready.

The supervisor holds the only write end of a pipe whose read end every child inherits. However the
supervisor dies, `kill -9` included, the kernel closes that end and the read returns. The parent
death signal of Linux says the same to a child whose threads can not run.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

LIFELINE_VARIABLE = "OKD_LIFELINE_FD"
READY_VARIABLE = "OKD_READY_FD"
# EX_CONFIG of sysexits.h: told what it cannot do, so that starting it again cannot help.
UNUSABLE_EXIT_CODE = 78
_PR_SET_PDEATHSIG = 1


def watch(on_lost: Callable[[], None] | None = None, *, grace_seconds: float = 10.0) -> bool:
    """Call `on_lost` once when the supervisor is gone, and end this process group after a grace.

    `on_lost` runs in a thread of its own; by default it sends this process SIGTERM, which every
    server of ours treats as a request to finish. Without a supervisor (production, a test) nothing
    is watched and False is returned.
    """
    number = os.environ.pop(LIFELINE_VARIABLE, "")
    if not number:
        return False
    descriptor = int(number)
    os.set_inheritable(descriptor, False)
    _ask_for_parent_death_signal()
    threading.Thread(
        target=_wait,
        args=(descriptor, on_lost or _terminate, grace_seconds),
        name="lifeline",
        daemon=True,
    ).start()
    return True


def announce_ready() -> None:
    """Tell the supervisor that this very process serves; without one, do nothing."""
    number = os.environ.pop(READY_VARIABLE, "")
    if not number:
        return
    descriptor = int(number)
    try:
        os.write(descriptor, b"ready\n")
    except BrokenPipeError:
        pass  # The supervisor is gone or stopped waiting: the lifeline says which.
    finally:
        os.close(descriptor)


def _wait(descriptor: int, on_lost: Callable[[], None], grace_seconds: float) -> None:
    while os.read(descriptor, 64):
        pass
    on_lost()
    time.sleep(grace_seconds)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # Whatever this process started goes with it.
    os._exit(1)


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _ask_for_parent_death_signal() -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415 - 10 ms that only Linux children pay

    # A parent that died before this call sends no signal; the pipe is closed then, and tells.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
