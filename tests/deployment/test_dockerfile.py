"""The Dockerfile against the repository: there is no Docker engine where most of us test."""

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.settings import Settings
from tests.deployment.dockerfile import ROOT, Instruction, dockerfile, is_ignored, parse
from tests.deployment.roles import roles

FILE = dockerfile()
RULES = (ROOT / ".dockerignore").read_text()
IMAGES = ("production", "sandbox")
STAGE_COPIES = [(stage.name, copy) for stage in FILE.stages.values() for copy in stage.all("COPY")]
KEPT_OUT = [
    ".env",
    ".env.example",
    ".git/config",
    ".okd/pg18/PG_VERSION",
    ".venv/bin/python",
    "adapters/.env",
    "adapters/__pycache__/settings.cpython-311.pyc",
    "adapters/firebase/service-account.key",
    "adapters/web/dist/index.html",
    "adapters/web/node_modules/x/index.js",
    "compose.yaml",
    "dev",
    "docs/clients/javascript/node_modules/ws/index.js",
    "firebase-adminsdk.json",
    "id_rsa",
    "requirements-dev.txt",
    "schema/__pycache__/x.pyc",
    "server.pem",
    "tests/deployment/test_dockerfile.py",
]
LET_IN = [
    "adapters/sandbox/servers/keeper.py",
    "adapters/settings.py",
    "adapters/web/.npmrc",
    "adapters/web/package-lock.json",
    "adapters/web/src/main.tsx",
    "app.py",
    "domain/kernel/ids.py",
    "requirements-sandbox.txt",
    "requirements.txt",
    "resolvers/market.py",
    "schema/__init__.py",
]


def tracked(path: str) -> bool:
    listed = subprocess.run(  # noqa: S603
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", path],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return bool(listed.stdout)


def test_the_default_image_is_production():
    assert FILE.default.name == "production"
    assert set(IMAGES) <= set(FILE.stages)


def test_every_stage_stands_on_a_stage_or_on_a_tagged_image():
    seen: set[str] = set()
    for stage in FILE.stages.values():
        assert stage.base in seen or re.fullmatch(r"[a-z/-]+:[\w.-]+", stage.base), stage.base
        assert not stage.base.endswith(":latest")
        seen.add(stage.name)


def test_the_python_is_one_the_project_supports():
    minor = re.fullmatch(r"python:3\.(\d+)-slim-\w+", FILE.stages["base"].base)

    assert minor
    assert int(minor.group(1)) >= 11


@pytest.mark.parametrize(("stage", "copy"), STAGE_COPIES, ids=lambda v: getattr(v, "text", v))
def test_every_copied_path_exists_and_reaches_the_builder(stage: str, copy: Instruction):
    sources, _ = copy.copied()
    origin = copy.flag("from")

    if origin is not None:
        assert list(FILE.stages).index(origin) < list(FILE.stages).index(stage)
        return
    for source in sources:
        assert (ROOT / source).exists(), source
        assert tracked(source), source
        sample = source if (ROOT / source).is_file() else f"{source}/__init__.py"
        assert not is_ignored(sample, RULES)


def test_all_our_packages_are_in_the_image():
    copied = {
        source
        for stage in FILE.lineage("sources")
        for copy in stage.all("COPY")
        if copy.flag("from") is None
        for source in copy.copied()[0]
    }

    assert copied == {"app.py", "schema", "resolvers", "domain", "adapters", "docs"}


@pytest.mark.parametrize("path", KEPT_OUT)
def test_the_builder_never_sees(path: str):
    assert is_ignored(path, RULES)


@pytest.mark.parametrize("path", LET_IN)
def test_the_builder_sees(path: str):
    assert not is_ignored(path, RULES)


def test_the_last_matching_ignore_rule_decides():
    assert is_ignored("a/b", "*")
    assert not is_ignored("a/b", "*\n!a")
    assert is_ignored("a/.env", "*\n!a\n**/.env")
    assert not is_ignored("a/b.py", "a/*/b.py")


def test_production_copies_nothing_of_the_sandbox():
    origins = {copy.flag("from") for copy in FILE.inherited("production", "COPY")}
    removed = {
        word
        for stage in FILE.lineage("sources")
        for run in stage.all("RUN")
        for command in run.text.split("&&")
        if shlex.split(command)[:2] == ["rm", "-r"]
        for word in shlex.split(command)[2:]
    }

    assert origins == {"builder", "sources"}
    assert removed == {"adapters/sandbox", "adapters/devtools", "adapters/web"}
    assert all((ROOT / path).is_dir() for path in removed)
    for stage in (*FILE.lineage("builder"), *FILE.lineage("production")):
        for instruction in stage.instructions:
            assert "requirements-sandbox" not in instruction.text


def test_of_the_front_end_only_what_was_built_goes_on():
    web = FILE.stages["web"]
    copies = [copy for _, copy in STAGE_COPIES if copy.flag("from") == "web"]
    runs = [run.text for run in web.all("RUN")]
    package = json.loads((ROOT / "adapters/web/package.json").read_text())
    major = re.fullmatch(r"node:(\d+)-.*-slim", web.base)

    assert [copy.copied() for copy in copies] == [
        (["/srv/okd/adapters/web/dist"], "adapters/web/dist")
    ]
    assert web.all("WORKDIR")[0].text == "/srv/okd/adapters/web"
    assert runs == ["npm ci --ignore-scripts --no-audit --no-fund", "npm run build"]
    assert "build" in package["scripts"]
    assert major
    assert int(major[1]) >= 22
    # After the sources were thrown away, or they would come along.
    steps = FILE.stages["sandbox-sources"].instructions
    assert steps.index(copies[0]) > next(i for i, step in enumerate(steps) if step.word == "RUN")


def test_what_is_built_from_outside_of_its_folder_is_there():
    """Some scripts are the gateway's: the stage lays them where the sources look for them."""
    copied = [copy.copied() for copy in FILE.stages["web"].all("COPY")]
    sources = "".join(file.read_text() for file in (ROOT / "adapters/web/src").glob("*.ts"))
    named = re.findall(r"from \"\.\./\.\./(gateway/\S+)\"", sources)

    assert sorted(named) == ["gateway/pages/sign-in.js", "gateway/pages/starters.js"]
    assert (sorted(copied[-1][0]), copied[-1][1]) == (
        [f"adapters/{name}" for name in sorted(named)],
        "../gateway/pages/",
    )


@pytest.mark.parametrize("stage", ["builder", "sandbox-builder"])
def test_packages_are_installed_by_hash_and_never_built(stage: str):
    install = next(run.text for run in FILE.stages[stage].all("RUN") if " install " in run.text)

    for flag in ("--require-hashes", "--only-binary :all:", "--no-deps", "--no-cache-dir"):
        assert flag in install, flag


@pytest.mark.parametrize("image", IMAGES)
def test_the_process_is_not_root(image: str):
    user = FILE.inherited(image, "USER")[-1].text
    made = " ".join(run.text for run in FILE.inherited(image, "RUN"))
    uid, gid = user.split(":")

    assert int(uid) >= 1000
    assert f"--uid {uid}" in made
    assert f"--gid {gid}" in made
    after = FILE.stages[image].instructions
    assert not any(i.word == "RUN" for i in after[after.index(FILE.stages[image].all("USER")[0]) :])


@pytest.mark.parametrize("image", IMAGES)
def test_stopping_is_asked_for_politely_and_reaches_python(image: str):
    assert FILE.inherited(image, "STOPSIGNAL")[-1].text == "SIGTERM"
    assert FILE.command(image)[:1] in (["python"], ["tini"])


def test_production_starts_web_and_takes_any_role():
    start = FILE.inherited("production", "ENTRYPOINT")[-1].exec_form()

    assert start == ["python", "app.py"]
    assert FILE.command("production") == ["python", "app.py", "web"]


@pytest.mark.parametrize("role", ["web", "feed", "worker", "migrate", "run"])
def test_app_py_knows_the_role(role: str):
    assert role in roles()


def test_the_sandbox_image_runs_the_world_below_an_init():
    from adapters.supervisor.options import parse as parse_options  # noqa: PLC0415

    words = FILE.command("sandbox")
    options = parse_options(words[words.index("run") + 1 :])

    assert words[:5] == ["tini", "--", "python", "app.py", "run"]
    assert options.host == "0.0.0.0"  # noqa: S104
    assert str(options.data_dir) in {v.text for v in FILE.stages["sandbox"].all("VOLUME")}


@pytest.mark.parametrize("image", IMAGES)
def test_settings_in_the_image_are_real(image: str):
    known = {f"OKD_{name.upper()}" for name in Settings.model_fields}

    for name in FILE.environment(image):
        assert name in known or not name.startswith("OKD_"), name


def test_the_ports_are_those_the_roles_listen_on():
    exposed = FILE.stages["production"].all("EXPOSE")[0].text.split()

    assert exposed == [
        str(Settings.model_fields["port"].default),
        str(Settings.model_fields["operations_port"].default),
    ]


class _Answering(http.server.BaseHTTPRequestHandler):
    answers: dict[str, int]

    def do_GET(self) -> None:
        self.send_response(self.answers.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def answering(answers: dict[str, int]) -> Iterator[int]:
    handler = type("Handler", (_Answering,), {"answers": answers})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health_of(image: str, variable: str, port: int) -> int:
    words = FILE.stages[image].all("HEALTHCHECK")[0].exec_form()
    assert words[0] == "python"
    # A proxy in the environment, as Docker puts it into every container, must not be asked.
    environment = {
        variable: str(port),
        "http_proxy": "http://127.0.0.1:9",
        "PATH": os.environ["PATH"],
    }
    return subprocess.run(  # noqa: S603
        [sys.executable, *words[1:]], env=environment, capture_output=True, check=False, timeout=30
    ).returncode


@pytest.mark.parametrize(
    ("image", "variable", "path"),
    [("production", "OKD_OPERATIONS_PORT", "/livez"), ("sandbox", "OKD_PORT", "/readyz")],
)
@pytest.mark.provokes("ConnectionRefusedError")
def test_the_health_check_asks_the_role(image: str, variable: str, path: str):
    with answering({path: 200}) as port:
        assert health_of(image, variable, port) == 0
    with answering({path: 503}) as port:
        assert health_of(image, variable, port) == 1
    assert health_of(image, variable, port) == 1  # nobody listens any more


def test_unknown_instructions_are_refused():
    with pytest.raises(ValueError, match="not an instruction"):
        parse("FROM a:1 AS a\nADD x y\n")
