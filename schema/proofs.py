"""What anybody can check of the ledger, and everybody of their own money. See docs/proofs.md."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

import domain.wallets
import domain.wallets.proofs
import domain.wallets.proving
from domain.kernel.policy import Audience, FieldPolicy
from resolvers import proofs
from schema._view import resolved_by, view_of
from schema._words import words_of

_PUBLIC = FieldPolicy(Audience.ANYONE)
_SIGNED_IN = FieldPolicy(Audience.SIGNED_IN)

words_of(
    domain.wallets.proofs.PathSide,
    description="On which side of a node its sibling stands.",
    values={"LEFT": "The sibling is hashed first.", "RIGHT": "The sibling is hashed second."},
)


@view_of(
    domain.wallets.proofs.DayRoot,
    description="A day of the ledger, closed for ever: each one holds the root of the day before.",
)
class LedgerProof:
    day: date = strawberry.field(description="In UTC.")
    root: str = strawberry.field(
        description="SHA-256 over day, numbers, link, liabilities and previous root, in "
        "hexadecimal: docs/proofs.md says of which text."
    )
    entries: int = strawberry.field(description="How many entries of the journal are the day's.")
    first_number: Decimal = resolved_by(
        proofs.first_number,
        description="Of the day's entries in the chain: one above the day before. On a day without "
        "any, one above `lastNumber`.",
    )
    last_number: Decimal = resolved_by(
        proofs.last_number, description="Up to which number of the chain the day goes."
    )
    link: str = strawberry.field(
        description="The chain's link at `lastNumber`: the hash of every entry up to it. Empty "
        "before the first entry."
    )
    liabilities: str = strawberry.field(
        description="Digest of all that `solvency` tells of the day."
    )
    previous_root: str | None = strawberry.field(
        description="The day before; null on the first day."
    )
    sealed_at: datetime = strawberry.field(description="When the day was closed.")


@view_of(
    domain.wallets.proofs.Liabilities,
    description="What is owed to all users of one asset at a day's end: the root of a Merkle-sum "
    "tree. It says nothing of what is there to pay it with.",
)
class AssetLiabilities:
    asset: str = strawberry.field(description="Its code.")
    total_liabilities: Decimal = strawberry.field(
        description="Of all users together, available and held."
    )
    root: str = strawberry.field(description="Of the tree, in hexadecimal.")
    leaves: int = strawberry.field(
        description="Of the tree: one for everybody who ever had the asset, and as many of nothing "
        "as make it a power of two."
    )


@view_of(domain.wallets.proving.Leaf, description="The caller's own leaf of a tree.")
class InclusionLeaf:
    id: str = strawberry.field(
        description="The caller, blinded: HMAC-SHA-256 with `nonce`, in hexadecimal."
    )
    nonce: str = strawberry.field(
        description="Only the caller is told. Whoever knows it knows whose leaf this is."
    )
    balance: Decimal = strawberry.field(description="What the leaf counts: available and held.")


@view_of(domain.wallets.proofs.Step, description="A sibling on the way from a leaf to the root.")
class InclusionStep:
    hash: str = strawberry.field(description="Of the sibling, in hexadecimal.")
    sum: Decimal = strawberry.field(description="Everything that is owed below the sibling.")
    side: domain.wallets.proofs.PathSide = strawberry.field(description="Where it stands.")


@view_of(
    domain.wallets.InclusionProof,
    description="That the caller's money is part of a day's total: check it with "
    "docs/verify_inclusion.py, or by the rules of docs/proofs.md.",
)
class InclusionProof:
    day: date = strawberry.field(description="In UTC.")
    asset: str = strawberry.field(description="Its code.")
    leaf: InclusionLeaf = strawberry.field(description="The caller's own.")
    path: list[InclusionStep] = strawberry.field(description="From the leaf upwards.")
    root: str = strawberry.field(description="Compare it with `solvency`, or with a copy of it.")
    total: Decimal = strawberry.field(description="What the root counts: `totalLiabilities`.")


@strawberry.type
class ProofQueries:
    ledger_proof: LedgerProof | None = resolved_by(
        proofs.ledger_proof,
        policy=_PUBLIC,
        description="The root of a day; null when it is not over and closed yet, which takes a "
        "minute after midnight, or was before the first entry.",
    )
    solvency: list[AssetLiabilities] | None = resolved_by(
        proofs.solvency,
        policy=_PUBLIC,
        description="What was owed to all users at a day's end, in order of asset; null while "
        "`ledgerProof` is. Liabilities only: what is there to pay them is not published yet.",
    )
    my_inclusion_proof: InclusionProof | None = resolved_by(
        proofs.my_inclusion_proof,
        policy=_SIGNED_IN,
        description="That the caller's money was counted on a day; null while `ledgerProof` is, "
        "and for who never had any of the asset by then.",
    )
