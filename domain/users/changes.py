"""Changes people ask for: what a profile and settings may hold."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.kernel.errors import BadInput
from domain.users.errors import LegalIdentityLocked
from domain.users.model import Channel, Locale, Profile, QuietHours, Settings, Theme, Topic

NAME_LENGTH_MAX = 100
_NAME_ADVICE = f"give 1 to {NAME_LENGTH_MAX} printable characters."
_AGE_YEARS_MAX = 120
_COUNTRY = re.compile(r"[A-Z]{2}")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_CURRENCY = re.compile(r"[A-Z0-9]{2,12}")
# Files beside the zones: this machine's own, other clocks, and what stands for none.
_NO_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")
_LEGAL = {"legal_name": "legalName", "date_of_birth": "dateOfBirth", "country": "country"}


class Absent:
    """Stands for a field of a change that was not given; None means: empty it."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What to change; what is ABSENT stays."""

    display_name: str | Absent | None = ABSENT
    legal_name: str | Absent | None = ABSENT
    date_of_birth: str | Absent | None = ABSENT
    country: str | Absent | None = ABSENT
    phone: str | Absent | None = ABSENT
    time_zone: str | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """One cell of the notification matrix."""

    topic: Topic
    channel: Channel
    on: bool


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What to change; what is ABSENT stays."""

    notifications: tuple[ChannelChoice, ...] = ()
    display_currency: str | Absent = ABSENT
    locale: Locale | Absent = ABSENT
    theme: Theme | Absent = ABSENT
    quiet_hours: QuietHours | Absent | None = ABSENT
    confirm_orders: bool | Absent = ABSENT


def changed_profile(
    profile: Profile, change: ProfileChange, *, locked: bool, today: date
) -> Profile | LegalIdentityLocked | BadInput:
    """``profile`` with the change, when every given field may be and makes sense."""
    given = _given(change)
    if locked:
        for name, label in _LEGAL.items():
            if name in given and given[name] != getattr(profile, name):
                return LegalIdentityLocked(label)
    problem = _profile_problem(given, today)
    if problem is not None:
        return problem
    return replace(profile, **given)


def changed_settings(settings: Settings, change: SettingsChange) -> Settings | BadInput:
    """``settings`` with the change. SECURITY in the INBOX cannot be switched off."""
    given = _given(change)
    matrix = dict(settings.notifications)
    for choice in given.pop("notifications"):
        if not choice.on and (choice.topic, choice.channel) == (Topic.SECURITY, Channel.INBOX):
            return BadInput("notifications", "security messages always reach the inbox.")
        channels = matrix.get(choice.topic, frozenset())
        one = {choice.channel}
        matrix[choice.topic] = channels | one if choice.on else channels - one
    currency = given.get("display_currency")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        return BadInput("displayCurrency", "give an asset's code, such as USDT.")
    quiet = given.get("quiet_hours")
    if quiet is not None and quiet.start == quiet.end:
        return BadInput("quietHours", "start and end are the same; leave quiet hours out instead.")
    return replace(settings, notifications=matrix, **given)


def name_from_elsewhere(name: str | None) -> str | None:
    """What a profile may hold of a name that a token brought: people write what they like there."""
    kept = "".join(filter(str.isprintable, name or ""))[:NAME_LENGTH_MAX].strip()
    return kept or None


def _given(change: ProfileChange | SettingsChange) -> dict[str, Any]:
    values = {f.name: getattr(change, f.name) for f in fields(change)}
    return {name: value for name, value in values.items() if not isinstance(value, Absent)}


def _profile_problem(given: Mapping[str, str | None], today: date) -> BadInput | None:
    rules: tuple[tuple[str, str, Callable[[str], bool], str], ...] = (
        ("display_name", "displayName", _is_name, _NAME_ADVICE),
        ("legal_name", "legalName", _is_name, _NAME_ADVICE),
        (
            "date_of_birth",
            "dateOfBirth",
            lambda text: _is_birthday(text, today),
            "give a past date as YYYY-MM-DD.",
        ),
        ("country", "country", _is_country, "give two letters of ISO 3166-1, such as DE."),
        ("phone", "phone", _is_phone, "give it in E.164, such as +4915112345678."),
        ("time_zone", "timeZone", _is_time_zone, "give an IANA name, such as Europe/Berlin."),
    )
    for name, label, holds, advice in rules:
        value = given.get(name)
        if value is not None and not holds(value):
            return BadInput(label, advice)
    return None


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= NAME_LENGTH_MAX and text.isprintable()


def _is_country(text: str) -> bool:
    return _COUNTRY.fullmatch(text) is not None


def _is_phone(text: str) -> bool:
    return _PHONE.fullmatch(text) is not None


def _is_birthday(text: str, today: date) -> bool:
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return False
    # Python reads weeks and basic forms, too: one way to write a day is enough.
    return born.isoformat() == text and 0 < today.year - born.year <= _AGE_YEARS_MAX


def _is_time_zone(name: str) -> bool:
    if name.startswith(_NO_ZONES):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
