"""Google and Apple as fake providers, linking, and whose account an address is."""

from uuid import uuid4

import jwt
import pytest

from tests.sandbox.identity.conftest import Refuses
from tests.sandbox.identity.service import PASSWORD, Json, Service, claims_of, new_email


def person(**claims: object) -> Json:
    return {"sub": uuid4().hex, "email": new_email(), "email_verified": True, **claims}


@pytest.mark.parametrize("provider", ["google.com", "apple.com"])
def test_a_provider_signs_up_and_in(service: Service, provider: str):
    ann = person(name="Ann")

    first = service.sign_in_with(provider, ann)
    again = service.sign_in_with(provider, jwt.encode(ann, "s" * 32))

    assert (first["isNewUser"], again.get("isNewUser", False)) == (True, False)
    assert first["localId"] == again["localId"]
    assert (first["providerId"], first["email"]) == (provider, ann["email"])
    claims = claims_of(again)
    assert claims["email_verified"] is True
    assert claims["firebase"]["sign_in_provider"] == provider
    assert claims["firebase"]["identities"][provider] == [ann["sub"]]
    (linked,) = service.user(again)["providerUserInfo"]
    assert (linked["providerId"], linked["rawId"]) == (provider, ann["sub"])


def test_a_provider_is_linked_and_unlinked(service: Service):
    signed, ann = service.sign_up(), person()

    linked = service.sign_in_with("google.com", ann, idToken=signed["idToken"])

    assert linked["localId"] == signed["localId"]
    assert service.sign_in_with("google.com", ann)["localId"] == signed["localId"]
    listed = {one["providerId"] for one in service.user(linked)["providerUserInfo"]}
    assert listed == {"password", "google.com"}
    service.accounts("update", idToken=linked["idToken"], deleteProvider=["google.com"])
    (left,) = service.user(linked)["providerUserInfo"]
    assert left["providerId"] == "password"
    assert service.sign_in_with("google.com", ann)["localId"] != signed["localId"]


def test_a_password_is_linked_to_an_account_without_address(service: Service):
    signed, email = service.sign_in_with("apple.com", {"sub": uuid4().hex}), new_email()

    service.accounts("signUp", idToken=signed["idToken"], email=email, password=PASSWORD)

    assert service.sign_in(email)["localId"] == signed["localId"]


def test_a_password_is_linked_to_the_address_that_is_there(service: Service):
    service.lacks("takes one's own address for somebody else's (EMAIL_EXISTS)")
    ann = person()
    signed = service.sign_in_with("google.com", ann)

    service.accounts("signUp", idToken=signed["idToken"], email=ann["email"], password=PASSWORD)

    again = service.sign_in(ann["email"])
    assert again["localId"] == signed["localId"]
    assert claims_of(again)["email_verified"] is True


def test_a_linked_provider_is_nobody_elses(service: Service, refuses: Refuses):
    ann = person()
    service.sign_in_with("google.com", ann)
    other = service.sign_up()

    with refuses("FEDERATED_USER_ID_ALREADY_LINKED"):
        service.sign_in_with("google.com", ann, idToken=other["idToken"])


def test_a_verified_address_joins_the_account_that_verified_it(service: Service):
    signed = service.sign_up(verified=True)

    joined = service.sign_in_with("google.com", person(email=signed["email"]))

    assert joined["localId"] == signed["localId"]
    assert service.sign_in(signed["email"])["localId"] == signed["localId"]


def test_who_never_verified_an_address_loses_it_to_its_owner(service: Service, refuses: Refuses):
    squatter = service.sign_up()

    owner = service.sign_in_with("google.com", person(email=squatter["email"]))

    assert owner["localId"] == squatter["localId"]
    with refuses("INVALID_LOGIN_CREDENTIALS"):
        service.sign_in(squatter["email"])


def test_an_address_the_provider_did_not_verify_joins_nothing(service: Service):
    signed = service.sign_up(verified=True)

    answer = service.sign_in_with("google.com", person(email=signed["email"], email_verified=False))

    assert answer["needConfirmation"] is True
    assert "idToken" not in answer


@pytest.mark.parametrize("claims", ["garbage", "a.b.c", "{", '{"email": "a@example.com"}'])
def test_what_no_provider_says_is_refused(service: Service, refuses: Refuses, claims: str):
    with refuses("INVALID_IDP_RESPONSE"):
        service.sign_in_with("google.com", claims)


def test_another_provider_is_not_there(identity: Service, refuses: Refuses):
    with refuses("OPERATION_NOT_ALLOWED"):
        identity.sign_in_with("evil.example", person())
