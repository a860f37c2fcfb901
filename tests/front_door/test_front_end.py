"""Building the front end, with a Node.js and an npm that only pretend."""

import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.devtools import environment, front_end, node
from adapters.devtools.place import LOCKS, Place, here
from adapters.supervisor import StartError
from tests.front_door.running import CLONE, Program, await_end_of

SHARED = ("starters.js", "sign-in.js")
NPM = """#!/bin/sh
echo "$@" >> "$NPM_JOURNAL"
case "$1" in
ci) mkdir -p node_modules ;;
run)
  if [ -n "$NPM_WAITS" ]; then echo "$$" > "$NPM_WAITS.pid"; read -r _ < "$NPM_WAITS"; fi
  mkdir -p "$5"
  cp index.html "$5/index.html" ;;
esac
if [ "$1" = "$NPM_FAILS" ]; then
  echo "npm error $NPM_SAYS https://a.mirror/graphiql" >&2
  exit 1
fi
"""


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "npm.journal"


@pytest.fixture
def place(tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A clone with a front end of one page."""
    tools = tmp_path / "tools"
    tools.mkdir()
    write_program(tools / "npm", NPM)
    write_program(tools / "node", "#!/bin/sh\necho ${NODE_SAYS:-v22.12.0}\n")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("NPM_JOURNAL", str(journal))
    place = Place(tmp_path / "clone")
    (place.web / "src").mkdir(parents=True)
    (place.web / "package-lock.json").write_text("{}")
    (place.web / "index.html").write_text("first")
    (place.web / "src" / "main.tsx").write_text("1")
    shared = place.clone / "adapters" / "gateway" / "pages"
    shared.mkdir(parents=True)
    for name in SHARED:
        (shared / name).write_text("[]")
    for name in LOCKS.values():
        (place.clone / name).touch()
    return place


def orders(journal: Path) -> list[str]:
    """The first word of each call of npm since the last look."""
    told = [line.split()[0] for line in journal.read_text().splitlines()]
    journal.write_text("")
    return told


def served(place: Place) -> str:
    return (place.web / "dist" / "index.html").read_text()


def test_what_is_built_is_kept_until_a_source_changes(place: Place, journal: Path):
    assert not front_end.is_current(place)
    assert front_end.build(place) == 0
    assert served(place) == "first"
    assert front_end.is_current(place)
    assert orders(journal) == ["ci", "run"]

    front_end.build(place)
    assert orders(journal) == []

    shared = [f"../gateway/pages/{name}" for name in SHARED]
    for changed in ("index.html", "src/main.tsx", *shared):
        (place.web / changed).write_text("second")
        assert not front_end.is_current(place)
        front_end.build(place)
        assert front_end.is_current(place)
        assert orders(journal) == ["run"]  # The same packages: not fetched again.
    assert served(place) == "second"

    (place.web / "package-lock.json").write_text("{ }")
    front_end.build(place)
    assert orders(journal) == ["ci", "run"]


def test_no_package_may_run_a_script_of_its_own(place: Place, journal: Path):
    front_end.build(place)

    assert "--ignore-scripts" in journal.read_text().splitlines()[0].split()


@pytest.mark.parametrize(
    ("step", "said", "sentence"),
    [
        ("ci", "code ENOTFOUND", "could not be fetched: no network"),
        ("run", "TS2305", "could not be built: npm run failed"),
    ],
)
def test_a_failed_build_leaves_the_one_before_and_says_why(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str, said: str, sentence: str
):
    front_end.build(place)
    (place.web / "index.html").write_text("second")
    (place.web / "package-lock.json").write_text("{ }")
    monkeypatch.setenv("NPM_FAILS", step)
    monkeypatch.setenv("NPM_SAYS", said)

    with pytest.raises(StartError, match=sentence) as refused:
        front_end.build(place)

    assert said in str(refused.value)
    assert "a.mirror" not in str(refused.value)
    assert served(place) == "first"
    assert not front_end.is_current(place)


def test_beside_a_running_world_the_last_line_says_why_not(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setenv("NPM_FAILS", "ci")
    monkeypatch.setenv("NPM_SAYS", "EAI_AGAIN")

    assert front_end.build_beside(place) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "The front end's packages could not be fetched: no network, or no npm registry there. "
        "The API goes on, with the small explorer at /graphiql."
    )


@pytest.mark.parametrize(
    ("version", "fit"),
    [
        (None, False),
        ((18, 20), False),
        ((20, 18), False),
        ((20, 19), True),
        ((21, 9), False),
        ((22, 11), False),
        ((22, 12), True),
        ((24, 0), True),
    ],
)
def test_the_node_that_vite_runs_on(version: tuple[int, int] | None, fit: bool):
    assert node.is_fit(version) is fit


def test_a_node_too_old_is_passed_over_for_the_wheel(place: Place, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, Path]] = []
    monkeypatch.setenv("NODE_SAYS", "v18.20.4")
    monkeypatch.setenv("OKD_PYTHON", sys.executable)  # Says nothing about Node.js.
    monkeypatch.setattr(environment, "brought_up", lambda layer, at: asked.append((layer, at.venv)))

    path = node.variables(place)["PATH"]

    assert asked == [("web", place.clone / ".venv-node")]
    assert path.startswith(f"{place.clone / '.venv-node' / 'bin'}:")


def test_a_node_new_enough_is_taken_as_it_is(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "brought_up", lambda *_: pytest.fail("not needed"))

    assert node.variables(place)["PATH"] == os.environ["PATH"]


BUILD = (
    "import sys; from pathlib import Path; from adapters.devtools import front_end;"
    "from adapters.devtools.place import Place; front_end.build(Place(Path(sys.argv[1])))"
)


@pytest.fixture
def builds(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Program]]:
    """Programs that build; npm waits in each until the pipe is written to."""
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("NPM_WAITS", str(tmp_path / "pipe"))
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.discard()


def test_two_at_once_build_once(place: Place, builds: list[Program], tmp_path: Path, journal: Path):
    words = [sys.executable, "-c", BUILD, str(place.clone)]
    builds.append(Program(words))
    builds[0].until("Building the front end")
    builds.append(Program(words))
    builds[1].until("waiting for it")

    (tmp_path / "pipe").write_text("go on\n")

    assert [program.end() for program in builds] == [0, 0]
    assert orders(journal) == ["ci", "run"]
    assert "no source has changed" in builds[1].said
    assert served(place) == "first"


def test_a_build_that_is_ended_leaves_nothing_running(
    place: Place, builds: list[Program], tmp_path: Path
):
    building = Program([sys.executable, "-c", BUILD, str(place.clone)])
    builds.append(building)
    with (tmp_path / "pipe").open("w"):  # Opens when npm waits at the other end.
        npm = int((tmp_path / "pipe.pid").read_text())
        # As the terminal does on Ctrl-C, and the supervisor when it stops.
        os.killpg(building.process.pid, signal.SIGTERM)
        await_end_of([npm])

    assert building.end() == -signal.SIGTERM
    assert not (place.web / "dist").exists()


def test_the_lock_of_the_front_end_names_no_registry():
    text = (here().web / "package-lock.json").read_text()

    assert '"resolved"' not in text
    assert text.count('"integrity"') > 100
    assert (CLONE / "adapters" / "web" / ".npmrc").read_text().count("registry=") == 0
