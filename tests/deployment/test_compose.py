"""compose.yaml against the repository, and against what we know of Docker Compose."""

import re
import shutil
import subprocess

import pytest
from sqlalchemy import make_url

from adapters.gateway.server import process, uvicorn_server
from adapters.settings import Environment, Settings, load_settings
from tests.deployment import composition
from tests.deployment.composition import ROOT, MissingVariableError, environment_of, services
from tests.deployment.dockerfile import dockerfile
from tests.deployment.roles import roles
from tests.deployment.test_dockerfile import answering

ROLES = ("migrate", "web", "feed", "worker")
SERVICES = services()
# Whoever reads this knows what else may be said in .env; docs/operations.md has the table.
OPTIONAL = {
    "BFF_IMAGE", "OKD_ALLOWED_ORIGINS", "OKD_BYBIT_ENVIRONMENT", "OKD_CATEGORIES",
    "OKD_DRAIN_SECONDS", "OKD_FLOOD_LIMIT", "OKD_FRONT_SUBNET", "OKD_LOG_LEVEL", "PROXY_BIND",
    "PROXY_PORT", "SITE_ADDRESS",
}  # fmt: skip


def known_variables() -> set[str]:
    fields = Settings.model_fields.items()
    return {str(field.validation_alias or f"OKD_{name.upper()}") for name, field in fields}


def test_each_role_is_a_service_and_app_py_knows_it():
    own = {name for name, service in SERVICES.items() if "build" in service}

    assert own == set(ROLES)
    for name in own:
        assert SERVICES[name]["command"] == [name]
        assert name in roles()


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_built_from_the_production_stage(name: str):
    assert SERVICES[name]["build"] == {"context": ".", "target": "production"}
    assert "production" in dockerfile().stages


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_tag(name: str):
    image = SERVICES[name]["image"]

    assert re.fullmatch(r"[a-z/-]+:[\w.]+", image), image
    assert not image.endswith(":latest")
    assert "." not in image.split("/")[0].split(":")[0], "names a registry"


@pytest.mark.parametrize("name", ROLES)
def test_a_roles_environment_is_accepted_by_the_settings(name: str, monkeypatch):
    for variable in known_variables():
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment_of(name).items():
        assert variable in known_variables(), variable
        monkeypatch.setenv(variable, value)

    settings = load_settings()

    assert settings.environment is Environment.PRODUCTION
    assert settings.port == 8000
    assert settings.allowed_origins == ()


@pytest.mark.parametrize("name", ROLES)
def test_addresses_lead_to_services_that_share_a_network(name: str):
    environment = environment_of(name)
    database, redis = make_url(environment["DATABASE_URL"]), make_url(environment["REDIS_URL"])

    assert (database.username, database.database) == ("okd_app", "okd")
    assert database.password == composition.SECRETS["POSTGRES_APP_PASSWORD"]
    assert redis.password == composition.SECRETS["VALKEY_PASSWORD"]
    for address in (database, redis):
        assert address.host in SERVICES
        assert set(SERVICES[address.host]["networks"]) & set(SERVICES[name]["networks"])


def test_only_migrate_knows_the_owners_address():
    knowing = {name for name in ROLES if "DATABASE_OWNER_URL" in environment_of(name)}

    assert knowing == {"migrate"}
    owner = make_url(environment_of("migrate")["DATABASE_OWNER_URL"])
    assert (owner.username, owner.host, owner.database) == ("okd_owner", "postgres", "okd")


@pytest.mark.parametrize("missing", composition.SECRETS)
def test_a_missing_secret_is_told_in_words(missing: str):
    given = {name: value for name, value in composition.SECRETS.items() if name != missing}

    with pytest.raises(
        MissingVariableError, match=rf"^{missing}: set it in \.env to the output of"
    ):
        composition.composition(given)


def test_every_variable_has_a_default_or_a_message():
    asked = composition.references()

    assert set(asked) == set(composition.SECRETS) | OPTIONAL
    for name, uses in asked.items():
        for operator, word in uses:
            if name in composition.SECRETS:
                assert operator == ":?"
                assert word.startswith("set it in .env")
            else:
                assert operator == ":-", name


def test_no_password_is_written_down():
    written = composition.raw()["services"]
    for name, service in written.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|AUTH", variable):
                assert str(value).startswith("${"), f"{name}: {variable}"
            if found := re.search(r"://[^@/]*?:([^@]*)@", str(value)):
                assert found.group(1).startswith("${"), f"{name}: {variable}"
    assert not re.search(r"PASSWORD '", composition.text())


def test_what_a_service_waits_for_exists_and_can_happen():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"], other
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no", other


@pytest.mark.parametrize("name", ["web", "feed", "worker"])
def test_no_role_starts_before_the_migration_is_through(name: str):
    condition = SERVICES[name]["depends_on"]["migrate"]["condition"]

    assert condition == "service_completed_successfully"


def test_only_the_proxy_is_published_and_only_on_loopback():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"proxy": ["127.0.0.1:8443:443"]}


def test_web_and_feed_can_be_scaled():
    for name in ("web", "feed"):
        assert SERVICES[name]["deploy"]["replicas"] >= 2
        assert not {"container_name", "ports"} & set(SERVICES[name])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str):
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert service["logging"]["driver"] == "local"
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_the_root_file_system_is_read_only_unless_a_config_is_put_into_it(name: str):
    # Compose refuses an inline config in a read-only container (docker/compose#12031, #12531).
    service = SERVICES[name]
    inline = [
        config["source"]
        for config in service.get("configs", [])
        if "content" in composition.raw()["configs"][config["source"]]
    ]

    assert bool(service.get("read_only")) is not bool(inline)


def test_networks_volumes_and_configs_are_declared_and_used():
    whole = composition.composition()
    networks = {network for service in SERVICES.values() for network in service["networks"]}
    volumes = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    configs = {c["source"] for s in SERVICES.values() for c in s.get("configs", [])}

    assert networks == set(whole["networks"])
    assert volumes == set(whole["volumes"])
    assert configs == set(whole["configs"])


def test_web_and_worker_share_the_folder_of_files_and_it_is_theirs():
    kept = {
        name: volume
        for name, service in SERVICES.items()
        for volume in service.get("volumes", [])
        if volume.startswith("files:")
    }

    assert kept.keys() == {"web", "worker"}
    for name, volume in kept.items():
        assert volume.removeprefix("files:") == environment_of(name)["OKD_FILES_DIR"]
    (made,) = [
        run.text
        for run in dockerfile().stages["production"].all("RUN")
        if environment_of("web")["OKD_FILES_DIR"] in run.text
    ]
    assert made.split() == [
        "install", "-d", "-o", "okd", "-g", "okd", "-m", "0700", "/var/lib/okd/files",
    ]  # fmt: skip


def test_the_databases_have_no_way_out():
    assert composition.composition()["networks"]["data"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["data"]
    assert "data" not in SERVICES["proxy"]["networks"]


def test_who_asks_the_venue_has_a_way_out():
    whole = composition.composition()
    for name in ("web", "feed", "worker"):
        ways = [n for n in SERVICES[name]["networks"] if not whole["networks"][n].get("internal")]
        assert ways, name


@pytest.mark.parametrize("name", ["web", "feed", "worker"])
def test_a_role_gets_the_time_its_drain_takes(name: str):
    drain = float(environment_of(name)["OKD_DRAIN_SECONDS"])
    # The operations port closes after the web port, each within its own bound.
    closing = 2 * (process.GRACE_SECONDS + uvicorn_server.LIFESPAN_SECONDS)

    assert composition.seconds(SERVICES[name]["stop_grace_period"]) > drain + closing


def test_migrate_is_not_watched_and_the_rest_is():
    assert SERVICES["migrate"]["healthcheck"] == {"disable": True}
    assert SERVICES["web"]["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]
    for name in ("feed", "worker"):
        assert "healthcheck" not in SERVICES[name]  # the image's own
    assert dockerfile().stages["production"].all("HEALTHCHECK")


def test_webs_health_check_asks_for_readiness_on_its_port():
    code = SERVICES["web"]["healthcheck"]["test"][3]
    compile(code, "compose.yaml", "exec")
    asked = f"127.0.0.1', {Settings.model_fields['port'].default}"
    assert asked in code

    for status, expected in ((200, 0), (503, 1)):
        with answering({"/readyz": status}) as port, pytest.raises(SystemExit) as ended:
            exec(code.replace(asked, f"127.0.0.1', {port}"), {})  # noqa: S102
        assert bool(ended.value.code) is bool(expected)


def test_valkey_holds_less_than_its_container():
    words = SERVICES["valkey"]["command"]
    flags = dict(zip(words[1::2], words[2::2], strict=True))

    assert flags["--maxmemory-policy"] == "noeviction"
    assert flags["--requirepass"] == composition.SECRETS["VALKEY_PASSWORD"]
    assert 2 * int(flags["--maxmemory"].removesuffix("mb")) < int(
        SERVICES["valkey"]["mem_limit"].removesuffix("m")
    )


def test_postgres_18_keeps_its_data_where_the_image_looks():
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["postgres"]["volumes"] == ["postgres-data:/var/lib/postgresql"]


def test_all_pools_together_fit_into_postgres():
    words = SERVICES["postgres"]["command"]
    most = int(next(w for w in words if w.startswith("max_connections=")).partition("=")[2])
    processes = sum(SERVICES[n].get("deploy", {}).get("replicas", 1) for n in ROLES)

    assert processes * Settings.model_fields["database_pool_size"].default < most / 2


def test_docker_compose_agrees():
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("there is no docker here")
    version = subprocess.run(  # noqa: S603
        [docker, "compose", "version", "--short"], capture_output=True, text=True, check=False
    )
    if version.returncode != 0:
        pytest.skip("this docker has no compose")
    checked = subprocess.run(  # noqa: S603
        [docker, "compose", "--file", "compose.yaml", "config", "--quiet"],
        cwd=ROOT,
        env=composition.SECRETS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
