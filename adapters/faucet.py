"""What `./dev faucet` asks for: play money for somebody of a sandbox."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from uuid import uuid4

from adapters.by_hand import ByHandError, Tools, opened
from adapters.clock import SystemClock
from adapters.listed_assets import list_assets
from adapters.postgres.users import PostgresAccounts
from adapters.postgres.wallets import PostgresAssets, PostgresWorks
from adapters.settings import Settings
from domain.kernel.ids import UserId
from domain.kernel.money import plain
from domain.users.ports import UserQuery
from domain.wallets import Deposits
from domain.wallets.model import Posted

_USAGE = "Say whom, what and how much: ./dev faucet USER ASSET AMOUNT"


async def faucet(settings: Settings, arguments: Sequence[str]) -> str:
    """Credit somebody, and say what they have now. Raises ByHandError."""
    if settings.production:
        raise ByHandError("Only a sandbox gives money away.")
    if len(arguments) != len(("user", "asset", "amount")):
        raise ByHandError(_USAGE)
    name, code, text = arguments
    async with opened(settings) as tools:
        user_id = await _named(tools, name)
        clock = SystemClock()
        assets = PostgresAssets(tools.database, clock=clock)
        # The worker does it, too; who is quicker than its start need not wait.
        await list_assets(assets)
        works = PostgresWorks(tools.database, clock=clock)
        deposits = Deposits(works=works, assets=assets, clock=clock)
        given = await deposits.faucet(user_id, code.upper(), _amount(text), key=uuid4())
    if not isinstance(given, Posted):
        raise ByHandError(given.message)
    (state,) = given.states
    return f"{name} can dispose of {plain(state.balance)} {state.account.asset} now."


async def _named(tools: Tools, name: str) -> UserId:
    """By the demo user's name, or by e-mail address."""
    accounts = PostgresAccounts(tools.database, ring=tools.ring, index=tools.index)
    query = UserQuery(email=name) if "@" in name else UserQuery(uid=f"demo-{name}")
    found = await accounts.find(query, first=2, after=None)
    if len(found) != 1:
        raise ByHandError(f"No such account: {name}. Accounts are made when somebody signs in.")
    return found[0].id


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ByHandError(f"{text!r} is no amount. {_USAGE}") from None
