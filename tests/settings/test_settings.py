"""Settings: every problem at once, no value ever shown, documents that keep up."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from adapters.settings import Settings, SettingsError, load_settings
from adapters.settings_docs import as_example, as_markdown

ROOT = Path(__file__).parents[2]
SECRET = "s3cret" * 6  # a canary, not a secret
ACCOUNT = json.dumps(
    {
        "type": "service_account",
        "project_id": "okd-production",
        "client_email": "okd@okd-production.iam.gserviceaccount.com",
        "private_key": SECRET,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
)
SOUND = {
    "DATABASE_URL": "postgresql://okd_app:pw@/okd?host=/run/pg",
    "REDIS_URL": "unix:///run/valkey.sock",
    "OKD_SECRET_KEY": SECRET,
    "OKD_FIREBASE_PROJECT": "okd-production",
    "OKD_FIREBASE_SERVICE_ACCOUNT": ACCOUNT,
    "OKD_VAULT_KEYS": f"k1:{b64encode(SECRET[:32].encode()).decode()}",
    "OKD_BLIND_INDEX_KEY": SECRET,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    for name in [*Settings.model_fields, "database_url", "redis_url"]:
        monkeypatch.delenv(f"OKD_{name.upper()}", raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)

    def use(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    use(**SOUND)
    return use


def problems() -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return refused.value.problems


def test_a_sound_environment_is_production_on_the_real_market(environment):
    settings = load_settings()

    assert settings.production
    assert settings.bybit_environment == "mainnet"


def test_every_problem_is_reported_at_once_by_name_and_never_by_value(environment):
    environment(
        DATABASE_URL=f"postgresql://a:{SECRET}@db.example/okd",
        REDIS_URL=f"redis://:{SECRET}@cache.example",
        OKD_SECRET_KEY="short-s3cret",
        OKD_PORT="eighty",
        OKD_BYBIT_ENVIRONMENT="sandbox",
        OKD_CATEGORIES="SPOT,MOON",
    )
    found = problems()

    assert [p.split(":")[0] for p in found] == [
        "DATABASE_URL", "REDIS_URL", "OKD_SECRET_KEY", "OKD_BYBIT_ENVIRONMENT", "OKD_CATEGORIES",
        "OKD_PORT",
    ]  # fmt: skip
    assert "s3cret" not in "".join(found)


def test_what_is_missing_is_named(environment, monkeypatch: pytest.MonkeyPatch):
    for name in SOUND:
        monkeypatch.delenv(name)

    assert problems() == [
        "DATABASE_URL: is missing",
        "REDIS_URL: is missing",
        "OKD_SECRET_KEY: is missing",
        "OKD_FIREBASE_PROJECT: production needs a Firebase project; a demo one has no users",
        "OKD_FIREBASE_SERVICE_ACCOUNT: is missing",
        "OKD_VAULT_KEYS: is missing",
        "OKD_BLIND_INDEX_KEY: is missing",
    ]


@pytest.mark.parametrize("shown", [str, repr, lambda s: s.model_dump_json()])
def test_secrets_are_never_shown(environment, shown):
    text = shown(load_settings())

    assert SECRET not in text
    assert "pw" not in text


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("postgresql://u:p@/okd?host=/run/pg", True),
        ("postgresql://u:p@localhost/okd", True),
        ("postgresql://u:p@127.0.0.2/okd", True),
        ("postgresql://u:p@[::1]/okd", True),
        ("postgresql://u:p@db/okd?sslmode=verify-full", True),
        ("postgresql://u:p@db/okd?sslmode=require", True),
        ("postgresql://u:p@db/okd?sslmode=prefer", False),
        ("postgresql://u:p@10.0.0.1/okd", False),
        ("postgresql://u:p@db/okd?host=/run/pg", False),
    ],
)
def test_production_crosses_no_network_in_the_clear(environment, url: str, accepted: bool):
    environment(DATABASE_URL=url)
    if accepted:
        load_settings()
    else:
        assert problems() == [
            "DATABASE_URL: crosses a network without TLS; use it, or OKD_ALLOW_INSECURE_TRANSPORT=1"
        ]
        environment(OKD_ALLOW_INSECURE_TRANSPORT="1")
        load_settings()


CERTIFICATES = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("OKD_FIREBASE_PROJECT", "demo-okd", "production needs a Firebase project"),
        ("OKD_FIREBASE_PROJECT", "No Project", "String should match pattern"),
        ("OKD_FIREBASE_CERTIFICATES_URL", CERTIFICATES.replace("https", "http"), "only"),
        ("OKD_FIREBASE_CERTIFICATES_URL", "https://www.googleapis.com.evil.example/x", "only"),
        ("OKD_FIREBASE_CERTIFICATES_URL", "https://googleapis.com@evil.example/x", "only"),
        ("OKD_FIREBASE_CERTIFICATES_URL", "https://[x", "is not an address"),
        ("OKD_FIREBASE_SERVICE_ACCOUNT", "/nowhere/account.json", "neither JSON nor a file"),
        ("OKD_FIREBASE_SERVICE_ACCOUNT", "{", "is not JSON"),
        ("OKD_FIREBASE_SERVICE_ACCOUNT", '{"type": "user"}', "is not the key of a service account"),
        ("OKD_VAULT_KEYS", "k1", "master keys are written name:base64"),
        ("OKD_VAULT_KEYS", "k1:c2hvcnQ=", "the master key 'k1' must have 32 bytes"),
        ("OKD_BLIND_INDEX_KEY", "short", "at least 32"),
    ],
)
def test_production_refuses_what_would_let_strangers_in(
    environment, variable: str, value: str, sentence: str
):
    environment(**{variable: value})

    (found,) = problems()

    assert found.startswith(f"{variable}: ")
    assert sentence in found


@pytest.mark.parametrize("variable", ["FIREBASE_AUTH_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST"])
def test_production_refuses_every_emulator(environment, variable: str):
    environment(**{variable: "127.0.0.1:9099"})

    assert problems() == [f"OKD_ENVIRONMENT: production refuses to start while {variable} is set"]
    environment(OKD_ENVIRONMENT="sandbox")
    assert load_settings().firebase_project == "okd-production"


def test_a_service_account_may_be_a_file(environment, tmp_path: Path):
    file = tmp_path / "account.json"
    file.write_text(ACCOUNT)
    environment(OKD_FIREBASE_SERVICE_ACCOUNT=str(file))

    given = load_settings().firebase_service_account

    assert given is not None
    assert given.get_secret_value() == ACCOUNT


def test_a_sandbox_needs_no_firebase(environment, monkeypatch: pytest.MonkeyPatch):
    for name in list(SOUND)[3:]:
        monkeypatch.delenv(name)
    environment(OKD_ENVIRONMENT="sandbox")

    settings = load_settings()

    assert settings.firebase_project == "demo-okd"
    assert settings.vault_keys is None


def test_a_sandbox_needs_the_addresses_of_its_exchange(environment):
    environment(OKD_ENVIRONMENT="sandbox", OKD_BYBIT_ENVIRONMENT="recording")

    assert problems() == [
        "OKD_BYBIT_REST_URL: is needed to reach the sandbox exchange",
        "OKD_BYBIT_WS_URL: is needed to reach the sandbox exchange",
    ]


def test_the_documents_keep_up():
    assert (ROOT / "docs" / "settings.md").read_text() == as_markdown()
    assert (ROOT / ".env.example").read_text() == as_example()


def test_transfer_limits_that_make_no_sense_are_a_problem(environment):
    environment(OKD_TRANSFER_LIMITS="USDT=3/2/1")

    assert problems() == ["OKD_TRANSFER_LIMITS: USDT: a longer period has no lower limit"]


def test_transfer_limits_are_taken(environment):
    environment(OKD_TRANSFER_LIMITS="USDT=1/2/3 BTC=0.1/0.1/0.1")

    assert load_settings().transfer_limits == "USDT=1/2/3 BTC=0.1/0.1/0.1"
