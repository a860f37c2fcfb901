"""Who may use a field and how it is delivered, in words every executor and transport reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.kernel.errors import Forbidden, Unauthenticated
from domain.kernel.viewer import Role, Viewer


class Audience(StrEnum):
    """The widest circle a field is for."""

    ANYONE = "ANYONE"
    SIGNED_IN = "SIGNED_IN"
    STAFF = "STAFF"


class Delivery(StrEnum):
    """What becomes of values a subscriber cannot take in time."""

    LATEST = "LATEST"
    """Only the newest value per key is kept (prices)."""
    BOUNDED = "BOUNDED"
    """All are kept up to a bound; what is left out is counted in the value (trades)."""
    LOSSLESS = "LOSSLESS"
    """Nothing may be dropped; a reader too slow is closed and told to resume (private events)."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """A field that needs a fresh sign-in with a second factor, spent on this one call."""

    max_age_seconds: int = 300
    """How old the sign-in may be."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one person may use the fields that share a bucket, on whatever device."""

    bucket: str
    per_minute: int
    """Also how many at once, after a minute without any."""


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """The policy of one field. Denies by default: a root field without one stops the import."""

    audience: Audience
    roles: frozenset[Role] = frozenset()
    """With ``Audience.STAFF``: one of these is needed."""
    cost: int = 1
    """Points, before anything is multiplied by list sizes."""
    shared: bool = False
    """One execution may serve every subscriber, because no value depends on the viewer."""
    delivery: Delivery = Delivery.LOSSLESS
    step_up: StepUp | None = None
    rate: Rate | None = None
    """Never on what takes access away: whoever stole a token could use it up first."""

    def __post_init__(self) -> None:
        if (self.audience is Audience.STAFF) != bool(self.roles):
            raise ValueError("roles belong to Audience.STAFF, and STAFF needs at least one")
        if self.shared and self.audience is not Audience.ANYONE:
            raise ValueError("only a field for anyone may share executions")
        if self.step_up is not None and self.audience is Audience.ANYONE:
            raise ValueError("step-up needs somebody who signed in")
        if self.rate is not None and self.audience is Audience.ANYONE:
            raise ValueError("a rate is of somebody who signed in")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRules:
    """What a transport may do with a subscription's values, beyond its FieldPolicy.

    Names are GraphQL's; the functions see the domain's own values.
    """

    split_by: str | None = None
    """A list argument: asking for many is the same as asking for each one alone, in any order."""
    alike: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    """By argument: values for which this gives the same make the same stream."""
    alone_with: str | None = None
    """An argument that counts what one subscriber got: with it, nothing is shared."""
    keeps: Callable[[Any], bool] | None = None
    """With ``Delivery.LATEST``: the values that no newer one may take the place of."""
    carries: Callable[[Any], int] | None = None
    """With ``Delivery.BOUNDED``: how many things a value tells of, those missing included."""
    dropped: str | None = None
    """With ``carries``: the field of the value that counts what is missing before it."""

    def __post_init__(self) -> None:
        if (self.carries is None) != (self.dropped is None):
            raise ValueError("what is dropped is counted and told, or neither")


def refusal(policy: FieldPolicy, viewer: Viewer) -> Unauthenticated | Forbidden | None:
    """Why ``viewer`` may not use a field of this policy; nothing when they may."""
    if policy.audience is Audience.ANYONE:
        return None
    if viewer.user_id is None:
        return Unauthenticated()
    if policy.audience is Audience.STAFF and policy.roles.isdisjoint(viewer.roles):
        return Forbidden()
    return None
