"""Composition root: settings -> adapters -> services -> schema -> one process. Nobody imports it.

    python app.py web | feed | worker      the roles; each is scaled by starting more of it
    python app.py migrate                  bring the database up to date, then end
    python app.py rotate-keys              rewrap data keys under the newest master key, then end
    python app.py first-admin UID          make the first administrator, then end
    python app.py faucet USER ASSET AMOUNT play money, in a sandbox: what ./dev faucet runs
    python app.py verify-ledger [--root DAY:ROOT]   prove the books, and compare a root that was
                                           kept: 0 sound, 1 findings, 2 could not look
    python app.py rebuild-balances --check | --write       balances and holds from the journal
    python app.py run [--port ...]         the whole sandbox world: what ./dev run starts
    python app.py exchange | identity      the sandbox's Bybit V5 and Firebase: started by run
    python app.py schema [--check | --write | --release]   docs/: the SDL, the reference
    python app.py settings [--check | --write]             docs/settings.md and .env.example
    python app.py record --category ... --symbols ... --out FILE   live streams into a file

Imports are made by the role that needs them: the supervisor is up in a fraction of a second, and a
role pays for its own libraries only.
"""

import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.foundation import Foundation
    from adapters.money import Money
    from adapters.people import People
    from adapters.settings import Settings
    from adapters.statements import Press
    from domain.events import EventStreams
    from domain.events.ports import EventSignals
    from domain.kernel.cursor import CursorSigner
    from domain.market import Catalogue, LiveMarket
    from domain.status import StatusBoard
    from domain.wallets.papers import MyStatements
    from resolvers.context import Services
    from resolvers.ledger_desk_services import LedgerDeskServices
    from resolvers.user_services import UserServices
    from resolvers.wallet_services import WalletServices

ROOT = Path(__file__).resolve().parent


async def web(settings: "Settings") -> None:
    """GraphQL for clients."""
    from adapters.entrance import Entrance
    from adapters.foundation import founded, on_duty
    from adapters.gateway import FeedProbe, build_app, operation_extensions
    from adapters.money import Money
    from adapters.postgres import PostgresInstruments
    from adapters.redis import RedisEventSignals, RedisLiveMarket
    from adapters.sandbox_roles import demo_sign_in
    from adapters.statements import Press
    from adapters.telemetry.counters import HubCounters
    from domain.kernel.cursor import CursorSigner
    from domain.market import Catalogue
    from domain.status import StatusBoard
    from resolvers.context import context_for
    from schema import build_schema, print_sdl

    async with founded("web", settings) as base, base.people() as people:
        counters = HubCounters(base.metrics.registry)
        live = RedisLiveMarket(
            base.redis, clock=base.clock, categories=settings.categories, metrics=counters
        )
        entrance = Entrance.over(base, people, counters=counters)
        probes = base.probes(database_required=True)
        probes += [FeedProbe(category, live.reports) for category in settings.categories]
        board = StatusBoard([*probes, *entrance.probes], base.clock)
        cursors = CursorSigner(settings.secret_key.get_secret_value().encode())
        catalogue = Catalogue(PostgresInstruments(base.database, clock=base.clock), base.clock)
        services = services_for_everybody(base, board, catalogue, live, cursors)
        duties, downloads = [live.run, *entrance.duties], None
        if people is not None:
            signals = RedisEventSignals(base.redis, metrics=counters)
            money = Money.over(base, people, catalogue=catalogue, live=live)
            press = Press.over(base, people)
            services = services_for_people(
                services, base, people, signals, cursors, money=money, press=press
            )
            duties.append(signals.run)
            downloads = press.downloads()
        app = build_app(
            graphql_schema=build_schema(
                extensions=operation_extensions(settings), suggestions=not settings.production
            ),
            context=lambda viewer, _connection: context_for(viewer, services),
            identify=entrance.identify,
            access=entrance.access,
            board=board,
            settings=settings,
            metrics=base.metrics,
            drain=base.drain,
            sdl=print_sdl(),
            docs=ROOT / "docs",
            graphiql=ROOT / "adapters" / "web" / "dist",
            sign_in=demo_sign_in(settings) if people is not None else None,
            downloads=downloads,
        )
        await on_duty(base, board, duties, app)


def services_for_everybody(
    base: "Foundation",
    board: "StatusBoard",
    catalogue: "Catalogue",
    live: "LiveMarket",
    cursors: "CursorSigner",
) -> "Services":
    """What can be asked without signing in: prices, and how the system does."""
    from domain.market import MarketData, OrderBooks, Tape
    from resolvers.context import Services

    venue = base.bybit.rest
    market = MarketData(catalogue=catalogue, live=live, venue=venue, cursors=cursors)
    return Services(
        market=market,
        books=OrderBooks(market, live, venue),
        tape=Tape(market, live, venue, base.clock),
        status=board,
    )


def services_for_people(
    services: "Services",
    base: "Foundation",
    people: "People",
    signals: "EventSignals",
    cursors: "CursorSigner",
    *,
    money: "Money",
    press: "Press",
) -> "Services":
    """The same, and what is for people who signed in."""
    from dataclasses import replace

    users = user_services(base, people, signals, cursors)
    return replace(
        services,
        users=users,
        wallets=wallet_services(base, money, users.events, press.mine(cursors), cursors),
        ledger=ledger_desk_services(base, people, cursors),
    )


def user_services(
    base: "Foundation", people: "People", signals: "EventSignals", cursors: "CursorSigner"
) -> "UserServices":
    """What can be done about accounts, over what answers for them."""
    from domain.events import EventStreams
    from resolvers.user_services import UserServices

    return UserServices.over(
        works=people.works,
        accounts=people.accounts,
        identities=people.identities,
        signals=people.signals,
        grants=people.grants,
        allowances=people.allowances,
        holds=people.holds,
        legal=people.legal,
        events=EventStreams(people.log, signals),
        cursors=cursors,
        clock=base.clock,
    )


def wallet_services(
    base: "Foundation",
    money: "Money",
    events: "EventStreams",
    papers: "MyStatements | None",
    cursors: "CursorSigner",
) -> "WalletServices":
    """What can be done about money, over what answers for it."""
    from resolvers.wallet_services import WalletServices

    return WalletServices.over(
        works=money.works,
        books=money.books,
        days=money.days,
        assets=money.assets,
        recipients=money.recipients,
        rates=money.rates,
        closings=money.closings,
        events=events,
        look_ups=money.look_ups,
        limits=money.limits,
        papers=papers,
        cursors=cursors,
        clock=base.clock,
    )


def ledger_desk_services(
    base: "Foundation", people: "People", cursors: "CursorSigner"
) -> "LedgerDeskServices":
    """What staff can do about money, over what answers for it."""
    from adapters.ledger_desk import LedgerDesk
    from resolvers.ledger_desk_services import LedgerDeskServices

    desk = LedgerDesk.over(base, people)
    return LedgerDeskServices.over(
        works=desk.works,
        books=desk.books,
        assets=desk.assets,
        cursors=cursors,
        clock=base.clock,
    )


async def without_schema(role: str, settings: "Settings") -> None:
    """One of the roles that have nothing to do with clients."""
    from adapters import roles

    await {"feed": roles.feed, "worker": roles.worker, "migrate": roles.migrate}[role](settings)


async def sandbox(role: str, settings: "Settings") -> None:
    """One of the sandbox's own: its venue, its identity service."""
    from adapters import sandbox_roles

    await {"exchange": sandbox_roles.exchange, "identity": sandbox_roles.identity}[role](settings)


ROLES: dict[str, Callable[["Settings"], Coroutine[Any, Any, None]]] = {
    "web": web,
    "feed": partial(without_schema, "feed"),
    "worker": partial(without_schema, "worker"),
    "exchange": partial(sandbox, "exchange"),
    "identity": partial(sandbox, "identity"),
    "migrate": partial(without_schema, "migrate"),
}


def start(role: str) -> int:
    """Run a role to its end. Problems a person can mend are sentences, not tracebacks."""
    from adapters.supervisor import lifeline

    lifeline.watch()
    from adapters.gateway import run
    from adapters.settings import SettingsError, load_settings
    from adapters.telemetry import configure_logging

    # The sandbox's own have nobody to be taken out of traffic by.
    overrides = {"drain_seconds": 0.0} if role in ("exchange", "identity") else {}
    try:
        settings = load_settings(**overrides)
        configure_logging(role=role, log_format=settings.log_format, level=settings.log_level)
        run(ROLES[role](settings))
    except SettingsError as error:
        complain("These settings cannot be used (docs/settings.md):", *error.problems)
        return lifeline.UNUSABLE_EXIT_CODE
    except Exception as error:
        sentences = sentences_of(error)
        if not sentences:
            raise
        return complain(*sentences)
    return 0


def sentences_of(error: BaseException) -> list[str]:
    """What a person is told of an error they can mend; nothing when it is a bug."""
    from adapters.gateway import StartFailed
    from domain.kernel.failures import Failure

    if isinstance(error, BaseExceptionGroup):
        parts = [sentences_of(part) for part in error.exceptions]
        return [sentence for part in parts for sentence in part] if all(parts) else []
    if isinstance(error, Failure):
        return [error.message]
    return [str(error)] if isinstance(error, StartFailed | OSError) else []


def by_hand(command: str, arguments: Sequence[str], *, undone: int = 1) -> int:
    """An operator's command: says what it did, or in a sentence why not; ``undone`` is its code."""
    import asyncio
    import traceback

    from adapters import by_hand as commands
    from adapters import ledger_by_hand as ledger
    from adapters.faucet import faucet
    from adapters.settings import SettingsError, load_settings

    works: dict[
        str, Callable[[Settings, Sequence[str]], Coroutine[Any, Any, str | ledger.Verdict]]
    ] = {
        "rotate-keys": commands.rotate,
        "first-admin": commands.first_admin,
        "faucet": faucet,
        "verify-ledger": ledger.verify,
        "rebuild-balances": ledger.rebuild,
    }
    try:
        said = asyncio.run(works[command](load_settings(), arguments))
    except SettingsError as error:
        problems = ("These settings cannot be used (docs/settings.md):", *error.problems)
        return complain(*problems, code=undone)
    except commands.ByHandError as error:
        return complain(str(error), code=undone)
    except Exception as error:  # noqa: BLE001  # the outermost place there is
        # A bug ends with the same code: whoever asks whether the books are sound takes 1 for no.
        bug = "".join(traceback.format_exception(error)).rstrip()
        return complain(*(sentences_of(error) or [bug]), code=undone)
    sys.stdout.write(f"{said}\n")
    return said.code if isinstance(said, ledger.Verdict) else 0


def run_world(arguments: Sequence[str]) -> int:
    from adapters.supervisor import run_from_arguments

    return run_from_arguments(arguments)


def schema_documents(arguments: Sequence[str]) -> int:
    from adapters.generated import settle
    from schema import print_authorization, print_sdl

    sdl = print_sdl()
    if "--release" in arguments:
        return settle(["--write"], {"docs/schema.released.graphql": sdl}, ROOT)
    wanted = {"docs/schema.graphql": sdl}
    if arguments:
        wanted |= {"docs/authorization.md": print_authorization()} | reference_documents(sdl)
    return settle(arguments, wanted, ROOT)


def reference_documents(sdl: str) -> dict[str, str]:
    """docs/reference and docs/errors.md."""
    from adapters.gateway.errors import GatewayErrorCode
    from adapters.reference import reference_files
    from domain.kernel.errors import error_codes
    from domain.kernel.failures import FailureCode
    from schema.facts import facts_by_field

    codes = [*GatewayErrorCode, *FailureCode, *error_codes()]
    return reference_files(sdl, known=facts_by_field(), root=ROOT, codes=codes)


def settings_documents(arguments: Sequence[str]) -> int:
    from adapters.generated import settle
    from adapters.settings_docs import as_example, as_markdown

    wanted = {"docs/settings.md": as_markdown(), ".env.example": as_example()}
    return settle(arguments, wanted, ROOT)


def record_streams(arguments: Sequence[str]) -> int:
    from adapters.devtools.recording import record_streams as run_recording

    return run_recording(arguments)


def complain(*sentences: str, code: int = 1) -> int:
    sys.stderr.write("\n".join(sentences) + "\n")
    return code


TOOLS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run_world,
    "rotate-keys": partial(by_hand, "rotate-keys"),
    "first-admin": partial(by_hand, "first-admin"),
    "faucet": partial(by_hand, "faucet"),
    "verify-ledger": partial(by_hand, "verify-ledger", undone=2),
    "rebuild-balances": partial(by_hand, "rebuild-balances", undone=2),
    "schema": schema_documents,
    "settings": settings_documents,
    "record": record_streams,
}


def main(arguments: Sequence[str]) -> int:
    word = arguments[0] if arguments else ""
    if word in TOOLS:
        return TOOLS[word](arguments[1:])
    if word in ROLES and len(arguments) == 1:
        return start(word)
    asked = word in ("-h", "--help", "help")
    (sys.stdout if asked else sys.stderr).write(f"{__doc__}\n")
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
