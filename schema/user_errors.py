"""Every reason why the platform says no about accounts, as clients see it."""

import strawberry

import domain.events
import domain.kernel.errors
import domain.users.errors
from schema._shared import UserError
from schema._view import view_of


@view_of(
    domain.kernel.errors.Unauthenticated,
    description="Nobody is signed in, and this needs somebody.",
)
class Unauthenticated(UserError):
    pass


@view_of(domain.kernel.errors.Forbidden, description="The caller is known and may not.")
class Forbidden(UserError):
    pass


@view_of(
    domain.kernel.errors.BadInput,
    description="A value of the right type that makes no sense here; `path` says which.",
)
class BadInput(UserError):
    pass


@view_of(domain.users.errors.TokenInvalid, description="The ID token is not one of ours.")
class TokenInvalid(UserError):
    pass


@view_of(domain.users.errors.TokenExpired, description="The ID token is over: refresh it.")
class TokenExpired(UserError):
    pass


@view_of(domain.users.errors.SessionEnded, description="The session is over: sign in again.")
class SessionEnded(UserError):
    pass


@view_of(
    domain.users.errors.RolesChanged, description="The caller may other things: connect again."
)
class RolesChanged(UserError):
    pass


@view_of(domain.users.errors.AccountFrozen, description="Only support reaches the account.")
class AccountFrozen(UserError):
    pass


@view_of(domain.users.errors.AccountErased, description="The account is gone for good.")
class AccountErased(UserError):
    pass


@view_of(
    domain.users.errors.EmailNotVerified, description="The account's address is not verified yet."
)
class EmailNotVerified(UserError):
    pass


@view_of(
    domain.users.errors.StepUpRequired,
    description="Proof is needed that it is still you: sign in again with a second factor, then "
    "repeat the very same operation.",
)
class StepUpRequired(UserError):
    max_age_seconds: int = strawberry.field(description="How old that sign-in may be.")
    methods: list[str] = strawberry.field(
        description="Second factors that count and you have, `totp` or `phone`. Empty: enrol one "
        "first; a new one counts after a day."
    )


@view_of(
    domain.users.errors.LegalIdentityLocked,
    description="The legal identity was submitted for verification and is not edited here.",
)
class LegalIdentityLocked(UserError):
    pass


@view_of(
    domain.kernel.errors.NotFound,
    description="There is no such thing, or it is not yours to see: both look the same.",
)
class NotFound(UserError):
    pass


@view_of(
    domain.users.errors.CannotErase, description="The account still holds what must not vanish."
)
class CannotErase(UserError):
    reasons: list[str] = strawberry.field(
        description="What it holds: `BALANCES`, `POSITIONS`, `LEGAL_HOLD`."
    )


@view_of(domain.users.errors.OwnRoles, description="Nobody changes their own roles.")
class OwnRoles(UserError):
    pass


@view_of(
    domain.kernel.errors.NeedsSecondPerson,
    description="Who proposed something cannot decide it.",
)
class NeedsSecondPerson(UserError):
    pass


@view_of(domain.kernel.errors.AlreadyDecided, description="The proposal is no longer open.")
class AlreadyDecided(UserError):
    pass


@view_of(
    domain.events.ResyncRequired,
    description="The cursor is older than what is kept: read the account anew, then follow on.",
)
class ResyncRequired(UserError):
    oldest_cursor: str = strawberry.field(description="Everything after this one is still kept.")


@view_of(domain.kernel.errors.RateLimited, description="It was done too often; it passes.")
class RateLimited(UserError):
    retry_after_ms: int = strawberry.field(description="When there is one more.")


StaffRefusal = Forbidden | Unauthenticated
"""What the guard says where staff is asked for: see ``guard_errors``."""
StepUpRefusal = StepUpRequired | SessionEnded | AccountFrozen
"""What it says besides where a step-up is asked for."""

USER_ERRORS = (
    Unauthenticated,
    Forbidden,
    BadInput,
    TokenInvalid,
    TokenExpired,
    SessionEnded,
    RolesChanged,
    AccountFrozen,
    AccountErased,
    EmailNotVerified,
    StepUpRequired,
    LegalIdentityLocked,
    NotFound,
    CannotErase,
    OwnRoles,
    NeedsSecondPerson,
    AlreadyDecided,
    ResyncRequired,
    RateLimited,
)
