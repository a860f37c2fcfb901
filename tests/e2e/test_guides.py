"""What the guides tell people to type, typed; what they say comes back, compared."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import demo_token
from tests.snippets import DOCS, Snippet, shape_of, shape_of_text, snippets_of
from tests.world import REPOSITORY

pytestmark = pytest.mark.xdist_group("sandbox")

SNIPPETS = [s for page in sorted((DOCS / "guides").glob("*.md")) for s in snippets_of(page)]
COMMANDS = (REPOSITORY / "adapters" / "devtools" / "commands.py").read_text("utf-8")
STARTS = re.compile(r"^\./dev (\w+)", re.MULTILINE)
TYPED = [s for s in SNIPPETS if s.language in ("sh", "python")]
ANSWERS = {before.name: after for before, after in pairwise(SNIPPETS) if after.role == "answer"}


def test_every_answer_belongs_to_something_typed():
    assert set(ANSWERS) <= {s.name for s in TYPED}
    assert len(ANSWERS) >= 5


@pytest.mark.parametrize("snippet", TYPED, ids=[s.name for s in TYPED])
def test_what_is_typed_runs_and_answers_as_shown(snippet: Snippet, sandbox: Sandbox):
    if started := STARTS.findall(snippet.text):
        # The sandbox of this test is what the first of them starts.
        assert [word for word in started if f'"{word}"' not in COMMANDS] == []
        return

    out = typed(snippet, sandbox)

    shown = ANSWERS.get(snippet.name)
    if shown is None:
        return
    if shown.language == "json":
        assert shape_of(json.loads(out)) == shape_of(json.loads(shown.text))
    else:
        assert shape_of_text(out) == shape_of_text(shown.text)


def typed(snippet: Snippet, sandbox: Sandbox) -> str:
    address = sandbox.addresses["graphql"].removeprefix("http://").removesuffix("/graphql")
    token = f"{sys.executable} {REPOSITORY / 'dev'} token --data-dir={sandbox.data_dir}"
    text = snippet.text.replace("127.0.0.1:8000", address).replace("./dev token", token)
    with_words = {
        "sh": ["bash", "-euo", "pipefail", "-c", text],
        "python": [sys.executable, "-W", "error", "-c", text],
    }
    ran = subprocess.run(  # noqa: S603  # our own page
        with_words[snippet.language],
        # As the guide on signing in has it exported.
        env={**os.environ, "ID_TOKEN": demo_token(sandbox, "plain", second_factor=False)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
