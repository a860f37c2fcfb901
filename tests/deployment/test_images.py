"""What is in the images, laid out in a folder and started with the words and variables they get.

No engine is needed for that: the Dockerfile's own COPY and rm are carried out here.
"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.supervisor import lifeline
from tests.deployment import composition
from tests.deployment.cluster import Cluster
from tests.deployment.dockerfile import ROOT, dockerfile, is_ignored
from tests.deployment.test_dockerfile import FILE, RULES
from tests.hearing import EARS

PATIENCE_SECONDS = 60
# Nobody listens there: prices are away, which production must live with.
NOWHERE = "127.0.0.1:9"


def laid_out(target: Path, stage: str) -> Path:
    """Carry out what the stages leading to ``stage`` do to /srv/okd."""
    for step in (i for s in FILE.lineage(stage) for i in s.instructions):
        if step.word == "COPY":
            sources, name = step.copied()
            if step.flag("from") == "web":  # What npm would have built.
                _pretend_built(target / name)
                continue
            for source in sources:
                _copy(source, target / name)
        elif step.word == "RUN":
            commands = (shlex.split(command) for command in step.text.split("&&"))
            for words in (words for words in commands if words[:2] == ["rm", "-r"]):
                for name in words[2:]:
                    shutil.rmtree(target / name)
    return target


def _pretend_built(target: Path) -> None:
    (target / "assets").mkdir(parents=True)
    (target / "index.html").write_text("<title>Built</title>")


def _copy(source: str, target: Path) -> None:
    origin = ROOT / source
    if origin.is_file():
        shutil.copy(origin, target)
        return

    def unseen(folder: str, names: list[str]) -> set[str]:
        below = Path(folder).relative_to(ROOT)
        return {name for name in names if is_ignored(str(below / name), RULES)}

    shutil.copytree(origin, target, ignore=unseen)


@pytest.fixture(scope="module")
def production(tmp_path_factory) -> Path:
    return laid_out(tmp_path_factory.mktemp("production"), "sources")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(service: str, cluster: Cluster, **more: str) -> dict[str, str]:
    """The service's variables in compose.yaml and the image, with hosts that exist here."""
    told = FILE.environment("production") | composition.environment_of(service)
    told |= {"PATH": os.environ["PATH"], "OKD_HOST": "127.0.0.1", **more}
    told["REDIS_URL"] = told["REDIS_URL"].replace("valkey:6379", NOWHERE)
    told |= {"OKD_BYBIT_REST_URL": f"http://{NOWHERE}", "OKD_BYBIT_WS_URL": f"ws://{NOWHERE}"}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if name in told:
            told[name] = told[name].replace("postgres:5432", f"127.0.0.1:{cluster.port}")
    return told


def words_of(service: str) -> list[str]:
    start = FILE.inherited("production", "ENTRYPOINT")[-1].exec_form()
    command = composition.services()[service]["command"]
    assert start[0] == "python"
    return [sys.executable, *start[1:], *command]


@contextmanager
def running(tree: Path, service: str, told: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603
        words_of(service),
        cwd=tree,
        env=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            if process.stdout is not None and not process.stdout.closed:
                EARS.hear(f"output of {service}", process.stdout.read())


def status_of(port: int, path: str) -> int | None:
    """None while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return None


def wait_for(process: subprocess.Popen[str], port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while status_of(port, path) != 200:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"{path} never said 200:\n{process.communicate()[0]}")
        time.sleep(0.1)


def healthy(image: str, port: int) -> bool:
    words = dockerfile().stages[image].all("HEALTHCHECK")[0].exec_form()
    told = {"OKD_OPERATIONS_PORT": str(port), "PATH": os.environ["PATH"]}
    return subprocess.run([sys.executable, *words[1:]], env=told, check=False).returncode == 0  # noqa: S603


def test_production_holds_no_sandbox_and_no_tests(production: Path):
    top = {path.name for path in production.iterdir()}

    assert top == {"app.py", "schema", "resolvers", "domain", "adapters", "docs"}
    assert not (production / "adapters" / "sandbox").exists()
    assert not (production / "adapters" / "devtools").exists()
    assert [path.name for path in (production / "adapters" / "web").iterdir()] == ["dist"]
    assert not list(production.rglob("test_*.py"))
    assert not list(production.rglob("*.pyc"))


def test_every_module_of_production_can_be_imported_without_the_sandbox(production: Path):
    names = [
        ".".join(path.relative_to(production).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(production.rglob("*.py"))
        if "versions" not in path.parts and path.name not in {"env.py", "__main__.py"}
    ]
    assert "adapters.gateway.server" in names
    assert "adapters.supervisor.lifeline" in names

    done = subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-c",
            "import importlib, sys\nfor n in sys.argv[1:]: importlib.import_module(n)",
            *names,
        ],
        cwd=production,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def migrated(production: Path, cluster: Cluster) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        words_of("migrate"),
        cwd=production,
        env=environment("migrate", cluster),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def test_migrate_ends_well_and_may_be_run_again(production: Path, cluster: Cluster):
    for _ in range(2):
        done = migrated(production, cluster)
        assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("service", ["web", "feed", "worker"])
def test_a_role_is_healthy_without_prices_and_leaves_when_asked(
    production: Path, cluster: Cluster, service: str
):
    assert migrated(production, cluster).returncode == 0
    port, operations = free_port(), free_port()
    told = environment(service, cluster, OKD_PORT=str(port), OKD_OPERATIONS_PORT=str(operations))
    told["OKD_DRAIN_SECONDS"] = "0"

    with running(production, service, told) as process:
        wait_for(process, operations, "/livez")
        assert healthy("production", operations)
        assert status_of(operations, "/metrics") == 200
        if service == "web":
            wait_for(process, port, "/readyz")
            assert status_of(port, "/metrics") == 404  # strangers reach this port
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/graphiql") as page:
                assert page.read() == b"<title>Built</title>"
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0, output
    assert "Traceback" not in output
    for secret in composition.SECRETS.values():
        assert secret not in output


def test_a_role_without_its_secrets_says_which(production: Path, cluster: Cluster):
    told = environment("web", cluster)
    del told["OKD_SECRET_KEY"]

    done = subprocess.run(  # noqa: S603
        words_of("web"), cwd=production, env=told, capture_output=True, text=True, check=False
    )

    assert done.returncode == lifeline.UNUSABLE_EXIT_CODE
    assert "OKD_SECRET_KEY: is missing" in done.stderr
    assert "Traceback" not in done.stderr
