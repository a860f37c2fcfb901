"""One database server for a module."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment.cluster import POSTGRES, SQL, Cluster, started


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # pytest's own folder is closed to the servers' user when root runs the tests.
    parent = Path(tempfile.mkdtemp(prefix="okd-roles-")).resolve()
    parent.chmod(0o711)
    try:
        with started(parent) as running:
            running.psql(
                f"CREATE DATABASE {POSTGRES['environment']['POSTGRES_DB']}", database="postgres"
            )
            running.psql(SQL, database=POSTGRES["environment"]["POSTGRES_DB"])
            yield running
    finally:
        shutil.rmtree(parent)
