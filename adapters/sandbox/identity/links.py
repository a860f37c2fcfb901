"""Links that are mailed: verify an address, change it, reset a password."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from adapters.sandbox.identity.accounts import Account, given
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.mailbox import Message
from adapters.sandbox.identity.realm import Realm, summary
from adapters.sandbox.identity.requests import Body
from adapters.sandbox.identity.slips import Kind

ACTION_PATH = "/emulator/action"
RESET, VERIFY, CHANGE = "PASSWORD_RESET", "VERIFY_EMAIL", "VERIFY_AND_CHANGE_EMAIL"


@dataclass(frozen=True, slots=True)
class _Purpose:
    mode: str
    """As Firebase's links say it."""
    subject: str
    text: str


_PURPOSES = {
    RESET: _Purpose(
        "resetPassword", "Reset your password", "Follow the link to set a new password."
    ),
    VERIFY: _Purpose("verifyEmail", "Verify your address", "Follow the link to verify it is you."),
    CHANGE: _Purpose(
        "verifyAndChangeEmail",
        "Verify your new address",
        "Follow the link to sign in with this address from now on.",
    ),
}


class Links:
    """Identity Toolkit v1 accounts:sendOobCode and :resetPassword, and the page behind a link."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    async def send(self, body: Body, *, base: str, admin: bool = False) -> Answer:
        """Mail a link that leads to ``base``. Says nothing of whether an address is known."""
        kind = body.needed("requestType", "MISSING_REQ_TYPE")
        if kind not in _PURPOSES:
            raise Refused("INVALID_REQ_TYPE", kind[:40])
        account = self._receiver(kind, body, admin=admin)
        email = account.email if account else body.email()
        told: Answer = {"kind": "identitytoolkit#GetOobConfirmationCodeResponse"}
        if account is None or not account.email:
            if admin:
                raise Refused("EMAIL_NOT_FOUND")
            return told | {"email": email}
        link = {"email": account.email, "requestType": kind, "uid": account.uid}
        if kind == CHANGE:
            link["newEmail"] = self._free(body.email("newEmail"))
        with self._realm.store.transaction():
            slip, url = self._give(link, base, body.text("continueUrl"))
            if admin and body.flag("returnOobLink"):
                return told | {"email": email, "oobCode": slip, "oobLink": url}
            self._mail(kind, link.get("newEmail", account.email), url)
        return told | {"email": email}

    async def reset_password(self, body: Body) -> Answer:
        """Without a new password: only what the code is for, and whether it still is."""
        code = body.needed("oobCode", "MISSING_OOB_CODE")
        password = body.text("newPassword")
        link, account = self._read(code)
        told: Answer = {
            "kind": "identitytoolkit#ResetPasswordResponse",
            "requestType": link["requestType"],
            "email": link["email"],
        }
        if not password:
            return told | ({"newEmail": link["newEmail"]} if "newEmail" in link else {})
        if link["requestType"] != RESET:
            raise Refused("INVALID_OOB_CODE")
        kept = await self._realm.passwords.hashed(password)
        with self._realm.store.transaction():
            _, account = self._read(code)
            self._realm.slips.use(code)
            self._realm.set_password(account, kept)
            account.email_verified = True  # Who read the mail has the address.
            self._realm.store.save(account)
        return told

    def apply(self, code: str) -> Answer:
        """Do what a link is for that needs nothing but the click. Raises Refused."""
        with self._realm.store.transaction():
            link, account = self._read(code)
            if link["requestType"] == RESET:
                raise Refused("INVALID_OOB_CODE")
            if link["requestType"] == CHANGE:
                account.email = self._free(link["newEmail"])
                self._realm.sessions.revoke(account, since=int(self._realm.now()))
            account.email_verified = True
            self._realm.slips.use(code)
            self._realm.store.save(account)
        verified = {"emailVerified": account.email_verified}
        return summary("SetAccountInfoResponse", account) | verified

    def kind_of(self, code: str) -> str:
        """Raises Refused: INVALID_OOB_CODE."""
        return str(self._read(code)[0]["requestType"])

    def _receiver(self, kind: str, body: Body, *, admin: bool) -> Account | None:
        if kind == RESET or admin:
            email = body.email()
            if not email:
                raise Refused("MISSING_EMAIL")
            return self._realm.store.by_email(email)
        return self._realm.sessions.caller(body.text("idToken")).account

    def unused(self, base: str) -> list[Answer]:
        """``oobCodes`` as Google's emulator lists them."""
        slips = self._realm.slips.all(Kind.LINK, now=self._realm.now())
        return [
            given(
                {
                    "requestType": link["requestType"],
                    "email": link["email"],
                    "newEmail": link.get("newEmail"),
                    "oobCode": slip,
                    "oobLink": _url(slip, link, base),
                }
            )
            for slip, link in slips
        ]

    def _give(self, link: dict[str, str], base: str, then: str | None) -> tuple[str, str]:
        kept = link | ({"continueUrl": then} if then else {})
        slip = self._realm.slips.give(Kind.LINK, kept, now=self._realm.now())
        return slip, _url(slip, kept, base)

    def _mail(self, kind: str, to: str, url: str) -> None:
        purpose = _PURPOSES[kind]
        message = Message(self._realm.now(), to, purpose.subject, purpose.text, link=url)
        self._realm.mailbox.put(message)

    def _read(self, code: str) -> tuple[dict[str, Any], Account]:
        link = self._realm.slips.look(Kind.LINK, code, now=self._realm.now())
        account = None if link is None else self._realm.store.by_uid(link["uid"])
        # The address may have changed since: the link is to the old one.
        if link is None or account is None or account.email != link["email"]:
            raise Refused("INVALID_OOB_CODE")
        return link, account

    def _free(self, email: str | None) -> str:
        if not email:
            raise Refused("MISSING_NEW_EMAIL")
        if self._realm.store.by_email(email):
            raise Refused("EMAIL_EXISTS")
        return email


def _url(slip: str, link: dict[str, str], base: str) -> str:
    words = {"mode": _PURPOSES[link["requestType"]].mode, "lang": "en", "oobCode": slip}
    words["apiKey"] = "sandbox"
    if "continueUrl" in link:
        words["continueUrl"] = link["continueUrl"]
    return f"{base}{ACTION_PATH}?{urlencode(words)}"
