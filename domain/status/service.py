"""The board: asks every probe on a beat, remembers since when, tells watchers of changes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.kernel.clock import Clock
from domain.status.model import Component, ComponentState, SystemStatus

PROBE_EVERY_SECONDS = 1.0
PROBE_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe saw."""

    state: ComponentState
    detail: str | None = None


class HealthProbe(Protocol):
    """Looks at one component. Cheap: it is asked every second."""

    @property
    def name(self) -> str: ...

    @property
    def required(self) -> bool:
        """Whether this process cannot serve without it."""
        ...

    async def look(self) -> Finding:
        """Must not raise for a component that is down: that is a finding."""
        ...


class StatusBoard:
    """One per process. ``run`` beats; reading never waits for a probe."""

    def __init__(self, probes: Sequence[HealthProbe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        now = clock.now()
        self._components = {
            p.name: Component(p.name, ComponentState.DOWN, now, "not looked at yet", p.required)
            for p in probes
        }
        self._changed = asyncio.Event()

    def status(self) -> SystemStatus:
        """The findings of the last beat."""
        return SystemStatus(tuple(self._components.values()), self._clock.now())

    async def watch(self) -> AsyncGenerator[SystemStatus, None]:
        """The status at once, then whenever a component's state or detail changes."""
        while True:
            changed = self._changed
            yield self.status()
            await changed.wait()

    async def run(self) -> None:
        """Beat for ever; ends only by cancellation."""
        while True:
            await self.beat()
            await asyncio.sleep(PROBE_EVERY_SECONDS)

    async def beat(self) -> None:
        """Look at everything once, all at the same time."""
        findings = await asyncio.gather(*(self._look(p) for p in self._probes))
        changed = [self._note(p, f) for p, f in zip(self._probes, findings, strict=True)]
        if any(changed):
            self._changed.set()
            self._changed = asyncio.Event()

    async def _look(self, probe: HealthProbe) -> Finding:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                return await probe.look()
        except TimeoutError:
            return Finding(ComponentState.DOWN, "does not answer")

    def _note(self, probe: HealthProbe, finding: Finding) -> bool:
        before = self._components[probe.name]
        if (before.state, before.detail) == (finding.state, finding.detail):
            return False
        since = before.since if before.state is finding.state else self._clock.now()
        self._components[probe.name] = Component(
            probe.name, finding.state, since, finding.detail, probe.required
        )
        return True
