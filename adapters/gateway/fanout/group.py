"""One execution and all who get its values."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import ExecutionResult, GraphQLError, GraphQLFormattedError

from adapters.gateway.fanout.execution import Execution, Source
from adapters.gateway.fanout.plan import Part, Plan
from adapters.gateway.fanout.sink import Encoded, FormattedErrors, Payload, Sink
from adapters.telemetry import correlation

# A turn of the loop serves so many members, then lets others work.
MEMBERS_PER_TURN = 256

Present = Callable[[Sequence[GraphQLError]], Sequence[GraphQLFormattedError]]
"""Judge, count and log errors of an execution, once for all members; what they may read."""


@dataclass(slots=True)
class FanoutCounters:
    """What was done, for metrics to read when they are scraped."""

    groups: int = 0
    members: int = 0
    executions: int = 0
    """Groups ever begun."""
    values: int = 0
    """Values executed and encoded."""
    deliveries: int = 0
    """Values given to members."""
    refused: int = 0
    """Joins refused by a limit."""


class Member(Protocol):
    """What a group needs of a membership."""

    sink: Sink

    def group_ended(self, group: "Group", errors: FormattedErrors | None) -> None: ...


class Group:
    """Gives every value to every member, as soon as it is there. Waits for no member.

    ``opened`` is set once the field's resolver answered: to its refusal, or to nothing.
    """

    def __init__(self, plan: Plan, part: Part, counters: FanoutCounters) -> None:
        self.plan = plan
        self.key: Hashable = part.key
        self.opened: asyncio.Future[list[GraphQLError]] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None
        self.members: dict[Member, Sink] = {}
        self._part = part
        self._counters = counters
        self._newest: Encoded | None = None
        dropped = plan.dropped
        self._add_dropped: Callable[[Payload, int], Payload] | None = (
            dropped.add if dropped is not None else None
        )

    def add(self, member: Member) -> None:
        """A late member has the current value at once: nothing older can follow it."""
        self.members[member] = member.sink
        self._counters.members += 1
        if self._newest is not None:
            self._counters.deliveries += 1
            member.sink.offer(self._newest)

    def remove(self, member: Member) -> bool:
        """Whether it was the last."""
        if member in self.members:
            del self.members[member]
            self._counters.members -= 1
        return not self.members

    async def run(self, execution: Execution, context: object, present: Present) -> None:
        """Until the stream ends; a failure ends every member. Cancelled when nobody is left."""
        if self.key is not None:
            correlation.begin()
        errors: FormattedErrors | None = None
        try:
            source = await execution.begin(
                self.plan.parts_document, self._part.variables, context, self.plan.operation_name
            )
            if isinstance(source, list):
                self.opened.set_result(source)
                return
            self.opened.set_result([])
            await self._relay(source, present)
        except Exception as error:  # noqa: BLE001  # outermost: a subscription
            wrapped = [GraphQLError(str(error), original_error=error)]
            if not self.opened.done():
                self.opened.set_result(wrapped)
                return
            errors = present(wrapped)
        self._end(errors)

    async def _relay(self, source: Source, present: Present) -> None:
        async with aclosing(source.events()) as events:
            async for value, result in events:
                await self._deliver(self._encoded(value, result, present))
                if self.key is None:  # a replay of thousands must not hold up the others
                    await asyncio.sleep(0)

    def _encoded(self, value: Any, result: ExecutionResult, present: Present) -> Encoded:  # noqa: ANN401  # the domain's
        content: dict[str, Any] = {"data": result.data}
        if result.errors:
            content["errors"] = present(result.errors)
        rules = self.plan.rules
        return Encoded(
            content,
            key=self,
            final=rules.keeps is not None and rules.keeps(value),
            carries=rules.carries(value) if rules.carries is not None else 1,
            add_dropped=self._add_dropped,
        )

    async def _deliver(self, value: Encoded) -> None:
        self._newest = value
        counters = self._counters
        counters.values += 1
        counters.deliveries += len(self.members)
        sinks = tuple(self.members.values())  # a member may leave while it is served
        for first in range(0, len(sinks), MEMBERS_PER_TURN):
            if first:
                await asyncio.sleep(0)
            for sink in sinks[first : first + MEMBERS_PER_TURN]:
                sink.offer(value)

    def _end(self, errors: FormattedErrors | None) -> None:
        for member in tuple(self.members):
            self.remove(member)
            member.group_ended(self, errors)
