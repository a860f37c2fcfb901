"""All that an operation works with, and the few steps that several of them share."""

import secrets
import string
from dataclasses import dataclass

from adapters.sandbox.identity.accounts import Account, given
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.mailbox import Mailbox, Message
from adapters.sandbox.identity.passwords import Passwords
from adapters.sandbox.identity.sessions import Sessions
from adapters.sandbox.identity.slips import Kind, Slips
from adapters.sandbox.identity.store import Store
from adapters.sandbox.identity.tokens import SignIn, Tokens
from domain.kernel.clock import Clock

_LETTERS = string.ascii_letters + string.digits
_UID_LENGTH = 28
_ACCOUNTS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Realm:
    """One project's identities."""

    project: str
    clock: Clock
    store: Store
    tokens: Tokens
    sessions: Sessions
    slips: Slips
    mailbox: Mailbox
    passwords: Passwords

    def now(self) -> float:
        return self.clock.now().timestamp()

    def new_account(self, uid: str | None = None) -> Account:
        """An empty account, not saved yet. Raises Refused."""
        if self.store.count() >= _ACCOUNTS_MAX:
            raise Refused("QUOTA_EXCEEDED", "This sandbox keeps no more accounts")
        return Account(uid=uid or random_id(), created_at=self.now())

    def entered(self, account: Account, provider: str, answer: Answer) -> Answer:
        """``answer`` with tokens, or with what is needed to give the second factor.

        Raises Refused: USER_DISABLED.
        """
        if account.disabled:
            raise Refused("USER_DISABLED")
        now = self.now()
        if account.factors:
            self.store.save(account)
            pending = {"uid": account.uid, "provider": provider}
            slip = self.slips.give(Kind.PENDING, pending, now=now)
            return answer | {"mfaPendingCredential": slip, "mfaInfo": account.enrolments()}
        return answer | self.sessions.begun(account, SignIn(provider, int(now)), now=now)

    def set_password(self, account: Account, kept: str) -> None:
        """Every session signed in before is over."""
        account.password = kept
        account.password_changed_at = self.now()
        self.sessions.revoke(account, since=int(self.now()))

    def send_code(self, phone: str, purpose: dict[str, str]) -> str:
        """A text message; returns the ``sessionInfo`` its code belongs to."""
        code = f"{secrets.randbelow(10**6):06d}"
        now = self.now()
        slip = self.slips.give(Kind.SMS, {"phone": phone, "code": code, **purpose}, now=now)
        text = f"{code} is your verification code for {self.project}."
        self.mailbox.put(Message(now, phone, "Verification code", text, code=code))
        return slip

    def read_code(self, slip: str, code: str, purpose: dict[str, str]) -> str:
        """The phone number the code was sent to; the slip is used up. Raises Refused."""
        sent = self.slips.look(Kind.SMS, slip, now=self.now())
        if sent is None:
            raise Refused("SESSION_EXPIRED")
        if any(sent.get(name) != value for name, value in purpose.items()):
            raise Refused("INVALID_SESSION_INFO")
        if not secrets.compare_digest(sent["code"].encode(), code.encode()):
            raise self.slips.wrong(slip)
        self.slips.use(slip)
        return str(sent["phone"])


def random_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_UID_LENGTH))


def summary(kind: str, account: Account) -> Answer:
    """What most answers say of an account."""
    return given(
        {
            "kind": f"identitytoolkit#{kind}",
            "localId": account.uid,
            "email": account.email,
            "displayName": account.name,
            "photoUrl": account.photo_url,
        }
    )
