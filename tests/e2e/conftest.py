"""One sandbox for all end-to-end tests: they leave it alive, whatever they killed in it.

Its books begin with a day that is over, which its own processes close beside the tests.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.books import Yesterday, lived_since_yesterday
from tests.e2e.sandbox import Sandbox
from tests.world import REPOSITORY


@pytest.fixture(scope="session")
def started() -> Iterator[Sandbox]:
    sandbox = Sandbox("--no-web")
    try:
        yield sandbox.up()
    finally:
        sandbox.remove()


@pytest.fixture(scope="session")
async def yesterday(started: Sandbox) -> Yesterday:
    return await lived_since_yesterday(started)


@pytest.fixture(scope="session")
def sandbox(started: Sandbox, yesterday: Yesterday) -> Sandbox:
    """After yesterday: days are closed from the first entry there ever was."""
    del yesterday
    return started


@pytest.fixture(scope="session")
def front_end() -> None:
    """Build GraphiQL where that is not done; workers take turns, and the second finds it built."""
    done = subprocess.run(  # noqa: S603 - our own front door
        [sys.executable, str(REPOSITORY / "dev"), "web"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode == 0:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must be able to build GraphiQL:\n{done.stdout}{done.stderr}")
    pytest.skip(f"GraphiQL was not tested. {done.stderr.splitlines()[0]}")
