"""One operation of one connection: a place in groups, or a task of its own, and a lane out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from adapters.gateway.desk import ConnectionInfo
from adapters.gateway.fanout.callers import Caller
from adapters.gateway.fanout.groups import Membership
from adapters.gateway.fanout.outbox import Lane, Outbox
from adapters.gateway.fanout.plan import Plan
from adapters.gateway.fanout.sharing import Alone, Sharing
from adapters.gateway.fanout.sink import Encoded, FormattedErrors
from adapters.gateway.operations import Answer, OperationRequest, OperationRunner
from domain.kernel.errors import UserError
from domain.kernel.policy import Delivery
from domain.kernel.viewer import Viewer


class Operation:
    """Started once. ``on_over`` is called once, however it ends."""

    __slots__ = ("_lane", "_membership", "_on_over", "_outbox", "_over", "_task", "id")

    def __init__(
        self, operation_id: str, outbox: Outbox, on_over: Callable[["Operation"], None]
    ) -> None:
        self.id = operation_id
        # None while groups serve it: then nothing runs for it alone.
        self._task: asyncio.Task[None] | None = None
        self._outbox = outbox
        self._on_over = on_over
        self._over = False
        self._lane: Lane | None = None
        self._membership: Membership | None = None

    def start(self, tasks: asyncio.TaskGroup, run: Coroutine[Any, Any, None]) -> None:
        """Run in a task; ``run`` awaits ``self.run``."""
        self._task = tasks.create_task(run)
        self._task.add_done_callback(self._ran)

    async def run(
        self,
        request: OperationRequest,
        *,
        who: Callable[[], Awaitable[Viewer | UserError]],
        connection: ConnectionInfo,
        caller: Caller,
        sharing: Sharing,
        runner: OperationRunner,
    ) -> None:
        """Take its place in groups and return, or run to the last answer. Never raises."""
        try:
            viewer = await who()
            if isinstance(viewer, UserError):
                return  # the connection ends, and says so
            found = await sharing.join(
                request,
                lambda: runner.desk.context(viewer, connection),
                sink=self._sink,
                caller=caller,
            )
            match found:
                case Membership():
                    self._membership = found
                case Answer():
                    self._end(found.errors)
                case Alone():
                    answers = runner.run(request, connection, viewer, context=found.context)
                    await self._relay(answers, resumes=found.delivery is Delivery.LOSSLESS)
        except Exception as error:  # noqa: BLE001  # outermost: a subscription
            self._end([shown.formatted for shown in runner.desk.crash(error)])

    def stop(self) -> None:
        """Nothing more of it leaves; what has not left is taken back."""
        if self._lane is not None:
            self._lane.leave()
        if self._membership is not None:
            self._membership.leave()
            self._is_over()
        elif self._task is not None:
            self._task.cancel()

    def _ran(self, _task: asyncio.Task[None]) -> None:
        self._task = None
        if self._membership is None:
            self._is_over()

    def _sink(self, plan: Plan) -> Lane:
        self._lane = self._outbox.lane(
            self.id, plan.policy.delivery, self._is_over, single=len(plan.parts) == 1
        )
        return self._lane

    def _end(self, errors: FormattedErrors) -> None:
        lane = self._lane or self._outbox.lane(self.id, Delivery.LOSSLESS, resumes=False)
        lane.end(errors)

    async def _relay(self, answers: AsyncGenerator[Answer, None], *, resumes: bool) -> None:
        # Each value goes once the one before has left: the stream conflates while its reader is
        # slow, and the lane holds one.
        lane = self._lane = self._outbox.lane(self.id, Delivery.LOSSLESS, resumes=resumes)
        async with aclosing(answers):
            async for answer in answers:
                if answer.refused:
                    lane.end(answer.errors)
                    return
                lane.offer(Encoded(answer.payload))
                await self._outbox.sent()
                if self._outbox.closed:  # a stream that never waits would not hear of it
                    return
        lane.end(None)

    def _is_over(self) -> None:
        if not self._over:
            self._over = True
            self._on_over(self)
