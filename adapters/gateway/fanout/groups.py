"""Who shares what: joining, leaving, limits.

Nobody's data can come to somebody else: a shared group is executed for nobody, in a context made
here of no viewer, and a plan that may not be shared gets a group that is entered in no register.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import AsyncExitStack
from contextvars import Context, copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from graphql import GraphQLError

from adapters.gateway.fanout.callers import Caller
from adapters.gateway.fanout.execution import Execution
from adapters.gateway.fanout.group import FanoutCounters, Group, Present
from adapters.gateway.fanout.plan import Part, Plan
from adapters.gateway.fanout.sink import FormattedErrors, Sink

GROUPS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How much may run at a time."""

    groups: int = GROUPS_MAX


@dataclass(frozen=True, slots=True)
class Refused:
    """The field's own refusal, raw: for the caller to present as of an operation of theirs."""

    errors: Sequence[GraphQLError]


@dataclass(frozen=True, slots=True)
class TooManyGroups:
    """A limit is reached: of the caller, of whoever they belong to, or of the process."""

    limit: int
    whose: Caller | None = None
    """Nobody's: the process has no room."""


class Groups:
    """One per process. A context manager that owns the tasks; leaving it ends them all."""

    def __init__(
        self,
        execution: Execution,
        *,
        nobody: Callable[[], object],
        present: Present,
        limits: GroupLimits | None = None,
        counters: FanoutCounters | None = None,
    ) -> None:
        """``nobody`` makes the context of an anonymous operation, for what is shared."""
        self.counters = counters or FanoutCounters()
        self._execution = execution
        self._nobody = nobody
        self._present = present
        self._limits = limits or GroupLimits()
        self._shared: dict[Hashable, Group] = {}
        self._running: set[Group] = set()
        self._owner = AsyncExitStack()
        self._tasks: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await self._owner.enter_async_context(asyncio.TaskGroup())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for group in tuple(self._running):
            self._stop(group)
        await self._owner.__aexit__(kind, error, traceback)
        self._tasks = None

    async def join(
        self, plan: Plan, sink: Sink, *, caller: Caller, context: object
    ) -> "Membership | Refused | TooManyGroups":
        """Begin to give ``sink`` the plan's values; the current ones may come before it returns.

        ``context`` is the caller's own: what may not be shared is executed in it, and so are
        refusals of the whole. When joining is refused, the sink was given nothing.
        """
        if plan.whole_first:
            errors = await self._refusal(plan, context)
            if errors:
                return Refused(errors)
        while True:
            full = self._full(plan, caller)
            if full is not None:
                self.counters.refused += 1
                return full
            member = Membership(self, sink, caller)
            refusing = await self._enter_all(plan, member, context)
            if refusing is None:
                return member
            if refusing.plan.document is plan.document or refusing.key is None:
                return Refused(refusing.opened.result())
            # It was begun by another spelling: its errors point at places of that text.
            errors = await self._refusal(plan, context)
            if errors:
                return Refused(errors)

    async def _enter_all(self, plan: Plan, member: "Membership", context: object) -> Group | None:
        """Enter all groups of the plan, or none; gives the one that is refused."""
        try:
            groups = [self._enter(plan, part, member, context) for part in plan.parts]
            if not groups:
                member.sink.end(None)
            for group in groups:
                if await asyncio.shield(group.opened):
                    member.leave()
                    return group
        except BaseException:
            member.leave()
            raise
        return None

    async def _refusal(self, plan: Plan, context: object) -> list[GraphQLError]:
        source = await self._execution.begin(
            plan.document, plan.variables, context, plan.operation_name
        )
        if isinstance(source, list):
            return source
        await source.close()  # nothing was read of it: nothing upstream began
        return []

    def _full(self, plan: Plan, caller: Caller) -> TooManyGroups | None:
        limits = self._limits
        new = sum(part.key is None or part.key not in self._shared for part in plan.parts)
        if new and len(self._running) + new > limits.groups:
            return TooManyGroups(limits.groups)
        for holder in caller.and_owners():
            more = sum(part.key is None or part.key not in holder.held for part in plan.parts)
            if more and len(holder.held) + more > holder.groups_max:
                return TooManyGroups(holder.groups_max, whose=holder)
        return None

    def _enter(self, plan: Plan, part: Part, member: "Membership", context: object) -> Group:
        group = self._shared.get(part.key) if part.key is not None else None
        if group is None:
            group = self._begin(plan, part, context)
        member.enter(group)
        return group

    def _begin(self, plan: Plan, part: Part, context: object) -> Group:
        if self._tasks is None:
            raise RuntimeError("groups are joined only while they are entered")
        group = Group(plan, part, self.counters)
        if part.key is not None:
            self._shared[part.key] = group
            context = self._nobody()
        self._running.add(group)
        self.counters.groups = len(self._running)
        self.counters.executions += 1
        running = group.run(self._execution, context, self._present)
        # What is shared knows nothing of who came first, not even in its log lines.
        around = copy_context() if part.key is None else Context()
        group.task = self._tasks.create_task(running, context=around)
        group.task.add_done_callback(lambda _: self._forget(group))
        return group

    def left(self, group: Group) -> None:
        """Nobody is in ``group`` any more: whoever comes now begins it anew."""
        self._stop(group)

    def _stop(self, group: Group) -> None:
        self._forget(group)
        if group.task is not None:
            group.task.cancel()

    def _forget(self, group: Group) -> None:
        if not group.opened.done():
            group.opened.set_result([])
        self._running.discard(group)
        self.counters.groups = len(self._running)
        if group.key is not None and self._shared.get(group.key) is group:
            del self._shared[group.key]


class Membership:
    """One sink's place in the groups of its plan."""

    __slots__ = ("_caller", "_groups", "_held", "sink")

    def __init__(self, owner: Groups, sink: Sink, caller: Caller) -> None:
        self.sink = sink
        self._groups = owner
        self._caller = caller
        self._held: set[Group] = set()

    def enter(self, group: Group) -> None:
        self._held.add(group)
        self._caller.take(_identity(group))
        group.add(self)

    def leave(self) -> None:
        """Give nothing more to the sink, not even an end. Harmless when called again."""
        held, self._held = self._held, set()
        for group in held:
            self._release(group)
            if group.remove(self):
                self._groups.left(group)

    def group_ended(self, group: Group, errors: FormattedErrors | None) -> None:
        if group not in self._held:
            return
        self._held.discard(group)
        self._release(group)
        if errors is not None:
            self.leave()
        if not self._held:
            self.sink.end(errors)

    def _release(self, group: Group) -> None:
        self._caller.release(_identity(group))


def _identity(group: Group) -> Hashable:
    return group if group.key is None else group.key
