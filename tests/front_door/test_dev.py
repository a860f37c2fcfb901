"""The front door, as a person meets it."""

import ast
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from adapters.devtools import benches, environment, locks, packages, reset
from adapters.devtools.place import LOCKS, Place, here
from adapters.supervisor import StartError, instance
from tests.front_door.running import CLONE, Program

PYPROJECT = '[project]\nname = "x"\ndependencies = ["a>=1"]\n'


def dev(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own front door
        [sys.executable, str(CLONE / "dev"), *words],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A clone with locks of no package and an installer that only counts."""
    monkeypatch.delenv("OKD_PYTHON", raising=False)
    place = Place(tmp_path / "clone")
    place.clone.mkdir()
    (place.clone / "pyproject.toml").write_text(PYPROJECT)
    digest = locks.digest_of_requirements(place.clone / "pyproject.toml")
    for name in LOCKS.values():
        (place.clone / name).write_text(f"# pyproject-sha256: {digest}\n# {name}\n")
    return place


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks that were installed; --without-pip makes an environment in a tenth of a second."""
    names: list[str] = []
    monkeypatch.setattr(packages, "install", lambda lock, _venv, _uv: names.append(lock.name))
    monkeypatch.setattr(environment, "found_uv", lambda: "uv")
    return names


def test_help_lists_every_command():
    said = dev("help")

    assert said.returncode == 0
    names = "run test check bench web lock doctor sandbox token totp faucet record reset help"
    for name in [*names.split(), "verify-ledger"]:
        assert f"./dev {name} " in said.stdout
    assert "verify-ledger [--root DAY:ROOT]" in said.stdout
    assert dev("--help").stdout == dev().stdout == said.stdout


def test_an_unknown_word_gets_a_near_match():
    said = dev("tset")

    assert said.returncode == 2
    assert said.stderr == (
        "There is no command 'tset'. Did you mean 'test'? ./dev help lists them all.\n"
    )


def test_a_wrong_option_is_told_before_anything_is_installed():
    said = dev("run", "--port", "many")

    assert said.returncode == 1
    assert "'many' is not a whole number" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_old_python_reads_a_sentence():
    source = (CLONE / "dev").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))

    pretend = f"import sys; sys.version_info = (3, 8, 0); exec(compile({source!r}, 'dev', 'exec'))"
    said = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", pretend],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 1
    assert said.stderr.startswith("This needs Python 3.11 or newer, and python3 here is 3.8.")
    assert "Traceback" not in said.stderr


def test_an_old_python_hands_over_to_a_newer_one(tmp_path: Path):
    (tmp_path / "python3.12").symlink_to(sys.executable)
    source = (CLONE / "dev").read_text(encoding="utf-8")
    pretend = (
        "import sys; sys.version_info = (3, 8, 0); sys.argv = ['dev', 'help'];"
        f"__file__ = {str(CLONE / 'dev')!r}; exec(compile({source!r}, 'dev', 'exec'))"
    )

    said = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", pretend],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.stdout == dev("help").stdout


def test_installs_once_and_skips_what_is_up_to_date(place: Place, installed: list[str]):
    python = environment.python_for("sandbox", place)
    assert environment.python_for("sandbox", place) == python
    assert installed == ["requirements-sandbox.txt"]
    assert environment.version_of(Path(python)) == ".".join(map(str, sys.version_info[:3]))

    environment.python_for("dev", place)
    environment.python_for("sandbox", place)
    assert installed == ["requirements-sandbox.txt", "requirements-dev.txt"]

    with place.lock_of("sandbox").open("a") as lock:
        lock.write("# changed\n")
    environment.python_for("dev", place)
    assert installed[2:] == []


def test_a_changed_lock_is_installed(place: Place, installed: list[str]):
    environment.python_for("sandbox", place)

    place.lock_of("sandbox").write_text("# another\n")
    environment.python_for("sandbox", place)

    assert installed == ["requirements-sandbox.txt"] * 2


def test_an_interrupted_install_is_repaired(
    place: Place, installed: list[str], monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(packages, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.python_for("sandbox", place)
    (place.venv / "half-a-package").touch()

    environment.python_for("sandbox", place)

    assert installed == ["requirements-sandbox.txt"]
    assert not (place.venv / "half-a-package").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(place: Place, installed: list[str]):
    python = Path(environment.python_for("sandbox", place))
    python.unlink()
    python.symlink_to("/nowhere/python3")

    environment.python_for("sandbox", place)

    assert environment.version_of(python)
    assert installed == ["requirements-sandbox.txt"] * 2


def test_without_ensurepip_and_uv_the_missing_package_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(environment, "found_uv", lambda: None)
    monkeypatch.setattr(packages, "has_ensurepip", lambda: False)

    with pytest.raises(StartError, match=rf"apt install python3\.{sys.version_info[1]}-venv"):
        environment.python_for("sandbox", place)
    assert not place.venv.exists()


def test_two_at_once_take_turns(started: list[Program], tmp_path: Path):
    script = (
        "import sys; from pathlib import Path; from adapters.devtools import environment, packages;"
        "from adapters.devtools.place import Place; environment.found_uv = lambda: 'uv';"
        "packages.install = lambda *_: print('installing', flush=True);"
        "environment.python_for('sandbox', Place(Path(sys.argv[1]))); print('done')"
    )
    (tmp_path / "requirements-sandbox.txt").touch()
    (tmp_path / "requirements-dev.txt").touch()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    both = [Program([sys.executable, "-c", script, str(tmp_path)]) for _ in range(2)]
    started += both
    for program in both:
        program.until("Another ./dev is installing")

    os.close(descriptor)

    assert [program.end() for program in both] == [0, 0]
    assert sum(program.lines.count("installing") for program in both) == 1


def wheel(folder: Path) -> Path:
    """Make the wheel of a package with one module."""
    path = folder / "okd_probe-1.0-py3-none-any.whl"
    info = "okd_probe-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("okd_probe.py", "ANSWER = 42\n")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: okd-probe\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"okd_probe.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    return path


def test_pip_installs_what_the_lock_hashes_and_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(environment, "found_uv", lambda: None)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    good = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    place.lock_of("sandbox").write_text(f"okd-probe==1.0 \\\n    --hash=sha256:{'0' * 64}\n")

    with pytest.raises(StartError, match=r"its hash differs"):
        environment.python_for("sandbox", place)

    place.lock_of("sandbox").write_text(f"okd-probe==1.0 \\\n    --hash=sha256:{good}\n")
    python = environment.python_for("sandbox", place)
    asked = subprocess.run(  # noqa: S603 - the environment just made
        [python, "-c", "import okd_probe; print(okd_probe.ANSWER)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout == "42\n"


def test_without_a_network_one_sentence_says_so(place: Place, monkeypatch: pytest.MonkeyPatch):
    failure = ["WARNING: NewConnectionError at https://a.mirror/simple", "ERROR: No matching"]
    monkeypatch.setattr(environment, "found_uv", lambda: "uv")
    monkeypatch.setattr(packages, "_run", lambda *_: failure)
    monkeypatch.setattr(packages, "has_ensurepip", lambda: False)

    with pytest.raises(StartError, match="there is no network") as refused:
        environment.python_for("sandbox", place)
    assert "https://" not in str(refused.value)


def test_the_locks_of_this_repository_are_in_order():
    assert locks.problems(here()) == []


def test_a_changed_pyproject_is_noticed(place: Place):
    assert locks.problems(place) == []
    path = place.clone / "pyproject.toml"

    path.write_text(PYPROJECT + "# a comment\n[tool.x]\ny = 1\n")
    assert locks.problems(place) == []

    path.write_text(PYPROJECT.replace("a>=1", "a>=2"))
    assert locks.problems(place) == [
        f"{name} was not made from this pyproject.toml: run ./dev lock" for name in LOCKS.values()
    ]


def test_a_lock_with_an_address_or_without_its_foundation_is_noticed(place: Place):
    with place.lock_of("production").open("a") as lock:
        lock.write("a==1.0 \\\n    --hash=sha256:0\n")
    with place.lock_of("dev").open("a") as lock:
        lock.write("--index-url https://a.mirror/simple\n")

    assert locks.problems(place) == [
        "requirements-dev.txt names an address or an index; a lock holds names and hashes only",
        "requirements-sandbox.txt lacks what requirements.txt has: a 1.0",
    ]


def test_benches_are_told_by_their_first_line(place: Place, capsys: pytest.CaptureFixture[str]):
    assert benches.chosen(place, []) is None
    assert "no bench yet" in capsys.readouterr().out

    folder = place.clone / "tests" / "bench"
    folder.mkdir(parents=True)
    (folder / "fan_out.py").write_text('"""Measure the fan-out."""\n')
    assert benches.chosen(place, ["fan_out"]) == "tests.bench.fan_out"
    with pytest.raises(
        StartError, match=r"no bench 'x'. There is:\n  fan_out +Measure the fan-out"
    ):
        benches.chosen(place, ["x"])


def test_reset_asks_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = tmp_path / "data"
    with instance.claimed(data):
        (data / "logs").mkdir()
    answers = iter(["no\n", "yes\n"])
    monkeypatch.setattr(sys, "stdin", type("Person", (), {"readline": lambda _: next(answers)})())

    assert reset.run(here(), ["--data-dir", str(data)]) == 1
    assert (data / "logs").exists()
    assert reset.run(here(), ["--data-dir", str(data)]) == 0
    assert not data.exists()


def test_reset_refuses_while_an_instance_runs(tmp_path: Path):
    with (
        instance.claimed(tmp_path / "data"),
        pytest.raises(StartError, match="An instance runs"),
    ):
        reset.run(here(), ["--yes", "--data-dir", str(tmp_path / "data")])
    assert (tmp_path / "data" / "instance.lock").exists()


def test_reset_deletes_only_what_is_ours(tmp_path: Path):
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(StartError, match="is not a data dir"):
        reset.run(here(), ["--yes", "--data-dir", str(tmp_path)])
    assert (tmp_path / "thesis.txt").exists()


def test_doctor_says_what_is_there_and_changes_nothing(tmp_path: Path):
    said = dev("doctor", "--data-dir", str(tmp_path / "data"))

    for subject in ("python", ".venv", "locks", "node", "chromium", "disk", "data", "instance"):
        assert f" {subject} " in said.stdout
    assert "none is running" in said.stdout
    assert not (tmp_path / "data").exists()


def test_doctor_finds_a_running_instance(tmp_path: Path):
    with instance.claimed(tmp_path / "data"):
        graphql = "http://127.0.0.1:9/graphql"
        instance.publish(tmp_path / "data", {"graphql": graphql})
        said = dev("doctor", "--data-dir", str(tmp_path / "data"))

    assert f"{graphql} does not answer" in said.stdout


def test_a_foreign_interpreter_is_used_as_it_is(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OKD_PYTHON", sys.executable)

    assert environment.python_for("dev", place) == sys.executable
    assert not place.venv.exists()


def test_the_stamp_is_readable(place: Place, installed: list[str]):
    environment.python_for("sandbox", place)

    stamp = json.loads((place.venv / "okd-stamp.json").read_text())
    assert stamp.keys() == {"python", "sandbox"}
    assert installed == ["requirements-sandbox.txt"]
    assert shutil.which("python", path=str(place.venv / "bin"))
