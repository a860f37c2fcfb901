from dataclasses import replace
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.bybit.subscriptions import TOPICS_PER_REQUEST_MAX, Request, Subscriptions
from adapters.bybit.timings import STREAM_TIMINGS

SENT = ("subscribe", "unsubscribe")


def started(*topics: str) -> Subscriptions:
    registry = Subscriptions(STREAM_TIMINGS)
    registry.restart(0)
    registry.want(topics, 0)
    return registry


def sent(requests: list[Request]) -> list[tuple[str, tuple[str, ...]]]:
    return [(request.op, request.topics) for request in requests]


def test_asks_once_in_tens() -> None:
    topics = tuple(f"t{i}" for i in range(23))
    registry = started(*topics)
    requests = registry.requests(0)

    assert [len(request.topics) for request in requests] == [10, 10, 3]
    assert len({request.request_id for request in requests}) == 3
    assert registry.requests(0.1) == []


def test_a_refused_request_is_asked_again_topic_by_topic() -> None:
    registry = started("a", "bad", "c")
    (request,) = registry.requests(0)

    assert registry.answered(request.request_id, accepted=False, now=0) == []
    singles = registry.requests(0.1)
    assert sent(singles) == [("subscribe", (t,)) for t in ("a", "bad", "c")]
    rejected = [
        registry.answered(r.request_id, accepted=r.topics != ("bad",), now=0.2) for r in singles
    ]
    assert rejected == [[], ["bad"], []]


def test_a_rejected_topic_is_tried_again_much_later() -> None:
    registry = started("bad")
    (request,) = registry.requests(0)
    registry.answered(request.request_id, accepted=False, now=0)

    assert registry.requests(59) == []
    assert sent(registry.requests(60)) == [("subscribe", ("bad",))]


def test_already_subscribed_counts_alone_and_not_among_others() -> None:
    registry = started("a", "b")
    (request,) = registry.requests(0)
    assert registry.answered(request.request_id, accepted=False, already=True, now=0) == []
    single, _ = registry.requests(0.1)
    assert registry.answered(single.request_id, accepted=False, already=True, now=0.2) == []

    assert registry.requests(0.3) == []


def test_data_overtaking_the_acknowledgement_counts() -> None:
    registry = started("a")
    (request,) = registry.requests(0)
    assert registry.heard("a", 0.1)

    assert registry.answered(request.request_id, accepted=True, now=0.2) == []
    assert registry.requests(0.3) == []


def test_an_unanswered_request_is_sent_again() -> None:
    timings = replace(STREAM_TIMINGS, ack_timeout_seconds=2)
    registry = Subscriptions(timings)
    registry.want(["a"], 0)
    registry.requests(0)

    assert registry.requests(1.9) == []
    assert sent(registry.requests(2)) == [("subscribe", ("a",))]


def test_leaves_what_is_not_wanted_any_more_and_comes_back() -> None:
    registry = started("a", "b")
    registry.requests(0)
    registry.want(["b"], 1)
    assert sent(registry.requests(1)) == [("unsubscribe", ("a",))]
    assert not registry.heard("a", 1.1)  # it was under way
    registry.want(["a", "b"], 1.2)
    assert sent(registry.requests(1.2)) == [("subscribe", ("a",))]

    registry.heard("a", 1.3)
    registry.heard("b", 1.3)
    assert registry.requests(5.9) == []


def test_leaving_and_returning_between_two_looks_starts_over() -> None:
    registry = started("a")
    registry.requests(0)
    registry.want([], 1)
    registry.want(["a"], 1)

    assert sent(registry.requests(1)) == [("unsubscribe", ("a",)), ("subscribe", ("a",))]


def test_frames_that_go_on_after_leaving_are_refused_again() -> None:
    registry = started("a")
    registry.requests(0)
    registry.want([], 1)
    registry.requests(1)
    registry.heard("a", 2)
    registry.heard("a", 3)

    assert sent(registry.requests(7.1)) == [("unsubscribe", ("a",))]
    assert registry.requests(20) == []


def test_a_quiet_topic_is_asked_anew_before_it_is_called_silent() -> None:
    registry = started("a")
    registry.requests(0)
    registry.heard("a", 0)
    assert registry.requests(4.9) == []
    assert sent(registry.requests(5)) == [("unsubscribe", ("a",)), ("subscribe", ("a",))]
    assert registry.newly_silent(6.4) == []

    assert registry.newly_silent(6.5) == ["a"]
    assert registry.newly_silent(6.6) == []
    assert registry.all_silent
    registry.heard("a", 7)
    assert not registry.all_silent


def test_patience_doubles_for_the_merely_quiet_and_returns_with_life() -> None:
    registry = started("a")
    registry.requests(0)
    registry.heard("a", 0)
    probes = []
    now = 0.0
    while now < 200:
        now += 0.5
        if registry.requests(now):
            probes.append(now)
            registry.heard("a", now)  # the snapshot of the answer, and nothing else
        assert registry.newly_silent(now) == []
    assert probes == [5, 15, 35, 75, 135, 195]

    registry.heard("a", 201)
    registry.heard("a", 202)
    assert registry.requests(206.9) == []
    assert registry.requests(207) != []


def test_a_topic_out_of_step_is_refreshed_at_most_once_a_second() -> None:
    registry = started("a")
    registry.requests(0)
    registry.heard("a", 0.5)
    registry.refresh("a", 0.6)
    assert registry.requests(0.6) == []
    registry.refresh("a", 1.1)

    assert sent(registry.requests(1.1)) == [("unsubscribe", ("a",)), ("subscribe", ("a",))]
    registry.refresh("unknown", 9)


def test_a_refresh_noted_after_the_look_began_is_left_before_it_is_asked() -> None:
    # The reader looks at the clock, then reads a frame, then sends: by then the frame is "later".
    # Subscribing first and leaving next would end with nothing.
    registry = started("a")
    registry.requests(0)
    registry.heard("a", 0.5)
    registry.refresh("a", 1.1001)

    assert sent(registry.requests(1.1)) == [("unsubscribe", ("a",)), ("subscribe", ("a",))]
    assert registry.requests(1.2) == []


def test_what_stays_out_of_step_is_asked_ever_more_rarely_and_forgiven_after_peace() -> None:
    registry = started("a")
    registry.requests(0)

    def refreshed_until(begin: float, end: float) -> list[float]:
        found, now = [], begin
        while now < end:
            registry.heard("a", now)
            registry.refresh("a", now)
            if registry.requests(now):
                found.append(now)
            now += 0.25
        return found

    assert refreshed_until(0, 100) == [1, 3, 7, 15, 31, 61, 91]
    assert refreshed_until(151, 156) == [151, 153]


def test_quiet_trades_and_candles_are_neither_probed_nor_silent() -> None:
    registry = started("publicTrade.a", "kline.1.a", "tickers.a")
    (request,) = registry.requests(0)
    registry.answered(request.request_id, accepted=True, now=0)

    assert sent(registry.requests(5)) == [
        ("unsubscribe", ("tickers.a",)),
        ("subscribe", ("tickers.a",)),
    ]
    assert registry.newly_silent(6.5) == ["tickers.a"]
    assert registry.all_silent
    registry.want(["publicTrade.a", "kline.1.a"], 7)
    assert sent(registry.requests(100)) == [("unsubscribe", ("tickers.a",))]
    assert not registry.all_silent


class Serving(RuleBasedStateMachine):
    """Whatever happens, an obedient venue ends up following exactly what is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = Subscriptions(STREAM_TIMINGS)
        self.now = 0.0
        self.wanted: frozenset[str] = frozenset()
        self.venue: set[str] = set()
        self.unanswered: list[Request] = []

    @rule(topics=st.frozensets(st.sampled_from("abcdefghijklmn")))
    def want(self, topics: frozenset[str]) -> None:
        self.wanted = topics
        self.registry.want(topics, self.now)

    @rule(seconds=st.floats(0, 3))
    def look(self, seconds: float) -> None:
        self.now += seconds
        for request in self.registry.requests(self.now):
            assert request.op in SENT
            assert 0 < len(request.topics) <= TOPICS_PER_REQUEST_MAX
            if request.op == "subscribe":
                assert self.wanted.issuperset(request.topics)
                self.venue.update(request.topics)
            else:
                self.venue.difference_update(request.topics)
            self.unanswered.append(request)

    @precondition(lambda self: self.unanswered)
    @rule(pick=st.randoms(use_true_random=False))
    def answer(self, pick: Random) -> None:
        request = self.unanswered.pop(pick.randrange(len(self.unanswered)))
        assert self.registry.answered(request.request_id, accepted=True, now=self.now) == []

    @rule()
    def push(self) -> None:
        for topic in sorted(self.venue):
            assert self.registry.heard(topic, self.now) is (topic in self.wanted)

    @precondition(lambda self: self.venue)
    @rule(pick=st.randoms(use_true_random=False), ahead=st.floats(0, 0.1))
    def lose_step(self, pick: Random, ahead: float) -> None:
        self.registry.refresh(pick.choice(sorted(self.venue)), self.now + ahead)

    @rule()
    def reconnect(self) -> None:
        self.venue.clear()
        self.unanswered.clear()
        self.registry.restart(self.now)

    @invariant()
    def one_look_is_enough(self) -> None:
        self.look(0)
        assert self.venue == self.wanted


TestServing = Serving.TestCase
TestServing.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
