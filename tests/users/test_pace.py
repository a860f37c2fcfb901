"""Changes are counted by person; what takes access away never is."""

import pytest

from tests.users.api import Api, session_id
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW


@pytest.fixture
def api(book: Book) -> Api:
    return Api(book)


async def test_too_many_changes_are_refused_with_the_time_to_wait(api: Api) -> None:
    ann = await api.book.arrive()
    asked = """mutation { updateSettings(input: {theme: DARK}) {
        __typename ... on RateLimited { code retryAfterMs } } }"""
    assert await api.data(asked, ann) == {"updateSettings": {"__typename": "UpdateSettingsSuccess"}}

    api.book.allowances.wait_seconds = 1.2345
    answer = await api.data(asked.replace("DARK", "LIGHT"), ann)

    assert answer["updateSettings"] == {
        "__typename": "RateLimited", "code": "RATE_LIMITED", "retryAfterMs": 1235,
    }  # fmt: skip
    assert (await api.book.account.settings(ann)).theme == "DARK"
    assert api.book.allowances.done == [(ann.user_id, "account")] * 2


async def test_a_refused_change_spends_no_step_up(api: Api) -> None:
    api.enrol("uid-ann")
    ann = await api.book.arrive(second_factor="totp", signed_in_at=NOW)
    api.book.allowances.wait_seconds = 1.0
    assert (await api.change(ann, "exportMyData"))["code"] == "RATE_LIMITED"

    api.book.allowances.wait_seconds = 0.0

    assert (await api.change(ann, "exportMyData"))["__typename"] == "ExportMyDataSuccess"


async def test_who_has_to_be_quick_is_not_counted(api: Api) -> None:
    ann = await api.book.arrive()
    laptop = await api.book.arrive(client=LAPTOP)
    api.book.allowances.wait_seconds = 60.0

    revoked = await api.change(ann, "revokeSession", sessionId=session_id(laptop))
    others = await api.change(ann, "revokeOtherSessions")
    frozen = await api.change(ann, "freezeMyAccount")

    assert [answer["__typename"] for answer in (revoked, others, frozen)] == [
        *("RevokeSessionSuccess", "RevokeOtherSessionsSuccess", "FreezeMyAccountSuccess"),
    ]
    assert api.book.allowances.done == []


async def test_without_who_counts_nobody_is_kept_out(api: Api) -> None:
    ann = await api.book.arrive()
    api.book.allowances.down = True

    answer = await api.change(ann, "updateSettings", theme="DARK")

    assert answer["__typename"] == "UpdateSettingsSuccess"
