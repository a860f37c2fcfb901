"""Whatever a run writes is searched: proven by runs that write what none may."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import REPOSITORY

HEAD = """
import asyncio, logging, subprocess, sys
import pytest, structlog
from structlog.testing import capture_logs

MAIL = "ann" + "@example.org"
SAYS = [sys.executable, "-c", "import sys; sys.stderr.write('sent to ann' + '@example.org\\\\n')"]
"""
# Each ends well but for what it writes.
WAYS = {
    "a print": "print(MAIL)",
    "a plain line of structlog": "structlog.get_logger().info('sent', to=MAIL)",
    "a logger": "logging.getLogger('adapters.mail').warning('sent to %s', MAIL)",
    "a captured event": """
    with capture_logs():
        structlog.get_logger().info('sent', to=MAIL)
""",
    "our own logging": """
    import io
    from adapters.settings import LogFormat
    from adapters.telemetry import configure_logging
    told = logging.getLogger().handlers
    configure_logging(role='web', log_format=LogFormat.JSON, level='info', stream=io.StringIO())
    logging.getLogger('adapters.mail').warning('born 1931-04' + '-17')
    logging.getLogger().handlers = told
    logging.captureWarnings(False)
""",
    "a child that was waited for": "subprocess.run(SAYS, capture_output=True, check=True)",
    "a child that was not": "subprocess.Popen(SAYS).wait()",
    "a child of the loop": """
    async def ask():
        child = await asyncio.create_subprocess_exec(*SAYS, stderr=asyncio.subprocess.PIPE)
        await child.communicate()
    asyncio.run(ask())
""",
    "a data directory": """
    from tests.world import make_data_dir, remove_data_dir
    place = make_data_dir()
    (place / 'postgres.log').write_text('of ' + MAIL)
    remove_data_dir(place)
""",
    "a traceback": """
    try:
        raise KeyError(3)
    except KeyError:
        logging.getLogger('adapters.mail').exception('broke')
""",
    "a declaration that is stale": "pass",
}
DECLARED = {"a declaration that is stale": "@pytest.mark.provokes('KeyError: 3')\n"}
FOUND = {
    "our own logging": "a secret of this run by adapters.mail",
    "a logger": "an e-mail address by adapters.mail",
    "a traceback": "a traceback: KeyError: 3",
    "a declaration that is stale": "provokes 'KeyError: 3', which nothing said",
}


def run(place: Path, test: str, *words: str) -> subprocess.CompletedProcess[str]:
    (place / "test_it.py").write_text(f"{HEAD}\n{test}")
    # The plugin alone: a conftest would start servers. Its findings are this very program's words.
    return subprocess.run(  # noqa: S603  # our own interpreter
        [
            *("env", f"PYTHONPATH={REPOSITORY}"),  # not as Python: what it says is a finding
            *(sys.executable, "-m", "pytest", "-p", "tests.hearing", "-p", "no:cacheprovider"),
            *("-c", "pytest.ini", f"--rootdir={place}", "-q", *words, "test_it.py"),
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
def test_who_writes_what_none_may_fails(place: Path, way: str):
    ran = run(place, f"{DECLARED.get(way, '')}def test_writes():\n    {WAYS[way]}")

    assert ran.returncode == 1, ran.stdout
    assert "1 passed, 1 error" in ran.stdout
    assert FOUND.get(way, "an e-mail address") in ran.stdout
    # It would be the second line that holds it.
    findings = ran.stdout.partition("written, and must not be:")[2].partition("Captured")[0]
    assert "ann@example.org" not in findings
    assert "1931-04-17" not in findings


def test_who_says_so_may_break_things(place: Path):
    ran = run(
        place,
        f"@pytest.mark.provokes('KeyError: 3')\ndef test_breaks():\n    {WAYS['a traceback']}",
    )

    assert (ran.returncode, "1 passed" in ran.stdout) == (0, True), ran.stdout


def test_workers_search_and_what_is_late_fails_the_run(place: Path):
    (place / "conftest.py").write_text(
        "from tests.hearing import EARS\n"
        "def pytest_sessionfinish(session):\n"
        "    if hasattr(session.config, 'workerinput'):\n"
        "        EARS.hear('a late line', 'sent to ann' + '@example.org')\n"
    )

    ran = run(place, "def test_writes():\n    print('fine')", "-n", "1")

    assert ran.returncode == 1, ran.stdout
    assert "1 passed" in ran.stdout
    assert "a late line:1: an e-mail address: sent to a***" in ran.stdout


def test_what_is_not_searched_is_said(place: Path):
    ran = run(place, "def test_writes():\n    print(MAIL)", "-s")

    assert "not searched: what this process wrote (pytest -s)" in ran.stdout


def test_no_program_of_ours_writes_where_nobody_listens():
    # PostgreSQL, started by hand: nothing of it is ours, and its file in the data dir is read.
    known = {"tests/sandbox/servers/test_leftovers.py", "tests/deployment/cluster.py"}
    deaf = set()
    for path in sorted((REPOSITORY / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.keyword) or node.arg not in {"stdout", "stderr"}:
                continue
            if ast.unparse(node.value).endswith("DEVNULL"):
                deaf.add(str(path.relative_to(REPOSITORY)))

    assert deaf == known
