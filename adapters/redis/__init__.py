"""Redis or Valkey: what can be rebuilt. Newest prices, who leads, what is wanted."""

from adapters.redis.access import (
    RedisAccessEnds,
    RedisAccessSignals,
    RedisKeptText,
    RedisStepUpGrants,
)
from adapters.redis.client import RedisClient
from adapters.redis.event_signals import RedisEventSignaller, RedisEventSignals
from adapters.redis.leases import RedisLeases
from adapters.redis.live_market import RedisLiveMarket
from adapters.redis.look_ups import RedisLookUps
from adapters.redis.metrics import DropReason, HubMetrics, NullHubMetrics
from adapters.redis.publisher import RedisFeedPublisher

__all__ = [
    "DropReason",
    "HubMetrics",
    "NullHubMetrics",
    "RedisAccessEnds",
    "RedisAccessSignals",
    "RedisClient",
    "RedisEventSignaller",
    "RedisEventSignals",
    "RedisFeedPublisher",
    "RedisKeptText",
    "RedisLeases",
    "RedisLiveMarket",
    "RedisLookUps",
    "RedisStepUpGrants",
]
