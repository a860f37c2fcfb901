"""The capacity model: its formula, and docs/scale.md that holds what it says."""

from dataclasses import replace

import pytest

from tests.bench import scale
from tests.bench.rig import costs
from tests.bench.rig.costs import Costs
from tests.bench.scale import Demand, delivery_us, limits, need

ROUND = Costs(
    delivery_alone_us=10,
    delivery_together_us=4,
    price_us=100,
    connect_us=1000,
    process_kb=100_000,
    connection_kb=40,
    subscription_kb=2,
    delivery_bytes=242,
    publish_us=50,
    valkey_price_us=20,
    valkey_listener_us=5,
)
# 100,000 deliveries and 1000 prices per second.
ONE_SYMBOL = Demand(subscribers=50_000, symbols=1, per_second=2, instruments=500)


def test_processes_carry_deliveries_beside_the_prices_each_of_them_takes_in():
    found = need(ONE_SYMBOL, ROUND)

    # 0.6 of a core, 0.1 of it for 1000 prices of 100 µs: one second of deliveries needs two.
    assert found is not None
    assert found.processes == 2
    assert found.core_seconds == pytest.approx(1.0 + 2 * 0.1)
    assert found.memory_bytes == (2 * 100_000 + 50_000 * 40) * 1024
    assert found.bytes_out == 100_000 * (242 + 58)
    assert found.redis_channels == 500 + 2
    assert found.redis_messages == 2 * 1000
    assert found.redis_bytes == 2 * 1000 * 700
    assert found.redis_core == pytest.approx(1000 * 20e-6 + 2 * 1000 * 5e-6)
    assert found.publish_core == pytest.approx(0.05)
    assert found.upstream_connections == 2
    assert found.back_seconds == pytest.approx(50_000 * 1e-3 / (2 * 0.4))


def test_subscribers_never_add_connections_to_the_venue():
    many = need(replace(ONE_SYMBOL, subscribers=5_000_000), ROUND)

    assert many is not None
    assert many.upstream_connections == 2
    assert many.publish_core == pytest.approx(0.05)


def test_what_is_written_together_is_cheaper_up_to_ten_prices():
    assert delivery_us(ROUND, 1) == 10
    assert delivery_us(ROUND, 10) == 4
    assert delivery_us(ROUND, 50) == 4
    assert delivery_us(ROUND, 4) == pytest.approx(8)


def test_writing_together_never_makes_a_delivery_dearer():
    assert delivery_us(replace(ROUND, delivery_together_us=30), 10) == 10


def test_each_further_subscription_adds_its_own_memory():
    ten = need(replace(ONE_SYMBOL, symbols=10, per_second=0.2), ROUND)

    assert ten is not None
    assert ten.memory_bytes == (ten.processes * 100_000 + 50_000 * (40 + 9 * 2)) * 1024


def test_no_number_of_processes_helps_when_the_prices_alone_fill_a_core():
    assert need(replace(ONE_SYMBOL, instruments=3000), ROUND) is None
    assert limits(replace(ONE_SYMBOL, instruments=3000), ROUND)[0].subscribers == 0


def test_limits_are_told_in_the_order_they_are_met():
    found = limits(ONE_SYMBOL, ROUND)

    assert [limit.subscribers for limit in found] == sorted(limit.subscribers for limit in found)
    by_name = {limit.what: limit.subscribers for limit in found}
    # 0.02 of Redis' thread whoever listens, 0.01 more for 50,000: 58 times as many fill 0.6 of it.
    assert by_name["Redis: its one publishing thread"] == pytest.approx(2_900_000)
    # 30 MB/s for 50,000 of 750 MB/s.
    out = by_name["a 10 Gbit/s network to the clients, per host"]
    assert out == pytest.approx(1_250_000)


def test_the_page_holds_what_the_model_says():
    of, measured_on = costs.read()

    said = scale.section(of, measured_on)
    assert said in scale.PAGE.read_text("utf-8"), "run ./dev bench scale --write"
