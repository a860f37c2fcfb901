"""Merkle-sum trees: everybody is counted once, and no tree can be shown that counts less.

What is checked is checked by the script that readers are given, not by the code that builds trees.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.money import plain, total
from domain.wallets import InclusionProof
from domain.wallets.proofs import (
    LEAVES_MIN,
    PART,
    BelowZero,
    Leaves,
    Node,
    Owed,
    PathSide,
    Step,
    Tree,
    amount_of,
    blinded,
    filled,
    grown,
    nodes_in,
    nonce_of,
    owed_in,
    owed_to,
    parent,
    top_of,
    units_of,
    way_up,
)
from domain.wallets.proving import Leaf, tree_of
from schema._ids import encode_id
from tests.verifying import as_answered, changed, why_not

DAY = date(2026, 11, 22)
BTC = AssetCode("BTC")
SECRET = b"s" * 32
amounts = st.integers(0, 10**38 - 1).map(amount_of)
balances = st.lists(amounts, min_size=1, max_size=40).map(
    lambda given: [(UserId(new_uuid7()), amount) for amount in given]
)


def shown(tree: Tree, owner: UserId, day: date = DAY, secret: bytes = SECRET) -> InclusionProof:
    """What somebody is answered, from what is kept of a tree."""
    nonce = nonce_of(secret, tree.published.asset, owner)
    name = blinded(nonce, owner)
    for number, part in enumerate(tree.parts):
        owed = owed_in(part)
        for place, each in enumerate(owed):
            if each.owner == name:
                made = Leaves(day, tree.published.asset)
                path = way_up([made.leaf(each) for each in owed], place)
                path += way_up(nodes_in(tree.crowns), number)
                leaf = Leaf(name.hex(), nonce.hex(), amount_of(each.units))
                published = tree.published
                return InclusionProof(
                    day, published.asset, leaf, tuple(path), published.root,
                    published.total_liabilities,
                )  # fmt: skip
    raise LookupError(owner)


def me(owner: UserId) -> str:
    return str(encode_id("User", owner))


@given(balances)
def test_everybody_finds_themselves_and_the_total_is_all_of_it(
    people: list[tuple[UserId, Decimal]],
):
    tree = tree_of(DAY, BTC, people, SECRET)

    assert tree.published.total_liabilities == total(amount for _, amount in people)
    leaves = tree.published.leaves
    assert leaves == max(LEAVES_MIN, leaves) == 1 << (leaves.bit_length() - 1)
    assert leaves < 2 * max(len(people), LEAVES_MIN)
    for owner, amount in people:
        proof = as_answered(shown(tree, owner))
        assert Decimal(proof["leaf"]["balance"]) == amount
        assert why_not(proof, tree.published.root, me(owner)) is None
        assert 1 << len(proof["path"]) == leaves


@given(balances, st.randoms())
def test_the_order_people_come_in_says_nothing(people: list[tuple[UserId, Decimal]], dice: Any):
    mixed = list(people)
    dice.shuffle(mixed)

    assert tree_of(DAY, BTC, mixed, SECRET) == tree_of(DAY, BTC, people, SECRET)


def test_many_parts_are_one_tree():
    people = [(UserId(new_uuid7()), Decimal(n)) for n in range(3 * PART)]

    tree = tree_of(DAY, BTC, people, SECRET)

    owed = filled((owed_to(SECRET, BTC, *each) for each in people), secret=SECRET, asset=BTC)
    made = Leaves(DAY, BTC)
    assert len(tree.parts) == 4
    assert top_of([made.leaf(each) for each in owed]).hash.hex() == tree.published.root
    for owner, _ in people[::97]:
        assert why_not(as_answered(shown(tree, owner)), tree.published.root, me(owner)) is None


def test_the_format_stays_what_it_is():
    """Published roots outlive releases: another format is another version."""
    owner = UserId(UUID(int=7))

    tree = tree_of(DAY, BTC, [(owner, Decimal("1.5"))], SECRET)

    context = sha256(b"okd-liabilities-v1|2026-11-22|BTC").digest()
    name = blinded(nonce_of(SECRET, BTC, owner), owner)
    units = (15 * 10**17).to_bytes(32, "big")
    leaf = Leaves(DAY, BTC).leaf(owed_to(SECRET, BTC, owner, Decimal("1.5")))
    assert leaf.hash == sha256(b"\x00" + context + name + units).digest()
    other = Node(b"o" * 32, 3)
    both = sha256(b"\x01" + leaf.hash + units + b"o" * 32 + (3).to_bytes(32, "big")).digest()
    assert parent(leaf, other) == Node(both, leaf.units + 3)
    assert tree.published.root == ROOT_OF_SEVEN


ROOT_OF_SEVEN = "490d9dd3b160986963f88f95572b646612a9c7677893f591f7dc101cc40f2850"


FIELDS: list[tuple[tuple[Any, ...], Callable[[Any], Any]]] = [
    (("day",), lambda _: "2026-11-23"),
    (("asset",), lambda _: "ETH"),
    (("leaf", "id"), lambda text: sha256(text.encode()).hexdigest()),
    (("leaf", "nonce"), lambda text: sha256(text.encode()).hexdigest()),
    (("leaf", "balance"), lambda text: f"1{text}"),
    (("leaf", "balance"), lambda text: f"-{text}"),
    (("path", 0, "hash"), lambda text: sha256(text.encode()).hexdigest()),
    (("path", 0, "hash"), lambda text: text.upper().replace("0", "A")),
    (("path", 0, "sum"), lambda text: f"1{text}"),
    (("path", 1, "sum"), lambda text: f"-1{text}"),
    (("path", 0, "side"), lambda side: "LEFT" if side == "RIGHT" else "RIGHT"),
    (("path", 3, "side"), lambda _: "MIDDLE"),
    (("path",), lambda path: path[:-1]),
    (("path",), lambda path: [*path, path[-1]]),
    (("path",), lambda path: path[::-1]),
    (("path",), lambda path: path * 20),
    (("path",), lambda _: None),
    (("root",), lambda text: sha256(text.encode()).hexdigest()),
    (("total",), lambda text: f"1{text}"),
    (("total",), lambda text: f"-{text}"),
    (("total",), lambda _: 12),
    (("leaf",), lambda _: {}),
]


@pytest.mark.parametrize(
    ("place", "to"), FIELDS, ids=[f"{n}-{'.'.join(map(str, f[0]))}" for n, f in enumerate(FIELDS)]
)
def test_nothing_of_an_answer_can_be_changed(place: tuple[Any, ...], to: Callable[[Any], Any]):
    people = [(UserId(new_uuid7()), Decimal(n) + Decimal("0.5")) for n in range(9)]
    tree = tree_of(DAY, BTC, people, SECRET)
    ann = people[4][0]
    proof = as_answered(shown(tree, ann))
    assert why_not(proof, tree.published.root, me(ann)) is None

    tampered = changed(proof, *place, to=to)

    assert tampered != proof
    assert why_not(tampered, tree.published.root, me(ann)) is not None


def test_the_root_and_the_reader_are_not_taken_from_the_answer():
    people = [(UserId(new_uuid7()), Decimal(5)) for _ in range(2)]
    tree, other = (tree_of(DAY, BTC, people, secret) for secret in (SECRET, b"t" * 32))
    (ann, _), (bob, _) = people
    proof = as_answered(shown(tree, ann))

    assert why_not(proof, other.published.root, me(ann)) is not None
    assert why_not(proof, "x", me(ann)) is not None
    # The same sum, and a leaf shown to two people: each has to find their own.
    assert why_not(proof, tree.published.root, me(bob)) == "ValueError: the leaf is not yours"
    assert why_not(proof, tree.published.root, "not base64!") is not None


@given(st.integers(1, 10**20), st.integers(1, 10**20))
def test_a_sum_cannot_be_split_otherwise(left: int, right: int):
    """Maxwell's flaw: with only the sum of two in the hash, each could be told any share."""
    first, second = Node(b"a" * 32, left), Node(b"b" * 32, right)
    honest = parent(first, second)

    for taken in {1, left}:
        forged = parent(Node(b"a" * 32, left - taken), Node(b"b" * 32, right + taken))
        assert forged.units == honest.units
        assert forged.hash != honest.hash
    # The other form of it: a parent that counts the larger child alone.
    assert parent(first, Node(b"b" * 32, 0)).hash != honest.hash


@given(st.integers(1, 10**30), st.integers(0, 10**30))
def test_nobody_is_owed_less_than_nothing(debt: int, credit: int):
    """A made-up person with a debt would lower the total by it."""
    ann = UserId(new_uuid7())
    with pytest.raises(BelowZero):
        owed_to(SECRET, BTC, ann, amount_of(-debt))
    with pytest.raises(BelowZero):
        parent(Node(b"a" * 32, credit), Node(b"b" * 32, -debt))


@settings(max_examples=25)
@given(balances, st.integers(1, 4))
def test_a_node_is_not_taken_for_a_leaf(people: list[tuple[UserId, Decimal]], height: int):
    """Second preimage: what is below an inner node told as if it were the leaf itself."""
    tree = tree_of(DAY, BTC, people, SECRET)
    ann = people[0][0]
    proof = as_answered(shown(tree, ann))
    made = Leaves(DAY, BTC)
    level = [made.leaf(each) for part in tree.parts for each in owed_in(part)]
    for _ in range(height - 1):
        level = [parent(level[n], level[n + 1]) for n in range(0, len(level), 2)]
    left, right = level[:2]

    for node in (left, right, parent(left, right)):
        leaf = proof["leaf"] | {"id": node.hash.hex(), "balance": plain(amount_of(node.units))}
        shorter = proof | {"leaf": leaf, "path": proof["path"][height:]}
        assert why_not(shorter, tree.published.root, me(ann)) == "ValueError: the leaf is not yours"
        leaf = proof["leaf"] | {"balance": plain(amount_of(node.units))}
        shorter = proof | {"leaf": leaf, "path": proof["path"][height:]}
        assert why_not(shorter, tree.published.root, me(ann)) is not None
        # Nor could somebody grind an owner for it: leaves and nodes are hashed apart.
        assert made.leaf(Owed(node.hash, node.units)).hash != parent(node, node).hash


@settings(max_examples=25)
@given(balances)
def test_swapped_siblings_are_another_tree(people: list[tuple[UserId, Decimal]]):
    tree = tree_of(DAY, BTC, people, SECRET)
    proof = shown(tree, people[0][0])

    for place in range(len(proof.path)):
        path = list(proof.path)
        side = PathSide.LEFT if path[place].side is PathSide.RIGHT else PathSide.RIGHT
        path[place] = Step(path[place].hash, path[place].sum, side)
        swapped = as_answered(replace(proof, path=tuple(path)))
        assert why_not(swapped, tree.published.root, me(people[0][0])) is not None


@given(balances)
def test_two_days_have_nothing_in_common(people: list[tuple[UserId, Decimal]]):
    """Not the blinded owners, not the leaves, not the paddings: only sums can be compared."""
    days = [tree_of(DAY + timedelta(days=n), BTC, people, bytes([n]) * 32) for n in (0, 1)]
    assets = [tree_of(DAY, AssetCode(code), people, SECRET) for code in ("BTC", "ETH")]

    for one, other in (days, assets):
        names = [
            {each.owner for part in tree.parts for each in owed_in(part)} for tree in (one, other)
        ]
        assert names[0].isdisjoint(names[1])
        assert one.published.root != other.published.root
    ann = people[0][0]
    nonces = {shown(tree, ann).leaf.nonce for tree in assets}
    assert len(nonces) == 2


def test_the_padding_looks_like_people():
    people = [(UserId(new_uuid7()), Decimal(0)) for _ in range(3)]

    owed = filled((owed_to(SECRET, BTC, *each) for each in people), secret=SECRET, asset=BTC)

    assert len(owed) == LEAVES_MIN
    assert {len(each.owner) for each in owed} == {32}
    assert [each.owner for each in owed] == sorted({each.owner for each in owed})
    assert grown(DAY, BTC, filled([], secret=SECRET, asset=BTC)).published.leaves == LEAVES_MIN


@given(st.integers(-(10**60), 10**60))
def test_units_are_exact(units: int):
    assert units_of(amount_of(units)) == units
