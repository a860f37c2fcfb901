"""The books of the whole world: proven by the command, watched by the worker."""

import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.sandbox import Sandbox
from tests.front_door.test_dev import dev
from tests.world import eventually

pytestmark = pytest.mark.xdist_group("sandbox")


async def test_the_sandboxs_books_are_sound(sandbox: Sandbox):
    said = dev("verify-ledger", f"--data-dir={sandbox.data_dir}", OKD_PYTHON=sys.executable)

    first = said.stdout.splitlines()[:1]
    assert first == ["The ledger is sound: nothing was found by 18 rules."], said.stderr
    assert said.returncode == 0


async def test_roots_that_were_kept_are_compared(sandbox: Sandbox):
    """One whose day is not there: somebody took it away."""
    root = f"1999-12-31:{'0' * 64}"
    asked = ("verify-ledger", f"--data-dir={sandbox.data_dir}")

    said = dev(*asked, "--root", root, f"--root={root}", OKD_PYTHON=sys.executable)
    wrong = dev(*asked, "--root", "newest", OKD_PYTHON=sys.executable)

    assert said.returncode == 1, said.stderr
    assert "another_root: days whose root is not the one that was kept elsewhere" in said.stdout
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--root DAY:ROOT" in wrong.stderr


def test_without_a_sandbox_nothing_is_proven(tmp_path: Path):
    said = dev("verify-ledger", f"--data-dir={tmp_path}", OKD_PYTHON=sys.executable)

    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("No sandbox runs on ")


async def test_the_worker_shows_what_it_found(sandbox: Sandbox):
    worker = sandbox.addresses["operations"]["worker"]

    def found() -> list[str]:
        lines = httpx.get(f"{worker}/metrics", timeout=10).text.splitlines()
        return [line for line in lines if line.startswith("okd_ledger_findings{")]

    await eventually(lambda: len(found()) > 0)

    assert len(found()) == 18
    assert {line.rpartition(" ")[2] for line in found()} == {"0.0"}
