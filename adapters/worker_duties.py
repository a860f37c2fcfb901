"""What the worker does round the clock: about people, about money."""

from functools import partial

from adapters.duties import Duty, every, once
from adapters.foundation import Foundation
from adapters.listed_assets import list_assets
from adapters.people import People
from adapters.postgres import PostgresOutbox, maintain_events
from adapters.postgres.idempotency import forget_commands
from adapters.postgres.users import maintain_users
from adapters.postgres.wallets import PostgresAssets, PostgresBooks, PostgresSealing, PostgresWorks
from adapters.redis import RedisEventSignaller
from domain.events import Relay
from domain.users import Erasure, InboxConsumer
from domain.wallets import Chain, Holds

SECOND, MINUTE, DAY = 1.0, 60.0, 86_400.0


def about_people(people: People, base: Foundation) -> list[Duty]:
    """Telling what happened, erasing who is due, tidying."""
    settings, clock, database = base.settings, base.clock, base.database
    outbox = PostgresOutbox(database, settings.database_url.get_secret_value(), clock=clock)
    erasure = Erasure(
        works=people.works,
        accounts=people.accounts,
        identities=people.identities,
        signals=people.signals,
        holds=people.holds,
        clock=clock,
    )
    duties = [
        outbox.run,
        *(
            Relay(outbox, told).run
            for told in (RedisEventSignaller(base.redis), InboxConsumer(people.works))
        ),
        every(MINUTE, "erasure", erasure.erase_due),
        every(DAY, "events", lambda: maintain_events(database, now=clock.now())),
        every(DAY, "users", lambda: maintain_users(database, now=clock.now())),
    ]
    if not settings.production and settings.firebase_project.startswith("demo-"):
        # Production does not have it, not even its code.
        from adapters.sandbox.demo_roles import seed_demo_roles  # noqa: PLC0415

        project, tenant = settings.firebase_project, settings.firebase_tenant
        seed = partial(seed_demo_roles, people.works, project=project, tenant=tenant, clock=clock)
        duties.append(once("demo_roles", seed))
    return duties


def about_money(base: Foundation) -> list[Duty]:
    """What wallets can hold, holds whose time is up, the ledger's chain, old idempotency keys."""
    clock, database = base.clock, base.database
    assets = PostgresAssets(database, clock=clock)
    chain = Chain(PostgresSealing(database), clock)
    holds = Holds(
        works=PostgresWorks(database, clock=clock),
        assets=assets,
        books=PostgresBooks(database),
        clock=clock,
    )
    return [
        once("assets", partial(list_assets, assets)),
        every(SECOND, "holds", holds.expire_due),
        every(SECOND, "chain", chain.seal_all),
        every(DAY, "keys", lambda: forget_commands(database, now=clock.now())),
    ]
