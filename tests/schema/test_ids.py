"""Global ids: opaque, of one type, and nothing but what was made is taken."""

from base64 import urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.errors import BadInput
from schema._ids import decode_id, encode_id


@given(st.uuids(), st.sampled_from(["User", "Session", "RoleProposal"]))
def test_ids_come_back(value: UUID, kind: str):
    text = encode_id(kind, value)

    assert decode_id(text, kind, argument="id") == value
    assert str(value) not in text
    assert "=" not in text


@given(st.uuids())
def test_an_id_of_another_type_is_none(value: UUID):
    found = decode_id(encode_id("User", value), "Session", argument="sessionId")

    assert isinstance(found, BadInput)
    assert found.path == ("sessionId",)


@given(st.text(max_size=80))
def test_nothing_else_is_an_id_and_nothing_crashes(text: str):
    assert isinstance(decode_id(text, "User", argument="id"), BadInput)


@pytest.mark.parametrize(
    "written",
    [
        "User:019AB000-0000-7000-8000-000000000001",
        "User:019ab000000070008000000000000001",
        "User:{019ab000-0000-7000-8000-000000000001}",
        "User:urn:uuid:019ab000-0000-7000-8000-000000000001",
        "User:", "User", ":019ab000-0000-7000-8000-000000000001",
    ],
)  # fmt: skip
def test_one_id_has_one_spelling(written: str):
    text = urlsafe_b64encode(written.encode()).rstrip(b"=").decode()

    assert isinstance(decode_id(text, "User", argument="id"), BadInput)


def test_padding_and_other_alphabets_are_refused():
    text = encode_id("User", UUID(int=2**128 - 1))

    for wrong in (text + "=", text + "\n", " " + text, text[:-1]):
        assert isinstance(decode_id(wrong, "User", argument="id"), BadInput)
