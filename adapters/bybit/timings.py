"""Every interval of a public stream in one place: tests shorten them, reviews find them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTimings:
    """Seconds, all of them."""

    connect_timeout_seconds: float = 5.0
    send_timeout_seconds: float = 1.0
    tick_seconds: float = 0.05
    """How often the reader looks up from an idle socket; bounds how late a subscribe goes out."""
    ping_every_seconds: float = 15.0
    """Bybit asks for an application ping every 20 s and cuts off after ten silent minutes."""
    silent_after_seconds: float = 5.0
    """No frame at all, although a ping was sent halfway: the connection is given up."""
    ack_timeout_seconds: float = 5.0
    topic_silent_after_seconds: float = 5.0
    """A lively topic without a frame is asked for anew. Linear tickers bring 4 frames a second
    (recording), orderbook.1 is repeated after 3 quiet seconds (Bybit v5 "Orderbook")."""
    topic_patience_max_seconds: float = 60.0
    """A topic that is merely quiet answers with its snapshot, and is asked half as often."""
    probe_timeout_seconds: float = 1.5
    """Asked anew and still no frame: the topic is silent, its tickers stale."""
    refresh_gap_seconds: float = 1.0
    """A topic out of step is asked for a fresh snapshot at most this often at first ..."""
    refresh_gap_max_seconds: float = 30.0
    """... half as often each time, and again at once after twice this long without need."""
    rejected_retry_seconds: float = 60.0
    reconnect_first_seconds: float = 0.25
    reconnect_cap_seconds: float = 15.0
    stable_after_seconds: float = 10.0
    exit_timeout_seconds: float = 1.5
    flush_every_seconds: float = 0.1
    """How often batches come at most."""
    gather_seconds: float = 0.01
    """How long the first change waits for those of its instant."""
    batch_every_seconds: float = 0.4
    """A feed without news sends an empty batch: with the flush, at least one in half a second."""


STREAM_TIMINGS = StreamTimings()
