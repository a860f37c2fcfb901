"""The chain over the journal, hashed again link by link, whatever its length."""

from collections.abc import Set as AbstractSet
from hashlib import sha256

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.wallets.ports import Finding

CHAIN_RULES = ("wrong_digest", "broken_chain")
_ROWS_AT_ONCE = 1000

# The text that wallets.digest_of hashes, without asking that function.
_LINKS = text(
    """
    SELECT c.number, c.position, c.digest, c.link, jsonb_build_array(
        e.position, e.id, e.kind, extract(epoch FROM e.at)::text, e.actor, e.source, e.reverses,
        e.hold_id, e.details,
        (SELECT jsonb_agg(jsonb_build_array(p.line, p.account_id, p.owner, p.asset,
                trim_scale(p.amount)::text, p.seq, trim_scale(p.balance)::text) ORDER BY p.line)
            FROM wallets.posting p WHERE p.position = e.position)
    )::text
    FROM wallets.chain_link c LEFT JOIN wallets.entry e ON e.position = c.position
    ORDER BY c.number
    """
)


async def chain_findings(
    connection: AsyncConnection, *, marks: AbstractSet[int], first: int
) -> tuple[dict[int, bytes], list[Finding]]:
    """The links at ``marks``, and at most ``first`` findings of each rule."""
    marked: dict[int, bytes] = {}
    wrong: list[Finding] = []
    broken: list[Finding] = []
    place, previous = 0, b""
    rows = await connection.stream(_LINKS, execution_options={"yield_per": _ROWS_AT_ONCE})
    async for number, position, digest, link, sealed in rows:
        place += 1
        if sha256(sealed.encode()).digest() != digest and len(wrong) < first:
            wrong.append(Finding("wrong_digest", str(position), f"link {number}"))
        sound = number == place and link == sha256(previous + digest).digest()
        if not sound and len(broken) < first:
            broken.append(Finding("broken_chain", str(number), f"position {position}"))
        if number in marks:
            marked[number] = link
        previous = link
    return marked, wrong + broken
