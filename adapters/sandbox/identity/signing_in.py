"""Signing up and in with e-mail and password or a phone number, and staying signed in."""

from adapters.sandbox.identity.accounts import PASSWORD_PROVIDER, PHONE_PROVIDER
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.realm import Realm, summary
from adapters.sandbox.identity.requests import Body

# An enrolment's code signs nobody in, and the other way round.
_PURPOSE = {"for": "sign-in"}


class SigningIn:
    """Identity Toolkit v1 accounts:signUp, :signInWith..., and Secure Token v1 token."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    async def sign_up(self, body: Body) -> Answer:
        """A new account; with an ID token, a password for the account that has it."""
        if "localId" in body:
            raise Refused("UNEXPECTED_PARAMETER", "User ID")
        email, password = body.email(), body.text("password")
        if not email and not password and "idToken" not in body:
            raise Refused("ADMIN_ONLY_OPERATION")  # anonymous sign-in is turned off
        if not email:
            raise Refused("MISSING_EMAIL")
        if not password:
            raise Refused("MISSING_PASSWORD")
        name, token = body.text("displayName"), body.text("idToken")
        kept = await self._realm.passwords.hashed(password)
        return self._link(token, email, kept) if token else self._make(email, kept, name)

    async def sign_in_with_password(self, body: Body) -> Answer:
        email = body.email()
        if not email:
            raise Refused("MISSING_EMAIL")
        password = body.needed("password", "MISSING_PASSWORD")
        account = self._realm.store.by_email(email)
        kept = account.password if account else None
        right = await self._realm.passwords.matches(password, kept)
        with self._realm.store.transaction():
            # Read anew: the world went on while the password was hashed.
            account = self._realm.store.by_email(email)
            if not right or account is None or account.password != kept:
                raise Refused("INVALID_LOGIN_CREDENTIALS")
            answer = summary("VerifyPasswordResponse", account) | {"registered": True}
            return self._realm.entered(account, PASSWORD_PROVIDER, answer)

    async def send_code(self, body: Body) -> Answer:
        phone = body.phone()
        if not phone:
            raise Refused("INVALID_PHONE_NUMBER", "Invalid format.")
        with self._realm.store.transaction():
            return {"sessionInfo": self._realm.send_code(phone, _PURPOSE)}

    async def sign_in_with_phone(self, body: Body) -> Answer:
        """With an ID token: the number becomes that account's."""
        slip = body.needed("sessionInfo", "MISSING_SESSION_INFO")
        phone = self._realm.read_code(slip, body.needed("code", "MISSING_CODE"), _PURPOSE)
        token = body.text("idToken")
        store = self._realm.store
        with store.transaction():
            account = store.by_phone(phone)
            if token:
                caller = self._realm.sessions.caller(token)
                if account is not None and account.uid != caller.account.uid:
                    raise Refused("PHONE_NUMBER_EXISTS")
                caller.account.phone = phone
                tokens = self._realm.sessions.continued(
                    caller.account, caller.sign_in, now=self._realm.now()
                )
                answer = {"localId": caller.account.uid, "isNewUser": False, **tokens}
                return answer | {"phoneNumber": phone}
            is_new = account is None
            account = account or self._realm.new_account()
            if account.factors:
                raise Refused("UNSUPPORTED_FIRST_FACTOR")
            account.phone = phone
            answer = {"localId": account.uid, "isNewUser": is_new, "phoneNumber": phone}
            return self._realm.entered(account, PHONE_PROVIDER, answer)

    async def refresh(self, body: Body) -> Answer:
        grant = body.text("grant_type") or body.text("grantType")
        if grant != "refresh_token":
            raise Refused("INVALID_GRANT_TYPE" if grant else "MISSING_GRANT_TYPE")
        token = body.text("refresh_token") or body.text("refreshToken")
        if not token:
            raise Refused("MISSING_REFRESH_TOKEN")
        with self._realm.store.transaction():
            return self._realm.sessions.refreshed(token, now=self._realm.now())

    def _make(self, email: str, kept: str, name: str | None) -> Answer:
        store = self._realm.store
        with store.transaction():
            if store.by_email(email):
                raise Refused("EMAIL_EXISTS")
            account = self._realm.new_account()
            account.email, account.name = email, name
            self._realm.set_password(account, kept)
            answer = summary("SignupNewUserResponse", account)
            return self._realm.entered(account, PASSWORD_PROVIDER, answer)

    def _link(self, token: str, email: str, kept: str) -> Answer:
        store, now = self._realm.store, self._realm.now()
        with store.transaction():
            caller = self._realm.sessions.recent_caller(token, now=now)
            account = caller.account
            holder = store.by_email(email)
            if holder is not None and holder.uid != account.uid:
                raise Refused("EMAIL_EXISTS")
            if account.email != email:
                account.email, account.email_verified = email, False
            self._realm.set_password(account, kept)
            tokens = self._realm.sessions.renewed(account, caller.sign_in, now=now)
            return summary("SignupNewUserResponse", account) | tokens
