"""What docs/clients tells people to type, typed: files written, commands run, in order."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.clock import SystemClock
from tests.clients.npm import workplace
from tests.e2e.sandbox import Sandbox
from tests.front_door.running import Program
from tests.world import REPOSITORY

pytestmark = [
    pytest.mark.xdist_group("sandbox"),
    pytest.mark.timeout(300),  # the first of a machine installs the packages
]

FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
# What is installed is pinned in the tests' own environment, and in tests/clients/package.json.
INSTALL = re.compile(r"^(pip|npm) install .*$", re.MULTILINE)
ADDRESS = "127.0.0.1:8000"

DECIMAL = r"\d+(\.\d+)?"
INSTANT = r"\d{4}-\d\d-\d\dT\S+Z"
BEAT = r"(:\n\n)*"  # the comment that keeps an event stream open
PRICE_LINE = rf"{INSTANT} BTCUSDT {DECIMAL} (live|stale)\n"


class Fence(NamedTuple):
    language: str
    title: str
    text: str


def fences(page: str) -> list[Fence]:
    text = (REPOSITORY / "docs" / "clients" / f"{page}.md").read_text("utf-8")
    return [Fence(*found) for found in FENCE.findall(text)]


def typed(page: str, sandbox: Sandbox, place: Path) -> Iterator[str]:
    """Write a page's files and run its commands; yields what each of its blocks prints."""
    shutil.copytree(REPOSITORY / "docs" / "clients", place / "docs" / "clients")
    address = sandbox.addresses["graphql"].removeprefix("http://").removesuffix("/graphql")
    for fence in fences(page):
        text = fence.text.replace(ADDRESS, address)
        if fence.title:
            (place / fence.title).write_text(text, "utf-8")
        elif fence.language == "sh":
            yield run(INSTALL.sub("", text), place)


def run(script: str, place: Path) -> str:
    ran = subprocess.run(  # noqa: S603  # our own page
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        cwd=place,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def assert_prints(printed: Iterator[str], *patterns: str) -> None:
    """One pattern for each block of commands: none may be added without saying what it prints."""
    for out, pattern in zip(printed, patterns, strict=True):
        assert re.fullmatch(pattern, out), out


def test_curl(sandbox: Sandbox, tmp_path: Path):
    refused = (
        r'{"data":{"good":{"symbol":"BTCUSDT"},"bad":null},"errors":\[{"message":"There is no '
        r'.*"extensions":{.*"code":"UNKNOWN_INSTRUMENT","correlationId":"\w+","retryable":false}}\]}'
    )

    value = rf'{{"data":{{"ticker":{{"lastPrice":"{DECIMAL}","stale":\w+}}}}}}'

    assert_prints(
        typed("curl", sandbox, tmp_path),
        rf'{{"data":{{"ticker":{{"lastPrice":"{DECIMAL}","asOf":"{INSTANT}","stale":\w+,'
        r'"source":"SANDBOX"}}}',
        rf'{{"data":{{"ticker":{{"symbol":"ETHUSDT","lastPrice":"{DECIMAL}"}}}}}}',
        r'{"data":{"systemStatus":{"state":"(UP|DEGRADED)"}}}',
        rf"({BEAT}event: next\ndata: {value}\n\n){{3}}{BEAT}event: complete\ndata:\n\n",
        refused,
        "",
    )

    served = (tmp_path / "schema.graphql").read_text("utf-8")
    assert served == (REPOSITORY / "docs" / "schema.graphql").read_text("utf-8")


def test_python(sandbox: Sandbox, tmp_path: Path):
    row = rf"{DECIMAL} [+-]\d+\.\d\d %\n"

    assert_prints(
        typed("python", sandbox, tmp_path),
        "",
        rf"BTCUSDT {row}ETHUSDT {row}",
        r"UNKNOWN_INSTRUMENT There is no 'BTCUSD' .*\n",
        rf"({PRICE_LINE}){{5}}",
        rf"({INSTANT} BTCUSDT {DECIMAL}\n){{3}}",
    )


async def test_the_python_program_outlives_a_dead_process(
    sandbox: Sandbox, clock: SystemClock, tmp_path: Path
):
    (program,) = [fence.text for fence in fences("python") if fence.title == "live.py"]
    (tmp_path / "live.py").write_text(program, "utf-8")
    script, address = tmp_path / "live.py", sandbox.addresses["graphql_ws"]
    client = Program([sys.executable, str(script), address, "BTCUSDT", "100000"])
    try:
        client.until("BTCUSDT")
        await sandbox.kill("web")
        killed = clock.now()
        while as_of(client.until("BTCUSDT")) < killed:
            pass  # what the dead process had sent
    finally:
        client.discard()


def as_of(line: str) -> datetime:
    return datetime.fromisoformat(line.split(maxsplit=1)[0])


def test_javascript(sandbox: Sandbox, tmp_path: Path):
    workplace(tmp_path)
    library = rf"BTCUSDT {DECIMAL} UNKNOWN_INSTRUMENT\n(BTCUSDT {DECIMAL}\n){{3}}"

    assert_prints(
        typed("javascript", sandbox, tmp_path),
        rf"(?s).*?({PRICE_LINE}){{5}}",  # npm speaks first
        *("", library),
        *("", library),
        *("", rf"(BTCUSDT {DECIMAL}\n){{3}}"),
    )


def test_typescript(sandbox: Sandbox, tmp_path: Path):
    workplace(tmp_path)

    assert_prints(typed("typescript", sandbox, tmp_path), "", r"(?s).*Generate outputs\n")

    # The schema went in as it is served, byte for byte.
    served = (tmp_path / "schema.graphql").read_bytes()
    assert served == (REPOSITORY / "docs" / "schema.graphql").read_bytes()

    # And the types are exact: money is a string, nothing else.
    example = tmp_path / "live.ts"
    example.write_text(example.read_text("utf-8").replace("price: string", "price: number"))
    with pytest.raises(AssertionError, match="error TS2322: Type 'string"):
        run("npx tsc", tmp_path)
