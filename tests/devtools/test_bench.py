"""The benches' own machinery: what they would be wrong about without anybody noticing."""

import shutil
from xml.etree import ElementTree as ET

import pytest

from adapters.devtools import benches
from adapters.devtools.place import here
from adapters.supervisor.terminal import StartError
from tests.bench import fanout
from tests.bench.rig import contenders, machine, plot, report
from tests.bench.rig.load import Load, compiled, crowd_on
from tests.bench.rig.machine import Cores
from tests.bench.rig.options import settings_of
from tests.bench.rig.plot import Bar, Group
from tests.bench.rig.rhythm import Rhythm
from tests.bench.rig.rounds import Goal, Run, Runs, Sample, Trial, batch


def test_every_bench_says_what_it_measures(capsys: pytest.CaptureFixture[str]):
    benches.chosen(here(), [])

    lines = capsys.readouterr().out.splitlines()[1:]
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert told.keys() == {
        "bank", "deflate", "fanout", "ledger", "processes", "query", "scale", "slow", "storm",
    }  # fmt: skip
    assert all(len(sentence) > 30 for sentence in told.values())


def test_a_ratio_is_taken_within_a_round_and_then_the_median_of_rounds():
    # The machine was ten times slower in round 2: only the ratios agree.
    times = {"ours": (10.0, 100.0, 12.0), "theirs": (20.0, 200.0, 36.0)}
    runs = Runs(
        Run(number, "s", name, {"cpu_us": value})
        for name, values in times.items()
        for number, value in enumerate(values, start=1)
    )

    assert runs.ratio("cpu_us", ("s", "theirs"), ("s", "ours")) == 2.0
    assert runs.medians("s", "theirs") == {"cpu_us": 36.0}


def test_without_a_common_round_there_is_no_ratio():
    runs = Runs([Run(1, "s", "ours", {"cpu_us": 1.0}), Run(2, "s", "theirs", {"cpu_us": 1.0})])

    assert runs.ratio("cpu_us", ("s", "theirs"), ("s", "ours")) is None
    assert Goal("g", 1.0, None).met is None


def test_goals_know_their_direction():
    assert Goal("at most", 0.8, 0.8).met is True
    assert Goal("at most", 0.8, 0.81).met is False
    assert Goal("at least", 10, 9.9, at_least=True).met is False
    assert Goal("at least", 10, 10, at_least=True).met is True


def test_rounds_are_interleaved_and_outlive_a_contender_that_fails():
    seen: list[str] = []

    def trial(name: str, *, fails: bool = False) -> Trial:
        def measure() -> Sample:
            seen.append(name)
            if fails:
                raise StartError("no")
            return {"x": len(seen)}

        return Trial("s", name, measure)

    runs = batch([trial("a"), trial("b", fails=True), trial("c")], 2, str)

    assert seen == ["a", "b", "c", "a", "b", "c"]
    assert [(run.round, run.contender) for run in runs] == [(1, "a"), (1, "c"), (2, "a"), (2, "c")]


def test_a_section_is_replaced_and_the_rest_of_the_page_left_alone():
    page = "# P\n\n## A\n\nold\n### inside\n\n## B\n\nkept\n"

    assert report.with_section(page, "A", "new") == "# P\n\n## A\n\nnew\n\n## B\n\nkept\n"
    assert report.with_section(page, "C", "new") == page + "\n## C\n\nnew\n"


def test_a_plot_is_well_formed_and_its_longest_bar_fits():
    made = plot.chart("a < b", [Group("g", [Bar("x", 1.0, ours=True), Bar("y", 15.2)])], unit="x")

    root = ET.fromstring(made)  # noqa: S314  # our own
    bars = [e for e in root.iter() if e.tag.endswith("rect") and "x" in e.attrib]
    ends = [float(bar.attrib["x"]) + float(bar.attrib["width"]) for bar in bars]
    assert len(bars) == 2
    assert max(ends) < float(root.attrib["width"])


def test_scenarios_share_one_demand_and_no_client_hears_more_than_ten_per_second():
    asked = fanout.asked_for([])

    loads = fanout.loads_of(asked)

    assert [load.clients for load in loads] == [100, 100, 1000, 1000, 5000, 5000, 1000]
    assert [load.per_second for load in loads] == [10, 10, 10, 1, 2, 1, 10]
    assert [load.slow for load in loads] == [0, 0, 0, 0, 0, 0, 200]


def test_a_setting_without_a_value_is_refused():
    assert settings_of(["OKD_A=1", "OKD_B=x=y"]) == {"OKD_A": "1", "OKD_B": "x=y"}
    with pytest.raises(StartError, match="'OKD_A' has no '='"):
        settings_of(["OKD_A"])


def test_a_rhythm_survives_the_environment():
    rhythm = Rhythm(symbols=10, per_second=2.5, spread=True, flowing=False)

    assert Rhythm.told(rhythm.environment()) == rhythm


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_the_crowd_counts_what_a_server_sends_and_comes_back_after_a_cut():
    load = Load(
        clients=30,
        subscriptions=2,
        per_second=10,
        slow=2,
        cut_share=0.5,
        warm_seconds=1.5,
        measure_seconds=2,
    )
    command = contenders.commands()[contenders.READY_BYTES]

    cores = Cores.split()
    with (
        compiled() as tools,
        contenders.rival(command, load.rhythm.environment(), cores) as running,
    ):
        seen = crowd_on(tools, running, load, cores.load)
        used = machine.cpu_seconds(running.pids)

    assert seen["connected"] == 30
    # 28 readers of 2 symbols hear 560 prices per second; a busy machine leaves beats out, and one
    # may fall on either side of the edges. 56 is a single beat to each subscription.
    assert 56 <= seen["deliveries"] <= 1120 + 2 * 56
    assert (seen["backwards"], seen["foreign"], seen["other"], seen["closed"]) == (0, 0, 0, 0)
    assert 0 < seen["p50_ms"] <= seen["p99_ms"] <= seen["slowest_ms"] + 1
    assert 0 < seen["cpu_us"] * seen["deliveries"] / 1e6 <= used
    assert seen["back"]["fed"] == 30
    assert seen["back"]["backwards"] == 0
