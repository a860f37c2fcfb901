"""Refresh, revocation and expiry; where Google's emulator is wrong, ours is held to Google."""

import pytest

from tests.sandbox.identity.conftest import Refuses
from tests.sandbox.identity.service import Service, claims_of, ours


def test_a_refresh_tells_the_same_sign_in(service: Service):
    signed = service.sign_up()

    refreshed = service.refresh(signed["refreshToken"])

    assert refreshed["access_token"] == refreshed["id_token"]
    assert refreshed["token_type"] == "Bearer"
    assert refreshed["user_id"] == signed["localId"]
    before, after = claims_of(signed), claims_of(refreshed)
    assert after["auth_time"] == before["auth_time"]
    assert after["firebase"] == before["firebase"]


def test_an_unknown_refresh_token_is_refused(service: Service, refuses: Refuses):
    with refuses("INVALID_REFRESH_TOKEN"):
        service.refresh("nothing of the kind")


def test_a_revoked_session_ends(service: Service, refuses: Refuses):
    service.lacks("refreshes revoked sessions")
    signed = service.sign_up()
    since = claims_of(signed)["auth_time"]

    # In the second of the sign-in itself: Google compares whole seconds, we end what there is.
    service.admin(":update", localId=signed["localId"], validSince=since)

    with refuses("TOKEN_EXPIRED"):
        service.refresh(signed["refreshToken"])
    assert service.refresh(service.sign_in(signed["email"])["refreshToken"])["id_token"]


def test_a_token_of_before_a_revocation_looks_nothing_up(service: Service, refuses: Refuses):
    signed = service.sign_up()
    since = claims_of(signed)["iat"] + 1

    service.admin(":update", localId=signed["localId"], validSince=since)

    with refuses("TOKEN_EXPIRED"):
        service.accounts("lookup", idToken=signed["idToken"])


def test_a_reset_password_ends_every_session(service: Service, refuses: Refuses):
    service.lacks("refreshes revoked sessions")
    signed = service.sign_up()
    service.accounts("sendOobCode", requestType="PASSWORD_RESET", email=signed["email"])
    code = service.mailed(signed["email"])

    service.accounts("resetPassword", oobCode=code, newPassword="another horse")

    with refuses("TOKEN_EXPIRED"):
        service.refresh(signed["refreshToken"])


def test_a_changed_password_ends_the_other_sessions(identity: Service, refuses: Refuses):
    other = identity.sign_up()
    mine = identity.sign_in(other["email"])
    identity.clock.pass_by(seconds=60)

    changed = identity.accounts("update", idToken=mine["idToken"], password="another horse")

    since = int(identity.user(changed)["validSince"])
    assert claims_of(changed)["auth_time"] >= since
    assert identity.refresh(changed["refreshToken"])["id_token"]
    for old in (mine, other):
        with refuses("TOKEN_EXPIRED"):
            identity.refresh(old["refreshToken"])
        with refuses("TOKEN_EXPIRED"):
            identity.user(old)


def test_a_disabled_account_neither_refreshes_nor_signs_in(service: Service, refuses: Refuses):
    signed = service.sign_up()

    service.admin(":update", localId=signed["localId"], disableUser=True)

    with refuses("USER_DISABLED"):
        service.refresh(signed["refreshToken"])
    with refuses("USER_DISABLED"):
        service.sign_in(signed["email"])
    service.admin(":update", localId=signed["localId"], disableUser=False)
    assert service.sign_in(signed["email"])["idToken"]


def test_the_time_of_a_sign_in_is_its_own(identity: Service):
    first = identity.sign_up()
    identity.clock.pass_by(seconds=60)
    second = identity.sign_in(first["email"])

    refreshed = identity.refresh(first["refreshToken"])

    assert claims_of(refreshed)["auth_time"] == claims_of(first)["auth_time"]
    assert claims_of(second)["auth_time"] >= claims_of(first)["auth_time"] + 60
    assert claims_of(refreshed)["iat"] >= claims_of(first)["iat"] + 60


def test_a_token_lives_as_long_as_was_said(tmp_path, refuses: Refuses):
    with ours(tmp_path / "identity.sqlite3", token_life_seconds=5) as identity:
        signed = identity.sign_up()
        assert signed["expiresIn"] == "5"
        assert identity.user(signed)["localId"] == signed["localId"]

        identity.clock.pass_by(seconds=5)

        with refuses("TOKEN_EXPIRED"):
            identity.user(signed)
        assert identity.refresh(signed["refreshToken"])["id_token"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "é" * 20, "e" * 9000])
def test_what_is_no_token_is_refused(identity: Service, refuses: Refuses, token: str):
    with refuses("INVALID_ID_TOKEN"):
        identity.accounts("lookup", idToken=token)
