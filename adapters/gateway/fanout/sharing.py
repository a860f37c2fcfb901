"""What sockets and event streams ask first: can others' execution serve this operation?"""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from graphql import GraphQLError, GraphQLFormattedError
from strawberry.schema.schema import Schema

from adapters.gateway.desk import ConnectionInfo, OperationDesk, Transport
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.fanout.callers import Caller, Callers
from adapters.gateway.fanout.execution import Execution
from adapters.gateway.fanout.groups import (
    GroupLimits,
    Groups,
    Membership,
    Refused,
    TooManyGroups,
)
from adapters.gateway.fanout.plan import Plan, Planner, may_be_subscription
from adapters.gateway.fanout.sink import Sink
from adapters.gateway.operations import Answer, OperationRequest, refusal
from adapters.telemetry import Outcome, correlation
from domain.kernel.policy import Delivery
from domain.kernel.viewer import ANONYMOUS

# Groups end as others leave; until then a process that is full has no room.
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Alone:
    """Nobody may share it: run it for who asked."""

    context: object | None = None
    """Theirs, when one was needed to find that out."""
    delivery: Delivery | None = None
    """Of declared streams."""


class Sharing:
    """One per process. A context manager that owns the shared executions.

    Who may subscribe at all was decided by the caller; nothing is shared here that is not for
    anyone, and what is shared is executed for nobody.
    """

    def __init__(
        self,
        schema: Schema,
        desk: OperationDesk,
        *,
        limits: GroupLimits | None = None,
        callers: Callers | None = None,
    ) -> None:
        execution = Execution(schema)
        self.callers = Callers() if callers is None else callers
        self._desk = desk
        self._planner = Planner(execution)
        self._groups = Groups(
            execution, nobody=self._nobodys_context, present=self._present, limits=limits
        )
        self._owner = AsyncExitStack()
        self.counters = self._groups.counters

    async def __aenter__(self) -> Self:
        await self._owner.enter_async_context(self._groups)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._owner.__aexit__(kind, error, traceback)

    async def join(
        self,
        request: OperationRequest,
        context: Callable[[], object],
        *,
        sink: Callable[[Plan], Sink],
        caller: Caller,
    ) -> Membership | Answer | Alone:
        """Give the operation's values to ``sink`` from now on; or why not, for who asked.

        ``sink`` is made only for what is shared; the current values may come before this returns.
        Call it in the task whose correlation is the operation's.
        """
        if request.query is None or not may_be_subscription(request.query):
            return Alone()
        started = time.perf_counter()
        asking = context()
        plan = await self._planner.plan(
            request.query, request.variables, request.operation_name, asking
        )
        if plan is None:
            return Alone(asking)
        if not plan.shared:
            return Alone(asking, plan.policy.delivery)
        correlation.bind_operation(request.operation_name)
        made = sink(plan)
        found = await self._groups.join(plan, made, caller=caller, context=asking)
        answer, outcome = self._judged(found)
        seconds = time.perf_counter() - started
        self._desk.finished(request.query, outcome, seconds, request.operation_name)
        return answer

    def _judged(
        self, found: Membership | Refused | TooManyGroups
    ) -> tuple[Membership | Answer, Outcome]:
        match found:
            case Membership():
                return found, Outcome.OK
            case Refused(errors):
                shown, outcome = self._desk.present(errors, before_execution=True)
                return Answer({"errors": [e.formatted for e in shown]}, refused=True), outcome
            case TooManyGroups():
                return self._full(found), Outcome.REFUSED

    def _full(self, found: TooManyGroups) -> Answer:
        code = GatewayErrorCode.TOO_MANY_SUBSCRIPTIONS
        if found.whose is None:
            whose = "This process"
        elif found.whose.owner is None:
            whose = "All connections of one account or address together"
        else:
            whose = "One connection"
        text = f"{whose} may follow {found.limit} different streams at a time."
        self._desk.metrics.refused(code.lower())
        wait = _RETRY_SECONDS if found.whose is None else None
        return refusal(code, text, correlation.current().id, retry_after_seconds=wait)

    def _nobodys_context(self) -> object:
        # WEBSOCKET: of what a subscription can come by, the one that tells least.
        info = ConnectionInfo(Transport.WEBSOCKET, correlation.current(), "", {})
        return self._desk.context(ANONYMOUS, info)

    def _present(self, errors: Sequence[GraphQLError]) -> list[GraphQLFormattedError]:
        shown, _ = self._desk.present(errors, before_execution=False)
        return [error.formatted for error in shown]
