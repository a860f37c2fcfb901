"""The view layer: nothing shown by accident, nothing reachable without a policy."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar
from uuid import UUID

import pytest
import strawberry

from domain.kernel.errors import UserError as DomainUserError
from domain.kernel.ids import UserId
from domain.kernel.policy import Audience, FieldPolicy
from domain.kernel.viewer import ANONYMOUS, Role, Viewer
from resolvers.context import Info
from schema._shared import UserError
from schema._view import Stream, resolved_by, root_type, streamed_by, view_of
from schema._words import words_of

SIGNED_IN = Viewer(UserId(UUID(int=7)))
STAFF = Viewer(UserId(UUID(int=8)), frozenset({Role.COMPLIANCE}))
calls: list[str] = []


@dataclass(frozen=True)
class Note:
    text: str


@dataclass(frozen=True)
class TooLong(DomainUserError):
    code: ClassVar[Any] = "TOO_LONG"
    most: int

    @property
    def message(self) -> str:
        return f"At most {self.most} characters."

    @property
    def path(self) -> tuple[str, ...]:
        return ("text",)


@dataclass(frozen=True)
class WriteNote:
    text: str


async def write(info: Info, command: WriteNote) -> Note | TooLong:
    calls.append("write")
    return Note(command.text) if len(command.text) < 5 else TooLong(4)


async def read(info: Info, text: str) -> Note | TooLong:
    calls.append("read")
    return await write(info, WriteNote(text))


async def stream(info: Info, text: str) -> AsyncGenerator[Note, None] | TooLong:
    calls.append("stream")

    async def notes() -> AsyncGenerator[Note, None]:
        for letter in text:
            yield Note(letter)

    return notes() if len(text) < 5 else TooLong(4)


@view_of(Note, description="A note.")
class NoteView:
    text: str


@view_of(TooLong, description="Too long.", name="TooLong")
class TooLongView(UserError):
    most: int


@strawberry.input
class WriteNoteInput:
    text: str

    def to_command(self) -> WriteNote:
        return WriteNote(self.text)


Payload = Annotated[NoteView | TooLongView, strawberry.union("WriteNotePayload")]
ANYONE = FieldPolicy(Audience.ANYONE)
MEMBERS = FieldPolicy(Audience.SIGNED_IN)
COMPLIANCE = FieldPolicy(Audience.STAFF, roles=frozenset({Role.COMPLIANCE}))


@strawberry.type
class Queries:
    anyone: NoteView | None = resolved_by(read, description="x", policy=ANYONE)
    members: NoteView | None = resolved_by(read, description="x", policy=MEMBERS)
    staff: NoteView | None = resolved_by(read, description="x", policy=COMPLIANCE)


@strawberry.type
class Mutations:
    write: Payload = resolved_by(
        write, description="x", policy=ANYONE, takes=WriteNoteInput, payload=True
    )


@strawberry.type
class Subscriptions:
    notes: Stream[NoteView] = streamed_by(stream, description="x", policy=MEMBERS)


SCHEMA = strawberry.Schema(
    root_type("Query", [Queries], description="x"),
    root_type("Mutation", [Mutations], description="x"),
    root_type("Subscription", [Subscriptions], description="x"),
    types=[TooLongView],
)


@dataclass
class FakeContext:
    viewer: Viewer

    @property
    def users(self) -> Any:
        return SimpleNamespace(audit=self)

    async def denied(self, viewer: Viewer, field: str) -> None:
        """Written down by nobody here."""


async def run(query: str, viewer: Viewer = ANONYMOUS) -> tuple[Any, list[Any]]:
    calls.clear()
    result = await SCHEMA.execute(query, context_value=FakeContext(viewer))
    return result.data, result.errors or []


async def test_a_mutation_lists_its_user_errors():
    query = """mutation { write(input: {text: "%s"}) {
        ... on NoteView { text }
        ... on UserError { code message path }
        ... on TooLong { most } } }"""

    assert await run(query % "abc") == ({"write": {"text": "abc"}}, [])
    data, errors = await run(query % "abcdef")
    assert errors == []
    assert data == {
        "write": {
            "code": "TOO_LONG", "message": "At most 4 characters.", "path": ["text"], "most": 4,
        }
    }  # fmt: skip


async def test_elsewhere_a_user_error_is_a_coded_error():
    data, errors = await run('{ anyone(text: "abcdef") { text } }')

    assert data == {"anyone": None}
    assert errors[0].message == "At most 4 characters."
    assert errors[0].extensions == {"code": "TOO_LONG", "userError": True, "argument": "text"}


@pytest.mark.parametrize(
    ("_case", "field", "viewer", "code"),
    [
        ("anyone may", "anyone", ANONYMOUS, None),
        ("nobody is no member", "members", ANONYMOUS, "UNAUTHENTICATED"),
        ("a user is a member", "members", SIGNED_IN, None),
        ("nobody is no staff", "staff", ANONYMOUS, "UNAUTHENTICATED"),
        ("a user is no staff", "staff", SIGNED_IN, "FORBIDDEN"),
        ("staff is staff", "staff", STAFF, None),
    ],
)
async def test_the_audience_is_enforced_before_the_resolver(
    _case: str, field: str, viewer: Viewer, code: str | None
):
    data, errors = await run(f'{{ {field}(text: "ab") {{ text }} }}', viewer)

    assert [e.extensions["code"] for e in errors] == ([code] if code else [])
    assert data == {field: None if code else {"text": "ab"}}
    assert ("read" in calls) is (code is None)


async def subscribe(text: str, viewer: Viewer) -> list[Any]:
    calls.clear()
    source: Any = await SCHEMA.subscribe(
        f'subscription {{ notes(text: "{text}") {{ text }} }}', context_value=FakeContext(viewer)
    )
    return [result async for result in source]


async def test_a_stream_gives_its_values():
    results = await subscribe("abc", SIGNED_IN)

    assert [r.data["notes"]["text"] for r in results] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "viewer", "code"),
    [("abcdef", SIGNED_IN, "TOO_LONG"), ("abc", ANONYMOUS, "UNAUTHENTICATED")],
)
async def test_a_refused_stream_is_one_error(text: str, viewer: Viewer, code: str):
    results = await subscribe(text, viewer)

    assert [e.extensions["code"] for r in results for e in r.errors] == [code]
    assert ("stream" in calls) is (code == "TOO_LONG")


def test_a_root_field_without_a_policy_stops_the_import():
    @strawberry.type
    class Forgotten:
        note: NoteView = resolved_by(read, description="x")

    with pytest.raises(TypeError, match=r"Query\.note has no policy"):
        root_type("Query", [Forgotten], description="x")


def test_a_view_of_nothing_stops_the_import():
    with pytest.raises(TypeError, match=r"Gone\.title shows nothing of Note"):

        @view_of(Note, description="x")
        class Gone:
            title: str


def test_words_without_a_meaning_stop_the_import():
    with pytest.raises(TypeError, match="STAFF"):
        words_of(Audience, description="x", values={"ANYONE": "x", "SIGNED_IN": "x"})


@pytest.mark.parametrize(
    "policy",
    [
        {"audience": Audience.STAFF},
        {"audience": Audience.ANYONE, "roles": frozenset({Role.ADMIN})},
        {"audience": Audience.SIGNED_IN, "shared": True},
    ],
)
def test_a_contradictory_policy_is_refused(policy: dict[str, Any]):
    with pytest.raises(ValueError, match=r"Audience|anyone"):
        FieldPolicy(**policy)
