"""The proxy's configuration, as text and, where there is a Caddy, as Caddy reads it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.settings import Settings
from tests.deployment import composition

CADDYFILE = composition.composition()["configs"]["caddyfile"]["content"]


def value(name: str) -> str:
    found = re.search(rf"^\s*{name} (\S+)$", CADDYFILE, re.MULTILINE)
    assert found, name
    return found.group(1)


def test_the_upstream_is_a_service_beside_the_proxy_and_its_port():
    services = composition.services()

    assert value("name") in services
    assert set(services[value("name")]["networks"]) & set(services["proxy"]["networks"])
    assert int(value("port")) == Settings.model_fields["port"].default


def test_idle_connections_end_before_the_web_role_ends_them():
    ours = Settings.model_fields["keep_alive_seconds"].default

    assert composition.seconds(value("keepalive")) < ours


def test_the_proxy_finishes_before_it_is_killed():
    patience = composition.seconds(composition.services()["proxy"]["stop_grace_period"])

    assert composition.seconds(value("grace_period")) < patience


def test_its_health_check_asks_what_it_serves():
    asked = composition.services()["proxy"]["healthcheck"]["test"][-1]

    assert asked == "http://127.0.0.1:8080/livez"
    assert re.search(r"^http://:8080 \{\n\s*respond /livez 200\n\}", CADDYFILE, re.MULTILINE)


def test_braces_are_balanced_and_no_variable_is_left():
    assert CADDYFILE.count("{") == CADDYFILE.count("}")
    assert "$" not in CADDYFILE
    assert "\nlocalhost {" in CADDYFILE


def test_caddy_agrees(tmp_path: Path):
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("there is no caddy here")
    file = tmp_path / "Caddyfile"
    file.write_text(CADDYFILE)
    adapted = subprocess.run(  # noqa: S603
        [caddy, "adapt", "--adapter", "caddyfile", "--config", file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert adapted.returncode == 0, adapted.stderr
    servers = json.loads(adapted.stdout)["apps"]["http"]["servers"]
    assert {tuple(server["listen"]) for server in servers.values()} == {(":443",), (":8080",)}
