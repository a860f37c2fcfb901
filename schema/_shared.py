"""Types that every domain's part of the schema uses."""

from typing import Generic, TypeVar

import strawberry

import domain.kernel.page
from schema._view import view_of

T = TypeVar("T")


@strawberry.interface(
    description="Why a request was declined. Select it in every mutation: new reasons appear as "
    "new types, and this interface shows them all."
)
class UserError:
    code: str = strawberry.field(description="Stable, for programs. See docs/errors.md.")
    message: str = strawberry.field(description="One sentence for people.")
    path: list[str] | None = strawberry.field(
        description="The input field at fault, outermost first; null when no single field is."
    )


@view_of(domain.kernel.page.PageInfo, description="Where a page of a longer list begins and ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether there is something before this page: true behind any cursor."
    )
    start_cursor: str | None = strawberry.field(
        description="Where this page begins; null when the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="Pass it as `after` to go on; null when the page is empty."
    )


@view_of(domain.kernel.page.Edge, description="One item of a page.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this item.")


@view_of(domain.kernel.page.Page, description="One page of a longer list, forward only.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items, in the list's own order.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")
