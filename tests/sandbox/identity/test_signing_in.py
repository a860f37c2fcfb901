"""E-mail and password, links, phones: the same from ours and from Google's emulator."""

import pytest

from tests.sandbox.identity.conftest import Refuses
from tests.sandbox.identity.service import (
    PASSWORD,
    PROJECT,
    Service,
    claims_of,
    new_email,
    new_phone,
)


def test_somebody_signs_up_and_in(service: Service):
    email = new_email()

    signed_up = service.accounts("signUp", email=email.upper(), password=PASSWORD)
    signed_in = service.sign_in(email)

    assert signed_up["email"] == signed_in["email"] == email
    assert signed_in["localId"] == signed_up["localId"]
    assert signed_in["registered"] is True
    assert signed_in["expiresIn"] == "3600"
    claims = claims_of(signed_in)
    assert claims["sub"] == claims["user_id"] == signed_in["localId"]
    assert (claims["aud"], claims["iss"]) == (PROJECT, f"https://securetoken.google.com/{PROJECT}")
    assert (claims["email"], claims["email_verified"]) == (email, False)
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["firebase"] == {"identities": {"email": [email]}, "sign_in_provider": "password"}


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("not an address", PASSWORD, "INVALID_EMAIL"),
        (new_email(), "short", "WEAK_PASSWORD"),
        (new_email(), None, "MISSING_PASSWORD"),
    ],
    ids=["no address", "a short password", "no password"],  # an address is new in each process
)
def test_who_cannot_sign_up_is_told_why(
    service: Service, refuses: Refuses, email: str, password: str | None, code: str
):
    with refuses(code):
        service.accounts("signUp", email=email, password=password)


def test_an_address_is_taken_once(service: Service, refuses: Refuses):
    email = service.sign_up()["email"]

    with refuses("EMAIL_EXISTS"):
        service.sign_up(email)


def test_a_wrong_password_and_an_unknown_address_are_told_alike(service: Service, refuses: Refuses):
    email = service.sign_up()["email"]

    with refuses("INVALID_LOGIN_CREDENTIALS"):
        service.sign_in(email, "wrong horse")
    with refuses("INVALID_LOGIN_CREDENTIALS"):
        service.sign_in(new_email())


def test_nothing_tells_whether_an_address_is_known(service: Service):
    email = new_email()

    answer = service.accounts("sendOobCode", requestType="PASSWORD_RESET", email=email)

    assert answer["email"] == email
    assert not [code for code in service.listed("oobCodes") if code["email"] == email]


def test_a_mailed_link_verifies_the_address_once(service: Service, refuses: Refuses):
    signed = service.sign_up()
    service.accounts("sendOobCode", requestType="VERIFY_EMAIL", idToken=signed["idToken"])
    code = service.mailed(signed["email"])

    assert service.accounts("resetPassword", oobCode=code)["requestType"] == "VERIFY_EMAIL"
    assert service.accounts("update", oobCode=code)["emailVerified"] is True

    assert service.user(signed)["emailVerified"] is True
    assert claims_of(service.refresh(signed["refreshToken"]))["email_verified"] is True
    with refuses("INVALID_OOB_CODE"):
        service.accounts("update", oobCode=code)


def test_a_mailed_link_resets_the_password_once(service: Service, refuses: Refuses):
    email = service.sign_up()["email"]
    service.accounts("sendOobCode", requestType="PASSWORD_RESET", email=email)
    code = service.mailed(email)

    with refuses("WEAK_PASSWORD"):
        service.accounts("resetPassword", oobCode=code, newPassword="short")
    service.accounts("resetPassword", oobCode=code, newPassword="another horse")

    assert service.sign_in(email, "another horse")["idToken"]
    with refuses("INVALID_LOGIN_CREDENTIALS"):
        service.sign_in(email)
    with refuses("INVALID_OOB_CODE"):
        service.accounts("resetPassword", oobCode=code, newPassword="third horse")


def test_a_new_address_is_taken_when_its_link_is_followed(service: Service, refuses: Refuses):
    signed, new = service.sign_up(), new_email()

    service.accounts(
        "sendOobCode",
        requestType="VERIFY_AND_CHANGE_EMAIL",
        idToken=signed["idToken"],
        newEmail=new,
    )
    service.accounts("update", oobCode=service.mailed(signed["email"]))

    assert service.sign_in(new)["localId"] == signed["localId"]
    with refuses("INVALID_LOGIN_CREDENTIALS"):
        service.sign_in(signed["email"])


def test_a_changed_password_gives_new_tokens(service: Service):
    signed = service.sign_up()

    changed = service.accounts("update", idToken=signed["idToken"], password="another horse")

    assert changed["idToken"]
    assert service.refresh(changed["refreshToken"])["user_id"] == signed["localId"]
    assert service.sign_in(signed["email"], "another horse")["localId"] == signed["localId"]


def test_a_profile_is_changed_and_shown(service: Service):
    signed = service.sign_up()

    service.accounts("update", idToken=signed["idToken"], displayName="Ann", photoUrl="http://a/b")

    assert service.user(signed)["displayName"] == "Ann"
    claims = claims_of(service.refresh(signed["refreshToken"]))
    assert (claims["name"], claims["picture"]) == ("Ann", "http://a/b")
    service.accounts("update", idToken=signed["idToken"], deleteAttribute=["DISPLAY_NAME"])
    assert "displayName" not in service.user(signed)


def test_a_deleted_account_is_gone(service: Service, refuses: Refuses):
    signed = service.sign_up()

    service.accounts("delete", idToken=signed["idToken"])

    with refuses("INVALID_LOGIN_CREDENTIALS"):
        service.sign_in(signed["email"])
    with refuses("USER_NOT_FOUND"):
        service.accounts("lookup", idToken=signed["idToken"])


def test_a_phone_signs_up_in_and_is_read_in_the_mailbox(service: Service, refuses: Refuses):
    phone = new_phone()
    session = service.accounts("sendVerificationCode", phoneNumber=phone)["sessionInfo"]
    code = service.texted(session)
    wrong = f"{(int(code) + 1) % 10**6:06d}"

    with refuses("INVALID_CODE"):
        service.accounts("signInWithPhoneNumber", sessionInfo=session, code=wrong)
    first = service.accounts("signInWithPhoneNumber", sessionInfo=session, code=code)
    session = service.accounts("sendVerificationCode", phoneNumber=phone)["sessionInfo"]
    code = service.texted(session)
    again = service.accounts("signInWithPhoneNumber", sessionInfo=session, code=code)

    assert (first["isNewUser"], again["isNewUser"]) == (True, False)
    assert first["localId"] == again["localId"]
    claims = claims_of(again)
    assert claims["phone_number"] == phone
    assert claims["firebase"]["sign_in_provider"] == "phone"


def test_a_phone_is_linked_and_unlinked(service: Service):
    signed, phone = service.sign_up(), new_phone()
    session = service.accounts("sendVerificationCode", phoneNumber=phone)["sessionInfo"]

    linked = service.accounts(
        "signInWithPhoneNumber",
        sessionInfo=session,
        code=service.texted(session),
        idToken=signed["idToken"],
    )

    assert linked["localId"] == signed["localId"]
    assert service.user(signed)["phoneNumber"] == phone
    service.accounts("update", idToken=signed["idToken"], deleteProvider=["phone"])
    assert "phoneNumber" not in service.user(signed)


def test_an_address_is_not_changed_without_its_mail(identity: Service, refuses: Refuses):
    signed = identity.sign_up()

    with refuses("OPERATION_NOT_ALLOWED"):
        identity.accounts("update", idToken=signed["idToken"], email=new_email())

    assert identity.user(signed)["email"] == signed["email"]


@pytest.mark.parametrize("phone", ["1234", "", "phone"])
def test_a_number_that_is_none_is_refused(service: Service, refuses: Refuses, phone: str):
    with refuses("INVALID_PHONE_NUMBER"):
        service.accounts("sendVerificationCode", phoneNumber=phone)


def test_no_key_is_no_client(service: Service):
    answer = service.http.post("/identitytoolkit.googleapis.com/v1/accounts:signUp", json={})

    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
