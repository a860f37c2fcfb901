"""Where results go: the terminal, a JSON file, a section of docs/performance.md, a plot."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.clock import SystemClock
from adapters.supervisor.terminal import say
from tests.bench.rig import machine
from tests.bench.rig.rounds import Goal, Runs, Sample
from tests.world import REPOSITORY

RESULTS = REPOSITORY / "docs" / "benchmarks"
IMAGES = REPOSITORY / "docs" / "images"
PAGE = REPOSITORY / "docs" / "performance.md"
_WORDS = {True: "yes", False: "**no**", None: "not measured"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a title, and what of a sample stands in it."""

    title: str
    shown: Callable[[Sample], str]


def number(key: str, places: int = 1) -> Callable[[Sample], str]:
    def shown(sample: Sample) -> str:
        return f"{sample[key]:.{places}f}" if key in sample else ""

    return shown


@dataclass(frozen=True)
class Report:
    """One batch, ready to be told."""

    name: str
    heading: str
    machine: Mapping[str, object]
    runs: Runs
    goals: Sequence[Goal]
    columns: Sequence[Column]
    titles: Mapping[str, str]
    plot: Callable[[Runs], str] | None = None
    remark: str = ""
    extra: Mapping[str, Any] | None = None

    def tell(self, *, write: bool, out: Path | None) -> None:
        """Say it; with ``write`` put it into docs/, with ``out`` its JSON into that file."""
        for line in self._goal_lines(machine_words=False):
            say(line)
        if out is not None:
            out.write_text(self._json())
            say(f"\nAll numbers: {out}")
        if not write:
            return
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(self._json())
        if self.plot is not None:
            (IMAGES / f"{self.name}.svg").write_text(self.plot(self.runs))
        PAGE.write_text(with_section(PAGE.read_text(), self.heading, self.markdown()))
        say(f"\nWritten: docs/benchmarks/{self.name}.json and docs/performance.md")

    def markdown(self) -> str:
        lines = self._goal_lines(machine_words=True)
        if self.plot is not None:
            lines += ["", f"![{self.heading}](images/{self.name}.svg)"]
        for scenario in self.runs.scenarios():
            lines += ["", f"### {scenario}", "", *self._table(scenario)]
        if self.remark:
            lines += ["", self.remark]
        return "\n".join(lines)

    def _goal_lines(self, *, machine_words: bool) -> list[str]:
        lines = [self._provenance(), ""] if machine_words else []
        lines += ["| goal | bound | measured | met |", "|---|---|---|---|"]
        for goal in self.goals:
            sign = "≥" if goal.at_least else "≤"
            seen = "" if goal.measured is None else f"{goal.measured:.2f}"
            lines.append(f"| {goal.text} | {sign} {goal.bound:g} | {seen} | {_WORDS[goal.met]} |")
        return lines

    def _provenance(self) -> str:
        told = self.machine
        rounds = max((run.round for run in self.runs), default=0)
        versions = ", ".join(f"{k} {v}" for k, v in told.items() if k not in _NOT_VERSIONS and v)
        return (
            f"{SystemClock().now():%d %B %Y}, {told['cpu']}, {told['cores']} cores, load before "
            f"{told['load_before']}; {rounds} interleaved rounds. {versions}. "
            f"All runs: [benchmarks/{self.name}.json](benchmarks/{self.name}.json)."
        )

    def _table(self, scenario: str) -> list[str]:
        titles = " | ".join(column.title for column in self.columns)
        lines = [f"| server | {titles} |", "|---" * (len(self.columns) + 1) + "|"]
        for contender in self.runs.contenders(scenario):
            sample = self.runs.medians(scenario, contender)
            cells = " | ".join(column.shown(sample) for column in self.columns)
            lines.append(f"| {self.titles.get(contender, contender)} | {cells} |")
        return lines

    def _json(self) -> str:
        told = {
            "bench": self.name,
            "at": SystemClock().now().isoformat(timespec="seconds"),
            "machine": dict(self.machine),
            "goals": [goal.as_json() for goal in self.goals],
            **(self.extra or {}),
            "runs": self.runs.as_json(),
        }
        return json.dumps(told, indent=1) + "\n"


_NOT_VERSIONS = {"cpu", "cores", "load_before", "cc", "kernel"}


def provenance() -> dict[str, object]:
    """Asked before the batch: the load must not be our own."""
    return machine.description()


def with_section(page: str, heading: str, body: str) -> str:
    """The page with what stands under ``## heading`` replaced, or appended when it is new."""
    title = f"## {heading}\n"
    before, found, after = page.partition(title)
    if not found:
        return f"{page.rstrip()}\n\n{title}\n{body}\n"
    rest = after.partition("\n## ")
    tail = f"\n## {rest[2]}" if rest[1] else ""
    return f"{before}{title}\n{body}\n{tail}"
