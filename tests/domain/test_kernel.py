"""Identifiers, cursors, policies."""

import time
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.ids import new_uuid7

SIGNER = CursorSigner(b"k" * 32)


def test_a_uuid7_is_one_and_orders_by_time():
    before = time.time_ns() // 1_000_000
    made = new_uuid7()
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after
    assert len({new_uuid7() for _ in range(1000)}) == 1000


@given(st.text(max_size=80), st.from_regex(r"[a-z.A-Z]{1,20}", fullmatch=True))
def test_a_cursor_opens_to_what_was_signed(position: str, name: str):
    assert SIGNER.open(name, SIGNER.sign(name, position)) == position


@given(st.text(max_size=60))
def test_garbage_is_no_cursor(garbage: str):
    assert isinstance(SIGNER.open("list", garbage), BadInput)


@given(st.integers(min_value=0, max_value=30), st.integers(min_value=1, max_value=255))
def test_a_changed_cursor_does_not_open(index: int, change: int):
    cursor = SIGNER.sign("list", "position")
    changed = list(cursor)
    changed[index % len(cursor)] = chr((ord(cursor[index % len(cursor)]) + change) % 128)
    if "".join(changed) == cursor:
        return

    opened = SIGNER.open("list", "".join(changed))

    # base64 has spare bits in its last character: the same bytes may be spelt twice.
    assert isinstance(opened, BadInput) or opened == "position"


@pytest.mark.parametrize("other", [CursorSigner(b"x" * 32)])
def test_a_cursor_of_another_key_does_not_open(other: CursorSigner):
    assert isinstance(other.open("list", SIGNER.sign("list", "p")), BadInput)
