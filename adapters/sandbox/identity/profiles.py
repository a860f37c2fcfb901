"""What somebody signed in does with their own account: look, change, unlink, delete."""

from adapters.sandbox.identity.accounts import PASSWORD_PROVIDER, PHONE_PROVIDER, Account
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.links import Links
from adapters.sandbox.identity.realm import Realm, summary
from adapters.sandbox.identity.requests import Body

LOOKED_UP = "identitytoolkit#GetAccountInfoResponse"
_NAME_LENGTH_MAX = 256


class Profiles:
    """Identity Toolkit v1 accounts:lookup, :update, :delete, :createAuthUri."""

    def __init__(self, realm: Realm, links: Links) -> None:
        self._realm = realm
        self._links = links

    async def look_up(self, body: Body) -> Answer:
        caller = self._realm.sessions.caller(body.text("idToken"))
        return {"kind": LOOKED_UP, "users": [caller.account.shown()]}

    async def update(self, body: Body) -> Answer:
        code, password = body.text("oobCode"), body.text("password")
        if code:
            return self._links.apply(code)
        kept = await self._realm.passwords.hashed(password) if password else None
        sessions, now = self._realm.sessions, self._realm.now()
        with self._realm.store.transaction():
            token, email = body.text("idToken"), body.email()
            if kept is not None or email:
                caller = sessions.recent_caller(token, now=now)
            else:
                caller = sessions.caller(token)
            account = caller.account
            if email and email != account.email:
                # As Google does with its protection against guessed addresses, which is on by
                # default: only an address that answered a mail becomes somebody's.
                detail = "Please verify the new email before changing email."
                raise Refused("OPERATION_NOT_ALLOWED", detail)
            change_profile(account, body)
            unlink(account, body.texts("deleteProvider"))
            tokens: Answer = {}
            if kept is not None:
                if not account.email:
                    raise Refused("MISSING_EMAIL")
                self._realm.set_password(account, kept)
                tokens = sessions.renewed(account, caller.sign_in, now=now)
            self._realm.store.save(account)
            return updated(account) | tokens

    async def delete(self, body: Body) -> Answer:
        with self._realm.store.transaction():
            caller = self._realm.sessions.recent_caller(body.text("idToken"), now=self._realm.now())
            self._realm.store.delete(caller.account.uid)
        return {"kind": "identitytoolkit#DeleteAccountResponse"}

    async def providers_of_address(self, body: Body) -> Answer:
        """Tells nobody who has an account: Google's answer under its protection."""
        body.needed("identifier", "MISSING_IDENTIFIER")
        body.needed("continueUri", "MISSING_CONTINUE_URI")
        return {"kind": "identitytoolkit#CreateAuthUriResponse", "sessionId": "sandbox"}


def change_profile(account: Account, body: Body) -> None:
    """Names and pictures; raises Refused."""
    for field, attribute in (("displayName", "name"), ("photoUrl", "photo_url")):
        value = body.text(field)
        if value is not None:
            if field == "displayName" and len(value) > _NAME_LENGTH_MAX:
                raise Refused("INVALID_DISPLAY_NAME", "Too long.")
            setattr(account, attribute, value or None)
    removed = body.texts("deleteAttribute")
    if "DISPLAY_NAME" in removed:
        account.name = None
    if "PHOTO_URL" in removed:
        account.photo_url = None


def unlink(account: Account, providers: list[str]) -> None:
    for provider in providers:
        if provider == PHONE_PROVIDER:
            account.phone = None
        elif provider == PASSWORD_PROVIDER:
            account.password = None
        else:
            account.unlink(provider)


def updated(account: Account) -> Answer:
    told = summary("SetAccountInfoResponse", account)
    told["providerUserInfo"] = account.providers()
    if account.email:
        told["emailVerified"] = account.email_verified
    return told
