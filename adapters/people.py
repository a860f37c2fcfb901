"""What accounts stand on, put together: Firebase, PostgreSQL, Redis and the vault.

Beside the vendors' folders, which do not know each other; the rules are put on top by app.py.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from adapters.bridges.users import (
    SandboxErasureHolds,
    SandboxLegalIdentities,
    UnansweredErasureHolds,
    UnansweredLegalIdentities,
)
from adapters.firebase import Certificates, FirebaseAdmin, TokenVerifier
from adapters.firebase.admin import BREAKER, WHAT
from adapters.postgres import Database, PostgresEventLog
from adapters.postgres.users import PostgresAccounts, PostgresDataKeys, PostgresWorks
from adapters.postgres.wallets import PostgresBooks
from adapters.redis import RedisClient
from adapters.redis.access import RedisAccessSignals, RedisKeptText, RedisStepUpGrants
from adapters.redis.allowances import RedisAllowances
from adapters.resilience import Breakers, CircuitBreaker
from adapters.settings import Settings
from adapters.vault import BlindIndex, KeyRing
from domain.kernel.clock import Clock
from domain.users.ports import ErasureHolds, LegalIdentities

CERTIFICATES = "certificates"
_CONNECTIONS_MAX = 4


@dataclass(frozen=True)
class People:
    """Every port of ``domain.users`` and ``domain.events``, answered."""

    works: PostgresWorks
    accounts: PostgresAccounts
    keys: PostgresDataKeys
    index: BlindIndex
    log: PostgresEventLog
    certificates: Certificates
    verifier: TokenVerifier
    identities: FirebaseAdmin
    breaker: CircuitBreaker
    """Of the identity service."""
    signals: RedisAccessSignals
    grants: RedisStepUpGrants
    allowances: RedisAllowances
    holds: ErasureHolds
    legal: LegalIdentities
    ring: KeyRing
    """What personal data is sealed under."""


@asynccontextmanager
async def people_of(
    settings: Settings,
    *,
    clock: Clock,
    database: Database,
    redis: RedisClient,
    breakers: Breakers,
) -> AsyncIterator[People | None]:
    """Open them; nothing is dialled yet.

    None without keys of personal data: a sandbox's choice, in which nobody can sign in.
    """
    if settings.vault_keys is None or settings.blind_index_key is None:
        yield None
        return
    ring = KeyRing.parse(settings.vault_keys.get_secret_value())
    index = BlindIndex(settings.blind_index_key.get_secret_value().encode())
    breaker = breakers.of(BREAKER, what=WHAT)
    identities = _administration(settings, breaker)
    async with httpx.AsyncClient(
        limits=httpx.Limits(max_connections=_CONNECTIONS_MAX),
        # A sandbox's service is on loopback; a proxy of the machine's would not find it there.
        trust_env=settings.production,
    ) as http:
        certificates = _certificates(settings, http, redis)
        holds, legal = _other_services(settings, database)
        try:
            yield People(
                works=PostgresWorks(database, ring=ring, index=index, clock=clock),
                accounts=PostgresAccounts(database, ring=ring, index=index),
                keys=PostgresDataKeys(database, ring=ring),
                index=index,
                log=PostgresEventLog(database),
                certificates=certificates,
                verifier=TokenVerifier(
                    certificates,
                    project=settings.firebase_project,
                    tenant=settings.firebase_tenant,
                ),
                identities=identities,
                breaker=breaker,
                signals=RedisAccessSignals(redis),
                grants=RedisStepUpGrants(redis),
                allowances=RedisAllowances(redis),
                holds=holds,
                legal=legal,
                ring=ring,
            )
        finally:
            await identities.aclose()


def _administration(settings: Settings, breaker: CircuitBreaker) -> FirebaseAdmin:
    account = settings.firebase_service_account
    return FirebaseAdmin(
        project=settings.firebase_project,
        tenant=settings.firebase_tenant,
        service_account=None if account is None else account.get_secret_value(),
        breaker=breaker,
    )


def _certificates(settings: Settings, http: httpx.AsyncClient, redis: RedisClient) -> Certificates:
    secret = settings.secret_key.get_secret_value().encode()
    return Certificates(
        settings.firebase_certificates_url,
        http=http,
        kept=RedisKeptText(redis, CERTIFICATES, secret=secret),
    )


def _other_services(settings: Settings, database: Database) -> tuple[ErasureHolds, LegalIdentities]:
    """What wallets, trading and KYC answer; in production not all of them are there to."""
    if settings.production:
        return UnansweredErasureHolds(), UnansweredLegalIdentities()
    return SandboxErasureHolds(PostgresBooks(database)), SandboxLegalIdentities()
