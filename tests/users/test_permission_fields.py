"""``can``: what one may do, and what stands in the way, as the mutation itself would say it."""

import pytest

from domain.users import Action
from tests.users.api import Api
from tests.users.conftest import Book

CAN = """query ($action: Action!) { viewer { can(action: $action) {
    allowed obstacles { error { code path ... on StepUpRequired { methods } } unblockedBy } } } }"""


@pytest.fixture
def api(book: Book) -> Api:
    return Api(book)


@pytest.mark.parametrize(
    "action",
    [
        Action.UPDATE_PROFILE,
        Action.REVOKE_SESSION,
        Action.FREEZE_ACCOUNT,
        Action.TRANSFER_FUNDS,
        Action.REQUEST_STATEMENT,
    ],
)
async def test_one_may_do_what_needs_no_proof(api: Api, action: Action) -> None:
    ann = await api.book.arrive()

    assert (await api.data(CAN, ann, action=action.value))["viewer"]["can"] == {
        "allowed": True, "obstacles": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "name"),
    [(Action.EXPORT_DATA, "exportMyData"), (Action.ERASE_ACCOUNT, "eraseMyAccount")],
)
async def test_can_says_what_the_mutation_would_say(api: Api, action: Action, name: str) -> None:
    weak = await api.book.arrive()
    asked = (await api.data(CAN, weak, action=action.value))["viewer"]["can"]
    real = await api.change(weak, name)
    ann = await api.proven()
    allowed = (await api.data(CAN, ann, action=action.value))["viewer"]["can"]

    assert asked == {"allowed": False, "obstacles": [{
        "error": {"code": real["code"], "path": real["path"], "methods": []},
        "unblockedBy": "Firebase: sign in again with the second factor",
    }]}  # fmt: skip
    assert allowed == {"allowed": True, "obstacles": []}
    assert api.book.grants.spent == set()  # asking spends nothing
    assert (await api.change(ann, name))["__typename"].endswith("Success")


async def test_can_speaks_of_kyc_wallets_and_roles(api: Api) -> None:
    ann = await api.proven()
    api.book.holds.why, api.book.holds.identity_locked = ("POSITIONS",), True

    async def obstacles(action: Action) -> list[tuple[str, str | None]]:
        found = (await api.data(CAN, ann, action=action.value))["viewer"]["can"]["obstacles"]
        return [(o["error"]["code"], o["unblockedBy"]) for o in found]

    assert await obstacles(Action.ERASE_ACCOUNT) == [("CANNOT_ERASE", None)]
    assert await obstacles(Action.UPDATE_LEGAL_IDENTITY) == [("LEGAL_IDENTITY_LOCKED", None)]
    for action in (Action.USE_BACK_OFFICE, Action.REVEAL_PERSONAL_DATA, Action.CHANGE_ROLES):
        assert await obstacles(action) == [("FORBIDDEN", "Mutation.adminGrantRole")]
