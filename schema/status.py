"""How the platform is, as clients see it."""

from datetime import datetime

import strawberry

import domain.status
from domain.kernel.policy import Audience, Delivery, FieldPolicy
from resolvers import status
from schema._view import Stream, resolved_by, streamed_by, view_of
from schema._words import words_of

words_of(
    domain.status.ComponentState,
    description="How a component is. The last is the worst.",
    values={
        "UP": "Works.",
        "DEGRADED": "Works in part, or its state is not certain.",
        "DOWN": "Does not work.",
    },
)

_PUBLIC = FieldPolicy(Audience.ANYONE)


@view_of(domain.status.Component, description="One thing the platform stands on.")
class Component:
    name: str = strawberry.field(
        description="`database`, `cache`, `exchange`, `feed.LINEAR`, `feed.SPOT`."
    )
    state: domain.status.ComponentState = strawberry.field(description="How it is now.")
    since: datetime = strawberry.field(description="Since when it is in this state.")
    detail: str | None = strawberry.field(description="A word more, for people.")


@view_of(domain.status.SystemStatus, description="The platform as the answering process sees it.")
class SystemStatus:
    state: domain.status.ComponentState = strawberry.field(
        description="DOWN when nothing can be served, DEGRADED when a part is missing."
    )
    components: list[Component] = strawberry.field(description="All components.")
    as_of: datetime = strawberry.field(description="When it was looked at.")


@strawberry.type
class StatusQueries:
    system_status: SystemStatus = resolved_by(
        status.system_status,
        policy=_PUBLIC,
        description="How the platform is. Never waits for a component that does not answer.",
    )


@strawberry.type
class StatusSubscriptions:
    system_status: Stream[SystemStatus] = streamed_by(
        status.system_status_changes,
        policy=FieldPolicy(Audience.ANYONE, shared=True, delivery=Delivery.LATEST),
        description="How the platform is: at once, then at every change.",
    )
