"""What firebase-admin does: make, look up, change, disable, revoke, delete, list."""

from itertools import chain

import orjson

from adapters.sandbox.identity.accounts import Account
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.profiles import LOOKED_UP, change_profile, unlink, updated
from adapters.sandbox.identity.realm import Realm, summary
from adapters.sandbox.identity.requests import Body

_CLAIMS_LENGTH_MAX = 1000
_UID_LENGTH_MAX = 128
_PAGE_MAX = 1000
# Names that are Firebase's own in a token.
_RESERVED = {
    "acr", "amr", "at_hash", "aud", "auth_time", "azp", "cnf", "c_hash", "exp", "firebase", "iat",
    "iss", "jti", "nbf", "nonce", "sub", "user_id",
}  # fmt: skip


class Administration:
    """Identity Toolkit v1 projects/{project}/accounts..."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    async def create(self, body: Body) -> Answer:
        uid, password = body.text("localId"), body.text("password")
        if uid is not None and not 0 < len(uid) <= _UID_LENGTH_MAX:
            raise Refused("INVALID_LOCAL_ID")
        kept = await self._realm.passwords.hashed(password) if password else None
        store = self._realm.store
        with store.transaction():
            if uid and store.by_uid(uid):
                raise Refused("DUPLICATE_LOCAL_ID")
            account = self._realm.new_account(uid)
            self._change(account, body, kept)
            account.disabled = body.flag("disabled") or account.disabled
            store.save(account)
            return summary("SignupNewUserResponse", account)

    async def look_up(self, body: Body) -> Answer:
        store = self._realm.store
        federated = [
            store.by_link(part.text("providerId") or "", part.text("rawId") or "")
            for part in body.parts("federatedUserId")
        ]
        found = chain(
            map(store.by_uid, body.texts("localId")),
            (store.by_email(email.lower()) for email in body.texts("email")),
            map(store.by_phone, body.texts("phoneNumber")),
            federated,
        )
        by_uid = {account.uid: account for account in found if account is not None}
        users = [account.shown() for account in by_uid.values()]
        return {"kind": LOOKED_UP} | ({"users": users} if users else {})

    async def update(self, body: Body) -> Answer:
        uid, password = body.needed("localId", "MISSING_LOCAL_ID"), body.text("password")
        kept = await self._realm.passwords.hashed(password) if password else None
        with self._realm.store.transaction():
            account = self._realm.store.by_uid(uid)
            if account is None:
                raise Refused("USER_NOT_FOUND")
            self._change(account, body, kept)
            unlink(account, body.texts("deleteProvider"))
            since = body.whole("validSince")
            if since is not None:
                self._realm.sessions.revoke(account, since=since)
            self._realm.store.save(account)
            return updated(account)

    async def delete(self, body: Body) -> Answer:
        if not self._realm.store.delete(body.needed("localId", "MISSING_LOCAL_ID")):
            raise Refused("USER_NOT_FOUND")
        return {"kind": "identitytoolkit#DeleteAccountResponse"}

    async def delete_many(self, body: Body) -> Answer:
        """Unless forced, only who is disabled; the others are told one by one."""
        errors = []
        with self._realm.store.transaction():
            for index, uid in enumerate(body.texts("localIds")):
                account = self._realm.store.by_uid(uid)
                if account is not None and not account.disabled and not body.flag("force"):
                    message = "NOT_DISABLED : Disable the account before batch deletion."
                    errors.append({"index": index, "localId": uid, "message": message})
                elif account is not None:
                    self._realm.store.delete(uid)
        return {"errors": errors} if errors else {}

    async def page(self, body: Body) -> Answer:
        limit = min(body.whole("maxResults") or _PAGE_MAX, _PAGE_MAX)
        accounts = self._realm.store.page(body.text("nextPageToken") or "", limit)
        answer: Answer = {
            "kind": "identitytoolkit#DownloadAccountResponse",
            "users": [account.shown() for account in accounts],
        }
        return answer | ({"nextPageToken": accounts[-1].uid} if len(accounts) == limit else {})

    def _change(self, account: Account, body: Body, kept: str | None) -> None:
        self._move(account, body)
        change_profile(account, body)
        account.email_verified = _or(body.flag("emailVerified"), account.email_verified)
        account.disabled = _or(body.flag("disableUser"), account.disabled)
        claims = body.text("customAttributes")
        if claims is not None:
            account.claims = _checked(claims)
        if kept is not None:
            self._realm.set_password(account, kept)

    def _move(self, account: Account, body: Body) -> None:
        """A new address or number, when nobody else has it."""
        email, phone = body.email(), body.phone()
        holder = self._realm.store.by_email(email) if email else None
        if holder is not None and holder.uid != account.uid:
            raise Refused("EMAIL_EXISTS")
        if email and email != account.email:
            account.email, account.email_verified = email, False
        holder = self._realm.store.by_phone(phone) if phone else None
        if holder is not None and holder.uid != account.uid:
            raise Refused("PHONE_NUMBER_EXISTS")
        account.phone = phone or account.phone


def _checked(text: str) -> str:
    if len(text) > _CLAIMS_LENGTH_MAX:
        raise Refused("CLAIMS_TOO_LARGE")
    try:
        claims = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        claims = None
    if not isinstance(claims, dict):
        raise Refused("INVALID_CLAIMS")
    for name in claims:
        if name in _RESERVED:
            raise Refused("FORBIDDEN_CLAIM", name)
    return text if claims else ""


def _or(value: bool | None, otherwise: bool) -> bool:  # noqa: FBT001  # a value, not a switch
    return otherwise if value is None else value
