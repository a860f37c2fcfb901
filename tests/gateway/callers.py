"""People at the gateway's door, and who says whether they may come in: the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from adapters.clock import SystemClock
from adapters.gateway.access import Access
from adapters.gateway.identity import Identity
from domain.kernel.errors import UserError
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.kernel.viewer import Role, SignedIn, Viewer
from domain.users import Authentication
from domain.users.errors import SessionEnded, TokenInvalid
from domain.users.model import Client, SessionId, SignIn
from domain.users.model import Identity as FirebaseIdentity

ANN, BOB = UserId(UUID(int=1)), UserId(UUID(int=2))
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktYW5uIn0.canary-signature-5f1c"
RENEWED = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktYW5uMiJ9.canary-signature-7a2e"
BOBS = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktYm9iIn0.canary-signature-bob1"


@dataclass
class Door:
    """Knows three tokens; tests change what it says."""

    refused: UserError | Failure | None = None
    """Of every token, from now on."""
    life_seconds: float = 3600.0
    roles: frozenset[Role] = frozenset({Role.USER})
    clients: list[Client] = field(default_factory=list)
    ended: set[UUID] = field(default_factory=set)
    asked_again: int = 0
    failing: Failure | None = None
    """What looking again raises."""

    def identity(self) -> Identity:
        return Identity(self, cast("Authentication", self))

    def access(self, **more: Any) -> Access:
        return Access(self.again, **more)

    async def verify(self, token: str) -> SignIn | TokenInvalid:
        people = {TOKEN: "ann", RENEWED: "ann", BOBS: "bob"}
        if isinstance(self.refused, Failure):
            raise self.refused
        if self.refused is not None:
            return cast("TokenInvalid", self.refused)
        if token not in people:
            return TokenInvalid()
        now = SystemClock().now()
        return SignIn(
            identity=FirebaseIdentity("demo-okd", "", people[token]),
            signed_in_at=datetime(2026, 11, 22, 15, tzinfo=UTC),
            issued_at=now,
            expires_at=now + timedelta(seconds=self.life_seconds),
            provider="password",
            second_factor=None,
        )

    async def viewer(self, sign_in: SignIn, client: Client) -> Viewer:
        self.clients.append(client)
        user = ANN if sign_in.identity.uid == "ann" else BOB
        return Viewer(
            user_id=user,
            roles=self.roles,
            signed_in=SignedIn(
                session_id=UUID(int=user.int + 100),
                signed_in_at=sign_in.signed_in_at,
                expires_at=sign_in.expires_at,
                second_factor=None,
                email_verified=True,
                address=client.address,
                agent=client.agent,
            ),
        )

    async def again(self, viewers: Sequence[Viewer]) -> Sequence[Viewer | UserError]:
        self.asked_again += len(viewers)
        if self.failing is not None:
            raise self.failing
        return [
            SessionEnded()
            if viewer.signed_in and viewer.signed_in.session_id in self.ended
            else replace(viewer, roles=self.roles)
            for viewer in viewers
        ]


def session_of(user_id: UserId) -> SessionId:
    return SessionId(UUID(int=user_id.int + 100))
