"""`./dev sandbox` against the real exchange: every order is understood, every no is a sentence."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.devtools import sandbox
from adapters.devtools.place import here
from adapters.devtools.sandbox_orders import ORDERS, body_of
from adapters.sandbox.exchange import create_exchange
from adapters.supervisor import StartError, instance
from tests.front_door.test_dev import dev
from tests.sandbox.exchange.support import TOKEN, Served, served

BOOK = "orderbook.50.BTCUSDT"
KLINE = "/v5/market/kline"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Served]:
    app = create_exchange(seed=3, clock=SystemClock(), recording=None, control_token=TOKEN)
    with served(app) as server:
        yield server


@pytest.fixture
def data_dir(exchange: Served, tmp_path: Path) -> Iterator[Path]:
    """The data dir of an instance whose exchange this is; nothing is broken afterwards."""
    with instance.claimed(tmp_path / "data"):
        addresses = {"control": f"{exchange.http}/control", "control_token": TOKEN}
        instance.publish(tmp_path / "data", addresses)
        yield tmp_path / "data"
        sandbox.run(here(), ["reset", f"--data-dir={tmp_path / 'data'}"])


def give(data_dir: Path, *words: str) -> None:
    assert sandbox.run(here(), [*words, f"--data-dir={data_dir}"]) == 0


def test_there_is_a_word_for_every_order_of_the_plane() -> None:
    app = create_exchange(seed=3, clock=SystemClock(), recording=None, control_token=TOKEN)
    paths = [getattr(route, "path", "") for route in app.routes]

    offered = {path.removeprefix("/control/") for path in paths if path.startswith("/control/")}
    assert {order.path for order in ORDERS.values()} == offered


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("drop-sockets", "0 sockets were dropped."),
        ("drop-sockets --mode abort", "0 sockets were dropped."),
        ("refuse 60", "refuse: "),
        ("pongs 60", "mutePings: "),
        ("silence tickers.BTCUSDT 60 --category LINEAR", "silence linear:tickers.BTCUSDT: "),
        (f"skip {BOOK}", f"books linear:{BOOK}: fault skip, deltas 1"),
        (f"duplicate {BOOK} --count 3", f"books spot:{BOOK}: fault duplicate, deltas 3"),
        (f"reorder {BOOK}", f"books linear:{BOOK}: fault reorder, deltas 1"),
        ("outage 60", "outage: "),
        ("price-shock LINEAR BTCUSDT -5", "BTCUSDT is at "),
        ("latency 1 60", "latencyMs: 1"),
        ("clock -250 60", "skewMs: -250"),
        (f"status {KLINE} 503 --seconds 60", f"forced {KLINE}: status 503, retCode 0, seconds "),
        (
            f"retcode {KLINE} 10006 --message slowly --header X-Bapi-Limit=1",
            f"forced {KLINE}: status 200, retCode 10006, requests 1",
        ),
        ("reset", "Nothing is broken."),
        ("state", "Mode simulation; instruments: 26 linear, 26 spot; sockets: 0"),
    ],
)
def test_each_order_says_what_it_did(
    data_dir: Path, words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    give(data_dir, *words.split())

    assert told in capsys.readouterr().out


def test_a_shock_moves_the_price_by_what_was_said(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(data_dir, "price-shock", "spot", "SOLUSDT", "0.001")
    before = float(capsys.readouterr().out.split()[3])
    give(data_dir, "price-shock", "spot", "SOLUSDT", "-50")
    after = float(capsys.readouterr().out.split()[3])

    assert 0.45 < after / before < 0.55


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("refuse 3601", r"^Seconds must be a number from 0 to 3600 \(INVALID_BODY\)\.$"),
        ("silence tickers.NOPE 5", r"^No topic 'tickers.NOPE' is offered \(UNKNOWN_TOPIC\)\.$"),
        ("price-shock spot NOPE 5", r"^Spot has no 'NOPE' \(UNKNOWN_INSTRUMENT\)\.$"),
        ("skip tickers.BTCUSDT", r"^Topic must be an order book .*\(INVALID_BODY\)\.$"),
        (f"status {KLINE} 503 --seconds 1 --requests 1", r"^Give either seconds or requests"),
        ("refuse", r"^The following arguments are required: SECONDS. See ./dev sandbox refuse"),
        ("refuse soon", r"'soon' is not a number"),
        ("refuse nan", r"'nan' is not a number"),
        (f"status {KLINE} x", r"'x' is not a whole number"),
        (f"status {KLINE} 429 --header x", r"'x' is not NAME=VALUE"),
        ("rfuse 5", r"^There is no order 'rfuse'. Did you mean 'refuse'\? "),
        ("qqq", r"^There is no order 'qqq'. ./dev sandbox help"),
    ],
)
def test_a_no_is_a_sentence(data_dir: Path, words: str, sentence: str) -> None:
    with pytest.raises(StartError, match=sentence):
        give(data_dir, *words.split())


def test_the_token_of_another_run_is_refused(data_dir: Path, exchange: Served) -> None:
    addresses = {"control": f"{exchange.http}/control", "control_token": "of another run"}
    instance.publish(data_dir, addresses)
    try:
        with pytest.raises(StartError, match=r"\(WRONG_TOKEN\)\.$"):
            give(data_dir, "state")
    finally:
        instance.publish(data_dir, {**addresses, "control_token": TOKEN})


def test_an_exchange_of_another_version_is_told_apart(data_dir: Path, exchange: Served) -> None:
    instance.publish(data_dir, {"control": f"{exchange.http}/v0", "control_token": TOKEN})
    try:
        with pytest.raises(StartError, match=r"does not know this order \(HTTP 200\)"):
            give(data_dir, "refuse", "1")
    finally:
        addresses = {"control": f"{exchange.http}/control", "control_token": TOKEN}
        instance.publish(data_dir, addresses)


def test_without_a_running_sandbox_it_says_so(tmp_path: Path) -> None:
    said = dev("sandbox", "refuse", "5", "--data-dir", str(tmp_path))

    assert said.returncode == 1
    assert said.stderr.startswith(f"No sandbox runs on {tmp_path}. Start one with ./dev run")
    assert said.stdout == ""


def test_a_sandbox_that_still_starts_is_told_apart(tmp_path: Path) -> None:
    with (
        instance.claimed(tmp_path),
        pytest.raises(StartError, match="is still starting"),
    ):
        give(tmp_path, "state")


def test_an_exchange_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with instance.claimed(tmp_path):
        addresses = {"control": "http://127.0.0.1:9/control", "control_token": TOKEN}
        instance.publish(tmp_path, addresses)
        with pytest.raises(StartError, match=r"does not answer at http://127.0.0.1:9/control: "):
            give(tmp_path, "state")


def test_the_documents_name_every_order_and_no_other() -> None:
    page = (here().clone / "docs" / "sandbox.md").read_text(encoding="utf-8")

    examples = [words.split() for words in re.findall(r"`\./dev sandbox ([^`]+)`", page)]
    assert {name for name, *_ in examples} == ORDERS.keys()
    for name, *words in examples:
        assert body_of(ORDERS[name], words) is not None


def test_help_has_one_line_for_each_order() -> None:
    said = dev("sandbox")

    lines = said.stdout.splitlines()
    assert said.returncode == 0
    for name in ORDERS:
        assert sum(line.startswith(f"  ./dev sandbox {name} ") for line in lines) == 1
    assert "Traceback" not in dev("sandbox", "status", "--help").stdout
