"""What the platform can do about accounts, put together from what it stands on."""

from dataclasses import dataclass
from typing import Self

from domain.events import EventStreams
from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.users import (
    Audit,
    BackOffice,
    DataExport,
    Denials,
    MyAccount,
    MyInbox,
    MySessions,
    Permissions,
    Roles,
    StepUpCheck,
)
from domain.users.ports import (
    AccessSignals,
    Accounts,
    ErasureHolds,
    IdentityProvider,
    LegalIdentities,
    StepUpGrants,
    Works,
)


@dataclass(frozen=True, slots=True)
class UserServices:
    """One name per use case; ``accounts`` is for loaders only."""

    accounts: Accounts
    account: MyAccount
    sessions: MySessions
    inbox: MyInbox
    export: DataExport
    permissions: Permissions
    step_up: StepUpCheck
    back_office: BackOffice
    roles: Roles
    audit: Audit
    denials: Denials
    events: EventStreams

    @classmethod
    def over(
        cls,
        *,
        works: Works,
        accounts: Accounts,
        identities: IdentityProvider,
        signals: AccessSignals,
        grants: StepUpGrants,
        holds: ErasureHolds,
        legal: LegalIdentities,
        events: EventStreams,
        cursors: CursorSigner,
        clock: Clock,
    ) -> Self:
        """All of them over the same ports."""
        step_up = StepUpCheck(accounts=accounts, identities=identities, grants=grants, clock=clock)
        return cls(
            accounts=accounts,
            account=MyAccount(
                works=works,
                accounts=accounts,
                identities=identities,
                signals=signals,
                holds=holds,
                legal=legal,
                cursors=cursors,
                clock=clock,
            ),
            sessions=MySessions(works=works, accounts=accounts, signals=signals, clock=clock),
            inbox=MyInbox(works=works, accounts=accounts, cursors=cursors, clock=clock),
            export=DataExport(works=works, accounts=accounts, clock=clock),
            permissions=Permissions(step_up=step_up, holds=holds, legal=legal),
            step_up=step_up,
            back_office=BackOffice(
                works=works,
                accounts=accounts,
                identities=identities,
                signals=signals,
                cursors=cursors,
                clock=clock,
            ),
            roles=Roles(works=works, accounts=accounts, clock=clock),
            audit=Audit(works=works, accounts=accounts, cursors=cursors, clock=clock),
            denials=Denials(works=works, clock=clock),
            events=events,
        )
