"""firebase-admin itself, blocking. Imported by a thread of its own: it costs most of a second.

    raised by firebase-admin                                      becomes
    +-- UserNotFoundError                                         None: there is no such account
    +-- UnavailableError, InternalError, UnknownError, Resource-
    |   Exhausted, TooManyAttempts, google.auth TransportError    Unavailable
    +-- DeadlineExceededError                                     TimedOut
    +-- DefaultCredentialsError and other google.auth errors      Unavailable, and an error logged:
    |                                                             only an operator can mend it
    +-- KeyError, AttributeError: an answer nobody understands    Unavailable
    +-- any other FirebaseError, ValueError, TypeError            Rejected

Its exceptions quote tokens and addresses, so only their types are ever logged.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import firebase_admin
import structlog
from firebase_admin import auth, credentials, exceptions, tenant_mgt
from google.auth import credentials as google_credentials
from google.auth.exceptions import GoogleAuthError, TransportError

from domain.kernel.failures import Failure, Rejected, TimedOut, Unavailable
from domain.users.ports import FirebaseAccount

log = structlog.get_logger()

T = TypeVar("T")

WHAT = "identity service"
RETRY_AFTER_SECONDS = 2.0
_GONE = (
    exceptions.UnavailableError,
    exceptions.InternalError,
    exceptions.UnknownError,
    exceptions.ResourceExhaustedError,
    TransportError,
    KeyError,
    AttributeError,
)
_RAISED = (exceptions.FirebaseError, GoogleAuthError, ValueError, TypeError, *_GONE)


class _Keyless(credentials.Base):  # type: ignore[misc]  # firebase-admin has no types
    """For an identity service that asks for no key: the sandbox's."""

    def get_credential(self) -> google_credentials.Credentials:
        return google_credentials.AnonymousCredentials()  # type: ignore[no-untyped-call]  # google's


class Sdk:
    """One named app: the default one is anybody's, and its options would be, too."""

    def __init__(
        self, *, project: str, tenant: str, service_account: str | None, timeout_seconds: float
    ) -> None:
        """``service_account``: its JSON, or None for a service without keys. Raises ValueError."""
        credential = _Keyless() if service_account is None else _credential(service_account)
        # Half: firebase-admin repeats a request that timed out, also those that write.
        options = {"projectId": project, "httpTimeout": max(1.0, timeout_seconds / 2)}
        self._app = firebase_admin.initialize_app(credential, options, name=f"okd-{id(self)}")
        self.client: Any = (
            tenant_mgt.auth_for_tenant(tenant, app=self._app) if tenant else auth.Client(self._app)
        )

    def close(self) -> None:
        firebase_admin.delete_app(self._app)


def translated(ask: Callable[[], T]) -> T | None:
    """What ``ask`` gives; None when there is no such account. Raises Unavailable and its like."""
    try:
        return ask()
    except auth.UserNotFoundError:
        return None
    except _RAISED as error:
        raise _failure_of(error) from None  # its text quotes what was sent


def account_of(record: Any) -> FirebaseAccount:  # noqa: ANN401  # auth.UserRecord has no types
    # The SDK has no API for second factors; what it was answered has them.
    raw: dict[str, Any] = getattr(record, "_data", {})
    factors: dict[str, datetime] = {}
    for enrolled in raw.get("mfaInfo") or []:
        kind = "totp" if "totpInfo" in enrolled else "phone"
        since = datetime.fromisoformat(str(enrolled["enrolledAt"]))
        if since.tzinfo is None:
            raise KeyError("an instant without an offset")
        # The newest of a kind: a sign-in does not say which one it used, and whoever stole a
        # session may have enrolled theirs beside the owner's.
        factors[kind] = max(since, factors.get(kind, since))
    valid_since = int(record.tokens_valid_after_timestamp or 0) / 1000
    return FirebaseAccount(
        disabled=bool(record.disabled),
        valid_since=datetime.fromtimestamp(valid_since, UTC),
        second_factors=factors,
    )


def _failure_of(error: Exception) -> Failure:
    kind = type(error).__name__
    if isinstance(error, exceptions.DeadlineExceededError):
        return TimedOut(WHAT)
    if isinstance(error, _GONE):
        log.warning("identity_service_failed", kind=kind)
        return Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS)
    if isinstance(error, GoogleAuthError):
        log.error("identity_service_not_let_in", kind=kind)
        return Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS)
    log.warning("identity_service_refused", kind=kind)
    return Rejected(WHAT)


def _credential(text: str) -> credentials.Base:
    try:
        return credentials.Certificate(json.loads(text))
    except (ValueError, TypeError):
        raise ValueError("this is not the JSON of a service account") from None
