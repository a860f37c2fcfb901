"""What follows commits: once for many, never too early, and nothing of it is left behind."""

import asyncio

from adapters.postgres.afterwards import Afterwards
from tests.world import eventually


class Runs:
    """What was run, and a door that holds each of them up."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, statement: str) -> None:
        self.statements.append(statement)
        await self.open.wait()


async def test_what_many_want_at_once_is_run_once_for_all_of_them():
    runs = Runs()
    afterwards = Afterwards(runs)

    for _ in range(5):
        afterwards.want(["a", "b", "a"])
    await afterwards.aclose()

    assert runs.statements == ["a", "b"]


async def test_what_is_wanted_while_it_runs_is_run_again():
    """It may have begun before the news it is about."""
    runs = Runs()
    runs.open.clear()
    afterwards = Afterwards(runs)
    afterwards.want(["a"])
    await eventually(lambda: runs.statements == ["a"])

    for _ in range(5):
        afterwards.want(["a"])
    afterwards.want(["b"])
    assert runs.statements == ["a"]
    runs.open.set()
    await afterwards.aclose()

    assert runs.statements == ["a", "a", "b"]


async def test_who_wants_nothing_starts_nothing():
    runs = Runs()
    afterwards = Afterwards(runs)
    tasks = asyncio.all_tasks()

    afterwards.want([])

    assert asyncio.all_tasks() == tasks
    await afterwards.aclose()
    assert runs.statements == []


async def test_it_rests_when_all_is_run_and_begins_again_when_asked():
    runs = Runs()
    afterwards = Afterwards(runs)
    tasks = asyncio.all_tasks()
    for times in (1, 2, 3):
        afterwards.want(["a"])
        assert len(asyncio.all_tasks()) == len(tasks) + 1
        await eventually(lambda: asyncio.all_tasks() == tasks)

        assert runs.statements == ["a"] * times
    await afterwards.aclose()
