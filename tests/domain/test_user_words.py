"""What people and staff read of accounts: sentences in every language, and masked names."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.kernel.ids import UserId
from domain.users.inbox import TOLD
from domain.users.masking import initials, masked_email, masked_profile
from domain.users.model import Locale, Notification, NotificationId, Profile, SessionEnd, Topic
from domain.users.texts import CATALOGUE, text_of

SOMEBODY = UserId(UUID(int=1))
VALUES = {
    "by": "STAFF", "eraseAfter": "2026-12-06T15:00:00+00:00", "roles": "SUPPORT, USER",
    "asset": "USDT", "availableChange": "40.25",
}  # fmt: skip


def notification(code: str, **values: str) -> Notification:
    return Notification(
        id=NotificationId(UUID(int=2)),
        user_id=SOMEBODY,
        topic=Topic.SECURITY,
        code=code,
        values=values,
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        event_id=UUID(int=3),
    )


@pytest.mark.parametrize("locale", Locale)
def test_everything_that_is_told_has_words(locale: Locale):
    assert set(CATALOGUE[locale]) == {code for _, code in TOLD.values()}
    for code in CATALOGUE[locale]:
        text = text_of(notification(code, **VALUES), locale)
        assert not re.search(r"[{}]", text.title + text.body), code


def test_every_language_needs_the_same_values():
    def names(locale: Locale) -> dict[str, set[str]]:
        return {
            code: set(re.findall(r"{(\w+)}", text.body)) for code, text in CATALOGUE[locale].items()
        }

    assert names(Locale.RU) == names(Locale.EN)


@pytest.mark.parametrize("by", [end for end in SessionEnd if end is not SessionEnd.SIGNED_OUT])
@pytest.mark.parametrize("locale", Locale)
def test_why_a_session_ended_is_said_in_words(by: SessionEnd, locale: Locale):
    assert by.value not in text_of(notification("SESSION_ENDED", by=by.value), locale).body


def test_a_day_is_a_day():
    body = text_of(notification("ERASURE_REQUESTED", **VALUES), Locale.EN).body

    assert body.startswith("It will be erased on 2026-12-06 and")


def test_money_is_told_with_its_amount_and_without_its_sender():
    told = text_of(notification("MONEY_RECEIVED", **VALUES), Locale.EN)

    assert told.body == "Somebody sent you 40.25 USDT. It is in your wallet."


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        (None, None),
        ("ann@example.org", "a***@e***.org"),
        ("a@b.co.uk", "a***@b***.uk"),
        ("odd", "***@***"),
        ("root@localhost", "r***@***"),
        ('"a@b"@example.org', '"***@e***.org'),
    ],
)
def test_addresses_are_masked(email: str | None, masked: str | None):
    assert masked_email(email) == masked


@pytest.mark.parametrize(
    ("name", "shown"),
    [(None, None), ("", None), (" ", None), ("Ann", "A."), ("Ann  Maria Lee", "A. M. L.")],
)
def test_names_become_initials(name: str | None, shown: str | None):
    assert initials(name) == shown


def test_a_masked_profile_keeps_what_tells_people_apart():
    profile = Profile(SOMEBODY, "Ann", "Ann Lee", "2000-01-31", "DE", "+4915112345678")

    assert masked_profile(profile) == Profile(SOMEBODY, "A.", "A. L.", None, "DE", "***78")
    assert masked_profile(Profile(SOMEBODY)) == Profile(SOMEBODY)
