"""The two READMEs say the same, and what they name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "README.ru.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def fences(name: str) -> list[tuple[str, str]]:
    """Code to copy; the folder sketch without a language is prose in its own language."""
    return [(lang, text) for lang, text in FENCE.findall((ROOT / name).read_text()) if lang]


def headings(name: str) -> int:
    return len(re.findall(r"^## ", (ROOT / name).read_text(), re.MULTILINE))


def test_both_show_the_same_commands_and_queries():
    assert fences("README.md") == fences("README.ru.md")
    assert headings("README.md") == headings("README.ru.md")


@pytest.mark.parametrize(
    "page", [*PAGES, *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)
def test_links_lead_somewhere(page: str):
    place = (ROOT / page).parent
    missing = [to for to in LINK.findall((ROOT / page).read_text()) if not (place / to).exists()]

    assert missing == []


def test_both_link_the_same_documents():
    def linked(name: str) -> list[str]:
        to_each_other = set(PAGES)
        return [t for t in LINK.findall((ROOT / name).read_text()) if t not in to_each_other]

    assert linked("README.md") == linked("README.ru.md")


def test_every_command_named_is_one():
    commands = set(re.findall(r"\./dev (\w+)", (ROOT / "README.md").read_text()))
    known = (ROOT / "adapters" / "devtools" / "commands.py").read_text()

    assert commands >= {"run", "test"}
    assert [c for c in commands if f'"{c}"' not in known] == []
