"""A fake provider's page: asked, answered, and back to the client with what was said."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.identity.service import Service, claims_of, new_email

BACK = "http://127.0.0.1:8000/after-sign-in?x=1"


def asked(identity: Service, **more: str) -> Any:
    return identity.http.get(
        "/consent",
        params={"providerId": "google.com", "redirect_uri": BACK, "state": 'a"b', **more},
    )


def filled(page: str, **typed: str) -> dict[str, str]:
    """The form as a browser sends it."""
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in hidden} | typed


@pytest.mark.parametrize("provider", ["google.com", "apple.com"])
def test_who_consents_comes_back_and_signs_in(identity: Service, provider: str):
    email = new_email()
    page = asked(identity, providerId=provider)
    assert page.status_code == 200
    assert "This is not " in page.text
    assert "form-action 'self' http://127.0.0.1:8000;" in page.headers["content-security-policy"]

    form = filled(page.text, email=email, name="Ann", answer="yes")
    answer = identity.http.post("/consent", data=form)

    assert answer.status_code == 303
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}?{back.query}" == BACK
    told = {name: value for name, (value,) in parse_qs(back.fragment).items()}
    assert told.keys() == {"id_token", "state"}
    assert told["state"] == 'a"b'
    signed = identity.sign_in_with(provider, told["id_token"])
    assert (signed["email"], signed["displayName"]) == (email, "Ann")
    assert claims_of(signed)["email_verified"] is True
    again = identity.http.post("/consent", data=form).headers["location"]
    assert again == answer.headers["location"]  # the same person as before


def test_who_does_not_consent_is_not_told_of(identity: Service):
    form = filled(asked(identity).text, email="", name="", answer="no")

    answer = identity.http.post("/consent", data=form)

    fragment = parse_qs(urlsplit(answer.headers["location"]).fragment)
    assert fragment == {"error": ["access_denied"], "state": ['a"b']}


def test_without_a_way_back_it_is_shown(identity: Service):
    page = asked(identity, redirect_uri="", state="")
    form = filled(page.text, email="ann@example.com", name="<b>", answer="yes")

    answer = identity.http.post("/consent", data=form)

    assert answer.status_code == 200
    assert "ann@example.com" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "refused",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:8000/#x"},
        {"redirect_uri": "http://ann@127.0.0.1:8000/"},
        {"redirect_uri": "http://127.0.0.1:99999/"},
        {"redirect_uri": "//127.0.0.1/"},
        {"redirect_uri": "http://127.0.0.1.evil.example/"},
        {"providerId": "github.com"},
        {"providerId": ""},
    ],
    ids=str,
)
def test_it_leads_nowhere_else(identity: Service, refused: dict[str, str]):
    page = asked(identity, **refused)
    form = {"providerId": "google.com", "email": "ann@example.com", "answer": "yes", **refused}
    answer = identity.http.post("/consent", data=form)

    for seen in (page, answer):
        assert seen.status_code == 400
        assert "This did not work" in seen.text
        assert "location" not in seen.headers


def test_a_page_from_elsewhere_cannot_answer_for_somebody(identity: Service):
    form = {"providerId": "google.com", "email": "ann@example.com", "answer": "yes"}

    answer = identity.http.post("/consent", data=form, headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
