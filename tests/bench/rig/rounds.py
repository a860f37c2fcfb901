"""Interleaved rounds, medians, and ratios against goals.

Every round measures everybody in turn, so that a machine that is busy for a minute is busy for all.
A ratio is taken within a round and then the median of the rounds: two contenders of one round have
seen the same machine, two medians may come from different minutes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from adapters.supervisor.terminal import StartError, say

Sample = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """One contender in one scenario; ``measure`` starts it, loads it and ends it."""

    scenario: str
    contender: str
    measure: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Run:
    """What one trial of one round saw."""

    round: int
    scenario: str
    contender: str
    sample: Sample


class Runs(list[Run]):
    """All of a batch; a trial that failed is missing in its round."""

    def medians(self, scenario: str, contender: str) -> Sample:
        """Of every number told in any round."""
        found = [run.sample for run in self._of(scenario, contender)]
        return {
            key: median(numbers)
            for key in dict.fromkeys(key for sample in found for key in sample)
            if (numbers := [s[key] for s in found if isinstance(s.get(key), int | float)])
        }

    def ratio(self, key: str, over: "Place", under: "Place") -> float | None:
        """The median over rounds of ``key`` there by ``key`` here; None without a common round."""
        below = {run.round: run.sample for run in self._of(*under)}
        found = [
            run.sample[key] / below[run.round][key]
            for run in self._of(*over)
            if key in run.sample and below.get(run.round, {}).get(key)
        ]
        return median(found) if found else None

    def scenarios(self) -> list[str]:
        return list(dict.fromkeys(run.scenario for run in self))

    def contenders(self, scenario: str) -> list[str]:
        return list(dict.fromkeys(run.contender for run in self if run.scenario == scenario))

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(run) for run in self]

    def _of(self, scenario: str, contender: str) -> Iterable[Run]:
        return (run for run in self if (run.scenario, run.contender) == (scenario, contender))


Place = tuple[str, str]
"""A scenario and a contender."""


def batch(trials: Sequence[Trial], rounds: int, shown: Callable[[Sample], str]) -> Runs:
    """Run all trials ``rounds`` times, in turn; say one line for each."""
    runs = Runs()
    for number in range(1, rounds + 1):
        for trial in trials:
            label = f"round {number}  {trial.scenario:<34} {trial.contender:<28}"
            try:
                sample = trial.measure()
            except StartError as error:
                say(f"{label} failed: {error}")
                continue
            runs.append(Run(number, trial.scenario, trial.contender, sample))
            say(f"{label} {shown(sample)}")
    return runs


@dataclass(frozen=True, slots=True)
class Goal:
    """A promise and what it came to."""

    text: str
    bound: float
    measured: float | None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """None when it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}
