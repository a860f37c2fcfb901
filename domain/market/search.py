"""Finding an instrument by what a person types."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from domain.market.model import Instrument, InstrumentStatus

_SIMILAR_MIN = 0.6


def ranked(text: str, known: Sequence[Instrument]) -> Sequence[Instrument]:
    """The instruments that look like ``text``, the likeliest first.

    Exact symbols, then exact base assets, then beginnings, then parts, then what is similar; in
    each, what trades before what does not, then by symbol.
    """
    wanted = "".join(c for c in text.upper() if c.isalnum())
    scored = [(_rank(wanted, i), i.status is not InstrumentStatus.TRADING, i.id, i) for i in known]
    return [i for rank, _, _, i in sorted(scored, key=lambda s: s[:3]) if rank < NOT_FOUND]


def _rank(wanted: str, instrument: Instrument) -> float:
    symbol = instrument.symbol
    if symbol == wanted:
        return 0
    if instrument.base_asset == wanted:
        return 1
    if symbol.startswith(wanted):
        return 2
    if wanted in symbol:
        return 3
    similar = SequenceMatcher(None, wanted, symbol).ratio()
    return 5 - similar if similar >= _SIMILAR_MIN else NOT_FOUND


NOT_FOUND = 9.0
