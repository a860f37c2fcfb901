"""The control plane: what `./dev token` and `./dev totp` ask.

Like the exchange's: loopback only, and every request carries the token of this run.
"""

import hmac

from starlette.requests import Request

from adapters.sandbox.identity import totp
from adapters.sandbox.identity.accounts import PASSWORD_PROVIDER, Account, Factor
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.demo import DOMAIN
from adapters.sandbox.identity.realm import Realm
from adapters.sandbox.identity.requests import Body
from adapters.sandbox.identity.tokens import SignIn

HEADER = "x-okd-control"


class Control:
    def __init__(self, realm: Realm, *, token: str) -> None:
        if not token:
            raise ValueError("the control plane needs a token that is not empty")
        self._realm = realm
        self._token = token.encode()

    def authorise(self, request: Request) -> None:
        """Raises Refused."""
        given = request.headers.get(HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(given, self._token):
            raise Refused("WRONG_TOKEN", f"send this run's token in {HEADER}", status=401)

    async def token(self, body: Body) -> Answer:
        """A fresh ID token, as if ``user`` had signed in now; with TOTP when asked."""
        account = self._named(body)
        if account.disabled:
            raise Refused("USER_DISABLED")
        now = self._realm.now()
        sign_in = SignIn(PASSWORD_PROVIDER, int(now))
        if body.flag("secondFactor"):
            factor = _app_of(account)
            sign_in = SignIn(PASSWORD_PROVIDER, int(now), factor.kind, factor.id)
        with self._realm.store.transaction():
            return self._realm.sessions.begun(account, sign_in, now=now)

    async def code(self, body: Body) -> Answer:
        """The TOTP code of ``user`` that would be taken now."""
        return {"code": totp.usable_code(_app_of(self._named(body)), self._realm.now())}

    def _named(self, body: Body) -> Account:
        user = body.needed("user", "MISSING_USER").lower()
        email = user if "@" in user else f"{user}@{DOMAIN}"
        account = self._realm.store.by_email(email)
        if account is None:
            raise Refused("USER_NOT_FOUND", f"nobody here has the address {email}")
        return account


def _app_of(account: Account) -> Factor:
    factor = next((factor for factor in account.factors if factor.secret), None)
    if factor is None:
        raise Refused("MFA_ENROLLMENT_NOT_FOUND", "this account has no authenticator app")
    return factor
