"""Components and their states."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ComponentState(StrEnum):
    """Worse is further down."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Component:
    """One thing the platform stands on, as this process sees it.

    ``detail`` is one plain word or sentence for people; it never holds an address or vendor text.
    ``required`` tells whether this process can serve without it (readiness).
    """

    name: str
    state: ComponentState
    since: datetime
    detail: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """All components; the whole is as bad as its worst required part, else at most degraded."""

    components: Sequence[Component]
    as_of: datetime

    @property
    def state(self) -> ComponentState:
        if any(c.required and c.state is ComponentState.DOWN for c in self.components):
            return ComponentState.DOWN
        if all(c.state is ComponentState.UP for c in self.components):
            return ComponentState.UP
        return ComponentState.DEGRADED

    @property
    def ready(self) -> bool:
        """Whether every required component is at least degraded."""
        return self.state is not ComponentState.DOWN
