"""The people of the bank: real accounts at the identity process, real tokens, play money."""

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4

import httpx

from adapters.clock import SystemClock
from adapters.postgres import Database
from adapters.postgres.wallets import PostgresAssets, PostgresWorks
from adapters.supervisor.terminal import StartError
from domain.kernel.ids import AssetCode, UserId
from domain.wallets import Deposits
from domain.wallets.model import Posted
from tests.bench.rig.bank.size import BTC, USDT
from tests.bench.rig.bank.tally import Purse
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import Service
from tests.world import eventually

GIVEN = {AssetCode(USDT): Decimal(100), AssetCode(BTC): Decimal(1)}
_GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account and a device that is signed in."""

    user_id: UserId
    node_id: str
    token: str
    device: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "x-device-id": self.device}

    @property
    def init(self) -> dict[str, str]:
        """Of a socket."""
        return {"authorization": f"Bearer {self.token}", "deviceId": self.device}


def enrolled(sandbox: Sandbox, count: int) -> list[Person]:
    """Sign so many people up, and in. Raises StartError."""
    addresses = sandbox.addresses
    with (
        httpx.Client(base_url=addresses["identity"], trust_env=False, timeout=30) as identity,
        httpx.Client(trust_env=False, timeout=30) as http,
    ):
        service = Service("ours", identity)
        return [
            _person(http, addresses["graphql"], service.sign_up(verified=True)["idToken"], number)
            for number in range(count)
        ]


def _person(http: httpx.Client, graphql: str, token: str, number: int) -> Person:
    device = f"bank-{number:04d}"
    headers = {"authorization": f"Bearer {token}", "x-device-id": device}
    told = http.post(graphql, json={"query": "{ viewer { id } }"}, headers=headers).json()
    if "errors" in told:
        raise StartError(f"Nobody can sign in: {told['errors']}")
    node_id = str(told["data"]["viewer"]["id"])
    name = urlsafe_b64decode(node_id + "==").decode().removeprefix("User:")
    return Person(UserId(UUID(name)), node_id, token, device)


async def funded(database: Database, people: Sequence[Person]) -> dict[Purse, Decimal]:
    """Give everybody the same, by the faucet; returns who was given what."""
    clock = SystemClock()
    assets = PostgresAssets(database, clock=clock)
    await eventually(lambda: _listed(assets), within_seconds=_GRACE_SECONDS)
    works = PostgresWorks(database, clock=clock)
    deposits = Deposits(works=works, assets=assets, clock=clock)
    for person in people:
        for code, amount in GIVEN.items():
            posted = await deposits.faucet(person.user_id, code, amount, key=uuid4())
            if not isinstance(posted, Posted):
                raise StartError(f"The faucet gave nothing: {posted}")
    return {(p.user_id, code): amount for p in people for code, amount in GIVEN.items()}


async def _listed(assets: PostgresAssets) -> bool:
    """The worker lists what wallets can hold, soon after its start."""
    return all([await assets.asset(code) is not None for code in GIVEN])
