"""Which Bybit is followed: addresses and the name its prices carry.

Addresses from Bybit v5 "Integration Guidance" and "Demo Trading Service": the demo world has no
public stream of its own, its prices are mainnet's.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from adapters.settings import BybitEnvironment, Settings
from domain.kernel.ids import Category
from domain.market import Source

_SOURCES = {
    BybitEnvironment.SANDBOX: Source.SANDBOX,
    BybitEnvironment.RECORDING: Source.RECORDING,
    BybitEnvironment.TESTNET: Source.BYBIT_TESTNET,
    BybitEnvironment.DEMO: Source.BYBIT_DEMO,
    BybitEnvironment.MAINNET: Source.BYBIT,
}
_REST_URLS = {
    BybitEnvironment.TESTNET: "https://api-testnet.bybit.com",
    BybitEnvironment.DEMO: "https://api-demo.bybit.com",
    BybitEnvironment.MAINNET: "https://api.bybit.com",
}
_WS_URLS = {
    BybitEnvironment.TESTNET: "wss://stream-testnet.bybit.com",
    BybitEnvironment.DEMO: "wss://stream.bybit.com",
    BybitEnvironment.MAINNET: "wss://stream.bybit.com",
}


@dataclass(frozen=True, slots=True)
class BybitAddresses:
    """Where one environment is reached; both addresses without a path."""

    rest_url: str
    ws_url: str
    source: Source

    def public_stream_url(self, category: Category) -> str:
        """``{ws}/v5/public/linear`` and its like."""
        return f"{self.ws_url}/v5/public/{wire_category(category)}"


def wire_category(category: Category) -> str:
    """The category as Bybit writes it: ``linear``, ``spot``."""
    return category.value.lower()


def addresses_of(settings: Settings) -> BybitAddresses:
    """The addresses that the settings choose; an override beats the environment's own."""
    environment = settings.bybit_environment
    return BybitAddresses(
        rest_url=_checked(settings.bybit_rest_url or _REST_URLS[environment], "http"),
        ws_url=_checked(settings.bybit_ws_url or _WS_URLS[environment], "ws"),
        source=_SOURCES[environment],
    )


def public_ws_url(environment: BybitEnvironment) -> str | None:
    """The public streams of one of Bybit's own environments; None for those on this machine."""
    return _WS_URLS.get(environment)


def is_loopback(url: str) -> bool:
    """Whether ``url`` leads to this machine: then no proxy of the environment is asked."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, not a number
        return False


def _checked(url: str, scheme: str) -> str:
    if urlsplit(url).scheme not in (scheme, f"{scheme}s"):
        raise ValueError(f"a Bybit address must begin with {scheme}:// or {scheme}s://")
    return url.rstrip("/")
