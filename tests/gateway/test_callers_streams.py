"""Event streams of people who signed in: they end with the access, and say why."""

import asyncio

import httpx
import orjson

from tests.gateway.callers import ANN, BOB, TOKEN, Door, session_of
from tests.gateway.conftest import World, serving
from tests.world import eventually

SLOWLY = "subscription { count(to: 1000, every: 0.02) }"


async def events(world: World, query: str) -> list[tuple[str, dict[str, object]]]:
    """All events of a stream until it ends."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {TOKEN}"}
    found = []
    async with world.client.stream(
        "POST", "/graphql", json={"query": query}, headers=headers
    ) as answer:
        assert answer.status_code == 200
        body = b"".join([part async for part in answer.aiter_raw()])
    for block in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            found.append((lines["event"], orjson.loads(lines.get("data") or "{}")))
        elif block.startswith("event: complete"):
            found.append(("complete", {}))
    return found


def last_code(found: list[tuple[str, dict[str, object]]]) -> object:
    kinds = [kind for kind, _ in found]
    assert kinds[-1] == "complete"
    told = [data for kind, data in found if kind == "next"][-1]
    errors = told["errors"]
    assert isinstance(errors, list)
    return errors[0]["extensions"]["code"]


async def test_a_stream_ends_when_its_token_does() -> None:
    door = Door(life_seconds=0.3)
    access = door.access()
    async with serving(identify=door.identity().identify, access=access) as world:
        found = await asyncio.wait_for(events(world, SLOWLY), 5)

        assert last_code(found) == "TOKEN_EXPIRED"
        assert len(found) > 2
        assert (access.stays, world.stage.streams_open) == (0, 0)


async def test_a_stream_ends_when_the_session_does_and_no_other_one() -> None:
    door = Door()
    access = door.access()
    async with serving(identify=door.identity().identify, access=access) as world:
        reading = asyncio.ensure_future(events(world, SLOWLY))
        await eventually(lambda: access.stays == 1)
        access.ended(BOB, None)
        access.ended(ANN, {session_of(BOB)})
        assert access.stays == 1
        access.ended(ANN, {session_of(ANN)})
        found = await asyncio.wait_for(reading, 5)

    assert last_code(found) == "SESSION_ENDED"
    assert access.stays == 0


async def test_a_session_that_ended_before_anybody_stayed_to_hear_it_reads_nothing() -> None:
    door = Door()
    door.ended.add(session_of(ANN))  # after the token was looked at, and told to nobody yet here
    access = door.access()
    async with serving(identify=door.identity().identify, access=access) as world:
        found = await asyncio.wait_for(events(world, SLOWLY), 5)

    assert last_code(found) == "SESSION_ENDED"
    assert len(found) == 2
    assert world.stage.contexts == []


async def test_who_leaves_leaves_nothing() -> None:
    door = Door()
    access = door.access()
    async with serving(identify=door.identity().identify, access=access) as world:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {TOKEN}"}
        async with (
            httpx.AsyncClient(base_url=world.url) as client,
            client.stream("POST", "/graphql", json={"query": SLOWLY}, headers=headers) as answer,
        ):
            async for _ in answer.aiter_raw():
                break
            assert access.stays == 1
        await eventually(lambda: access.stays == 0)
