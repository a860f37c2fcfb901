"""The path of production: our verifier with the certificates that are published here."""

from collections.abc import AsyncIterator

import httpx
import jwt
import pytest
from google.auth.transport import requests as google_requests
from google.oauth2 import id_token

from adapters.firebase import Certificates, TokenVerifier
from adapters.sandbox.identity import CERTIFICATES_PATH
from domain.users.errors import TokenExpired, TokenInvalid
from domain.users.model import Identity, SignIn
from tests.sandbox.identity.service import PROJECT, Service, claims_of


class Nothing:
    """A store that keeps nothing."""

    async def load(self) -> bytes | None:
        return None

    async def save(self, text: bytes) -> None:
        pass


@pytest.fixture
async def verifier(identity: Service) -> AsyncIterator[TokenVerifier]:
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"http://{identity.host}{CERTIFICATES_PATH}"
        certificates = Certificates(url, http=http, kept=Nothing())
        yield TokenVerifier(
            certificates, project=PROJECT, now=lambda: identity.clock.now().timestamp()
        )


async def test_our_verifier_accepts_a_sign_in(identity: Service, verifier: TokenVerifier):
    signed = identity.sign_up()

    found = await verifier.verify(signed["idToken"])

    assert isinstance(found, SignIn)
    assert found.identity == Identity(PROJECT, "", signed["localId"])
    assert (found.provider, found.second_factor) == ("password", None)
    assert (found.email, found.email_verified) == (signed["email"], False)
    assert found.signed_in_at.timestamp() == claims_of(signed)["auth_time"]


async def test_our_verifier_sees_it_end(identity: Service, verifier: TokenVerifier):
    signed = identity.sign_up()
    identity.clock.pass_by(seconds=3600)

    assert await verifier.verify(signed["idToken"]) == TokenExpired()


async def test_what_was_changed_or_not_signed_is_refused(
    identity: Service, verifier: TokenVerifier
):
    claims = claims_of(identity.sign_up())
    header = jwt.get_unverified_header(identity.sign_up()["idToken"])

    unsigned = jwt.encode(claims, "", "none", headers={"kid": header["kid"]})
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        forged = jwt.encode(claims, "guess", "HS256", headers={"kid": header["kid"]})

    assert await verifier.verify(unsigned) == TokenInvalid()
    assert await verifier.verify(forged) == TokenInvalid()


def test_googles_own_library_accepts_it(identity: Service):
    signed = identity.sign_up()

    url = f"http://{identity.host}{CERTIFICATES_PATH}"
    claims = id_token.verify_token(
        signed["idToken"], google_requests.Request(), audience=PROJECT, certs_url=url
    )

    assert claims["sub"] == signed["localId"]


def test_certificates_may_be_kept(identity: Service):
    answer = identity.http.get(CERTIFICATES_PATH)

    assert "max-age=3600" in answer.headers["cache-control"]
    (key_id,) = answer.json()
    token = identity.sign_up()["idToken"]
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": key_id, "typ": "JWT"}
