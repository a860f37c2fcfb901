"""What people send to change their own account, and how it becomes a command of the domain."""

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

import strawberry

import domain.users.changes
import domain.users.model
import schema.user_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.errors import BadInput
from domain.users.changes import ABSENT, ChannelChoice, ProfileChange, SettingsChange
from domain.users.model import NotificationId, SessionId
from schema._ids import decode_id

_HOUR = re.compile("[0-9]{2}:[0-9]{2}")


@strawberry.input(description="What to change; what is left out stays, null empties a field.")
class UpdateProfileInput:
    display_name: strawberry.Maybe[str | None] = strawberry.field(
        description="1 to 100 printable characters."
    )
    legal_name: strawberry.Maybe[str | None] = strawberry.field(
        description="1 to 100 printable characters."
    )
    date_of_birth: strawberry.Maybe[str | None] = strawberry.field(
        description="A past date, `YYYY-MM-DD`."
    )
    country: strawberry.Maybe[str | None] = strawberry.field(
        description="ISO 3166-1, two capital letters."
    )
    phone: strawberry.Maybe[str | None] = strawberry.field(
        description="E.164, such as `+4915112345678`."
    )
    time_zone: strawberry.Maybe[str | None] = strawberry.field(
        description="IANA name, such as `Europe/Berlin`; cannot be null."
    )

    def to_command(self) -> ProfileChange | BadInput:
        given = _given(self)
        return _null_problem(given, {"time_zone": "timeZone"}) or ProfileChange(**given)


@strawberry.input(description="One cell of the matrix of notifications.")
class NotificationChoiceInput:
    topic: domain.users.model.Topic = strawberry.field(description="About what.")
    channel: domain.users.model.Channel = strawberry.field(description="By which way.")
    on: bool = strawberry.field(description="Whether they come.")


@strawberry.input(description="When nothing but SECURITY may ring, in the profile's time zone.")
class QuietHoursInput:
    start: str = strawberry.field(description="`HH:MM`.")
    end: str = strawberry.field(description="`HH:MM`, not the same; may be the next morning.")

    def to_domain(self) -> domain.users.model.QuietHours | BadInput:
        start, end = _hour(self.start), _hour(self.end)
        if start is None or end is None:
            return BadInput("quietHours", "give both as HH:MM, such as 22:00.")
        return domain.users.model.QuietHours(start, end)


@strawberry.input(description="What to change; what is left out stays.")
class UpdateSettingsInput:
    notifications: list[NotificationChoiceInput] | None = strawberry.field(
        default=None,
        description="Cells to set; the others stay. SECURITY in the INBOX cannot be switched off.",
    )
    display_currency: strawberry.Maybe[str | None] = strawberry.field(
        description="An asset's code, such as `USDT`; cannot be null."
    )
    locale: strawberry.Maybe[domain.users.model.Locale | None] = strawberry.field(
        description="Cannot be null."
    )
    theme: strawberry.Maybe[domain.users.model.Theme | None] = strawberry.field(
        description="Cannot be null."
    )
    quiet_hours: strawberry.Maybe[QuietHoursInput | None] = strawberry.field(
        description="Null ends them."
    )
    confirm_orders: strawberry.Maybe[bool | None] = strawberry.field(description="Cannot be null.")

    def to_command(self) -> SettingsChange | BadInput:
        given = _given(self)
        problem = _null_problem(
            given,
            {
                "display_currency": "displayCurrency",
                "locale": "locale",
                "theme": "theme",
                "confirm_orders": "confirmOrders",
            },
        )
        if problem is not None:
            return problem
        if isinstance(quiet := given.get("quiet_hours"), QuietHoursInput):
            hours = quiet.to_domain()
            if isinstance(hours, BadInput):
                return hours
            given["quiet_hours"] = hours
        cells = tuple(
            ChannelChoice(cell.topic, cell.channel, cell.on) for cell in self.notifications or ()
        )
        return SettingsChange(notifications=cells, **given)


@strawberry.input(description="Which session.")
class RevokeSessionInput:
    session_id: strawberry.ID = strawberry.field(description="One of yours that lives.")

    def to_command(self) -> SessionId | BadInput:
        found = decode_id(self.session_id, "Session", argument="sessionId")
        return found if isinstance(found, BadInput) else SessionId(found)


@strawberry.input(description="Which notifications.")
class MarkNotificationsReadInput:
    ids: list[strawberry.ID] = strawberry.field(
        description="At most 100; those that are not yours change nothing."
    )

    def to_command(self) -> list[NotificationId] | BadInput:
        found = []
        for text in self.ids:
            decoded = decode_id(text, "Notification", argument="ids")
            if isinstance(decoded, BadInput):
                return decoded
            found.append(NotificationId(decoded))
        return found


def _given(change: object) -> dict[str, Any]:
    """The fields that were sent; null among them is None."""
    sent = vars(change).items()
    return {name: value.value for name, value in sent if isinstance(value, strawberry.Some)}


def _null_problem(given: Mapping[str, Any], labels: Mapping[str, str]) -> BadInput | None:
    for name, label in labels.items():
        if given.get(name, ABSENT) is None:
            return BadInput(label, "cannot be null; leave it out to keep it.")
    return None


def _hour(text: str) -> time | None:
    # Python reads 22+01 and T2200 as well, which are as long.
    try:
        return time.fromisoformat(text) if _HOUR.fullmatch(text) else None
    except ValueError:
        return None
