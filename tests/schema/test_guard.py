"""Step-up in front of a resolver: asked last, spent on one input, shown where it fits."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import pytest
import strawberry

from domain.kernel.errors import Unauthenticated as DomainUnauthenticated
from domain.kernel.ids import UserId
from domain.kernel.policy import Audience, FieldPolicy, StepUp
from domain.kernel.viewer import ANONYMOUS, Role, Viewer
from domain.users import ROLES_FOR, STEP_UP, Action
from domain.users.errors import StepUpRequired as DomainStepUpRequired
from resolvers.context import Info
from schema._guard import guard_errors
from schema._view import resolved_by, root_type, success_of, view_of, whole
from schema.authorization import guarded_fields
from schema.user_errors import Forbidden, StepUpRequired, Unauthenticated

ANN = Viewer(UserId(UUID(int=7)))
ADMIN = Viewer(UserId(UUID(int=8)), frozenset({Role.ADMIN}))
POLICY = FieldPolicy(Audience.STAFF, frozenset({Role.ADMIN}), step_up=StepUp(120))


@dataclass(frozen=True)
class Text:
    text: str


async def shout(info: Info, command: str) -> Text:
    return Text(command.upper())


async def whisper(info: Info, text: str, *, twice: bool = False) -> str:
    return text.lower() * (1 + twice)


@strawberry.input
class ShoutInput:
    text: str

    def to_command(self) -> str:
        return self.text


@view_of(Text, description="x")
class TextView:
    text: str


@success_of(Text, description="x")
class ShoutSuccess:
    said: TextView = whole(description="x")


Payload = Annotated[
    ShoutSuccess | StepUpRequired | Forbidden | Unauthenticated, strawberry.union("ShoutPayload")
]


@strawberry.type
class Mutations:
    shout: Payload = resolved_by(
        shout, description="x", policy=POLICY, takes=ShoutInput, payload=True
    )


@strawberry.type
class Queries:
    whisper: str | None = resolved_by(whisper, description="x", policy=POLICY)


SCHEMA = strawberry.Schema(
    root_type("Query", [Queries], description="x"),
    root_type("Mutation", [Mutations], description="x"),
)


@dataclass
class Check:
    """Lets nobody through twice with the same operation."""

    asked: list[tuple[int, str]] = field(default_factory=list)
    fields_denied: list[tuple[Viewer, str]] = field(default_factory=list)

    async def denied(self, viewer: Viewer, name: str) -> None:
        self.fields_denied.append((viewer, name))

    async def refusal(self, viewer: Viewer, wanted: StepUp, operation: str) -> Any:
        again = any(operation == before for _, before in self.asked)
        self.asked.append((wanted.max_age_seconds, operation))
        return DomainStepUpRequired(wanted.max_age_seconds, ("totp",)) if again else None


async def run(check: Check, document: str, viewer: Viewer = ADMIN) -> tuple[Any, list[Any]]:
    context = SimpleNamespace(viewer=viewer, users=SimpleNamespace(step_up=check, audit=check))
    result = await SCHEMA.execute(document, context_value=context)
    return result.data, [error.extensions for error in result.errors or ()]


SHOUT = """mutation { shout(input: {text: "%s"}) { ... on ShoutSuccess { said { text } }
    ... on UserError { code } ... on StepUpRequired { maxAgeSeconds methods } } }"""


async def test_a_payload_lists_the_step_up_it_wants():
    check = Check()

    first = await run(check, SHOUT % "a")
    again = await run(check, SHOUT % "a")
    other = await run(check, SHOUT % "b")

    assert first == ({"shout": {"said": {"text": "A"}}}, [])
    assert again == (
        {"shout": {"code": "STEP_UP_REQUIRED", "maxAgeSeconds": 120, "methods": ["totp"]}}, [],
    )  # fmt: skip
    assert other == ({"shout": {"said": {"text": "B"}}}, [])


async def test_elsewhere_it_is_an_error_with_what_to_do():
    check = Check()
    await run(check, '{ whisper(text: "A") }')

    data, errors = await run(check, '{ whisper(text: "A") }')

    assert data == {"whisper": None}
    assert errors == [{
        "code": "STEP_UP_REQUIRED", "userError": True, "maxAgeSeconds": 120, "methods": ["totp"],
    }]  # fmt: skip


async def test_every_argument_counts_and_none_is_told():
    check = Check()

    for arguments in ('text: "secret"', 'text: "secret", twice: true', 'text: "x"'):
        _, errors = await run(check, f"{{ whisper({arguments}) }}")
        assert errors == []

    assert len({operation for _, operation in check.asked}) == 3
    assert all(operation.startswith("whisper:") for _, operation in check.asked)
    assert not any("secret" in operation for _, operation in check.asked)


@pytest.mark.parametrize(("viewer", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (ANN, "FORBIDDEN")])
async def test_who_may_not_at_all_is_not_asked_to_prove_anything(viewer: Viewer, code: str):
    check = Check()

    data, _ = await run(check, SHOUT % "a", viewer)

    assert data == {"shout": {"code": code}}
    assert check.asked == []
    assert check.fields_denied == ([] if viewer is ANONYMOUS else [(ANN, "shout")])


def test_what_the_guard_may_answer():
    assert guard_errors(FieldPolicy(Audience.ANYONE)) == frozenset()
    assert guard_errors(FieldPolicy(Audience.SIGNED_IN)) == {DomainUnauthenticated}
    assert len(guard_errors(POLICY)) == 5


MEANT = {
    Action.EXPORT_DATA: ["Mutation.exportMyData"],
    Action.ERASE_ACCOUNT: ["Mutation.eraseMyAccount"],
    Action.USE_BACK_OFFICE: ["Query.admin"],
    Action.HELP_PEOPLE: [
        "Admin.users",
        "Admin.user",
        "AdminUser.profile",
        "AdminUser.sessions",
        "AdminUser.notes",
        "Mutation.adminFreezeUser",
        "Mutation.adminEndSessions",
        "Mutation.adminAddNote",
    ],
    Action.READ_AUDIT_LOG: ["Admin.auditLog", "Admin.auditCsv"],
    Action.REVEAL_PERSONAL_DATA: ["Mutation.adminRevealUser"],
    Action.UNFREEZE_ACCOUNTS: ["Mutation.adminUnfreezeUser"],
    Action.CHANGE_ROLES: [
        "Mutation.adminGrantRole",
        "Mutation.adminProposeAdministrator",
        "Mutation.adminDecideProposal",
    ],
    Action.READ_LEDGER: [
        "Admin.ledger",
        "AdminLedger.entries",
        "AdminLedger.entry",
        "AdminLedger.accounts",
        "AdminLedger.account",
        "AdminLedger.trialBalance",
        "AdminLedger.adjustments",
        "AdminLedger.stuckHolds",
    ],
    Action.FREEZE_WALLETS: ["Mutation.adminFreezeWallet"],
    Action.UNFREEZE_WALLETS: ["Mutation.adminUnfreezeWallet"],
    Action.CORRECT_LEDGER: [
        "Mutation.adminProposeAdjustment",
        "Mutation.adminProposeReversal",
        "Mutation.adminDecideAdjustment",
        "Mutation.adminVoidHold",
    ],
    Action.TRANSFER_FUNDS: ["Mutation.transferFunds"],
    Action.REQUEST_STATEMENT: ["Mutation.requestStatement"],
    Action.UPDATE_PROFILE: ["Mutation.updateProfile"],
    Action.UPDATE_LEGAL_IDENTITY: ["Mutation.updateProfile"],
    Action.REVOKE_SESSION: ["Mutation.revokeSession", "Mutation.revokeOtherSessions"],
    Action.FREEZE_ACCOUNT: ["Mutation.freezeMyAccount"],
}


@pytest.mark.parametrize("action", Action)
def test_can_asks_for_what_the_operations_ask_for(action: Action):
    policies = {str(guarded): guarded.policy for guarded in guarded_fields()}

    for name in MEANT[action]:
        assert policies[name].step_up == STEP_UP.get(action), name
        assert policies[name].roles == ROLES_FOR.get(action, frozenset()), name
