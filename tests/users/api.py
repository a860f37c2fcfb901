"""The executable schema over the real users domain, asked as clients ask it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from domain.events import EventStreams
from domain.kernel.cursor import CursorSigner
from domain.kernel.events import StreamName
from domain.kernel.viewer import ANONYMOUS, Role, Viewer
from domain.market import Catalogue, MarketData, OrderBooks, Tape
from domain.status import StatusBoard
from domain.users.ports import FirebaseAccount
from resolvers.context import Services, context_for
from resolvers.user_services import UserServices
from schema import build_schema
from schema._ids import encode_id
from tests.domain.doubles import KnownMarket, ListedInstruments, ManualClock, Venue
from tests.users.conftest import Book
from tests.users.people import NOW

USER_ERROR = "... on UserError { code message path }"


class Bell:
    """Hears of a stream when the test rings."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.followed = asyncio.Event()
        """Set once somebody follows: what happens from then on reaches them."""

    @asynccontextmanager
    async def of(self, stream: StreamName) -> AsyncIterator["Bell"]:
        self.followed.set()
        yield self

    async def wait(self, timeout_seconds: float) -> None:
        await self._rung.wait()
        self._rung.clear()

    def ring(self) -> None:
        self._rung.set()


class Api:
    """What a client can do."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.bell = Bell()
        self.schema = build_schema()
        cursors = CursorSigner(b"c" * 32)
        live, venue, clock = KnownMarket(), Venue(), ManualClock()
        market = MarketData(
            catalogue=Catalogue(ListedInstruments(), clock), live=live, venue=venue, cursors=cursors
        )
        self.services = Services(
            market=market,
            books=OrderBooks(market, live, venue),
            tape=Tape(market, live, venue, clock),
            status=StatusBoard([], clock),
            users=UserServices.over(
                works=book.works,
                accounts=book.accounts,
                identities=book.firebase,
                signals=book.signals,
                grants=book.grants,
                allowances=book.allowances,
                holds=book.holds,
                legal=book.holds,
                events=EventStreams(book.log, self.bell),
                cursors=cursors,
                clock=book.clock,
            ),
        )

    async def ask(
        self, query: str, viewer: Viewer = ANONYMOUS, **variables: Any
    ) -> tuple[Any, list[Any]]:
        """Data, and (code, argument) of each error."""
        result = await self.schema.execute(
            query,
            variable_values=variables,
            context_value=context_for(viewer, self.services),
        )
        codes = []
        for error in result.errors or ():
            assert error.extensions, error
            codes.append((error.extensions["code"], error.extensions.get("argument")))
        return result.data, codes

    async def data(self, query: str, viewer: Viewer = ANONYMOUS, **variables: Any) -> Any:
        data, errors = await self.ask(query, viewer, **variables)
        assert errors == []
        return data

    async def change(
        self, viewer: Viewer, name: str, selection: str = "__typename", /, **given: Any
    ) -> Any:
        """One mutation with its input; the success by ``selection``, or the user error."""
        kind = f"{name[0].upper()}{name[1:]}"
        declared = f"($input: {kind}Input!)" if given else ""
        called = f"{name}(input: $input)" if given else name
        data = await self.data(
            f"mutation {declared} {{ {called} "
            f"{{ __typename ... on {kind}Success {{ {selection} }} {USER_ERROR} }} }}",
            viewer,
            **({"input": given} if given else {}),
        )
        return data[name]

    async def follow(
        self, query: str, viewer: Viewer, **variables: Any
    ) -> AsyncGenerator[Any, None]:
        return await self.schema.subscribe(
            query, variable_values=variables, context_value=context_for(viewer, self.services)
        )

    async def staff(self, uid: str, *roles: Role, **changes: Any) -> Viewer:
        """Somebody of staff who signed in with a second factor just now."""
        self.enrol(uid)
        first = await self.book.arrive(uid, email=f"{uid}@okd.example", signed_in_at=NOW)
        assert first.user_id is not None
        async with self.book.works.begin() as work:
            for role in roles:
                await work.desk.grant(first.user_id, role, by=None)
        given = {"second_factor": "totp", "signed_in_at": NOW + timedelta(seconds=1), **changes}
        return await self.book.arrive(uid, email=f"{uid}@okd.example", **given)

    async def proven(self) -> Viewer:
        """Ann, with a second factor, just now."""
        self.enrol("uid-ann")
        return await self.book.arrive(second_factor="totp", signed_in_at=NOW)

    def enrol(self, uid: str) -> None:
        self.book.firebase.accounts[uid] = FirebaseAccount(
            disabled=False,
            valid_since=NOW - timedelta(days=30),
            second_factors={"totp": NOW - timedelta(days=3)},
        )


async def take(source: AsyncIterator[Any], count: int) -> list[Any]:
    """The next values of a subscription, none of them with an error."""
    taken: list[Any] = []
    async with asyncio.timeout(20):
        while len(taken) < count:
            result = await anext(source)
            assert result.errors is None, result.errors
            taken.append(next(iter(result.data.values())))
    return taken


def user_id(viewer: Viewer) -> str:
    assert viewer.user_id is not None
    return encode_id("User", viewer.user_id)


def session_id(viewer: Viewer) -> str:
    assert viewer.signed_in is not None
    return encode_id("Session", viewer.signed_in.session_id)


def refused(code: str, *path: str) -> dict[str, Any]:
    return {"code": code, "path": list(path) or None}


def reason(answer: Any) -> dict[str, Any]:
    """The user error of an answer, without its sentence."""
    return {"code": answer["code"], "path": answer["path"]}
