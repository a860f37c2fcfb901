"""Rules of the house that no library checks."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = sorted((ROOT / "domain").rglob("*.py"))
REGISTRIES = re.compile(r"(?i)py" r"pi\.org|python" r"hosted|registry\.npm" r"js|deb\.deb" r"ian")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(tmp|work|farm|root)/[A-Za-z0-9]")
TOP_LEVEL = {
    ".ci", ".dockerignore", ".env.example", ".gitignore", "CHANGELOG.md", "Dockerfile", "LICENSE",
    "README.md", "README.ru.md", "adapters", "app.py", "compose.yaml", "dev", "docs", "domain",
    "pyproject.toml", "requirements-dev.txt", "requirements-sandbox.txt", "requirements-web.txt",
    "requirements.txt", "resolvers", "schema", "tests",
}  # fmt: skip


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  # git as the person has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", DOMAIN, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_domain_makes_no_floats_of_money(path: Path):
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    ]

    assert calls == []


def test_the_top_level_holds_what_was_agreed():
    # A new name here needs a decision record, and then a line in TOP_LEVEL.
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} == TOP_LEVEL


def test_no_file_names_a_registry_or_a_path_of_a_machine():
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if REGISTRIES.search(text):
            found.append(f"{path.name}: registry")
        if MACHINE_PATHS.search(text) and "tests" not in path.relative_to(ROOT).parts:
            found.append(f"{path.name}: path")

    assert found == []


def test_every_decision_says_what_enforces_it():
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))

    assert records
    for record in records:
        text = record.read_text()
        for part in ("Status:", "## Context", "## Decision", "## Consequences", "## Enforced by"):
            assert part in text, f"{record.name} lacks {part}"
        assert len(text.splitlines()) <= 60, record.name
