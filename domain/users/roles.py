"""Roles: never one's own, and administrators only by two of them."""

from collections.abc import Sequence
from dataclasses import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import AlreadyDecided, BadInput, NeedsSecondPerson, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role, Viewer
from domain.users import events
from domain.users.acts import log_act
from domain.users.audit import OPERATOR
from domain.users.caller import owner_of
from domain.users.errors import OwnRoles
from domain.users.model import (
    ActivityResult,
    ProposalId,
    ProposalState,
    RoleProposal,
    User,
    UserState,
)
from domain.users.ports import AccessSignals, Accounts, Work, Works
from domain.users.refusals import noted


class Roles:
    """What administrators do about what people may."""

    def __init__(
        self, *, works: Works, accounts: Accounts, signals: AccessSignals, clock: Clock
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._signals = signals
        self._clock = clock

    async def grant(
        self, viewer: Viewer, user_id: UserId, role: Role
    ) -> User | NotFound | OwnRoles | BadInput:
        """Any role but ADMIN, which is proposed."""
        return await self._change(viewer, user_id, role, granted=True)

    async def withdraw(
        self, viewer: Viewer, user_id: UserId, role: Role
    ) -> User | NotFound | OwnRoles | BadInput:
        """Any role but ADMIN, which is proposed, and USER, which everybody has."""
        return await self._change(viewer, user_id, role, granted=False)

    async def propose_admin(
        self, viewer: Viewer, user_id: UserId, *, grant: bool
    ) -> RoleProposal | NotFound | OwnRoles | BadInput:
        """Wish somebody in or out of the administrators; another one has to agree."""
        actor = owner_of(viewer)
        proposal = RoleProposal(
            ProposalId(new_uuid7()), user_id, Role.ADMIN, grant, actor, self._clock.now()
        )
        async with self._works.begin() as work:
            user = _of_another(await work.users.locked(user_id), actor)
            if not isinstance(user, User):
                return noted(work, viewer, user_id, "role.proposed", user, clock=self._clock)
            if (Role.ADMIN in user.roles) is grant:
                return BadInput("grant", "nothing would change.")
            if not await work.desk.propose(proposal):
                return BadInput("userId", "a proposal about this account is open already.")
            self._log(work, viewer, user_id, "role.proposed", proposal.role, granted=grant)
        return proposal

    async def decide_admin(
        self, viewer: Viewer, proposal_id: ProposalId, *, approve: bool
    ) -> RoleProposal | NotFound | NeedsSecondPerson | AlreadyDecided | OwnRoles | BadInput:
        """Agree or refuse; never by who proposed it, nor by whom it is about."""
        actor = owner_of(viewer)
        async with self._works.begin() as work:
            proposal = await work.desk.proposal_locked(proposal_id)
            user = None if proposal is None else await work.users.locked(proposal.user_id)
            if proposal is None or user is None:
                return NotFound("proposal", "proposalId")
            action = "role.approved" if approve else "role.rejected"
            if (refused := _refusal(proposal, actor)) is not None:
                return noted(work, viewer, user.id, action, refused, clock=self._clock)
            if approve and user.state is UserState.ERASED:
                return NotFound("account", "proposalId")
            if approve and not proposal.grant and await self._would_be_none(work, user):
                return BadInput("proposalId", "this is the last administrator.")
            state = ProposalState.APPROVED if approve else ProposalState.REJECTED
            decided = replace(proposal, state=state, decided_by=actor, decided_at=self._clock.now())
            await work.desk.decide(decided)
            changed = user
            if approve:
                changed = await _apply(work, user, proposal.role, granted=proposal.grant, by=actor)
            self._log(work, viewer, user.id, action, proposal.role, granted=proposal.grant)
        await self._tell(user, changed)
        return decided

    @staticmethod
    async def _would_be_none(work: Work, without: User) -> bool:
        """Whether nobody usable would be left; a frozen administrator is not counted anyway."""
        counted = Role.ADMIN in without.roles and without.state is not UserState.FROZEN
        return await work.desk.holders(Role.ADMIN) - counted < 1

    async def open_proposals(self, viewer: Viewer) -> Sequence[RoleProposal]:
        """Oldest first."""
        found = await self._accounts.open_proposals()
        async with self._works.begin() as work:
            details = {"found": str(len(found))}
            log_act(work, viewer, "proposals.viewed", now=self._clock.now(), details=details)
        return found

    async def _change(
        self, viewer: Viewer, user_id: UserId, role: Role, *, granted: bool
    ) -> User | NotFound | OwnRoles | BadInput:
        actor = owner_of(viewer)
        action = "role.granted" if granted else "role.withdrawn"
        if role in (Role.ADMIN, Role.USER) and actor != user_id:
            return BadInput("role", "ADMIN is proposed and approved by two; USER is everybody's.")
        async with self._works.begin() as work:
            user = _of_another(await work.users.locked(user_id), actor)
            if not isinstance(user, User):
                return noted(work, viewer, user_id, action, user, clock=self._clock)
            changed = await _apply(work, user, role, granted=granted, by=actor)
            self._log(work, viewer, user_id, action, role, granted=granted)
        await self._tell(user, changed)
        return changed

    async def _tell(self, before: User, after: User) -> None:
        """After the commit: their connections go by what was true when they came."""
        if after.roles != before.roles:
            await self._signals.changed(after.id)

    def _log(
        self, work: Work, viewer: Viewer, subject: UserId, action: str, role: Role, *, granted: bool
    ) -> None:
        details = {"role": role.value, "grant": str(granted).lower()}
        log_act(work, viewer, action, now=self._clock.now(), subject=subject, details=details)


def _of_another(user: User | None, actor: UserId) -> User | NotFound | OwnRoles:
    """The account, when its roles are the actor's to change."""
    if user is None or user.state is UserState.ERASED:
        return NotFound("account", "userId")
    return OwnRoles() if user.id == actor else user


def _refusal(
    proposal: RoleProposal, actor: UserId
) -> NeedsSecondPerson | AlreadyDecided | OwnRoles | None:
    if proposal.state is not ProposalState.OPEN:
        return AlreadyDecided()
    if proposal.proposed_by == actor:
        return NeedsSecondPerson()
    return OwnRoles() if proposal.user_id == actor else None


async def make_first_admin(works: Works, user_id: UserId, *, clock: Clock) -> User | None:
    """The operator's command: audited, and refused (None) once there is an administrator."""
    async with works.begin() as work:
        user = await work.users.locked(user_id)
        usable = user is not None and user.state in (UserState.ACTIVE, UserState.ERASING)
        if user is None or not usable or await work.desk.holders(Role.ADMIN):
            return None
        admin = await _apply(work, user, Role.ADMIN, granted=True, by=None)
        work.activity.add(
            actor_id=None,
            subject_id=user_id,
            action="role.granted",
            result=ActivityResult.SUCCEEDED,
            now=clock.now(),
            client=OPERATOR,
            details={"role": Role.ADMIN.value, "grant": "true"},
        )
        return admin


async def _apply(work: Work, user: User, role: Role, *, granted: bool, by: UserId | None) -> User:
    if granted:
        await work.desk.grant(user.id, role, by=by)
        roles = user.roles | {role}
    else:
        await work.desk.withdraw(user.id, role)
        roles = user.roles - {role}
    if roles != user.roles:
        work.events.append(events.roles_changed(user.id, [held.value for held in roles]))
    return replace(user, roles=roles)
