"""Personal data as staff sees it without need: enough to tell two people apart, no more."""

from dataclasses import replace

from domain.users.model import Profile

_HIDDEN = "***"


def masked_email(email: str | None) -> str | None:
    """``ann@example.org`` as ``a***@e***.org``."""
    if email is None:
        return None
    name, _, host = email.rpartition("@")
    label, dot, ending = host.rpartition(".")
    shown = f"{label[:1]}{_HIDDEN}.{ending}" if dot else _HIDDEN
    return f"{name[:1]}{_HIDDEN}@{shown}"


def initials(name: str | None) -> str | None:
    """``Ann Maria Lee`` as ``A. M. L.``, however many names; nothing of none."""
    if name is None:
        return None
    return " ".join(f"{word[0]}." for word in name.split()) or None


def masked_profile(profile: Profile) -> Profile:
    """Names as initials, the end of the telephone number, the country; no birthday."""
    return replace(
        profile,
        display_name=initials(profile.display_name),
        legal_name=initials(profile.legal_name),
        date_of_birth=None,
        phone=None if profile.phone is None else f"{_HIDDEN}{profile.phone[-2:]}",
    )
