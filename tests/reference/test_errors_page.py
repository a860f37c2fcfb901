"""docs/errors.md tells of every code there is, and tells the truth about retrying."""

import pytest

from adapters.gateway.errors import GatewayErrorCode
from adapters.reference import MEANINGS, NoMeaning
from adapters.reference.errors import page
from domain.kernel.failures import Failure, FailureCode
from tests.snippets import DOCS


def test_a_code_without_a_meaning_is_refused():
    with pytest.raises(NoMeaning, match=r"at odds: INVENTED$"):
        page([*MEANINGS, "INVENTED"])


def test_a_meaning_without_a_code_is_refused():
    with pytest.raises(NoMeaning, match=r"at odds: CONFLICT$"):
        page([code for code in MEANINGS if code != "CONFLICT"])


def test_every_code_of_the_door_and_the_world_has_a_meaning():
    assert {*GatewayErrorCode, *FailureCode} <= MEANINGS.keys()


def test_retrying_is_told_as_failures_decide_it():
    decided = {str(kind.code): kind.retryable for kind in Failure.__subclasses__()}

    assert {code: MEANINGS[code].retryable for code in decided} == decided


def test_a_code_has_one_section():
    text = (DOCS / "errors.md").read_text("utf-8")

    assert [line for line in text.splitlines() if line.startswith("### ")].count(
        "### INTERNAL"
    ) == 1
    assert {line[4:] for line in text.splitlines() if line.startswith("### ")} == MEANINGS.keys()
