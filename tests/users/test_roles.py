"""Roles: never one's own, administrators by two of them, and never none."""

import asyncio

import pytest

from domain.kernel.errors import AlreadyDecided, BadInput, NeedsSecondPerson, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role, Viewer
from domain.users.errors import OwnRoles
from domain.users.model import ProposalId, ProposalState, RoleProposal, User
from domain.users.roles import make_first_admin
from tests.users.conftest import Book


def id_of(viewer: Viewer) -> UserId:
    assert viewer.user_id is not None
    return viewer.user_id


async def admins(book: Book, count: int) -> list[Viewer]:
    made = [await book.arrive(f"uid-admin-{n}") for n in range(count)]
    async with book.works.begin() as work:
        for viewer in made:
            await work.desk.grant(id_of(viewer), Role.ADMIN, by=None)
    return made


async def proposed(book: Book, by: Viewer, about: Viewer, *, grant: bool) -> RoleProposal:
    proposal = await book.roles.propose_admin(by, id_of(about), grant=grant)
    assert isinstance(proposal, RoleProposal), proposal
    return proposal


async def roles_of(book: Book, viewer: Viewer) -> frozenset[Role]:
    user = await book.accounts.user(id_of(viewer))
    assert user is not None
    return user.roles


async def test_a_role_is_granted_told_logged_and_taken_away(book: Book) -> None:
    (admin,) = await admins(book, 1)
    bob = await book.arrive("uid-bob")

    granted = await book.roles.grant(admin, id_of(bob), Role.SUPPORT)
    again = await book.roles.grant(admin, id_of(bob), Role.SUPPORT)
    taken = await book.roles.withdraw(admin, id_of(bob), Role.SUPPORT)

    assert isinstance(granted, User)
    assert isinstance(taken, User)
    assert granted.roles == {Role.USER, Role.SUPPORT}
    assert again == granted
    assert taken.roles == {Role.USER} == await roles_of(book, bob)
    told = [e.body for e in await book.told(bob.user_id) if e.type == "user.roles_changed"]
    assert told == [{"roles": ["SUPPORT", "USER"]}, {"roles": ["USER"]}]
    lines = [(line.action, line.actor_id) for line in await book.lines(bob.user_id)]
    assert lines.count(("role.granted", admin.user_id)) == 2
    assert lines.count(("role.withdrawn", admin.user_id)) == 1


async def test_what_nobody_may_alone(book: Book) -> None:
    (admin,) = await admins(book, 1)
    bob = await book.arrive("uid-bob")
    nobody = UserId(new_uuid7())

    assert await book.roles.grant(admin, id_of(admin), Role.TREASURY) == OwnRoles()
    assert await book.roles.withdraw(admin, id_of(admin), Role.ADMIN) == OwnRoles()
    assert await book.roles.propose_admin(admin, id_of(admin), grant=False) == OwnRoles()
    for role in (Role.ADMIN, Role.USER):
        assert isinstance(await book.roles.grant(admin, id_of(bob), role), BadInput)
        assert isinstance(await book.roles.withdraw(admin, id_of(bob), role), BadInput)
    assert isinstance(await book.roles.grant(admin, nobody, Role.SUPPORT), NotFound)
    assert isinstance(await book.roles.propose_admin(admin, nobody, grant=True), NotFound)
    assert isinstance(await book.roles.propose_admin(admin, id_of(bob), grant=False), BadInput)
    assert await roles_of(book, bob) == {Role.USER}


async def test_an_administrator_needs_four_eyes(book: Book) -> None:
    one, two = await admins(book, 2)
    bob = await book.arrive("uid-bob")
    proposal = await proposed(book, one, bob, grant=True)

    twice = await book.roles.propose_admin(two, id_of(bob), grant=True)
    own = await book.roles.decide_admin(one, proposal.id, approve=True)
    about = await book.roles.decide_admin(bob, proposal.id, approve=True)
    assert await roles_of(book, bob) == {Role.USER}
    decided = await book.roles.decide_admin(two, proposal.id, approve=True)
    late = await book.roles.decide_admin(two, proposal.id, approve=False)
    unknown = await book.roles.decide_admin(two, ProposalId(new_uuid7()), approve=True)

    assert isinstance(twice, BadInput)
    assert (own, about, late) == (NeedsSecondPerson(), OwnRoles(), AlreadyDecided())
    assert isinstance(unknown, NotFound)
    assert isinstance(decided, RoleProposal)
    assert (decided.state, decided.decided_by) == (ProposalState.APPROVED, two.user_id)
    assert await roles_of(book, bob) == {Role.USER, Role.ADMIN}
    assert await book.roles.open_proposals(one) == []


async def test_refused_changes_nothing_and_may_be_proposed_anew(book: Book) -> None:
    one, two = await admins(book, 2)
    bob = await book.arrive("uid-bob")
    proposal = await proposed(book, one, bob, grant=True)

    refused = await book.roles.decide_admin(two, proposal.id, approve=False)

    assert isinstance(refused, RoleProposal)
    assert refused.state is ProposalState.REJECTED
    assert await roles_of(book, bob) == {Role.USER}
    again = await proposed(book, two, bob, grant=True)
    assert [open_one.id for open_one in await book.roles.open_proposals(one)] == [again.id]


@pytest.mark.parametrize("approvals", [(True, True), (True, False), (False, False)])
async def test_of_deciders_at_once_one_decides(book: Book, approvals: tuple[bool, bool]) -> None:
    one, two, three = await admins(book, 3)
    bob = await book.arrive("uid-bob")
    proposal = await proposed(book, one, bob, grant=True)

    outcomes = await asyncio.gather(
        *(
            book.roles.decide_admin(viewer, proposal.id, approve=approve)
            for viewer, approve in zip((two, three), approvals, strict=True)
        )
    )

    decided = [outcome for outcome in outcomes if isinstance(outcome, RoleProposal)]
    assert len(decided) == 1
    assert AlreadyDecided() in outcomes
    approved = decided[0].state is ProposalState.APPROVED
    assert (Role.ADMIN in await roles_of(book, bob)) is approved
    told = [e for e in await book.told(bob.user_id) if e.type == "user.roles_changed"]
    assert len(told) == approved


async def test_never_none_is_left_however_many_are_decided_at_once(book: Book) -> None:
    ring = await admins(book, 3)
    wishes = []
    for place, viewer in enumerate(ring):
        wishes.append(await proposed(book, ring[place - 1], viewer, grant=False))

    outcomes = await asyncio.gather(
        *(
            book.roles.decide_admin(ring[(place + 1) % 3], wish.id, approve=True)
            for place, wish in enumerate(wishes)
        )
    )

    assert sum(isinstance(outcome, RoleProposal) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, BadInput) for outcome in outcomes) == 1
    left = [viewer for viewer in ring if Role.ADMIN in await roles_of(book, viewer)]
    assert len(left) == 1


async def test_who_cannot_act_is_no_last_administrator(book: Book) -> None:
    one, two = await admins(book, 2)
    proposer = await book.arrive("uid-proposer")
    await book.account.freeze(two)

    last = await proposed(book, proposer, one, grant=False)
    frozen = await proposed(book, proposer, two, grant=False)

    assert isinstance(await book.roles.decide_admin(two, last.id, approve=True), BadInput)
    assert isinstance(await book.roles.decide_admin(one, frozen.id, approve=True), RoleProposal)


async def test_the_first_administrator_is_made_once(book: Book) -> None:
    ann, bob = await book.arrive(), await book.arrive("uid-bob")

    made = await asyncio.gather(
        *(make_first_admin(book.works, id_of(viewer), clock=book.clock) for viewer in (ann, bob))
    )

    assert sum(user is not None for user in made) == 1
    (first,) = [user for user in made if user]
    assert first.roles == {Role.USER, Role.ADMIN}
    line = (await book.lines(first.id))[0]
    assert (line.action, line.actor_id, line.agent) == ("role.granted", None, "operator")
    assert await make_first_admin(book.works, UserId(new_uuid7()), clock=book.clock) is None


async def test_who_was_erased_meanwhile_is_made_no_administrator(book: Book) -> None:
    one, two = await admins(book, 2)
    bob = await book.arrive("uid-bob")
    proposal = await proposed(book, one, bob, grant=True)
    await book.account.request_erasure(bob)
    book.clock.move(days=15)
    await book.erasure.erase_due()

    assert isinstance(await book.roles.decide_admin(two, proposal.id, approve=True), NotFound)
    assert await roles_of(book, bob) == {Role.USER}
    refused = await book.roles.decide_admin(two, proposal.id, approve=False)
    assert isinstance(refused, RoleProposal)
    assert await book.roles.open_proposals(one) == []


async def test_an_erased_administrator_is_none(book: Book) -> None:
    (admin,) = await admins(book, 1)
    bob = await book.arrive("uid-bob")
    await book.account.request_erasure(admin)
    book.clock.move(days=15)
    await book.erasure.erase_due()

    assert await roles_of(book, admin) == {Role.USER}
    assert isinstance(await book.roles.grant(bob, id_of(admin), Role.SUPPORT), NotFound)
    assert await make_first_admin(book.works, id_of(admin), clock=book.clock) is None
    assert await make_first_admin(book.works, id_of(bob), clock=book.clock) is not None
