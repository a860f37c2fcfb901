"""What is sealed opens for its key, its owner and its place only, and shows itself nowhere."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.vault import BlindIndex, DataKey, KeyRing, KeyRingError, Tampered, WrappedKey

OLD = b"o" * 32
NEW = b"n" * 32
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def ring(**keys: bytes) -> KeyRing:
    return KeyRing(keys)


@given(TEXT, TEXT)
def test_opens_what_was_sealed(value: str, place: str) -> None:
    key, wrapped = ring(a=OLD).make("ann")

    sealed = key.seal(value, place=place)

    assert ring(a=OLD).open(wrapped, "ann").open(sealed, place=place) == value
    assert sealed != key.seal(value, place=place)


@given(st.binary(max_size=80))
def test_garbage_is_tampered(garbage: bytes) -> None:
    key, _ = ring(a=OLD).make("ann")

    with pytest.raises(Tampered):
        key.open(garbage, place="x")


def test_a_value_cannot_be_moved_to_another_place_or_key() -> None:
    key, _ = ring(a=OLD).make("ann")
    other, _ = ring(a=OLD).make("bob")
    sealed = key.seal("secret", place="ann:email")

    for opener, place in ((key, "bob:email"), (key, "ann:phone"), (other, "ann:email")):
        with pytest.raises(Tampered):
            opener.open(sealed, place=place)


@pytest.mark.parametrize("at", [0, 1, 12, 13, -1])
def test_one_changed_bit_is_seen(at: int) -> None:
    key, _ = ring(a=OLD).make("ann")
    sealed = bytearray(key.seal("secret", place="p"))
    sealed[at] ^= 1

    with pytest.raises(Tampered):
        key.open(bytes(sealed), place="p")


def test_a_data_key_belongs_to_its_owner_and_master() -> None:
    both = ring(a=OLD, b=NEW)
    _, wrapped = both.make("ann")

    for stolen, owner in ((wrapped, "bob"), (WrappedKey("b", wrapped.sealed), "ann")):
        with pytest.raises(Tampered):
            both.open(stolen, owner)


def test_rotating_rewraps_the_key_and_leaves_the_values() -> None:
    key, wrapped = ring(old=OLD).make("ann")
    sealed = key.seal("ann@example.org", place="ann:email")

    rotated = ring(new=NEW, old=OLD).rewrap(wrapped, "ann")

    assert rotated is not None
    assert rotated.master == "new"
    assert ring(new=NEW).open(rotated, "ann").open(sealed, place="ann:email") == "ann@example.org"
    assert ring(new=NEW).rewrap(rotated, "ann") is None
    with pytest.raises(Tampered):
        ring(new=NEW).open(wrapped, "ann")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a:",
        ":x",
        "a:AAAA",
        "a:!!!",
        "a b:" + b64encode(OLD).decode(),
        ",".join(["a:" + b64encode(OLD).decode()] * 2),
    ],
)
def test_a_ring_that_cannot_be_used_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyRingError) as refused:
        KeyRing.parse(text)

    assert b64encode(OLD).decode() not in str(refused.value)


def test_reads_a_ring_active_key_first() -> None:
    text = f"new:{b64encode(NEW).decode()}, old:{b64encode(OLD).decode()}"

    assert KeyRing.parse(text).active == "new"


def test_nothing_shows_a_key() -> None:
    key, _ = ring(a=OLD).make("ann")

    for shown in (repr(key), repr(ring(a=OLD)), repr(BlindIndex(OLD))):
        assert "ooo" not in shown
    assert repr(DataKey(OLD)) == "DataKey(...)"


def test_an_address_is_found_however_it_was_written() -> None:
    index = BlindIndex(OLD)

    assert index.of_email(" Ann@Example.ORG ") == index.of_email("ann@example.org")
    assert index.of_email("ann@example.org") != index.of_email("anna@example.org")
    assert index.of_email("x") != index.of_address("x")
    assert index.of_email("x") != BlindIndex(NEW).of_email("x")
