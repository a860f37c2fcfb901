"""As much of a Dockerfile and a .dockerignore as ours use; anything else is an error."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
KNOWN = {
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    text: str

    def flag(self, name: str) -> str | None:
        found = re.search(rf"(?:^| )--{name}=(\S+)", self.text)
        return found.group(1) if found else None

    def exec_form(self) -> list[str]:
        """The JSON list this instruction ends with; the shell form has none and is refused."""
        words = json.loads(self.text[self.text.index("[") :])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError(self.text)
        return words

    def pairs(self) -> dict[str, str]:
        """``NAME=value`` words of ENV and LABEL."""
        return dict(word.split("=", 1) for word in shlex.split(self.text))

    def copied(self) -> tuple[list[str], str]:
        *sources, target = (word for word in self.text.split() if not word.startswith("--"))
        return sources, target


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        return [found for found in self.instructions if found.word == word]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    stages: dict[str, Stage]

    @property
    def default(self) -> Stage:
        """What ``docker build .`` builds."""
        return list(self.stages.values())[-1]

    def lineage(self, name: str) -> list[Stage]:
        """The stage and those it is made from, the oldest first."""
        stage = self.stages[name]
        older = self.lineage(stage.base) if stage.base in self.stages else []
        return [*older, stage]

    def inherited(self, name: str, word: str) -> list[Instruction]:
        return [found for stage in self.lineage(name) for found in stage.all(word)]

    def environment(self, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for instruction in self.inherited(name, "ENV"):
            found |= instruction.pairs()
        return found

    def command(self, name: str) -> list[str]:
        """ENTRYPOINT and CMD, as ``docker run`` joins them."""
        start = self.inherited(name, "ENTRYPOINT")[-1].exec_form()
        rest = self.inherited(name, "CMD")
        return start + (rest[-1].exec_form() if rest else [])


def parse(text: str) -> Dockerfile:
    uncommented = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(uncommented))
    stages: dict[str, Stage] = {}
    current: Stage | None = None
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word not in KNOWN or line[0].isspace():
            raise ValueError(f"not an instruction: {line}")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = stages[name] = Stage(name, base)
        elif current is None:
            raise ValueError(f"before the first FROM: {line}")
        else:
            current.instructions.append(Instruction(word, rest.strip()))
    return Dockerfile(stages)


def dockerfile() -> Dockerfile:
    return parse((ROOT / "Dockerfile").read_text())


def is_ignored(path: str, rules: str) -> bool:
    """Whether the builder never sees ``path``. The last rule that matches decides."""
    ignored = False
    for line in rules.splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        if _matches(rule.removeprefix("!"), path):
            ignored = not rule.startswith("!")
    return ignored


def _matches(rule: str, path: str) -> bool:
    # A rule for a folder holds for all in it; `*` does not cross folders, `**` does.
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", rule.strip("/"))
    kinds = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    pattern = "".join(kinds.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(rf"{pattern}(?:/.*)?", path) is not None
