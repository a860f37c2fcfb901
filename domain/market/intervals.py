"""The thirteen candle intervals of the venue, and where a candle begins."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Interval(StrEnum):
    """How long a candle lasts (Bybit v5 kline, "interval": 1 ... 720, D, W, M)."""

    MINUTE_1 = "MINUTE_1"
    MINUTE_3 = "MINUTE_3"
    MINUTE_5 = "MINUTE_5"
    MINUTE_15 = "MINUTE_15"
    MINUTE_30 = "MINUTE_30"
    HOUR_1 = "HOUR_1"
    HOUR_2 = "HOUR_2"
    HOUR_4 = "HOUR_4"
    HOUR_6 = "HOUR_6"
    HOUR_12 = "HOUR_12"
    DAY_1 = "DAY_1"
    WEEK_1 = "WEEK_1"
    MONTH_1 = "MONTH_1"

    @property
    def length(self) -> timedelta | None:
        """None for a month, which has no fixed length."""
        return _LENGTHS.get(self)

    def start_of(self, moment: datetime) -> datetime:
        """The beginning of the candle that ``moment`` falls into; weeks begin on Monday, UTC."""
        moment = moment.astimezone(UTC)
        if self is Interval.MONTH_1:
            return datetime(moment.year, moment.month, 1, tzinfo=UTC)
        length = _LENGTHS[self]
        # The epoch was a Thursday: weeks are counted from the Monday before.
        origin = _MONDAY if self is Interval.WEEK_1 else _EPOCH
        return origin + (moment - origin) // length * length

    def next_start(self, start: datetime) -> datetime:
        """The beginning of the candle after the one that begins at ``start``."""
        if self is Interval.MONTH_1:
            return self.start_of(start + timedelta(days=31))
        return start + _LENGTHS[self]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = datetime(1969, 12, 29, tzinfo=UTC)
_LENGTHS = {
    Interval.MINUTE_1: timedelta(minutes=1),
    Interval.MINUTE_3: timedelta(minutes=3),
    Interval.MINUTE_5: timedelta(minutes=5),
    Interval.MINUTE_15: timedelta(minutes=15),
    Interval.MINUTE_30: timedelta(minutes=30),
    Interval.HOUR_1: timedelta(hours=1),
    Interval.HOUR_2: timedelta(hours=2),
    Interval.HOUR_4: timedelta(hours=4),
    Interval.HOUR_6: timedelta(hours=6),
    Interval.HOUR_12: timedelta(hours=12),
    Interval.DAY_1: timedelta(days=1),
    Interval.WEEK_1: timedelta(weeks=1),
}
