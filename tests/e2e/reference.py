"""What the pages of the reference show, ready to be run."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller, demo_token
from tests.snippets import DOCS

_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^```(graphql|json|sh)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_USER = re.compile(r"`ID_TOKEN=\$\(\./dev token (\w+)( --second-factor)?\)`")
SIGNED_IN = "authorization: Bearer $ID_TOKEN"


@dataclass(frozen=True)
class Shown:
    """One operation's section."""

    document: str
    variables: dict[str, Any]
    curl: str
    user: str
    """The demo user it tells to be; empty when nobody has to sign in."""
    second_factor: bool

    @property
    def words(self) -> list[str]:
        return shlex.split(self.curl.replace("\\\n", ""))

    @property
    def body(self) -> dict[str, Any]:
        """What its curl posts."""
        found = json.loads(self.words[self.words.index("-d") + 1])
        assert isinstance(found, dict)
        return found

    def caller(self, sandbox: Sandbox) -> Caller:
        """The demo user of the page, signed in anew."""
        token = demo_token(sandbox, self.user, second_factor=self.second_factor)
        return Caller(sandbox, token, "reference-0001")


def operations(page: str) -> dict[str, Shown]:
    """By name."""
    text = (DOCS / "reference" / page).read_text("utf-8")
    return {name: _shown(section) for name, section in _SECTION.findall(text)}


def _shown(section: str) -> Shown:
    snippets = dict(_FENCE.findall(section))
    user = _USER.search(section)
    return Shown(
        document=snippets["graphql"],
        variables=json.loads(snippets.get("json", "{}")),
        curl=snippets.get("sh", ""),
        user=user[1] if user else "",
        second_factor=bool(user and user[2]),
    )
