"""A recorded session replayed: what clients see is what the exchange said that day."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.watcher import live, watching

pytestmark = pytest.mark.xdist_group("recording")

SHOWN = {
    "lastPrice": "lastPrice",
    "bidPrice": "bid1Price",
    "bidSize": "bid1Size",
    "askPrice": "ask1Price",
    "askSize": "ask1Size",
    "volume24h": "volume24h",
}
State = tuple[str, ...]


@pytest.fixture(scope="module")
def recording(shared_data: Path) -> Path:
    return shared_data / "stream" / "bybit_v5_public_BTC_SOL.jsonl"


@pytest.fixture(scope="module")
def replay(recording: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox("--no-web", f"--recording={recording}")
    try:
        yield sandbox.up()
    finally:
        sandbox.remove()


def recorded_states(recording: Path, symbol: str) -> list[State]:
    """Every state the linear ticker was in, snapshot and deltas merged by hand."""
    merged: dict[str, str] = {}
    states: list[State] = []
    for line in recording.read_text().splitlines():
        entry = json.loads(line)
        message = entry.get("msg", {})
        if entry.get("category") == "linear" and message.get("topic") == f"tickers.{symbol}":
            merged |= message["data"]
            states.append(tuple(merged[name] for name in SHOWN.values()))
    return states


def is_played(shown: list[State], states: list[State]) -> bool:
    """Whether ``shown`` runs forward through ``states``, played in a loop; some may be skipped."""
    at = states.index(shown[0])
    for state in shown[1:]:
        ahead = [(at + step) % len(states) for step in range(1, len(states) + 1)]
        following = [place for place in ahead if states[place] == state]
        if not following:
            return False
        at = following[0]
    return True


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT"])
async def test_prices_are_those_of_the_recording_to_the_last_digit(
    replay: Sandbox, recording: Path, symbol: str
):
    states = recorded_states(recording, symbol)
    async with watching(replay.addresses["graphql_ws"], symbol=symbol) as watcher:
        await watcher.until(live)
        await watcher.until(lambda _: len(watcher.values) >= 30, within_seconds=40)

    values = [value for value in watcher.values if live(value)]
    shown = [tuple(value[name] for name in SHOWN) for value in values]
    assert {value["source"] for value in values} == {"RECORDING"}
    assert set(shown) <= set(states)
    assert len(set(shown)) > 5, "the recording moves"
    assert is_played(shown, states)


async def test_only_what_was_recorded_is_offered(replay: Sandbox):
    answer = await replay.ask(
        """{ linear: instruments(category: LINEAR) { edges { node { symbol } } }
             spot: instruments(category: SPOT) { edges { node { symbol } } } }"""
    )

    offered = {
        name: [edge["node"]["symbol"] for edge in connection["edges"]]
        for name, connection in answer["data"].items()
    }
    assert offered == {"linear": ["BTCUSDT", "SOLUSDT"], "spot": ["BTCUSDT"]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("{oops\n", "line 1"), ("", "recording"), ('{"dir":"recv"}\n', "line 1")],
)
def test_a_broken_recording_is_a_sentence(tmp_path: Path, content: str, sentence: str):
    broken = tmp_path / "broken.jsonl"
    broken.write_text(content)
    sandbox = Sandbox("--no-web", f"--recording={broken}")
    try:
        assert sandbox.end() == 1
    finally:
        sandbox.remove()

    assert "Traceback" not in sandbox.said
    assert sentence in sandbox.said
