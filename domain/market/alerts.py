"""Price alerts: told when a price crosses a line, or moves far enough in a day.

Crossing needs two prices: an alert is silent until it has seen one on the near side, so that an
alert set beyond the price does not fire at once, and a restart fires nothing twice. Stale prices
are not looked at: what happened during an outage is judged by the first live price after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.kernel.errors import BadInput
from domain.kernel.ids import InstrumentId, UserId
from domain.market.model import Ticker


class Condition(StrEnum):
    """What has to happen."""

    RISES_TO = "RISES_TO"
    """The last price comes from below to the threshold or above it."""
    FALLS_TO = "FALLS_TO"
    CHANGE_24H_REACHES = "CHANGE_24H_REACHES"
    """The 24 h change, up or down, comes to the threshold, a ratio (0.05 is five percent)."""


@dataclass(frozen=True, slots=True)
class PriceAlert:
    """One alert of one person. A recurring one fires again once the price has been back."""

    id: UUID
    owner: UserId
    instrument: InstrumentId
    condition: Condition
    threshold: Decimal
    recurring: bool


@dataclass(frozen=True, slots=True)
class AlertFired:
    """An alert came true."""

    alert: PriceAlert
    price: Decimal
    change_24h: Decimal
    at: datetime
    """The venue's time of the price."""


def refusal_of(alert: PriceAlert) -> BadInput | None:
    """Why such an alert makes no sense."""
    if alert.threshold <= 0:
        return BadInput("threshold", "has to be above zero.")
    return None


class AlertEngine:
    """Looks at every live price for the alerts it holds. Not a store: alerts are given to it."""

    def __init__(self) -> None:
        self._alerts: dict[InstrumentId, dict[UUID, _Armed]] = {}

    @property
    def instruments(self) -> frozenset[InstrumentId]:
        """What has to be followed for the alerts held."""
        return frozenset(self._alerts)

    def hold(self, alerts: Iterable[PriceAlert]) -> None:
        """Hold exactly these from now on; those held before keep what they have seen."""
        before = {armed.alert: armed for held in self._alerts.values() for armed in held.values()}
        self._alerts = {}
        for alert in alerts:
            armed = before.get(alert) or _Armed(alert)
            self._alerts.setdefault(alert.instrument, {})[alert.id] = armed

    def hear(self, ticker: Ticker) -> Sequence[AlertFired]:
        """Which alerts this price makes true; one that does not recur is no longer held."""
        held = self._alerts.get(ticker.id)
        if held is None or ticker.stale:
            return ()
        fired = [armed.alert for armed in held.values() if armed.fires(ticker)]
        for alert in fired:
            if not alert.recurring:
                del held[alert.id]
        if not held:
            del self._alerts[ticker.id]
        return [AlertFired(a, ticker.last_price, ticker.change_24h, ticker.as_of) for a in fired]


class _Armed:
    """An alert and whether the near side was seen since it last fired."""

    def __init__(self, alert: PriceAlert) -> None:
        self.alert = alert
        self._near = False

    def fires(self, ticker: Ticker) -> bool:
        if not self._reached(ticker):
            self._near = True
            return False
        was_near, self._near = self._near, False
        return was_near

    def _reached(self, ticker: Ticker) -> bool:
        match self.alert.condition:
            case Condition.RISES_TO:
                return ticker.last_price >= self.alert.threshold
            case Condition.FALLS_TO:
                return ticker.last_price <= self.alert.threshold
            case Condition.CHANGE_24H_REACHES:
                return abs(ticker.change_24h) >= self.alert.threshold
