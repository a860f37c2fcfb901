"""service      ours, and Google's own emulator where it was asked for: both have to agree
identity     ours, for what Google's emulator does not have or would not survive
admin        firebase-admin itself, talking to `service`
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.firebase.sdk import Sdk
from tests.sandbox.identity.service import PROJECT, RefusalError, Service, googles, ours

# Not a skipped half of every run: 300 MB of Node for who asked (./dev test --google-emulator).
_SERVICES = ["ours", "google"] if os.environ.get("OKD_GOOGLE_EMULATOR") == "1" else ["ours"]
Refuses = Callable[[str], Any]


@pytest.fixture(scope="session", params=_SERVICES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("identity")
    opened = ours(folder / "identity.sqlite3") if request.param == "ours" else googles(folder)
    with opened as service:
        yield service


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a service that has begun: a key and passwords cost most of a second to make."""
    file = tmp_path_factory.mktemp("seeded") / "identity.sqlite3"
    with ours(file):
        pass
    return file


@pytest.fixture
def identity(seeded: Path, tmp_path: Path) -> Iterator[Service]:
    file = tmp_path / "identity.sqlite3"
    shutil.copyfile(seeded, file)
    with ours(file) as service:
        yield service


@pytest.fixture
def admin(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", service.host)
    sdk = Sdk(project=PROJECT, tenant="", service_account=None, timeout_seconds=10)
    yield sdk.client
    sdk.close()


@pytest.fixture
def refuses() -> Refuses:
    """``with refuses("CODE"):`` the service says exactly that."""

    @contextmanager
    def block(code: str) -> Iterator[None]:
        with pytest.raises(RefusalError) as refused:
            yield
        assert refused.value.code == code

    return block
