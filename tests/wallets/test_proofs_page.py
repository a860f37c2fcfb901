"""docs/proofs.md: its commands and its Python are run on a ledger of two days."""

import json
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.ledger_by_hand import _kept_roots
from tests.snippets import DOCS, snippets_of
from tests.users.api import user_id
from tests.users.conftest import book
from tests.wallets.proving import TODAY
from tests.wallets.test_proof_fields import DAY, LEDGER, Client, client
from tests.world import REPOSITORY

__all__ = ["book", "client"]

SNIPPETS = snippets_of(DOCS / "proofs.md")
CURL, VERIFY, COMPARE = (s.text for s in SNIPPETS if s.language == "sh")
QUERY = next(s.text for s in SNIPPETS if s.language == "graphql")
VALID = next(s.text for s in SNIPPETS if s.language == "text")
PYTHON = "\n".join(s.text for s in SNIPPETS if s.language == "python")


def ran(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S602  # the page's own words
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False
    )


async def test_the_commands_check_a_proof(client: Client, tmp_path: Path):
    await client.books.end_day()
    page = await client.api.data(QUERY, client.ann, day=DAY)
    posted = shlex.split(CURL.replace("\\\n", ""))
    query = json.loads(posted[posted.index("-d") + 1])["query"]
    # What curl would put into the file; the transport has tests of its own.
    assert posted[-2:] == [">", "answer.json"]
    answer = {"data": await client.api.data(query, client.ann)}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    root = {each["asset"]: each["root"] for each in page["solvency"]}["USDT"]

    command = (
        VERIFY.replace("python3 ", f"{sys.executable} ")
        .replace("docs/", f"{REPOSITORY}/docs/")
        .replace("ROOT", root)
        .replace("YOUR_ID", page["viewer"]["id"])
    )
    done = ran(command, tmp_path)

    assert page["viewer"]["id"] == user_id(client.ann)
    assert (done.returncode, done.stdout) == (0, VALID), done.stderr


async def test_the_functions_follow_the_days(client: Client):
    await client.books.end_day()
    await client.books.end_day()
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    first, second = [
        (await client.api.data(LEDGER, day=day))["ledgerProof"] for day in (DAY, tomorrow)
    ]
    owed = (await client.api.data(QUERY, client.ann, day=DAY))["solvency"]
    page: dict[str, Any] = {}
    exec(PYTHON, page)  # noqa: S102  # the page's own words

    assert page["digest"](owed) == first["liabilities"]
    assert page["follows"](first, None)
    assert page["follows"](second, first)
    assert not page["follows"](second, None)
    assert not page["follows"](first, second)
    for name in ("day", "firstNumber", "lastNumber", "link", "liabilities", "previousRoot", "root"):
        assert not page["follows"](second | {name: "1" + str(second[name])}, first), name
    assert page["digest"]([owed[0] | {"totalLiabilities": "0"}, *owed[1:]]) != first["liabilities"]


def test_a_kept_root_is_told_as_the_command_takes_it():
    words = shlex.split(COMPARE)

    assert words[:3] == ["python", "app.py", "verify-ledger"]
    assert [day for day, _ in _kept_roots(words[3:])] == [TODAY]
