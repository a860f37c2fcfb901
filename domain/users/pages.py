"""Pages of this domain's lists: newest first, keyed by (instant, id)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.page import Edge, Page
from domain.kernel.page import page_of as whole_page

T = TypeVar("T")
Position = tuple[datetime, str]


def position_of(cursors: CursorSigner, name: str, after: str | None) -> Position | BadInput | None:
    """Where a page continues; nothing at the beginning."""
    if after is None:
        return None
    opened = cursors.open(name, after)
    if isinstance(opened, BadInput):
        return opened
    instant, _, row_id = opened.partition("|")
    return datetime.fromisoformat(instant), str(UUID(row_id))


def page_of(
    cursors: CursorSigner,
    name: str,
    found: Sequence[T],
    size: int,
    key: Callable[[T], tuple[datetime, UUID]],
    *,
    after: str | None,
) -> Page[T]:
    """The first ``size`` of ``found``, which holds one more when there is a next page."""
    edges = []
    for item in found[:size]:
        instant, row_id = key(item)
        edges.append(Edge(item, cursors.sign(name, f"{instant.isoformat()}|{row_id}")))
    return whole_page(edges, after=after, more=len(found) > size)
