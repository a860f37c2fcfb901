"""Who may come in and how long they may stay, put together: Firebase, sessions, what Redis tells.

What they may do inside is put together by app.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from adapters.duties import Duty
from adapters.foundation import Foundation
from adapters.gateway import Identify
from adapters.gateway.access import Access
from adapters.gateway.identity import Identity, without_accounts
from adapters.people import People
from adapters.redis import RedisAccessEnds
from adapters.redis.metrics import HubMetrics
from domain.status import HealthProbe
from domain.users import Authentication


@dataclass(frozen=True)
class Entrance:
    """What the gateway asks of callers, and what a process does to be able to."""

    identify: Identify
    access: Access
    probes: Sequence[HealthProbe] = ()
    duties: Sequence[Duty] = ()

    @classmethod
    def over(cls, base: Foundation, people: People | None, *, counters: HubMetrics) -> Self:
        """Nothing is dialled yet. Without people nobody can sign in."""
        if people is None:
            return cls(identify=without_accounts, access=Access())
        authentication = Authentication(
            works=people.works, accounts=people.accounts, clock=base.clock
        )
        access = Access(authentication.again)
        ends = RedisAccessEnds(
            base.redis,
            on_ended=access.ended,
            on_changed=access.changed,
            on_uncertain=access.doubt,
            metrics=counters,
        )
        return cls(
            identify=Identity(people.verifier, authentication).identify,
            access=access,
            probes=[base.breaker_probe("identity", people.breaker.name)],
            duties=[people.certificates.run, ends.run, access.run],
        )
