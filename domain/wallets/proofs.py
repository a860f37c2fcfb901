"""Proofs anybody can check: what is hashed, and in which order. Pure; docs/proofs.md tells readers.

The liabilities of a day are one Merkle-sum tree per asset. The first such scheme (Maxwell, 2013)
hashed the sum of two children instead of each one's: every person can then be shown a tree of
their own in which others count for nothing (ePrint 2018/1139, ePrint 2022/043). Here a node is the
hash of both children's hashes *and* both children's sums; leaves and nodes are hashed apart, sums
are unsigned numbers of a fixed length, and a leaf names its owner in a way only the owner can read.

    owner  = HMAC-SHA-256(key: nonce, "User:<uuid>")
    leaf   = SHA-256(0x00 | SHA-256("okd-liabilities-v1|<day>|<asset>") | owner | sum)
    parent = SHA-256(0x01 | left hash | left sum | right hash | right sum)

A sum is 32 bytes, big-endian, in units of 10^-18. Every tree is full: padding of nothing fills it.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import FRACTION_DIGITS_MAX, exact_product, plain

LEAVES_MIN = 16
"""Of any tree: how few people have an asset is nobody's business."""
PART = 256
"""Leaves that are kept, and read again, together."""
_VERSION = "okd-liabilities-v1"
_DAY_VERSION = "okd-day-v1"
_BYTES = 32
_UNITS = Decimal(10) ** FRACTION_DIGITS_MAX
_UNIT = Decimal(1).scaleb(-FRACTION_DIGITS_MAX)


class BelowZero(ValueError):
    """Somebody is owed less than nothing: the books are wrong, and nothing is proven with them."""


class PathSide(StrEnum):
    """On which side of a node its sibling stands."""

    LEFT = "LEFT"
    RIGHT = "RIGHT"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree."""

    hash: bytes
    units: int
    """Everything owed below it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is behind a leaf."""

    owner: bytes
    """Blinded: told apart from others by nobody but its owner."""
    units: int


def units_of(amount: Decimal) -> int:
    """``amount`` in units of 10^-18, exactly."""
    return int(exact_product(amount, _UNITS))


def amount_of(units: int) -> Decimal:
    """Units of 10^-18 as an amount, exactly, and in the fewest digits."""
    return Decimal(plain(exact_product(Decimal(units), _UNIT)))


def nonce_of(secret: bytes, asset: AssetCode, owner: UserId) -> bytes:
    """What an owner needs to find themselves. A day's secret is its own: no two days are alike."""
    return hmac.digest(secret, f"owner|{asset}|{owner}".encode(), "sha256")


def blinded(nonce: bytes, owner: UserId) -> bytes:
    """The owner as a leaf names them: with another nonce somebody else to all appearances."""
    return hmac.digest(nonce, f"User:{owner}".encode(), "sha256")


def owed_to(secret: bytes, asset: AssetCode, owner: UserId, amount: Decimal) -> Owed:
    """What a leaf says of somebody. Raises BelowZero."""
    if amount < 0:
        raise BelowZero(f"{asset} of {owner}")
    return Owed(blinded(nonce_of(secret, asset, owner), owner), units_of(amount))


class Leaves:
    """How a day's leaves of one asset are made."""

    def __init__(self, day: date, asset: AssetCode) -> None:
        self._context = sha256(f"{_VERSION}|{day.isoformat()}|{asset}".encode()).digest()

    def leaf(self, owed: Owed) -> Node:
        named = owed.owner + _fixed(owed.units)
        return Node(sha256(b"\x00" + self._context + named).digest(), owed.units)


def parent(left: Node, right: Node) -> Node:
    both = left.hash + _fixed(left.units) + right.hash + _fixed(right.units)
    return Node(sha256(b"\x01" + both).digest(), left.units + right.units)


def filled(owed: Iterable[Owed], *, secret: bytes, asset: AssetCode) -> list[Owed]:
    """All leaves in the order of the tree: padded to a power of two, sorted by blinded owner.

    That order is a new one every day, and says nothing of anybody.
    """
    leaves = list(owed)
    size = max(LEAVES_MIN, 1 << (len(leaves) - 1).bit_length())
    leaves += [
        Owed(hmac.digest(secret, f"padding|{asset}|{number}".encode(), "sha256"), 0)
        for number in range(size - len(leaves))
    ]
    leaves.sort(key=lambda each: each.owner)
    return leaves


def top_of(level: Sequence[Node]) -> Node:
    """The root over nodes of one level; their number is a power of two."""
    while len(level) > 1:
        level = _above(level)
    return level[0]


@dataclass(frozen=True, slots=True)
class Step:
    """A sibling on the way up from a leaf."""

    hash: str
    """In hexadecimal."""
    sum: Decimal
    side: PathSide


def way_up(level: Sequence[Node], place: int) -> list[Step]:
    """The siblings met from one node of a level to the root over that level."""
    steps = []
    while len(level) > 1:
        sibling = level[place ^ 1]
        side = PathSide.LEFT if place & 1 else PathSide.RIGHT
        steps.append(Step(sibling.hash.hex(), amount_of(sibling.units), side))
        level, place = _above(level), place >> 1
    return steps


def climbed(leaf: Node, path: Iterable[Step]) -> Node:
    """The root that ``leaf`` and its siblings come to."""
    node = leaf
    for step in path:
        sibling = Node(bytes.fromhex(step.hash), units_of(step.sum))
        pair = (sibling, node) if step.side is PathSide.LEFT else (node, sibling)
        node = parent(*pair)
    return node


@dataclass(frozen=True, slots=True)
class Liabilities:
    """What is owed to everybody of one asset, as it is published."""

    asset: AssetCode
    total_liabilities: Decimal
    root: str
    """In hexadecimal."""
    leaves: int
    """Of the tree, padding included: a power of two."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole tree as it is kept: 64 bytes a leaf, the root of each part apart."""

    published: Liabilities
    parts: tuple[bytes, ...]
    crowns: bytes
    """The root of each part, hash and sum."""


def grown(day: date, asset: AssetCode, leaves: Sequence[Owed]) -> Tree:
    """The tree over ``leaves``, which are ``filled``."""
    made = Leaves(day, asset)
    parts, crowns = [], []
    for begin in range(0, len(leaves), PART):
        part = leaves[begin : begin + PART]
        parts.append(b"".join(each.owner + _fixed(each.units) for each in part))
        crowns.append(top_of([made.leaf(each) for each in part]))
    root = top_of(crowns)
    published = Liabilities(asset, amount_of(root.units), root.hash.hex(), len(leaves))
    return Tree(published, tuple(parts), b"".join(c.hash + _fixed(c.units) for c in crowns))


def owed_in(part: bytes) -> list[Owed]:
    """The leaves of a part, read again."""
    return [Owed(name, units) for name, units in _pairs(part)]


def nodes_in(crowns: bytes) -> list[Node]:
    """The roots of parts, read again."""
    return [Node(name, units) for name, units in _pairs(crowns)]


@dataclass(frozen=True, slots=True)
class DayRoot:
    """A day of the ledger, closed: with the day before it, one line of roots."""

    day: date
    first_number: int
    """Of the chain: one above the last of the day before. Above ``last_number`` on a quiet day."""
    last_number: int
    link: str
    """The chain's link at ``last_number``, in hexadecimal; empty before the first entry."""
    liabilities: str
    """The digest of all that was owed."""
    previous_root: str | None
    root: str
    sealed_at: datetime

    @property
    def entries(self) -> int:
        return self.last_number - self.first_number + 1


def digest_of_liabilities(published: Iterable[Liabilities]) -> str:
    """One digest of all assets, in the order of their codes."""
    lines = [
        f"{each.asset} {plain(each.total_liabilities)} {each.leaves} {each.root}"
        for each in sorted(published, key=lambda each: each.asset)
    ]
    return _digest_of_lines([_VERSION, *lines])


def root_of_day(
    day: date,
    *,
    first_number: int,
    last_number: int,
    link: str,
    liabilities: str,
    previous_root: str | None,
) -> str:
    """What a day is published as: it binds the chain, what was owed, and all days before."""
    lines = [
        _DAY_VERSION,
        day.isoformat(),
        str(first_number),
        str(last_number),
        link,
        liabilities,
        previous_root or "",
    ]
    return _digest_of_lines(lines)


def _digest_of_lines(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()


def _above(level: Sequence[Node]) -> list[Node]:
    return [parent(level[place], level[place + 1]) for place in range(0, len(level), 2)]


def _fixed(units: int) -> bytes:
    if units < 0:
        raise BelowZero(str(units))
    return units.to_bytes(_BYTES, "big")


def _pairs(kept: bytes) -> Iterable[tuple[bytes, int]]:
    for begin in range(0, len(kept), 2 * _BYTES):
        middle = begin + _BYTES
        yield kept[begin:middle], int.from_bytes(kept[middle : middle + _BYTES], "big")
