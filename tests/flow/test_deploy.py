"""deploy/compose.yaml, its proxy and its image against the code: what must agree, agrees."""

import re

import pytest
import uvicorn

from services.ingest.settings import Settings as IngestSettings
from services.settings_table import COMPOSE, FIXED_BY_COMPOSE, SERVICES
from tests.flow.deployment import (
    COMPOSE_TEXT,
    CONTAINERS,
    DEPLOY,
    KUSTOMIZATION,
    NGINX,
    NOT_OURS,
    PATHS,
    ROOT,
    VERSION,
    largest_picture_bytes,
    longest_stop_s,
    names_of,
    seconds,
)


def test_every_service_has_a_container_that_runs_it() -> None:
    assert {name: CONTAINERS[name]["command"] for name in SERVICES} == {name: [name] for name in SERVICES}
    assert CONTAINERS["init"]["entrypoint"] == ["presswork", "init"]


@pytest.mark.parametrize("service", [*SERVICES, "init"])
def test_a_container_passes_on_every_setting_of_its_service_and_no_other(service: str) -> None:
    given = set(CONTAINERS[service]["environment"]) - NOT_OURS
    assert given == names_of(service), f"correct the names of {service} at the top of deploy/compose.yaml"


def test_what_compose_fixes_is_what_the_example_says_it_fixes() -> None:
    given = {name: value for service in SERVICES for name, value in CONTAINERS[service]["environment"].items()}
    fixed = {name for name, value in given.items() if value is not None} - NOT_OURS
    assert fixed == {*FIXED_BY_COMPOSE, "JWT_SECRET_KEY", "NAS_URL", "PORT"}  # these three are read from deploy/.env


def test_compose_asks_for_nothing_that_the_example_does_not_name() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_TEXT))
    assert asked <= {name for name, _, _ in COMPOSE} | names_of("ingest")
    assert asked >= {name for name, _, _ in COMPOSE}


def test_a_missing_secret_stops_compose_with_words() -> None:
    required = {name for name, default, _ in COMPOSE if not default} | {"JWT_SECRET_KEY"}
    assert set(re.findall(r"\$\{([A-Z_]+):\?[^}]{5,}\}", COMPOSE_TEXT)) == required


def test_as_many_hashers_start_as_an_upload_is_split_for() -> None:
    default = IngestSettings.model_fields["comprehensive_workflow_max_threads"].default
    replicas = CONTAINERS["hasher"]["deploy"]["replicas"]
    assert replicas == f"${{COMPREHENSIVE_WORKFLOW_MAX_THREADS:-{default}}}"


def test_a_hasher_may_take_the_memory_that_the_largest_picture_needs() -> None:
    limit = CONTAINERS["hasher"]["deploy"]["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("G")) * 2**30 >= largest_picture_bytes()


def test_docker_waits_longer_than_a_service_takes_to_stop() -> None:
    for name in SERVICES:
        grace_s = float(CONTAINERS[name]["environment"]["STOP_GRACE_SECONDS"])
        assert seconds(CONTAINERS[name]["stop_grace_period"]) > longest_stop_s(grace_s), name


def test_services_start_when_tables_and_queues_are_there() -> None:
    for name in SERVICES:
        assert CONTAINERS[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert CONTAINERS["init"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "rabbitmq": {"condition": "service_healthy"},
    }
    assert all("healthcheck" in CONTAINERS[name] for name in ("ingest", "postgres", "rabbitmq"))


def test_a_service_with_tables_connects_with_its_own_role() -> None:
    made = set(re.findall(r"'(presswork_\w+)'", (DEPLOY / "postgres/roles.sql").read_text())) - {"presswork_"}
    used = set()
    for name in SERVICES:
        url = CONTAINERS[name]["environment"].get("DATABASE_URL")
        if url:
            assert f"//presswork_{name}:" in url
            used.add(f"presswork_{name}")
    assert used == made


def test_every_path_that_a_service_is_given_is_a_volume_of_its_container() -> None:
    for name in (*SERVICES, "init"):
        mounted = {volume.rpartition(":")[2] for volume in CONTAINERS[name]["volumes"]}
        given = CONTAINERS[name]["environment"]
        assert mounted == {without_a_choice(given[path]) for path in PATHS if path in given}, name


def without_a_choice(value: str) -> str:
    """What `${NAME:-value}` is if nobody has chosen."""
    return re.sub(r"^\$\{[A-Z_]+:-(.*)\}$", r"\1", value)


def test_nginx_lets_large_uploads_through_as_they_arrive() -> None:
    said = dict(re.findall(r"^\s*(\w+) ([^;]+);", NGINX, re.MULTILINE))
    assert re.fullmatch(r"[1-9]\d*g", said["client_max_body_size"])
    assert said["proxy_request_buffering"] == "off"
    assert seconds(said["proxy_read_timeout"]) >= max(900, IngestSettings.model_fields["http_wait_seconds"].default)


@pytest.mark.parametrize("path", ["/designs/progress/{session}", "/api/v1/sessions/{session}/events/stream"])
def test_nginx_holds_no_event_stream_back(path: str) -> None:
    blocks = re.findall(r"location (?:~ )?(\S+) \{([^}]*)\}", NGINX)
    fitting = [body for place, body in blocks if place != "/" and re.search(place, path)]
    assert ["proxy_buffering off;" in body for body in fitting] == [True]


def test_nginx_writes_no_token_to_its_log() -> None:
    formats = re.findall(r"log_format (\w+) ([^;]*);", NGINX)
    assert re.findall(r"access_log \S+ (\w+);", NGINX) == [name for name, _ in formats] == ["presswork"]
    written = set(re.findall(r"\$\w+", formats[0][1]))
    assert "$uri" in written
    assert not {name for name in written if re.match(r"\$(request$|request_uri|args|arg_|query_string|http_)", name)}


def test_nginx_writes_no_request_to_its_error_log() -> None:
    """Its lines have the whole address, query and all, and no format can change that: only a level leaves them out."""
    (served,) = re.findall(r"^    server \{(.*?)^    \}", NGINX, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\s*error_log (.+);", served, re.MULTILINE) == ["stderr emerg"]
    assert "$upstream_status" in NGINX, "what such a line would tell of ingest"


def test_the_server_believes_the_proxies_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", CONTAINERS["ingest"]["environment"]["FORWARDED_ALLOW_IPS"])
    assert uvicorn.Config("services.ingest.app:create_app").forwarded_allow_ips == "*"


def test_the_image_is_made_of_files_that_are_there_and_are_sent_to_the_builder() -> None:
    sent = {line.lstrip("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = {
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for source in sources.split()
    }
    assert copied == sent
    assert [name for name in sorted(copied) if not (ROOT / name).exists()] == []


def test_the_image_checks_every_hash_and_has_no_database_server() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    installs = re.findall(r"pip install (.+)", dockerfile)
    assert ["--require-hashes" in line or "--no-index" in line for line in installs] == [True] * 3
    assert "pixeltable" not in (ROOT / "requirements.lock").read_text()
    assert 'ENTRYPOINT ["presswork", "run"]' in dockerfile
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", dockerfile, re.MULTILINE)


def test_every_file_names_the_version_of_the_project() -> None:
    assert {CONTAINERS[name]["image"] for name in (*SERVICES, "init")} == {f"presswork:{VERSION}"}
    (image,) = KUSTOMIZATION["images"]
    assert image["newTag"] == VERSION
    assert f"presswork:{VERSION}" in (DEPLOY / "Dockerfile").read_text()
