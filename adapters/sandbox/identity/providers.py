"""Google and Apple as fake providers: whoever says who they are at them, is.

The ``id_token`` a client posts is the provider's JSON as it is, ``{"sub": ..., "email": ...}``, or
a JWT whose signature nobody looks at, as Google's emulator takes them.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.sandbox.identity.accounts import Account, Link, given
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.realm import Realm
from adapters.sandbox.identity.requests import Body, form_of

PROVIDERS = ("google.com", "apple.com")
_ALREADY = "FEDERATED_USER_ID_ALREADY_LINKED"


@dataclass(frozen=True, slots=True)
class _Said:
    """What the provider says of somebody."""

    link: Link
    email_verified: bool
    raw: str


class Providers:
    """Identity Toolkit v1 accounts:signInWithIdp."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    async def sign_in(self, body: Body) -> Answer:
        """Sign in or up; with an ID token, link to the account that has it."""
        body.needed("requestUri", "MISSING_REQUEST_URI")
        said = _said(body.needed("postBody", "INVALID_CREDENTIAL_OR_PROVIDER_ID"))
        token = body.text("idToken")
        with self._realm.store.transaction():
            return self._link(said, token) if token else self._sign_in(said)

    def _link(self, said: _Said, token: str) -> Answer:
        caller = self._realm.sessions.caller(token)
        account, link = caller.account, said.link
        holder = self._realm.store.by_link(link.provider, link.raw_id)
        if holder is not None and holder.uid != account.uid:
            raise Refused(_ALREADY)
        if holder is None and account.link_of(link.provider) is not None:
            raise Refused("PROVIDER_ALREADY_LINKED")
        self._take(account, said)
        tokens = self._realm.sessions.continued(account, caller.sign_in, now=self._realm.now())
        return _told(account, said, is_new=False) | tokens

    def _sign_in(self, said: _Said) -> Answer:
        store, link = self._realm.store, said.link
        account = store.by_link(link.provider, link.raw_id)
        is_new = False
        if account is None and link.email and (known := store.by_email(link.email)):
            if not said.email_verified:
                return _told(known, said, is_new=False) | {"needConfirmation": True}
            account = self._joined(known)
        if account is None:
            account, is_new = self._realm.new_account(), True
        self._take(account, said)
        return self._realm.entered(account, link.provider, _told(account, said, is_new=is_new))

    def _joined(self, account: Account) -> Account:
        """The account of an address the provider has verified.

        Nobody had proved that the address is theirs: whoever registered it first loses every way
        in, or they could wait inside for its owner.
        """
        if not account.email_verified:
            account.password, account.phone = None, None
            account.links, account.factors = [], []
            self._realm.sessions.revoke(account, since=int(self._realm.now()))
        return account

    def _take(self, account: Account, said: _Said) -> None:
        account.unlink(said.link.provider)
        account.links.append(said.link)
        account.name = account.name or said.link.name
        account.photo_url = account.photo_url or said.link.photo_url
        email = said.link.email
        if account.email is None and email and not self._realm.store.by_email(email):
            account.email = email
        if email and account.email == email:
            account.email_verified = account.email_verified or said.email_verified


def _said(post_body: str) -> _Said:
    fields = form_of(post_body)
    provider, token = fields.get("providerId", ""), fields.get("id_token", "")
    if provider not in PROVIDERS:
        detail = "The identity provider configuration is not found."
        raise Refused("OPERATION_NOT_ALLOWED", detail)
    claims = _claims(token)
    body = Body(claims)
    return _Said(
        Link(
            provider,
            body.needed("sub", "INVALID_IDP_RESPONSE"),
            body.email(),
            body.text("name"),
            body.text("picture"),
        ),
        # Apple writes it as text.
        claims.get("email_verified") in (True, "true"),
        orjson.dumps(claims).decode(),
    )


def _claims(token: str) -> dict[str, Any]:
    text = token.encode()
    if not token.startswith("{"):
        parts = token.split(".")
        try:
            text = base64.urlsafe_b64decode(parts[1] + "==") if len(parts) == 3 else b""  # noqa: PLR2004  # header, claims, signature
        except (binascii.Error, ValueError):
            text = b""
    try:
        claims = orjson.loads(text)
    except orjson.JSONDecodeError:
        claims = None
    if not isinstance(claims, dict):
        raise Refused("INVALID_IDP_RESPONSE", "The id_token is neither JSON nor a JWT")
    return claims


def _told(account: Account, said: _Said, *, is_new: bool) -> Answer:
    link = said.link
    return given(
        {
            "kind": "identitytoolkit#VerifyAssertionResponse",
            "providerId": link.provider,
            "federatedId": link.raw_id,
            "localId": account.uid,
            "email": link.email or account.email,
            "emailVerified": said.email_verified,
            "displayName": link.name,
            "fullName": link.name,
            "photoUrl": link.photo_url,
            "rawUserInfo": said.raw,
            "oauthIdToken": said.raw,
            "isNewUser": is_new,
        }
    )
