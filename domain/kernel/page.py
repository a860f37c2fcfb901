"""Pages of a longer list: forward only, with opaque cursors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.kernel.errors import BadInput

T = TypeVar("T")

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """One item and the cursor that continues after it."""

    node: T
    cursor: str


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where this page begins and ends."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: at most the number of items asked for, in the list's own order."""

    edges: Sequence[Edge[T]]
    page_info: PageInfo


def page_of(edges: Sequence[Edge[T]], *, after: str | None, more: bool) -> Page[T]:
    """The page of ``edges`` behind the cursor ``after``; ``more`` tells whether others follow.

    A cursor is an item of the list, so a page behind one has something before it.
    """
    start, end = (edges[0].cursor, edges[-1].cursor) if edges else (None, None)
    return Page(edges, PageInfo(more, after is not None, start, end))


def page_size(first: int) -> int | BadInput:
    """``first`` when it is within bounds."""
    if 1 <= first <= MAX_PAGE_SIZE:
        return first
    return BadInput("first", f"ask for 1 to {MAX_PAGE_SIZE} items, not {first}.")
