"""Every example of the reference, run as a reader runs it: by curl, by document and variables."""

import json
import re
import shlex
from typing import Any

import httpx
import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.watcher import subscribed
from tests.snippets import DOCS

pytestmark = pytest.mark.xdist_group("sandbox")

SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(graphql|json|sh)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(page: str) -> dict[str, dict[str, str]]:
    """By operation: its snippets by language."""
    text = (DOCS / "reference" / page).read_text("utf-8")
    return {name: dict(FENCE.findall(body)) for name, body in SECTION.findall(text)}


QUERIES = examples("queries.md")
SUBSCRIPTIONS = examples("subscriptions.md")


def variables(example: dict[str, str]) -> dict[str, Any]:
    given = json.loads(example.get("json", "{}"))
    assert isinstance(given, dict)
    return given


def test_every_operation_of_the_schema_has_an_example():
    sdl = (DOCS / "schema.graphql").read_text("utf-8")
    for root, shown in (("Query", QUERIES), ("Subscription", SUBSCRIPTIONS)):
        body = re.search(rf"^type {root} {{\n(.*?)^}}", sdl, re.MULTILINE | re.DOTALL)
        assert body is not None
        assert re.findall(r"^  (\w+)[(:]", body[1], re.MULTILINE) == list(shown)
        assert all("graphql" in example for example in shown.values())
    assert "type Mutation" not in sdl, "run the examples of mutations here, too"


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_answers(name: str, sandbox: Sandbox):
    example = QUERIES[name]

    answer = await sandbox.ask(example["graphql"], **variables(example))

    assert "errors" not in answer, answer
    assert answer["data"][name]


@pytest.mark.parametrize("name", QUERIES)
def test_its_curl_sends_the_same(name: str, sandbox: Sandbox):
    words = shlex.split(QUERIES[name]["sh"].replace("\\\n", ""))
    body = json.loads(words[words.index("-d") + 1])

    answer = httpx.post(sandbox.addresses["graphql"], json=body, timeout=10).json()

    assert words[0] == "curl"
    assert body.get("variables", {}) == variables(QUERIES[name])
    assert body["query"].split() == QUERIES[name]["graphql"].split()
    assert "errors" not in answer, answer


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_a_subscription_gives_a_value(name: str, sandbox: Sandbox):
    example = SUBSCRIPTIONS[name]
    url = sandbox.addresses["graphql"].replace("http", "ws", 1)

    async with subscribed(url, example["graphql"], **variables(example)) as watcher:
        await watcher.until(lambda value: value is not None)

    assert watcher.errors == []
