"""What a profile and settings may hold: whatever is given, what is kept makes sense."""

from dataclasses import replace
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId, new_uuid7
from domain.users.changes import (
    ABSENT,
    ChannelChoice,
    ProfileChange,
    SettingsChange,
    changed_profile,
    changed_settings,
)
from domain.users.errors import LegalIdentityLocked
from domain.users.model import (
    Channel,
    Locale,
    Profile,
    QuietHours,
    Settings,
    Theme,
    Topic,
    default_settings,
)

ANN = UserId(new_uuid7())
TODAY = date(2026, 11, 22)
FULL = Profile(ANN, "Ann", "Ann Lee", "1990-05-06", "DE", "+4915112345678", "Europe/Berlin")
WORDS = st.none() | st.text(max_size=120) | st.sampled_from(["Ann", "DE", "+15550100", "UTC"])
FIELDS = ("display_name", "legal_name", "date_of_birth", "country", "phone")
CHANGES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(FIELDS, WORDS)
    | {"time_zone": st.text(max_size=30) | st.sampled_from(["UTC", "Asia/Tokyo", "../etc/passwd"])}
    | {"date_of_birth": st.dates().map(str) | st.text(max_size=12)},
)


@given(given_fields=CHANGES, locked=st.booleans())
def test_a_profile_changes_as_a_whole_or_not_at_all(
    given_fields: dict[str, Any], locked: bool
) -> None:
    changed = changed_profile(FULL, ProfileChange(**given_fields), locked=locked, today=TODAY)

    if not isinstance(changed, Profile):
        assert isinstance(changed, BadInput | LegalIdentityLocked)
        return
    assert changed == replace(FULL, **given_fields)
    for name in (changed.display_name, changed.legal_name):
        assert name is None or (name.strip() and len(name) <= 100 and name.isprintable())
    ZoneInfo(changed.time_zone)
    if changed.date_of_birth is not None:
        born = date.fromisoformat(changed.date_of_birth)
        assert date(1906, 1, 1) <= born < TODAY
        assert str(born) == changed.date_of_birth
    if locked:
        assert changed.legal_name == FULL.legal_name
        assert changed.date_of_birth == FULL.date_of_birth
        assert changed.country == FULL.country


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("display_name", text) for text in ("", "  ", "a\nb", "x" * 101, "a\x00")),
        *(("country", text) for text in ("de", "DEU", "D", "D1", "Д1", "DE\n")),
        *(
            ("phone", text)
            for text in ("0151", "+0151123456", "+1 555 0100", "+" + "1" * 16, "+٣٣٣٣٣٣٣")
        ),
        *(
            ("date_of_birth", text)
            for text in ("2026-11-22", "2027-01-01", "1905-12-31", "19900506")
        ),
        *(("date_of_birth", text) for text in ("1990-W10-1", "1990-13-01", "0001-01-01", "x")),
        *(
            ("time_zone", text)
            for text in ("", "Nowhere/Land", "/etc/localtime", "../UTC", "a\x00b", "localtime")
        ),
        *(("time_zone", text) for text in ("posixrules", "right/UTC", "posix/UTC", "Factory")),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(field: str, value: str) -> None:
    refused = changed_profile(FULL, ProfileChange(**{field: value}), locked=False, today=TODAY)

    assert isinstance(refused, BadInput)
    assert refused.argument.lower() == field.replace("_", "")


@pytest.mark.parametrize("field", ["legal_name", "date_of_birth", "country"])
def test_what_kyc_holds_stays(field: str) -> None:
    for value in (None, "1991-01-01" if field == "date_of_birth" else "FR"):
        refused = changed_profile(FULL, ProfileChange(**{field: value}), locked=True, today=TODAY)  # type: ignore[arg-type]
        assert isinstance(refused, LegalIdentityLocked)
        assert refused.field.lower() == field.replace("_", "")
    same = ProfileChange(**{field: getattr(FULL, field)})
    assert changed_profile(FULL, same, locked=True, today=TODAY) == FULL


CHOICES = st.lists(
    st.builds(ChannelChoice, st.sampled_from(Topic), st.sampled_from(Channel), st.booleans()),
    max_size=12,
).map(tuple)
SETTINGS = st.builds(
    SettingsChange,
    notifications=CHOICES,
    display_currency=st.just(ABSENT) | st.sampled_from(["EUR", "eur", "", "USDT "]),
    locale=st.just(ABSENT) | st.sampled_from(Locale),
    theme=st.just(ABSENT) | st.sampled_from(Theme),
    quiet_hours=st.just(ABSENT) | st.none() | st.builds(QuietHours, st.times(), st.times()),
    confirm_orders=st.just(ABSENT) | st.booleans(),
)


@given(change=SETTINGS)
def test_security_always_reaches_the_inbox(change: SettingsChange) -> None:
    before = default_settings(ANN)

    after = changed_settings(before, change)

    assert before == default_settings(ANN)
    off = ChannelChoice(Topic.SECURITY, Channel.INBOX, on=False)
    if off in change.notifications:
        assert isinstance(after, BadInput)
    if isinstance(after, Settings):
        assert Channel.INBOX in after.notifications[Topic.SECURITY]
        last = {(c.topic, c.channel): c.on for c in change.notifications}
        for (topic, channel), on in last.items():
            assert (channel in after.notifications[topic]) is on
        assert after.display_currency in ("USDT", "EUR")
        assert after.quiet_hours is None or after.quiet_hours.start != after.quiet_hours.end


def test_quiet_hours_of_no_length_are_refused_and_may_span_midnight() -> None:
    before = default_settings(ANN)
    night = QuietHours(time(22), time(7))

    assert isinstance(
        changed_settings(before, SettingsChange(quiet_hours=QuietHours(time(7), time(7)))), BadInput
    )
    with_night = changed_settings(before, SettingsChange(quiet_hours=night))
    assert isinstance(with_night, Settings)
    assert with_night.quiet_hours == night
    without = changed_settings(with_night, SettingsChange(quiet_hours=None))
    assert isinstance(without, Settings)
    assert without.quiet_hours is None
