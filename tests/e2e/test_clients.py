"""What docs/clients.md tells people to type, typed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox
from tests.world import REPOSITORY

pytestmark = pytest.mark.xdist_group("sandbox")

PAGE = (REPOSITORY / "docs" / "clients.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^## (\w+)\n.*?^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
PRICE_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z BTCUSDT \d+(\.\d+)? (live|stale)$")


def typed(block: str, sandbox: Sandbox, place: Path) -> str:
    """Run a block in a copy of the clients, against the sandbox's address."""
    shutil.copytree(REPOSITORY / "docs" / "clients", place / "docs" / "clients")
    address = sandbox.addresses["graphql"].removeprefix("http://").removesuffix("/graphql")
    script = block.replace("127.0.0.1:8000", address)
    # The client is in the tests' own environment already.
    script = re.sub(r"^pip install .*$", "", script, flags=re.MULTILINE)
    ran = subprocess.run(  # noqa: S603  # our own page
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        cwd=place,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_page_has_the_three_clients():
    assert list(BLOCKS) == ["curl", "Python", "JavaScript"]


def test_curl(sandbox: Sandbox, tmp_path: Path):
    out = typed(BLOCKS["curl"], sandbox, tmp_path)

    assert re.fullmatch(
        r'{"data":{"ticker":{"lastPrice":"\d+(\.\d+)?","asOf":"\S+Z","stale":\w+,'
        r'"source":"SANDBOX"}}}\s*',
        out,
    )


def test_python(sandbox: Sandbox, tmp_path: Path):
    lines = typed(BLOCKS["Python"], sandbox, tmp_path).splitlines()

    assert len(lines) == 5
    assert all(PRICE_LINE.match(line) for line in lines), lines


def test_javascript(sandbox: Sandbox, tmp_path: Path):
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has to have node and npm")
        pytest.skip("node and npm are not installed")

    lines = typed(BLOCKS["JavaScript"], sandbox, tmp_path).splitlines()

    prices = [line for line in lines if PRICE_LINE.match(line)]
    assert len(prices) == 5, lines
