"""SMS and TOTP as second factors; TOTP is beyond Google's emulator."""

import pytest

from adapters.sandbox.identity import totp
from tests.sandbox.identity.conftest import Refuses
from tests.sandbox.identity.service import PASSWORD, Json, Service, claims_of, new_phone


def start_totp(service: Service, signed: Json) -> Json:
    started = service.factors(
        "mfaEnrollment:start", idToken=signed["idToken"], totpEnrollmentInfo={}
    )
    return dict(started["totpSessionInfo"])


def code_of(service: Service, secret: str, *, steps: int = 0) -> str:
    return totp.code(secret, totp.step_at(service.clock.now().timestamp()) + steps)


def enrol_totp(service: Service, signed: Json) -> tuple[str, Json]:
    session = start_totp(service, signed)
    answer = service.factors(
        "mfaEnrollment:finalize",
        idToken=signed["idToken"],
        displayName="App",
        totpVerificationInfo={
            "sessionInfo": session["sessionInfo"],
            "verificationCode": code_of(service, session["sharedSecretKey"]),
        },
    )
    return session["sharedSecretKey"], answer


def finish(service: Service, pending: Json, code: str) -> Json:
    return service.factors(
        "mfaSignIn:finalize",
        mfaPendingCredential=pending["mfaPendingCredential"],
        mfaEnrollmentId=pending["mfaInfo"][0]["mfaEnrollmentId"],
        totpVerificationInfo={"verificationCode": code},
    )


def test_a_phone_is_enrolled_and_asked_for(service: Service):
    signed, phone = service.sign_up(verified=True), new_phone()

    enrolled = claims_of(service.enrol_phone(signed, phone))
    pending = service.sign_in(signed["email"])

    assert enrolled["firebase"]["sign_in_second_factor"] == "phone"
    assert enrolled["auth_time"] == claims_of(signed)["auth_time"]
    assert "idToken" not in pending
    (factor,) = pending["mfaInfo"]
    assert factor["displayName"] == "Phone"
    assert factor["phoneInfo"].endswith(phone[-4:])
    assert phone not in str(pending)
    started = service.factors(
        "mfaSignIn:start",
        mfaPendingCredential=pending["mfaPendingCredential"],
        mfaEnrollmentId=factor["mfaEnrollmentId"],
        phoneSignInInfo={},
    )
    session = started["phoneResponseInfo"]["sessionInfo"]
    tokens = service.factors(
        "mfaSignIn:finalize",
        mfaPendingCredential=pending["mfaPendingCredential"],
        phoneVerificationInfo={"sessionInfo": session, "code": service.texted(session)},
    )
    told = claims_of(tokens)["firebase"]
    assert told["sign_in_provider"] == "password"
    assert told["sign_in_second_factor"] == "phone"
    assert told["second_factor_identifier"] == factor["mfaEnrollmentId"]
    refreshed = claims_of(service.refresh(tokens["refreshToken"]))["firebase"]
    assert refreshed["sign_in_second_factor"] == "phone"


def test_an_unverified_address_enrols_nothing(service: Service, refuses: Refuses):
    signed = service.sign_up()

    with refuses("UNVERIFIED_EMAIL"):
        service.factors(
            "mfaEnrollment:start",
            idToken=signed["idToken"],
            phoneEnrollmentInfo={"phoneNumber": new_phone()},
        )


def test_a_withdrawn_factor_is_not_asked_for(service: Service):
    signed = service.sign_up(verified=True)
    enrolled = service.enrol_phone(signed, new_phone())
    (factor,) = service.user(enrolled)["mfaInfo"]

    service.factors(
        "mfaEnrollment:withdraw",
        idToken=enrolled["idToken"],
        mfaEnrollmentId=factor["mfaEnrollmentId"],
    )

    assert service.sign_in(signed["email"])["idToken"]


def test_an_app_is_enrolled_and_asked_for(service: Service):
    service.lacks("has no TOTP")
    signed = service.sign_up(verified=True)

    secret, enrolled = enrol_totp(service, signed)
    pending = service.sign_in(signed["email"])
    tokens = finish(service, pending, code_of(service, secret, steps=1))

    assert enrolled["totpAuthInfo"] == {}
    assert claims_of(enrolled)["firebase"]["sign_in_second_factor"] == "totp"
    assert pending["mfaInfo"][0]["totpInfo"] == {}
    assert secret not in str(pending)
    told = claims_of(tokens)["firebase"]
    assert told["sign_in_second_factor"] == "totp"
    assert told["second_factor_identifier"] == pending["mfaInfo"][0]["mfaEnrollmentId"]


def test_a_code_is_taken_once(identity: Service, refuses: Refuses):
    signed = identity.sign_up(verified=True)
    secret, _ = enrol_totp(identity, signed)
    used = code_of(identity, secret)  # by the enrolment itself

    with refuses("INVALID_CODE"):
        finish(identity, identity.sign_in(signed["email"]), used)
    identity.clock.pass_by(seconds=30)
    fresh = code_of(identity, secret)
    assert finish(identity, identity.sign_in(signed["email"]), fresh)["idToken"]
    with refuses("INVALID_CODE"):
        finish(identity, identity.sign_in(signed["email"]), fresh)


def test_guesses_end_a_sign_in(identity: Service, refuses: Refuses):
    signed = identity.sign_up(verified=True)
    secret, _ = enrol_totp(identity, signed)
    pending = identity.sign_in(signed["email"])

    for _ in range(4):
        with refuses("INVALID_CODE"):
            finish(identity, pending, "abcdef")
    with refuses("TOO_MANY_ATTEMPTS_TRY_LATER"):
        finish(identity, pending, "abcdef")
    with refuses("INVALID_MFA_PENDING_CREDENTIAL"):
        finish(identity, pending, code_of(identity, secret, steps=1))


def test_a_first_factor_is_used_up_by_its_second(identity: Service, refuses: Refuses):
    signed = identity.sign_up(verified=True)
    secret, _ = enrol_totp(identity, signed)
    pending = identity.sign_in(signed["email"])
    finish(identity, pending, code_of(identity, secret, steps=1))

    with refuses("INVALID_MFA_PENDING_CREDENTIAL"):
        finish(identity, pending, code_of(identity, secret, steps=1))


def test_a_code_of_one_purpose_is_none_of_another(identity: Service, refuses: Refuses):
    signed, phone = identity.sign_up(verified=True), new_phone()
    session = identity.accounts("sendVerificationCode", phoneNumber=phone)["sessionInfo"]

    with refuses("INVALID_SESSION_INFO"):
        identity.factors(
            "mfaEnrollment:finalize",
            idToken=signed["idToken"],
            phoneVerificationInfo={"sessionInfo": session, "code": identity.texted(session)},
        )


def test_an_enrolment_of_somebody_else_is_refused(identity: Service, refuses: Refuses):
    ann, eve = identity.sign_up(verified=True), identity.sign_up(verified=True)
    session = start_totp(identity, ann)

    with refuses("INVALID_SESSION_INFO"):
        identity.factors(
            "mfaEnrollment:finalize",
            idToken=eve["idToken"],
            totpVerificationInfo={
                "sessionInfo": session["sessionInfo"],
                "verificationCode": code_of(identity, session["sharedSecretKey"]),
            },
        )


@pytest.mark.parametrize("operation", ["password", "delete", "enrol"])
def test_what_is_dangerous_asks_for_a_fresh_sign_in(
    identity: Service, refuses: Refuses, operation: str
):
    signed = identity.sign_up(verified=True)
    identity.clock.pass_by(seconds=301)
    token = identity.refresh(signed["refreshToken"])["id_token"]

    with refuses("CREDENTIAL_TOO_OLD_LOGIN_AGAIN"):
        if operation == "password":
            identity.accounts("update", idToken=token, password=PASSWORD)
        elif operation == "delete":
            identity.accounts("delete", idToken=token)
        else:
            start_totp(identity, {"idToken": token})


def test_the_codes_are_those_of_rfc_6238():
    # Appendix B of the RFC, SHA-1, the last six of its eight digits.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    for at, expected in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code(secret, totp.step_at(at)) == expected


def test_the_demo_users_apps_are_open_to_see_and_nobody_elses(identity: Service):
    signed = identity.sign_up(verified=True)
    enrol_totp(identity, signed)

    listed = {each["email"]: each for each in identity.listed("totpCodes")}

    names = ("verified", "compliance", "treasury", "admin")
    assert list(listed) == [f"{name}@okd.example" for name in names]
    pending = identity.sign_in("admin@okd.example", "okd-sandbox")
    app = listed["admin@okd.example"]
    assert app["mfaEnrollmentId"] == pending["mfaInfo"][0]["mfaEnrollmentId"]
    told = claims_of(finish(identity, pending, app["code"]))["firebase"]
    assert told["sign_in_second_factor"] == "totp"
    assert identity.listed("totpCodes")[-1]["code"] != app["code"]  # That one is used up.


def test_an_app_that_was_taken_away_shows_no_code(identity: Service):
    (app,) = [each for each in identity.listed("totpCodes") if each["email"] == "admin@okd.example"]
    signed = finish(identity, identity.sign_in(app["email"], "okd-sandbox"), app["code"])

    identity.factors(
        "mfaEnrollment:withdraw",
        idToken=signed["idToken"],
        mfaEnrollmentId=app["mfaEnrollmentId"],
    )

    assert app["email"] not in {each["email"] for each in identity.listed("totpCodes")}
