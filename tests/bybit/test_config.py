from typing import Any

import pytest

from adapters.bybit import addresses_of
from adapters.bybit.config import is_loopback
from adapters.settings import Settings
from domain.kernel.ids import Category
from domain.market import Source


def settings_of(**chosen: Any) -> Settings:
    values: dict[str, Any] = {
        "DATABASE_URL": "postgresql:///okd",
        "REDIS_URL": "unix:///redis",
        "secret_key": "0" * 32,
        "environment": "sandbox",
        **chosen,
    }
    return Settings.model_validate(values)


@pytest.mark.parametrize(
    ("environment", "rest", "linear", "source"),
    [
        ("mainnet", "https://api.bybit.com", "wss://stream.bybit.com/", Source.BYBIT),
        (
            "testnet",
            "https://api-testnet.bybit.com",
            "wss://stream-testnet.bybit.com/",
            Source.BYBIT_TESTNET,
        ),
        ("demo", "https://api-demo.bybit.com", "wss://stream.bybit.com/", Source.BYBIT_DEMO),
    ],
)
def test_one_word_chooses_all_addresses(
    environment: str, rest: str, linear: str, source: Source
) -> None:
    addresses = addresses_of(settings_of(bybit_environment=environment))

    assert (addresses.rest_url, addresses.source) == (rest, source)
    assert addresses.public_stream_url(Category.LINEAR) == f"{linear}v5/public/linear"
    assert addresses.public_stream_url(Category.SPOT) == f"{linear}v5/public/spot"


@pytest.mark.parametrize(
    ("environment", "source"), [("sandbox", Source.SANDBOX), ("recording", Source.RECORDING)]
)
def test_the_sandbox_is_where_the_settings_say(environment: str, source: Source) -> None:
    addresses = addresses_of(
        settings_of(
            bybit_environment=environment,
            bybit_rest_url="http://127.0.0.1:1/",
            bybit_ws_url="ws://127.0.0.1:1",
        )
    )

    assert addresses.rest_url == "http://127.0.0.1:1"
    assert addresses.public_stream_url(Category.SPOT) == "ws://127.0.0.1:1/v5/public/spot"
    assert addresses.source is source


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="http://"):
        addresses_of(settings_of(bybit_rest_url="ftp://example.com"))


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8", True),
        ("ws://[::1]:8", True),
        ("http://localhost", True),
        ("https://api.bybit.com", False),
        ("https://127.0.0.1.example.com", False),
    ],
)
def test_knows_loopback(url: str, *, loopback: bool) -> None:
    assert is_loopback(url) is loopback
