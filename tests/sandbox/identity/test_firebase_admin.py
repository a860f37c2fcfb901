"""The real firebase-admin, raw and behind our adapter, with ours and with Google's emulator."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from firebase_admin import auth

from adapters.clock import SystemClock
from adapters.firebase import FirebaseAdmin
from adapters.resilience import Breakers
from domain.users.model import Identity
from tests.sandbox.identity.conftest import Refuses
from tests.sandbox.identity.service import (
    PASSWORD,
    PROJECT,
    Service,
    claims_of,
    new_email,
    new_phone,
)


@pytest.fixture
async def adapter(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FirebaseAdmin]:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", service.host)
    breaker = Breakers(SystemClock()).of("identity")
    admin = FirebaseAdmin(
        project=PROJECT, service_account=None, breaker=breaker, timeout_seconds=10
    )
    yield admin
    await admin.aclose()


def who(uid: str) -> Identity:
    return Identity(PROJECT, "", uid)


def test_an_administrator_makes_and_finds_somebody(admin: Any, service: Service):
    email, phone, uid = new_email(), new_phone(), uuid4().hex

    made = admin.create_user(
        uid=uid,
        email=email,
        email_verified=True,
        password=PASSWORD,
        display_name="Ann",
        phone_number=phone,
    )

    assert made.uid == uid
    for found in (
        admin.get_user(uid),
        admin.get_user_by_email(email),
        admin.get_user_by_phone_number(phone),
    ):
        assert (found.uid, found.email, found.phone_number) == (uid, email, phone)
        assert (found.display_name, found.email_verified, found.disabled) == ("Ann", True, False)
    assert {one.provider_id for one in found.provider_data} == {"password", "phone"}
    assert service.sign_in(email)["localId"] == uid


def test_what_is_taken_and_who_is_missing_have_their_own_errors(admin: Any):
    email, phone = new_email(), new_phone()
    uid = admin.create_user(email=email, phone_number=phone).uid

    with pytest.raises(auth.EmailAlreadyExistsError):
        admin.create_user(email=email)
    with pytest.raises(auth.PhoneNumberAlreadyExistsError):
        admin.create_user(phone_number=phone)
    with pytest.raises(auth.UidAlreadyExistsError):
        admin.create_user(uid=uid)
    with pytest.raises(auth.UserNotFoundError):
        admin.get_user("nobody")
    with pytest.raises(auth.UserNotFoundError):
        admin.update_user("nobody", display_name="x")
    with pytest.raises(auth.UserNotFoundError):
        admin.delete_user("nobody")


def test_an_account_is_changed(admin: Any, service: Service):
    email, phone = new_email(), new_phone()
    uid = admin.create_user(
        email=email, password=PASSWORD, display_name="A", photo_url="http://a/b"
    ).uid

    admin.update_user(uid, phone_number=phone, email_verified=True, photo_url=auth.DELETE_ATTRIBUTE)
    changed = admin.update_user(uid, display_name=auth.DELETE_ATTRIBUTE, password="another horse")

    assert (changed.phone_number, changed.email_verified) == (phone, True)
    assert changed.display_name is None
    assert changed.photo_url is None
    assert service.sign_in(email, "another horse")["localId"] == uid
    assert admin.update_user(uid, phone_number=auth.DELETE_ATTRIBUTE).phone_number is None


def test_claims_are_in_the_next_token(admin: Any, service: Service):
    signed = service.sign_up()

    admin.set_custom_user_claims(signed["localId"], {"okd": {"beta": True}})

    assert "okd" not in claims_of(signed)
    assert claims_of(service.refresh(signed["refreshToken"]))["okd"] == {"beta": True}
    assert admin.get_user(signed["localId"]).custom_claims == {"okd": {"beta": True}}
    admin.set_custom_user_claims(signed["localId"], None)
    assert "okd" not in claims_of(service.refresh(signed["refreshToken"]))


def test_everybody_is_listed_page_by_page(admin: Any):
    made = {admin.create_user(email=new_email()).uid for _ in range(5)}

    page = admin.list_users(max_results=2)
    assert len(page.users) == 2
    listed = {user.uid for user in page.iterate_all()}

    assert made <= listed


def test_many_are_looked_up_and_deleted_at_once(admin: Any):
    email, phone = new_email(), new_phone()
    one, two = admin.create_user(email=email).uid, admin.create_user(phone_number=phone).uid

    found = admin.get_users(
        [auth.EmailIdentifier(email), auth.UidIdentifier("no"), auth.PhoneIdentifier(phone)]
    )
    gone = admin.delete_users([one, two])

    assert {user.uid for user in found.users} == {one, two}
    assert len(found.not_found) == 1
    assert (gone.success_count, gone.failure_count) == (2, 0)
    with pytest.raises(auth.UserNotFoundError):
        admin.get_user(one)


def test_an_administrator_makes_links(admin: Any, service: Service):
    email = new_email()
    uid = admin.create_user(email=email, password=PASSWORD).uid

    link = admin.generate_email_verification_link(email)
    service.http.get(link) if service.name == "google" else follow(service, link)

    assert admin.get_user(uid).email_verified is True
    assert "mode=resetPassword" in admin.generate_password_reset_link(email)


def follow(service: Service, link: str) -> None:
    """Looking at a link does nothing; its button does."""
    code = dict(part.split("=", 1) for part in link.split("?")[1].split("&"))["oobCode"]
    page = service.http.get(link)
    assert page.status_code == 200
    assert "script" not in page.text
    done = service.http.post("/emulator/action", data={"oobCode": code})
    assert "Done" in done.text
    again = service.http.post("/emulator/action", data={"oobCode": code})
    assert (again.status_code, "INVALID_OOB_CODE" in again.text) == (400, True)


def test_tokens_are_verified_and_revoked(admin: Any, service: Service, refuses: Refuses):
    signed = service.sign_up()

    claims = admin.verify_id_token(signed["idToken"], check_revoked=True, clock_skew_seconds=10)
    admin.update_user(signed["localId"], valid_since=claims["iat"] + 1)

    assert claims["uid"] == signed["localId"]
    with pytest.raises(auth.RevokedIdTokenError):
        admin.verify_id_token(signed["idToken"], check_revoked=True)
    service.lacks("refreshes revoked sessions")
    with refuses("TOKEN_EXPIRED"):
        service.refresh(signed["refreshToken"])


async def test_our_adapter_sees_disables_revokes_and_deletes(
    adapter: FirebaseAdmin, service: Service, refuses: Refuses
):
    signed = service.sign_up(verified=True)
    before = SystemClock().now()
    service.enrol_phone(signed, new_phone())
    uid = signed["localId"]

    account = await adapter.account(who(uid))
    assert account is not None
    assert account.disabled is False
    assert list(account.second_factors) == ["phone"]
    assert abs((account.second_factors["phone"] - before).total_seconds()) < 10

    await adapter.set_claims(who(uid), {"beta": True})
    refreshed = claims_of(service.refresh(signed["refreshToken"]))
    assert refreshed["okd"] == {"beta": True}
    await adapter.disable(who(uid), disabled=True)
    with refuses("USER_DISABLED"):
        service.refresh(signed["refreshToken"])
    await adapter.disable(who(uid), disabled=False)
    await adapter.revoke_tokens(who(uid))
    account = await adapter.account(who(uid))
    assert account is not None
    assert account.valid_since.timestamp() >= claims_of(signed)["auth_time"]
    await adapter.delete(who(uid))
    assert await adapter.account(who(uid)) is None
    await adapter.delete(who(uid))  # nobody there any more is fine


def test_who_is_no_administrator_is_refused(service: Service):
    path = f"/identitytoolkit.googleapis.com/v1/projects/{PROJECT}/accounts:lookup"

    answer = service.http.post(path, json={"localId": ["x"]})

    assert answer.status_code in {401, 403}
    assert "users" not in answer.json()
