"""A user's newest lines of the journal, narrowed: from an index, whatever the history's length.

Nothing here walks through what does not fit. A kind and an asset have an index of lines. A state
has none, since the journal is never changed: a hold's is found by holds, which know where they were
placed; what was reversed by its reversals, of which there are as many as two of staff agreed on.
"""

from collections.abc import Sequence

from adapters.postgres.wallets.moments import BEFORE, NOT_BEFORE
from domain.wallets.model import EntryKind, HoldState, TransactionState
from domain.wallets.ports import Place, TransactionQuery

_LINES = """
    SELECT p.position, p.asset, p.account_id, p.amount, p.balance
    FROM wallets.posting p {joined}
    WHERE p.owner = :owner {narrowed}
    ORDER BY p.position DESC, p.asset DESC LIMIT 2 * CAST(:first AS integer)
"""
# Both lines of a hold's first entry are its owner's. The hold is called as a line is: what narrows
# lines narrows holds.
_LINES_OF_HOLDS = """
    SELECT l.position, l.asset, l.account_id, l.amount, l.balance
    FROM (
        SELECT p.position FROM wallets.hold p {joined}
        WHERE p.owner = :owner {narrowed}
        ORDER BY p.position DESC LIMIT CAST(:first AS integer)
    ) h JOIN wallets.posting l ON l.position = h.position AND l.owner = :owner
"""
# Of each so many, and of all those so many: each index has its lines in order. Words stand in the
# text: for one it is not told, PostgreSQL plans as if it were a usual one.
_LINES_OF_ALL = """
    SELECT l.* FROM ({lines}) AS l
    ORDER BY l.position DESC, l.asset DESC LIMIT 2 * CAST(:first AS integer)
"""
_ENTRY = "JOIN wallets.entry e ON e.position = p.position"
# A question about each line, and not a join that could be begun at its other end.
_NOT_REVERSED = "AND (SELECT r.id FROM wallets.entry r WHERE r.reverses = e.id) IS NULL"
_REVERSED = """
    AND p.position = ANY(ARRAY(
        SELECT o.position FROM wallets.posting q
        JOIN wallets.entry r ON r.position = q.position
        JOIN wallets.entry o ON o.id = r.reverses
        WHERE q.owner = :owner AND q.kind = 'REVERSAL'))
"""
# What a hold that was placed is told as; what resolved it is an entry of its own, and final.
HOLDS_TOLD_AS = {
    TransactionState.PENDING: HoldState.OPEN,
    TransactionState.SETTLED: HoldState.POSTED,
    TransactionState.RELEASED: HoldState.VOIDED,
    TransactionState.EXPIRED: HoldState.EXPIRED,
}


def newest_lines(
    query: TransactionQuery, before: Place | None, *rules: str
) -> tuple[str, dict[str, object]]:
    """SQL of constants only, and its values, for twice ``:first`` lines of what is wanted.

    ``rules`` narrow further; they call a line ``p``.
    """
    given, values = _narrowed(query, before)
    narrowed = " ".join((*given, *rules))
    by_time = _ENTRY if query.since or query.until else ""
    if query.states:
        return _of_all(_by_state(query, by_time, narrowed)), values
    if query.kinds:
        each = [
            _LINES.format(joined=by_time, narrowed=f"{narrowed} AND p.kind = '{kind}'")
            for kind in sorted(query.kinds)
        ]
        return _of_all(each), values
    return _LINES.format(joined=by_time, narrowed=narrowed), values


def _by_state(query: TransactionQuery, by_time: str, narrowed: str) -> list[str]:
    """The lines of each state, each of them from where it is found."""
    kinds = query.kinds or frozenset(EntryKind)
    moved = sorted(kinds - {EntryKind.HOLD_PLACED})
    found: list[str] = []
    for state in sorted(query.states):
        if state in HOLDS_TOLD_AS:
            if EntryKind.HOLD_PLACED in kinds:
                rule = f"{narrowed} AND p.state = '{HOLDS_TOLD_AS[state]}'"
                found.append(_LINES_OF_HOLDS.format(joined=by_time, narrowed=rule))
        elif state is TransactionState.POSTED:
            rules = [f"{narrowed} AND p.kind = '{kind}' {_NOT_REVERSED}" for kind in moved]
            found += [_LINES.format(joined=_ENTRY, narrowed=rule) for rule in rules]
        elif moved:
            words = ", ".join(f"'{kind}'" for kind in moved)
            rule = f"{narrowed} AND p.kind IN ({words}) {_REVERSED}"
            found.append(_LINES.format(joined=by_time, narrowed=rule))
    return found


def _of_all(each: Sequence[str]) -> str:
    if not each:  # No hold is a deposit.
        return _LINES.format(joined="", narrowed="AND false")
    return _LINES_OF_ALL.format(lines=" UNION ALL ".join(f"({lines})" for lines in each))


def _narrowed(query: TransactionQuery, before: Place | None) -> tuple[list[str], dict[str, object]]:
    rules, values = [], dict[str, object](owner=query.owner)
    if query.asset is not None:
        rules.append("AND p.asset = :asset")
        values["asset"] = query.asset
    if query.since is not None:
        rules.append(f"AND e.at >= :since AND p.position >= {NOT_BEFORE}")
        values["since"] = query.since
    if query.until is not None:
        rules.append(f"AND e.at < :until AND p.position < {BEFORE}")
        values["until"] = query.until
    if before is not None:
        rules.append("AND (p.position, p.asset) < (:position, :before_asset)")
        values |= {"position": before.position, "before_asset": before.asset}
    return rules, values
