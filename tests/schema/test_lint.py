"""The schema under the linters of its field: nothing found but what decision 25 leaves out."""

import json
import os
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.world import REPOSITORY, SHARED_DATA

pytestmark = pytest.mark.xdist_group("lint")  # one worker installs the packages

HERE = Path(__file__).with_name("lint")
SDL = REPOSITORY / "docs" / "schema.graphql"
SHARED_LINT = SHARED_DATA.parents[1] / "checks" / "schema-lint.sh"
# Decision 25. The shared script means to leave the alphabet out, too, by a flag that its linter
# does not know.
SWITCHED_OFF = {
    "@graphql-eslint/relay-edge-types",
    "type-fields-sorted-alphabetically",
    "enum-values-sorted-alphabetically",
    "input-object-fields-sorted-alphabetically",
    "interface-fields-sorted-alphabetically",
}


def missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def packages() -> Path:
    """The packages of the lock, beside it: thousands of files, so installed once per lock."""
    if shutil.which("npm") is None:
        missing("node and npm are not installed: the schema was not linted")
    packages = HERE / "node_modules"
    stamp = packages / ".of-lock"
    digest = sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", place=HERE, expected=0)
        stamp.write_text(digest)
    return packages


@pytest.fixture
def linters(packages: Path, tmp_path: Path) -> Path:
    """A folder with the configuration, the packages, and a copy of the schema."""
    for name in ("eslint.config.mjs", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    shutil.copy(SDL, tmp_path)
    (tmp_path / "node_modules").symlink_to(packages)
    return tmp_path


def run(*words: str, place: Path, expected: int | None, **environment: str) -> str:
    ran = subprocess.run(  # noqa: S603  # our own words
        words,
        cwd=place,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert expected is None or ran.returncode == expected, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def linted(place: Path, *, expected: int) -> str:
    bin_ = "node_modules/.bin"
    eslint = run(
        f"{bin_}/eslint", "--no-warn-ignored", "schema.graphql", place=place, expected=expected
    )
    linter = run(
        *(f"{bin_}/graphql-schema-linter", "--config-directory", ".", "schema.graphql"),
        place=place,
        expected=expected,
    )
    return eslint + linter


def test_nothing_is_found(linters: Path):
    told = linted(linters, expected=0)

    assert told.strip().endswith("0 errors detected")
    assert "invalid" not in told  # a rule that is not one would be left out with a warning only


def test_every_rule_but_the_alphabet_is_asked_for(linters: Path):
    folder = linters / "node_modules" / "graphql-schema-linter" / "lib" / "rules"
    known = {file.stem.replace("_", "-") for file in folder.glob("*.js")}
    asked = json.loads((HERE / "package.json").read_text())["graphql-schema-linter"]["rules"]

    assert known - set(asked) == {r for r in SWITCHED_OFF if "@" not in r}


def test_a_fault_is_found(linters: Path):
    schema = linters / "schema.graphql"
    schema.write_text(f"{schema.read_text()}\ntype lost {{ Name: String! }}\n")

    told = linted(linters, expected=1)

    for rule in ("require-description", "no-unreachable-types", "naming-convention"):
        assert f"@graphql-eslint/{rule}" in told
    assert "types-are-capitalized" in told


def test_the_shared_lint_finds_only_what_was_decided(linters: Path):
    if not SHARED_LINT.exists():
        missing("the shared checks are not beside this checkout (shared/checks)")

    told = run(
        *("bash", str(SHARED_LINT), str(SDL)),
        place=linters,
        expected=None,
        GQL_LINT=str(linters),
        GQL_LINTER=str(linters),
        RELAY="1",
    )

    found = set(re.findall(r"^(?:eslint|linter) +\d+ (\S+)$", told, re.MULTILINE))
    assert re.search(r"^schema-lint: \d+ findings, 0 breaking$", told, re.MULTILINE), told
    assert found <= SWITCHED_OFF
