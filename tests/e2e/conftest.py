"""One sandbox for all end-to-end tests: they leave it alive, whatever they killed in it."""

from collections.abc import Iterator

import pytest

from tests.e2e.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox("--no-web")
    try:
        yield sandbox.up()
    finally:
        sandbox.remove()
