"""What adapters/gateway/server takes of uvicorn that is private to it, name by name.

When this fails after an upgrade, read the protocols of the new version beside ours; the other
tests of this folder then say whether the bounds still hold.
"""

import inspect
from collections.abc import Callable

import httptools
import pytest
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware, _TrustedHosts
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from adapters.gateway.server.http_protocol import HttpProtocol
from adapters.gateway.server.limits import edge_of
from adapters.gateway.server.socket_protocol import SocketProtocol
from adapters.gateway.server.uvicorn_server import UvicornServer


def test_the_version_is_one_that_was_looked_at() -> None:
    assert uvicorn.__version__.split(".")[:2] == ["0", "54"], (
        "look at uvicorn's httptools_impl and websockets_sansio_impl, then raise this "
        "and the bound in pyproject.toml"
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (HttpProtocol, HttpToolsProtocol),
        (SocketProtocol, WebSocketsSansIOProtocol),
        (UvicornServer, uvicorn.Server),
    ],
)
def test_what_we_override_is_there_with_the_same_arguments(ours: type, theirs: type) -> None:
    shared = [name for name in vars(ours) if callable(vars(ours)[name]) and hasattr(theirs, name)]
    assert "connection_lost" in shared or ours is UvicornServer
    for name in shared:
        if name != "__init__" or ours is not UvicornServer:
            assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name)), name


def arguments(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_what_we_override_is_all_that_uvicorn_calls() -> None:
    overridden = {
        "connection_made",
        "connection_lost",
        "data_received",
        "on_message_begin",
        "on_url",
        "on_headers_complete",
        "on_message_complete",
        "on_response_complete",
        "pause_writing",
        "resume_writing",
        "timeout_keep_alive_handler",
    }
    assert overridden <= set(vars(HttpToolsProtocol))
    assert overridden <= set(vars(HttpProtocol))


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (
            HttpToolsProtocol.__init__,
            ["transport", "flow", "client", "pipeline", "scope", "headers", "cycle", "parser"],
        ),
        (HttpToolsProtocol.on_message_begin, ["url", "headers", "scope"]),
        (HttpToolsProtocol.on_headers_complete, ["pipeline", "cycle", "_should_upgrade"]),
        (HttpToolsProtocol.on_response_complete, ["timeout_keep_alive_handler", "pipeline"]),
        (
            HttpToolsProtocol.data_received,
            ["_unset_keepalive_if_required", "handle_websocket_upgrade", "_should_upgrade"],
        ),
        (HttpToolsProtocol.handle_websocket_upgrade, ["ws_protocol_class", "set_protocol"]),
        (HttpToolsProtocol.send_400_response, ["default_headers"]),
        (
            RequestResponseCycle.__init__,
            ["disconnected", "keep_alive", "response_started", "response_complete"],
        ),
        (RequestResponseCycle.receive, ["message_event", "disconnected"]),
        (WebSocketsSansIOProtocol.__init__, ["config", "transport"]),
        (ProxyHeadersMiddleware.__init__, ["_TrustedHosts"]),
        (ServerState.__init__, ["default_headers", "tasks", "connections"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_the_names_we_use_are_used_there(function: Callable[..., object], names: list[str]) -> None:
    code = function.__code__
    known = {*code.co_names, *code.co_varnames}

    assert [name for name in names if name not in known] == []


def test_an_upgrade_is_no_error_of_the_parser() -> None:
    assert not issubclass(httptools.HttpParserUpgrade, httptools.HttpParserError)
    assert issubclass(httptools.HttpParserCallbackError, httptools.HttpParserError)


def test_trust_is_asked_by_containment() -> None:
    trusted = _TrustedHosts(["10.0.0.0/8", "192.0.2.1"])

    assert "10.1.2.3" in trusted
    assert "192.0.2.2" not in trusted
    assert "10.1.2.3" not in _TrustedHosts([])


def test_a_protocol_without_an_edge_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="EdgeConfig"):
        edge_of(uvicorn.Config("nowhere:app", log_config=None))
