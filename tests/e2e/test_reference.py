"""Every example of the reference that reads, run as a reader runs it: by document and by curl."""

import re

import httpx
import pytest

from tests.e2e.reference import SIGNED_IN, operations
from tests.e2e.sandbox import Sandbox
from tests.e2e.watcher import subscribed
from tests.snippets import DOCS

pytestmark = pytest.mark.xdist_group("sandbox")

QUERIES = operations("queries.md")
MUTATIONS = operations("mutations.md")
SUBSCRIPTIONS = operations("subscriptions.md")
# Null until a day of the sandbox is over: told by tests/wallets/test_proof_fields.py.
LATER = {"ledgerProof", "solvency", "myInclusionProof"}
# Those of an account are in test_account_reference.py, as are mutations.
PUBLIC = [name for name, shown in SUBSCRIPTIONS.items() if not shown.user]


@pytest.mark.parametrize(
    ("root", "shown"),
    [("Query", QUERIES), ("Mutation", MUTATIONS), ("Subscription", SUBSCRIPTIONS)],
    ids=["Query", "Mutation", "Subscription"],
)
def test_every_operation_of_the_schema_has_an_example(root: str, shown: dict[str, object]):
    sdl = (DOCS / "schema.graphql").read_text("utf-8")
    body = re.search(rf"^type {root} {{\n(.*?)^}}", sdl, re.MULTILINE | re.DOTALL)

    assert body is not None
    assert re.findall(r"^  (\w+)[(:]", body[1], re.MULTILINE) == list(shown)


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_answers(name: str, sandbox: Sandbox):
    shown = QUERIES[name]

    if shown.user:
        data = await shown.caller(sandbox).told(shown.document, **shown.variables)
    else:
        answer = await sandbox.ask(shown.document, **shown.variables)
        assert "errors" not in answer, answer
        data = answer["data"]

    assert data[name] or name in LATER


@pytest.mark.parametrize("name", QUERIES | MUTATIONS)
def test_its_curl_sends_the_same(name: str):
    shown = (QUERIES | MUTATIONS)[name]

    assert shown.words[0] == "curl"
    assert shown.body.get("variables", {}) == shown.variables
    assert shown.body["query"].split() == shown.document.split()
    assert (SIGNED_IN in shown.words) is bool(shown.user)


@pytest.mark.parametrize("name", [name for name, shown in QUERIES.items() if not shown.user])
def test_its_curl_is_answered(name: str, sandbox: Sandbox):
    url = sandbox.addresses["graphql"]

    answer = httpx.post(url, json=QUERIES[name].body, timeout=10).json()

    assert "errors" not in answer, answer


@pytest.mark.parametrize("name", PUBLIC)
async def test_a_subscription_gives_a_value(name: str, sandbox: Sandbox):
    shown = SUBSCRIPTIONS[name]
    url = sandbox.addresses["graphql"].replace("http", "ws", 1)

    async with subscribed(url, shown.document, **shown.variables) as watcher:
        await watcher.until(lambda value: value is not None)

    assert watcher.errors == []
