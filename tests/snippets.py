"""The fenced snippets of a document, and the shapes of answers shown in one."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.world import REPOSITORY

DOCS = REPOSITORY / "docs"
_FENCE = re.compile(r"^```([\w-]*)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Snippet:
    """``language`` and ``role`` are the words behind the fence: ```json variables."""

    page: str
    number: int
    language: str
    role: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.number}:{self.language or 'none'}"


def snippets_of(page: Path) -> list[Snippet]:
    """In the order of the page."""
    found = _FENCE.findall(page.read_text("utf-8"))
    name = page.relative_to(DOCS).as_posix()
    return [
        Snippet(name, number, language, role, text)
        for number, (language, role, text) in enumerate(found, 1)
    ]


def shape_of(value: object) -> object:
    """What two JSON answers to one question have in common."""
    if isinstance(value, dict):
        return {key: shape_of(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape_of(inner) for inner in value[:1]]
    return type(value).__name__


def shape_of_text(text: str) -> list[str]:
    """Lines with every number replaced."""
    return [_NUMBER.sub("0", line) for line in text.splitlines()]
